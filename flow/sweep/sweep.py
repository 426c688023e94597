"""A sweep, made concrete on this machine: from the manifest to ``sweep.json`` and the report."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flow.engine.cache import full_disk
from flow.engine.driver import Options
from flow.engine.events import Event, Listener, StepFinished
from flow.engine.journal import Journal, take_in
from flow.engine.manifest import load_design
from flow.engine.provenance import commit_of, host_facts, new_run_id
from flow.model.design import Design
from flow.model.errors import ConfigError
from flow.model.sweep import Axis, Fidelity, SamplerName, SweepSpec
from flow.project.request import Request
from flow.project.session import Session
from flow.project.verdict import EXIT_CHECK, EXIT_GOOD, EXIT_TOOL
from flow.sweep.campaign import Campaign
from flow.sweep.document import document
from flow.sweep.evaluate import Evaluator
from flow.sweep.goals import Goals
from flow.sweep.parameters import check_parameters
from flow.sweep.samplers import make_sampler
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial, TrialStatus, trial_from_json

__all__ = ["Changes", "Finished", "Sweep", "choose"]

_EXIT_INTERRUPTED = 130
DOCUMENT = "sweep.json"
TRIALS = "trials.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a command says differently from the manifest; ``None`` where it does not.

    Attributes
    ----------
    fresh
        Whether points of earlier runs of the sweep are left aside.
    """

    sampler: SamplerName | None = None
    points: int | None = None
    time_s: float | None = None
    seed: int | None = None
    fidelity: tuple[Fidelity, ...] = ()
    promote: float | None = None
    fresh: bool = False

    def of(self, spec: SweepSpec) -> SweepSpec:
        """Return `spec` with the changes.

        Raises
        ------
        ConfigError
            They do not fit together.
        """
        names = ("sampler", "points", "time_s", "seed", "promote")
        values = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.fidelity:
            values["fidelity"] = self.fidelity
        try:
            return replace(spec, **values)
        except ValueError as error:
            raise ConfigError(str(error), None, "Change the options, or the manifest.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A sweep that has ended.

    Attributes
    ----------
    document
        ``sweep.json``.
    folder
        Its files.
    exit_code
        0 when there is a candidate, 1 when there is none, 3 when the
        machines failed, 130 when it was interrupted.
    notes
        What else its user should know.
    """

    document: Mapping[str, Any]
    folder: Path
    report: Path
    exit_code: int
    notes: tuple[str, ...] = field(default=())


def choose(design: Design, name: str) -> SweepSpec:
    """Return the sweep called `name`, the only one where the name is empty.

    Raises
    ------
    ConfigError
        There is none, or several to choose from.
    """
    known = {sweep.name: sweep for sweep in design.sweeps}
    if not known:
        raise ConfigError("the design has no [[sweep]]", design.manifest, "See docs/sweep.md for an example.")
    if not name:
        if len(known) == 1:
            return design.sweeps[0]
        raise ConfigError(
            f"there are several sweeps: {', '.join(known)}", design.manifest, "Name one of them."
        )
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
        raise ConfigError(f"there is no sweep {name!r}", design.manifest, remedy)
    return known[name]


class Sweep:
    """A sweep that can be run.

    Parameters
    ----------
    request
        The design, and where and how it runs; its PDKs are those of a sweep
        that has no axis of them.
    name
        Of the sweep; empty for the only one.
    changes
        What differs from the manifest.
    command
        The command line that asked, for the record.

    Raises
    ------
    ConfigError
        The sweep cannot be run as it is: an empty space, a metric or
        parameter that is not there, a missing tool or PDK.
    """

    def __init__(
        self, request: Request, name: str = "", changes: Changes | None = None, command: str = ""
    ) -> None:
        self._changes = changes or Changes()
        self._command = command
        design = load_design(request.path)
        spec = self._changes.of(choose(design, name))
        self._where = f"{design.manifest}: sweep {spec.name}"
        if Fidelity.LAYOUT in spec.fidelity:
            raise ConfigError(
                "no place-and-route engine is installed", f"{self._where}.fidelity", "Leave 'layout' out."
            )
        self.spec = spec = _with_pdks(spec, request, design)
        self.space = Space(spec, self._where)
        self.goals = Goals(spec, self.space, self._where)
        parameters = [axis.name for axis in spec.axes if not axis.flow]
        check_parameters(design, parameters, self._where)
        pdks = next(axis.levels() for axis in spec.axes if axis.name == "pdk" and axis.flow)
        parts = {"elaborate", "synthesize", "timing"}
        if Fidelity.POWER in spec.fidelity:
            parts |= {"simulate", "power"}
        self._session = Session(
            replace(
                request, pdks=tuple(str(p) for p in pdks), tests=spec.workloads, seeds=None, formal=(),
                parts=frozenset(parts),
            ),
            command,
        )  # fmt: skip
        plans = {plan.pdk.name: plan for plan in self._session.pdks}
        self.skipped = list(self._session.skipped_pdks)
        if self.skipped:
            self._drop_pdks({name for name, _ in self.skipped})
        self.evaluator = Evaluator(self.spec, self._session.flow, plans, _corner, request.master_seed)
        self.folder = self._session.build / "sweeps" / spec.name
        self._request = request
        self.campaign = self._campaign()

    def _drop_pdks(self, names: set[str]) -> None:
        """Leave PDKs out that are not installed."""
        axes = []
        for axis in self.spec.axes:
            if axis.name == "pdk" and axis.flow:
                left = tuple(value for value in axis.values if value not in names)
                if not left:
                    raise ConfigError("none of its PDKs is installed", self._where, "See: suzuri pdk list")
                axes.append(replace(axis, values=left))
            else:
                axes.append(axis)
        self.spec = replace(self.spec, axes=tuple(axes))
        self.space = Space(self.spec, self._where)
        self.goals = Goals(self.spec, self.space, self._where)

    def _campaign(self) -> Campaign:
        return Campaign(
            space=self.space,
            goals=self.goals,
            evaluator=self.evaluator,
            sampler=make_sampler(self.spec, self.space, self.goals.objectives),
            earlier=[] if self._changes.fresh else self._earlier(),
            design=_short(self._session.design.root),
            told=self._write_trial,
        )

    @property
    def session(self) -> Session:
        """The design and its tools on this machine."""
        return self._session

    @property
    def budget(self) -> int | None:
        """How many points it will evaluate at most, where that is known."""
        known = [n for n in (self.spec.points, self.space.size) if n is not None]
        return min(known) if known else None

    # -- running ----------------------------------------------------------

    def run(self, listener: Listener = lambda event: None) -> Finished:
        """Run it and write what came of it.

        Raises
        ------
        FlowError
            The cluster cannot be reached, or results cannot be written.
        """
        started, clock = datetime.now(UTC), time.monotonic()
        commit = commit_of(self._session.design.root)
        run_id = new_run_id()
        session, request = self._session, self._request
        options = Options(
            run_id=run_id, keep=session.build / "failed", jobs=request.jobs, scheduler=request.scheduler,
            force=request.force,
        )  # fmt: skip
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            facts = host_facts()
            journal = Journal(session.build / "journal", run_id, {
                "design": session.design.name, "commit": commit.digest, "dirty": commit.dirty,
                "command": self._command, "host": facts["host"], "pid": os.getpid(),
            })  # fmt: skip

            def hear(event: Event) -> None:
                if isinstance(event, StepFinished):
                    journal.add(event.step, event.outcome)
                listener(event)

            with (self.folder / TRIALS).open("w", encoding="utf-8") as self._trials:
                try:
                    self.campaign.run(session.place, options, hear)
                    code = self._exit_code()
                    journal.end("pass" if code == EXIT_GOOD else "fail", code, ())
                finally:
                    journal.close()
                    session.save()
            info = {
                "id": run_id, "started": started.isoformat(timespec="seconds"),
                "elapsed_s": time.monotonic() - clock, "jobs": request.jobs or os.cpu_count(),
                "host": facts["host"], "commit": commit.digest, "dirty": commit.dirty,
                "command": self._command, "manifest": str(session.design.manifest),
                "design": session.design.name,
            }  # fmt: skip
            finished = self._write(info, code)
            if any(not trial.cached for trial in self.campaign.trials.values()):
                self._take_in()
        except OSError as error:
            raise full_disk(error, session.build) from None
        return finished

    def _take_in(self) -> None:
        from flow.engine.store import Store  # noqa: PLC0415 - costs a third of a second

        store = Store(self._request.database or self._session.build / "suzuri.sqlite")
        try:
            take_in(self._session.build / "journal", store)
        finally:
            store.close()

    def _exit_code(self) -> int:
        trials = list(self.campaign.trials.values())
        if self.campaign.ended == "interrupted":
            return _EXIT_INTERRUPTED
        if any(trial.feasible for trial in trials):
            return EXIT_GOOD
        infra = any(trial.status is TrialStatus.INFRA for trial in trials)
        return EXIT_TOOL if infra else EXIT_CHECK

    # -- what is kept -----------------------------------------------------

    def _write_trial(self, trial: Trial) -> None:
        self._trials.write(json.dumps(trial.as_json(), separators=(",", ":")) + "\n")
        self._trials.flush()

    def _earlier(self) -> list[Point]:
        """Return the points that earlier runs evaluated, as far as they are of this space."""
        points: dict[str, Point] = {}
        for trial in _read_trials(self.folder):
            if self.space.holds(trial.point):
                point = self.space.make(trial.point.values)
                if point is not None:
                    points[point.id] = point
        return list(points.values())

    def _write(self, info: dict[str, Any], code: int) -> Finished:
        pdks = [
            {
                "name": plan.pdk.name, "node_nm": plan.pdk.node_nm, "library": plan.pdk.library,
                "notes": list(plan.pdk.notes), "macros": bool(plan.pdk.macros),
                "clock_period_ns": plan.clock_period_ns,
            }
            for plan in self._session.pdks
        ]  # fmt: skip
        from flow.report.sweep import write_page  # noqa: PLC0415

        reports = self._point_reports(info)
        data = document(
            self.spec, self.goals, self.campaign, info, pdks=pdks, skipped=self.skipped, reports=reports
        )
        _replace(self.folder / DOCUMENT, json.dumps(data, separators=(",", ":"), default=str))
        report = self.folder / "report.html"
        write_page(data, report)
        return Finished(
            document=data, folder=self.folder, report=report, exit_code=code, notes=tuple(self._notes())
        )

    def _point_reports(self, info: Mapping[str, Any]) -> dict[str, str]:
        """Write the run report of each point, and return where they are."""
        from flow.sweep.pointreport import write_point_reports  # noqa: PLC0415

        return write_point_reports(self._session, self.campaign, self.folder, info)

    def _notes(self) -> list[str]:
        trials = list(self.campaign.trials.values())
        done = [trial for trial in trials if trial.status is TrialStatus.DONE]
        notes = [f"{name} is left out: {reason}" for name, reason in self.skipped]
        if done:
            for name in self.goals.unknown([trial.objectives for trial in done]):
                used = next(o.expression for o in self.goals.objectives if o.name == name)
                notes.append(f"objective {name!r} has no value at any point: {used} was not measured")
        if not any(trial.feasible for trial in trials):
            counts: dict[str, int] = {}
            for trial in trials:
                for why in [trial.reason] if trial.reason else list(trial.missed):
                    counts[why] = counts.get(why, 0) + 1
            worst = sorted(counts.items(), key=lambda item: -item[1])[:3]
            notes += [f"{count} points: {why}" for why, count in worst]
        return notes


def _with_pdks(spec: SweepSpec, request: Request, design: Design) -> SweepSpec:
    """Make the PDKs an axis, where the sweep has none of them; those of the request take precedence."""
    names = request.pdks or design.default_pdks
    axes = list(spec.axes)
    place = next((i for i, axis in enumerate(axes) if axis.flow and axis.name == "pdk"), None)
    if place is None:
        if any(axis.name == "pdk" for axis in axes):
            return spec
        axes.append(Axis(name="pdk", flow=True, values=tuple(dict.fromkeys(names))))
    elif request.pdks:
        axes[place] = replace(axes[place], values=tuple(dict.fromkeys(request.pdks)))
    try:
        return replace(spec, axes=tuple(axes))
    except ValueError as error:
        raise ConfigError(str(error), design.manifest) from None


def _corner(pdk: Any, name: str) -> Any:  # noqa: ANN401 - imported late
    from pdk_adapters import registry  # noqa: PLC0415

    return registry.corner(pdk, name)


def _read_trials(folder: Path) -> list[Trial]:
    """Return the trials of the runs before; what cannot be read is left out."""
    found: list[Trial] = []
    lines: list[Any] = []
    with contextlib.suppress(OSError, ValueError):
        lines += json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))["points"]
    with contextlib.suppress(OSError):
        for line in (folder / TRIALS).read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
    for line in lines:
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            trial = trial_from_json(line)
            if trial.status is not TrialStatus.CANCELLED:
                found.append(trial)
    return found


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
