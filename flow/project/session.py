"""Prepares, plans and runs a design."""

from __future__ import annotations

import copy
import difflib
import json
import os
import shlex
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flow.engine.cache import full_disk
from flow.engine.driver import Options, run_graph
from flow.engine.events import Event, Listener, StepFinished
from flow.engine.journal import Journal, take_in
from flow.engine.manifest import load_design
from flow.engine.provenance import Commit, commit_of, host_facts, new_run_id
from flow.engine.record import outcome_to_json
from flow.engine.remote import RemoteStore
from flow.engine.seeds import derive_seed
from flow.model.design import Design
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.model.step import Outcome, Status
from flow.model.view import View
from flow.project.environment import find_pdks, find_tools, packages
from flow.project.explain import PlanRow, explain, load_signatures, save_signatures
from flow.project.request import Request, apply
from flow.project.verdict import Verdict, check_limits, judge
from flow.project.workplace import Workplace
from flow.stages.chip import ChipFlow, PdkPlan, TestRun

__all__ = ["RunResult", "Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What came of a run.

    Attributes
    ----------
    record
        The run as ``run.json`` has it.
    folder
        Folder of this run's files.
    report
        The HTML report.
    """

    record: Mapping[str, Any]
    folder: Path
    report: Path
    verdict: Verdict


class Session:
    """A request, made concrete on this machine.

    Parameters
    ----------
    request
        What is asked for.
    command
        The command line that asked, for the record.
    runs
        Returns the tests to run with their seeds, in order; by default, what
        the request says of each test.

    Raises
    ------
    ConfigError
        The manifest or the request is wrong, or a tool or PDK is missing.

    Attributes
    ----------
    design, pdks, tools, flow, graph
        What is asked for, as this machine has it.
    place
        The cache, and what is known of files.
    """

    def __init__(
        self,
        request: Request,
        command: str = "",
        runs: Callable[[Design], Sequence[TestRun]] | None = None,
    ) -> None:
        self.request = request
        self.command = command
        asked = apply(load_design(request.path), request)
        self.left_out = [(t.name, t.missing) for t in asked.tests if t.missing]
        self.design: Design = replace(asked, tests=tuple(t for t in asked.tests if not t.missing))
        self.build = (request.build or self.design.root / "build").absolute()
        remote = RemoteStore(request.store) if request.store else None
        self.place = Workplace(remote)
        self.cache = self.place.cache
        self.tools, self.missing_tools = find_tools(self.design, request)
        self.pdks, self.skipped_pdks = find_pdks(self.design, request)
        self.flow = self._flow(self._runs() if runs is None else runs(self.design))
        self.graph: Graph = self.flow.graph()
        self._check_graph()
        self.place.save()

    def _check_graph(self) -> None:
        """Refuse a run of nothing, which would pass, and names of steps that are not there."""
        if not len(self.graph) and not self.missing_tools and not self.skipped_pdks:
            raise ConfigError(
                "there is nothing to run",
                self.design.manifest,
                "It has no [[test]] to simulate, or Verilog is not elaborated: ask for other parts.",
            )
        known = sorted({name for step in self.graph for name in (step.name, step.kind)})
        for name in sorted(self.request.force - set(known)):
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else "See: suzuri plan"
            raise ConfigError(f"there is no step {name!r}", "--force", remedy)

    def _runs(self) -> tuple[TestRun, ...]:
        request = self.request
        return tuple(
            TestRun(test=test, index=i, seed=_seed(request, test.name, i))
            for test in self.design.tests
            for i in range(1 if request.seed is not None else test.seeds)
        )

    def _flow(self, runs: Sequence[TestRun]) -> ChipFlow:
        request = self.request
        return ChipFlow(
            design=self.design,
            pdks=self.pdks,
            runs=tuple(runs),
            tools=self.tools,
            view_of=self.place.view,
            digest=self.place.digest,
            packages=packages,
            parts=request.parts,
            waves=request.waves,
        )

    # -- planning ---------------------------------------------------------

    def plan(self) -> list[PlanRow]:
        """Say of each step whether it would run, and why."""
        earlier = load_signatures(self.build / "signatures.json")
        return explain(self.graph, self.cache, earlier, self.request.force)

    # -- running ----------------------------------------------------------

    def run(self, listener: Listener = lambda event: None) -> RunResult:
        """Run the graph, record every outcome as it comes, write the report.

        Raises
        ------
        FlowError
            The cluster cannot be reached, or results cannot be written.
        """
        run_id = new_run_id()
        started, clock = datetime.now(UTC), time.monotonic()
        commit = commit_of(self.design.root)
        folder = self._make_folder(run_id)
        journal = self._open_journal(run_id, commit)

        def tell(event: Event) -> None:
            if isinstance(event, StepFinished):
                journal.add(event.step, event.outcome)
            listener(event)

        options = Options(
            run_id=run_id,
            keep=self.build / "failed",
            jobs=self.request.jobs,
            scheduler=self.request.scheduler,
            force=self.request.force,
        )
        try:
            outcomes = run_graph(self.graph, self.cache, options, tell)
            parts = frozenset() if self.missing_tools else self.request.parts
            limits = check_limits(self.design, self.pdks, self.graph, outcomes, parts)
            missing = [(n, str(e)) for n, e in self.missing_tools]
            verdict = judge(self.graph, outcomes, limits, missing)
            facts = {"id": run_id, "started": started.isoformat(timespec="seconds"),
                     "elapsed_s": time.monotonic() - clock}  # fmt: skip
            record = self.record(facts, commit, outcomes, limits, verdict)
            report = self._write(folder, record, outcomes)
            journal.end(verdict.status, verdict.exit_code, verdict.reasons)
        except OSError as error:
            raise full_disk(error, self.build) from None
        finally:
            journal.close()
            self.place.save()
        if self.request.database or any(o.status is not Status.CACHED for o in outcomes.values()):
            # A run that did nothing is not worth the third of a second that the database takes.
            self._take_in()
        return RunResult(record=record, folder=folder, report=report, verdict=verdict)

    def variant(self, flow: ChipFlow, graph: Graph) -> Session:
        """Return this session with another flow on the same machine, for its record."""
        other = copy.copy(self)
        other.flow, other.design, other.pdks = flow, flow.design, flow.pdks
        other.graph = graph
        return other

    def save(self) -> None:
        """Remember the digests of the files that were looked at."""
        self.place.save()

    def _open_journal(self, run_id: str, commit: Commit) -> Journal:
        try:
            return Journal(self.build / "journal", run_id, self._run_row(commit))
        except OSError as error:
            raise full_disk(error, self.build) from None

    def _take_in(self) -> None:
        from flow.engine.store import Store  # noqa: PLC0415 - costs a third of a second

        store = Store(self.request.database or self.build / "suzuri.sqlite")
        try:
            take_in(self.build / "journal", store)
        finally:
            store.close()

    def _make_folder(self, run_id: str) -> Path:
        folder = self.build / "runs" / run_id
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            if error.errno in (13, 30):
                raise ConfigError("results cannot be written here", self.build,
                                  "Name another folder: --build FOLDER") from None  # fmt: skip
            raise full_disk(error, self.build) from None
        return folder

    def _run_row(self, commit: Commit) -> dict[str, Any]:
        facts = host_facts()
        return {
            "design": self.design.name,
            "commit": commit.digest,
            "dirty": commit.dirty,
            "command": self.command,
            "host": facts["host"],
            "pid": os.getpid(),
        }

    def reproduce(self) -> str:
        """Return the command that repeats this run on a checkout of the same commit."""
        request = self.request
        words = ["suzuri", "run", _short(self.design.root)]
        for plan in self.pdks:
            words += ["--pdk", plan.pdk.name]
        for corner in request.corners:
            words += ["--corner", corner]
        words += ["--recipe", self.design.synthesis.recipe]
        if request.clock_period_ns is not None:
            words += ["--clock", f"{request.clock_period_ns:g}"]
        for name, value in request.parameters.items():
            words += ["--set", f"{name}={json.dumps(value)}"]
        for test in request.tests:
            words += ["--test", test]
        for name in request.formal:
            words += ["--formal", name]
        if request.seed is not None:
            words += ["--seed", str(request.seed)]
        else:
            words += ["--master-seed", str(request.master_seed)]
            if request.seeds is not None:
                words += ["--seeds", str(request.seeds)]
        if request.waves:
            words.append("--waves")
        return shlex.join(words)

    # -- recording --------------------------------------------------------

    def record(
        self,
        facts: Mapping[str, Any],
        commit: Commit,
        outcomes: Mapping[str, Outcome],
        limits: list[dict[str, Any]],
        verdict: Verdict,
    ) -> dict[str, Any]:
        """Return the run as ``run.json`` has it."""
        design = self.design
        return {
            "version": 1,
            "run": {**facts, **host_facts(), "command": self.command, "reproduce": self.reproduce(),
                    "master_seed": self.request.master_seed, "cache": str(self.cache.root)},
            "verdict": verdict.as_json(),
            "design": {
                "name": design.name, "top": design.top, "language": design.language,
                "description": design.description, "manifest": str(design.manifest),
                "commit": commit.digest, "dirty": commit.dirty, "parameters": dict(design.parameters),
                "constraints": asdict(design.constraints), "recipe": design.synthesis.recipe,
            },
            "tools": [asdict(t) for _, t in sorted(self.tools.items())],
            "pdks": [_pdk_facts(plan) for plan in self.pdks],
            "skipped_pdks": [{"name": n, "reason": r} for n, r in self.skipped_pdks],
            "left_out": [{"name": n, "reason": r} for n, r in self.left_out],
            "missing_tools": [{"name": n, "reason": str(e)} for n, e in self.missing_tools],
            "steps": [self._step_record(name, outcomes) for name in (s.name for s in self.graph)],
            "limits": limits,
        }  # fmt: skip

    def _step_record(self, name: str, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        step = self.graph[name]
        outcome = outcomes[name]
        data = outcome_to_json(outcome)
        del data["reads"]
        return {
            **data,
            "name": name,
            "kind": step.kind,
            "label": step.label or name,
            "tags": dict(step.tags),
            "tools": [t.key for t in step.tools],
            "needs": list(step.needs),
            "log": f"../../steps/{name}/{outcome.outputs['log'].name}" if "log" in outcome.outputs else None,
            # Of this run's own steps only: a cached one started in another run.
            "started": _iso(outcome.started_s) if outcome.status is not Status.CACHED else None,
            "seconds_outside_tools": max(0.0, outcome.wall_s - outcome.tool_s),
        }

    def _write(self, folder: Path, record: dict[str, Any], outcomes: Mapping[str, Outcome]) -> Path:
        """Write the run's files, then let ``build/`` show the latest run."""
        from flow.report.html import write as write_html  # noqa: PLC0415
        from flow.report.metrics import metrics_json  # noqa: PLC0415

        try:
            for name, outcome in outcomes.items():
                for view in outcome.outputs.values():
                    self._export(view, self.build / "steps" / name / view.name)
            _write_json(folder / "run.json", record)
            _write_json(folder / "metrics.json", metrics_json(record))
            report = folder / "report.html"
            write_html(record, report)
            save_signatures(self.build / "signatures.json", self.graph, outcomes)
            for name in ("run.json", "metrics.json", "report.html"):
                temporary = self.build / f".{name}.{os.getpid()}"
                shutil.copyfile(folder / name, temporary)
                temporary.replace(self.build / name)
        except OSError as error:
            raise full_disk(error, self.build) from None
        return self.build / "report.html"

    def _export(self, view: View, target: Path) -> None:
        """Copy a view to where its user looks for it, unless it is there already."""
        try:
            if target.stat().st_size == view.size and self.place.digest(target) == view.digest:
                return
        except OSError:
            target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copy(self.cache.locate(view), temporary)
        temporary.chmod(0o755 if os.access(temporary, os.X_OK) else 0o644)
        temporary.replace(target)


def _seed(request: Request, test: str, index: int) -> int:
    return derive_seed(request.master_seed, test, index) if request.seed is None else request.seed


def _iso(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds") if seconds else None


def _short(path: Path) -> str:
    """Return `path` relative to the current folder where it lies below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _pdk_facts(plan: PdkPlan) -> dict[str, Any]:
    pdk = plan.pdk
    return {
        "name": pdk.name,
        "family": pdk.family,
        "library": pdk.library,
        "node_nm": pdk.node_nm,
        "version": pdk.version,
        "licence": pdk.licence,
        "description": pdk.description,
        "corners": [c.name for c in plan.corners],
        "clock_period_ns": plan.clock_period_ns,
        "notes": list(pdk.notes),
    }


def _write_json(path: Path, data: Any) -> None:  # noqa: ANN401 - any JSON value
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    # Without an indent: the encoder that indents is ten times slower, and nobody reads megabytes.
    temporary.write_text(json.dumps(data, default=str))
    temporary.replace(path)
