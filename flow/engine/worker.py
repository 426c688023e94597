"""Executes one step on a worker: fresh directory in, outcome out."""

from __future__ import annotations

import contextlib
import importlib
import os
import shlex
import shutil
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flow.engine.cache import Cache, final_key, full_disk
from flow.engine.remote import RemoteStore
from flow.engine.runner import Cancelled, Runner
from flow.model.check import Check
from flow.model.errors import ConfigError, FlowError, InfraError, ToolError
from flow.model.metric import MetricValue
from flow.model.step import Outcome, ProcessResult, Resources, Status, Step
from flow.model.tool import Command, ToolIdentity
from flow.model.view import Tree, View

__all__ = ["Task", "cancel_run", "execute", "execute_batch"]

_LOW_DISK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A step with its inputs resolved, ready to travel to a worker.

    Attributes
    ----------
    step
        With views and trees only as inputs.
    base
        Its base key, see :mod:`flow.engine.keys`.
    cache_root
        Of the driver; a worker uses ``$SUZURI_CACHE`` instead when it has
        that.
    run_id
        For cancelling.
    keep
        Where the files of a failed step go.
    count_attempts
        Whether to record tries, for clusters whose workers may die.
    force
        Execute even when another process has published the result.
    """

    step: Step
    base: str
    cache_root: str
    run_id: str
    keep: str
    remote: RemoteStore | None = None
    count_attempts: bool = False
    force: bool = False


_CACHES: dict[tuple[str, str | None], Cache] = {}
_CANCELLED: set[str] = set()
_LISTENERS: dict[str, Callable[[str], None]] = {}
_LOCK = threading.Lock()


def cancel_run(run_id: str) -> None:
    """Stop every step of a run that executes in this process, and those to come."""
    _CANCELLED.add(run_id)


def listen(run_id: str, listener: Callable[[str], None] | None) -> None:
    """Be told the names of steps of a run as they start in this process."""
    if listener is None:
        _LISTENERS.pop(run_id, None)
    else:
        _LISTENERS[run_id] = listener


def _cache(task: Task) -> Cache:
    root = os.environ.get("SUZURI_WORKER_CACHE") or task.cache_root
    key = (root, task.remote.url if task.remote else None)
    with _LOCK:
        if key not in _CACHES:
            _CACHES[key] = Cache(Path(root), task.remote)
        return _CACHES[key]


class _Context:
    """The :class:`~flow.model.step.StepContext` of one execution."""

    def __init__(self, task: Task, cache: Cache, workdir: Path) -> None:
        self._step = task.step
        self._cache = cache
        self._workdir = workdir
        self._runner = Runner(workdir, task.step.resources, lambda: task.run_id in _CANCELLED)
        self._placed: dict[str, Path] = {}
        self.outputs: dict[str, Path] = {}
        self.metrics: dict[str, MetricValue] = {}
        self.checks: list[Check] = []
        self.tables: dict[str, Any] = {}
        self.reads: dict[str, set[str]] = {}
        self.commands: list[str] = []
        self.tool_s = self.cpu_s = self.peak_mb = 0.0

    @property
    def params(self) -> Mapping[str, Any]:
        return self._step.params

    @property
    def workdir(self) -> Path:
        return self._workdir

    @property
    def resources(self) -> Resources:
        return self._step.resources

    def has_input(self, name: str) -> bool:
        return name in self._step.inputs

    def input(self, name: str) -> Path:
        if name not in self._placed:
            self._placed[name] = self._place(name)
        return self._placed[name]

    def inputs_matching(self, prefix: str) -> Sequence[tuple[str, Path]]:
        return [(name, self.input(name)) for name in self._step.inputs if name.startswith(prefix)]

    def _place(self, name: str) -> Path:
        """Put an input into the step's directory: a hard link, or a symbolic one."""
        item = self._step.inputs[name]
        folder = self._workdir / "in"
        if isinstance(item, Tree):
            target = folder / name
            self._cache.place_tree(item, target)
            return target
        if not isinstance(item, View):
            raise TypeError(f"input {name} of {self._step.name} is not resolved")
        target = folder / name / item.name
        target.parent.mkdir(parents=True)
        source = self._cache.locate(item)
        try:
            os.link(source, target)
        except OSError:
            target.symlink_to(source)  # another file system
        return target

    def check_inputs(self) -> None:
        """Refuse a result when an input was written to: neither is what it says it is.

        Raises
        ------
        ConfigError
            One was; it is out of the cache now.
        """
        changed = [
            relative
            for name in self._placed
            for relative, view in _views(name, self._step.inputs[name])
            if self._cache.altered(view)
        ]
        if changed:
            raise ConfigError(
                f"{', '.join(changed[:5])} was written to while the step ran",
                f"step {self._step.name}",
                "A step's inputs are read-only: write into the current directory instead.",
            )

    def tool(self, name: str) -> ToolIdentity:
        for identity in self._step.tools:
            if identity.name == name:
                return identity
        raise KeyError(name)

    def run(self, command: Command) -> ProcessResult:
        for name, text in command.files.items():
            path = self._workdir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.commands.append(shlex.join(command.argv))
        started = time.monotonic()
        try:
            # Tools that compile something for themselves once (WebAssembly, byte
            # code) keep it here; a home of their own would make them start cold.
            own = {"XDG_CACHE_HOME": str(self._cache.root / "tools")}
            result = self._runner.run(
                command.argv,
                log=self._workdir / command.log,
                env={**own, **command.env},
                wall_s=command.wall_s,
            )
        finally:
            self.tool_s += time.monotonic() - started
        self.cpu_s += result.cpu_s
        self.peak_mb = max(self.peak_mb, result.peak_mb)
        return result

    def output(self, name: str, path: Path) -> None:
        declared = {o.removesuffix("?") for o in self._step.outputs}
        if name not in declared:
            raise ValueError(f"step {self._step.name} does not declare the output {name!r}")
        self.outputs[name] = path

    def metric(self, name: str, value: MetricValue) -> None:
        self.metrics[name] = value

    def check(self, check: Check) -> None:
        self.checks.append(check)

    def data(self, name: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
        self.tables[name] = value

    def read(self, tree: str, relative: str) -> None:
        self.reads.setdefault(tree, set()).add(relative)

    def collect_reads(self) -> dict[str, str]:
        """Digests of the files that decide this result: those said to be read, or all."""
        digests: dict[str, str] = {}
        for name, item in self._step.inputs.items():
            if not isinstance(item, Tree):
                continue
            said = self.reads.get(name)
            for relative, view in item.files:
                if said is None or relative in said:
                    digests[f"{name}/{relative}"] = view.digest
        return digests

    def collect_outputs(self) -> dict[str, View]:
        """Move the declared outputs into the cache."""
        views: dict[str, View] = {}
        for declared in self._step.outputs:
            name = declared.removesuffix("?")
            path = self.outputs.get(name)
            if path is None or not path.is_file():
                if declared.endswith("?"):
                    continue
                where = f"step {self._step.name}"
                raise ToolError(self._step.kind, f"{where} did not produce its output {name!r}", None)
            if path.is_symlink() or path.stat().st_nlink > 1:
                copy = path.with_name(path.name + ".copy")
                shutil.copyfile(path, copy)
                views[name] = self._cache.adopt(copy, path.name)
            else:
                views[name] = self._cache.adopt(path, path.name)
        return views


def _views(name: str, item: object) -> list[tuple[str, View]]:
    """Return the views of an input, by the names that a user knows."""
    if isinstance(item, Tree):
        return list(item.files)
    return [(name, item)] if isinstance(item, View) else []


def execute_batch(tasks: Sequence[Task]) -> list[Outcome]:
    """Execute several short steps one after the other, each by itself."""
    return [execute(task) for task in tasks]


def execute(task: Task) -> Outcome:
    """Execute one step and publish its success.

    Never raises: what went wrong is in the outcome.
    """
    began, started = time.time(), time.monotonic()
    cache = _cache(task)
    attempts = _count_attempt(cache, task)
    if listener := _LISTENERS.get(task.run_id):
        listener(task.step.name)
    workdir: Path | None = None
    context: _Context | None = None
    try:
        with cache.locked(f"step-{task.base}"):
            # Another run may have finished this step since it was found missing.
            if not task.force:
                trees = {n: t for n, t in task.step.inputs.items() if isinstance(t, Tree)}
                if found := cache.lookup(task.base, trees):
                    return replace(found, status=Status.CACHED, wall_s=time.monotonic() - started)
            if task.run_id in _CANCELLED:
                raise Cancelled
            workdir = cache.make_workdir()
            context = _Context(task, cache, workdir)
            outcome = replace(_perform(task, cache, context), attempts=attempts)
            outcome = replace(outcome, started_s=began, wall_s=time.monotonic() - started)
            if not _fleeting(outcome):
                cache.publish(task.base, outcome)
            if task.remote is not None:
                for view in outcome.outputs.values():
                    cache.push(view)
            return outcome
    except Cancelled:
        return Outcome(status=Status.CANCELLED, key=task.base, host=socket.gethostname(),
                       wall_s=time.monotonic() - started)  # fmt: skip
    except Exception as error:
        failure = _failure(task, error, context, workdir)
        return replace(failure, started_s=began, wall_s=time.monotonic() - started, attempts=attempts)
    finally:
        if workdir is not None:
            shutil.rmtree(workdir, ignore_errors=True)


def _fleeting(outcome: Outcome) -> bool:
    """Whether the outcome may be another one next time.

    That a test ran out of time may be the machine's doing; it is told, and
    not remembered.
    """
    return any(c.name.endswith(".timeout") and not c.passed for c in outcome.checks)


def load_stage(path: str) -> Any:  # noqa: ANN401 - a Stage, or a class of one
    """Import the stage named ``package.module:attribute``."""
    module, _, attribute = path.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    return found() if isinstance(found, type) else found


def _perform(task: Task, cache: Cache, context: _Context) -> Outcome:
    stage = load_stage(task.step.stage)
    try:
        stage.execute(context)
    except OSError as error:
        raise full_disk(error, context.workdir) from error
    context.check_inputs()
    reads = context.collect_reads()
    return Outcome(
        status=Status.DONE,
        key=final_key(task.base, reads),
        outputs=context.collect_outputs(),
        metrics=context.metrics,
        checks=tuple(context.checks),
        data=context.tables,
        reads=reads,
        commands=tuple(context.commands),
        host=socket.gethostname(),
        tool_s=context.tool_s,
        cpu_s=context.cpu_s,
        peak_mb=context.peak_mb,
    )


def _failure(task: Task, error: Exception, context: _Context | None, workdir: Path | None) -> Outcome:
    """Keep the files of a failed step and describe what happened."""
    if not isinstance(error, FlowError):
        text = "".join(traceback.format_exception(error))
        if workdir is not None:
            with contextlib.suppress(OSError):
                (workdir / "traceback.txt").write_text(text)
        error = ToolError(task.step.kind, f"unexpected {type(error).__name__}: {error}", "traceback.txt")
    if workdir is not None and not isinstance(error, InfraError) and _disk_is_full(workdir):
        error = InfraError("the disk is full", workdir.parent,
                           "Free some space (suzuri gc helps) and run the same command again.")  # fmt: skip
    kept = _keep(task, workdir)
    details: dict[str, str | None] = {
        "type": type(error).__name__,
        "what": error.what,
        "where": error.where,
        "remedy": error.remedy,
    }
    if isinstance(error, ToolError):
        details["tool"] = error.tool
        if error.log is not None and kept is not None:
            details["log"] = str(Path(kept) / Path(error.log).name)
    if workdir is not None:
        details = {k: None if v is None else _as_known(v, task, workdir, kept) for k, v in details.items()}
    infra = isinstance(error, InfraError)
    return Outcome(
        status=Status.INFRA if infra else Status.FAILED,
        key=task.base,
        error=details,
        workdir=kept,
        metrics=context.metrics if context else {},
        checks=tuple(context.checks) if context else (),
        data=context.tables if context else {},
        commands=tuple(context.commands) if context else (),
        host=socket.gethostname(),
        tool_s=context.tool_s if context else 0.0,
        cpu_s=context.cpu_s if context else 0.0,
        peak_mb=context.peak_mb if context else 0.0,
    )


def _as_known(text: str, task: Task, workdir: Path, kept: str | None) -> str:
    """Name inputs by where their user has them, and the step's own files by where they were kept."""
    for name, item in task.step.inputs.items():
        if isinstance(item, View) and item.path is not None:
            text = text.replace(f"{workdir}/in/{name}/{item.name}", item.path)
    return text.replace(str(workdir), kept) if kept is not None else text


def _disk_is_full(where: Path) -> bool:
    try:
        stat = os.statvfs(where)
    except OSError:
        return False
    return stat.f_bavail * stat.f_frsize < _LOW_DISK


def _keep(task: Task, workdir: Path | None) -> str | None:
    """Move a failed step's directory to where its user finds it."""
    if workdir is None or not task.keep:
        return None
    target = Path(task.keep)
    try:
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(workdir, target)
    except OSError:
        return None
    return str(target)


def _count_attempt(cache: Cache, task: Task) -> int:
    """Add a try of this step to a file that a killed worker leaves behind."""
    if not task.count_attempts:
        return 1
    path = cache.root / "work" / "attempts" / task.run_id / task.base
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{socket.gethostname()} {os.getpid()}\n")
        return len(path.read_text().splitlines())
    except OSError:
        return 1
