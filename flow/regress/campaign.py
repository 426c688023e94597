"""Runs a regression: all tests once, what failed again alone, then the first of each bucket with waves."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flow.engine.cache import full_disk
from flow.engine.driver import Options, run_graph
from flow.engine.events import Listener
from flow.engine.provenance import commit_of, new_run_id
from flow.model.design import Design
from flow.model.graph import Graph
from flow.model.step import Outcome, Status, Step
from flow.project.request import Request
from flow.project.session import Session
from flow.project.verdict import EXIT_CHECK, EXIT_GOOD, EXIT_INPUT, EXIT_TOOL
from flow.regress.changes import changed_tests
from flow.regress.commands import regress_command
from flow.regress.covering import Covering, collecting
from flow.regress.ledger import Ledger, keys_of, why_missing
from flow.regress.limits import arrange
from flow.regress.model import Bucket, Regression, Verdict
from flow.regress.order import Finished, Order
from flow.regress.rank import ranked_runs, read_ranked
from flow.regress.seeds import runs_of
from flow.regress.select import select, suite_of
from flow.regress.verdicts import results_of, settle
from flow.stages.chip import TestRun

if TYPE_CHECKING:
    from flow.regress.history import History

__all__ = ["Campaign", "Finished", "Order"]

MOST_RERUNS = 100
MOST_WAVES = 20
_EXIT_INTERRUPTED = 130

#: Told what is about to run: a heading, and its graph; returns who is told of its steps.
Stageman = Callable[[str, Graph], Listener]


class Campaign:
    """A regression, made concrete on this machine.

    Parameters
    ----------
    request
        The design, and where and how it runs.
    order
        The tests, and what to do with them.
    command
        The command line that asked, for the record.

    Raises
    ------
    ConfigError
        The manifest or the request is wrong, nothing is chosen, or a tool is missing.
    """

    def __init__(self, request: Request, order: Order, command: str = "") -> None:
        self._request = replace(request, parts=frozenset({"elaborate", "simulate"}), tests=(), seeds=None)
        self._order = order
        self._command = command
        self._notes: list[str] = []
        self._codes = {EXIT_GOOD}
        alone = order.waves and not order.keep  # one test, whose waves are asked for
        self._session = Session(replace(self._request, waves=alone), command, self._choose)
        self._id = new_run_id()
        where = self._session.build / ("regress" if order.keep else "test") / self._id
        self._folder = where
        session = self._session
        self._ledger = Ledger(
            session.design, self._request, session.cache, where, fixed=order.fixed_seed is not None
        )
        self._covering = Covering(session.design, session.cache, session.flow)

    def _choose(self, design: Design) -> Sequence[TestRun]:
        build = self._request.build or design.root / "build"
        tests = select(design, self._order.choice)
        if self._order.ranked is not None:
            identity, keys = read_ranked(build, self._order.ranked)
            self._order = replace(self._order, ranked=identity)
            runs = ranked_runs(design, tests, keys)
        else:
            runs = runs_of(tests, self._request.master_seed, self._order.fixed_seed)
        runs, notes = self._collecting(design, runs)
        self._notes += notes
        if not self._order.keep:
            return runs
        with _history(self._request.database or build.absolute() / "suzuri.sqlite") as history:
            latest = history.latest(design.name)
            changed = changed_tests(design, latest[1]) if latest else frozenset()
            return arrange(runs, history.tests(design.name), changed)

    def _collecting(self, design: Design, runs: Sequence[TestRun]) -> tuple[list[TestRun], list[str]]:
        """Have the runs collect code coverage; one test alone only does when it is asked for."""
        asked = self._order.coverage
        if asked is None and not self._order.keep:
            asked = ()
        return collecting(design, runs, suite_of(design, self._order.choice.suite).coverage, asked)

    @property
    def graph(self) -> Graph:
        """The graph of the first pass."""
        return self._session.graph

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the tests, in the order of their start."""
        return tuple(dict.fromkeys(run.test.name for run in self._session.flow.runs))

    @property
    def _suite(self) -> str:
        """The suite's name in the history: of a ranking one of its own, for it runs less."""
        name = self._order.choice.suite
        return name if self._order.ranked is None else f"{name} ranked".strip()

    # -- running ----------------------------------------------------------

    def run(self, stage: Stageman = lambda heading, graph: lambda event: None) -> Finished:
        """Run it and write what came of it.

        Raises
        ------
        FlowError
            The cluster or the database cannot be reached, or results cannot be written.
        """
        started, clock = datetime.now(UTC), time.monotonic()
        commit = commit_of(self._session.design.root)
        try:
            (self._folder / "logs").mkdir(parents=True)
            interrupted = self._first_pass(stage("", self.graph))
            if self._order.reruns and not interrupted:
                interrupted = self._repeat_failures(stage)
            covered, notes = self._covering.record(self._ledger.all_results())
            self._notes += notes
            regression = Regression(
                id=self._id,
                design=self._session.design.name,
                suite=self._suite,
                commit=commit.digest or "",
                dirty=bool(commit.dirty),
                started=started.isoformat(timespec="seconds"),
                master_seed=self._request.master_seed,
                command=regress_command(self._session.design, self._request, self._order),
                results=self._ledger.all_results(),
                missing=self._ledger.all_missing(),
                coverage=covered,
            )
            finished = self._finish(regression, stage, clock, interrupted=interrupted)
        except OSError as error:
            raise full_disk(error, self._session.build) from None
        finally:
            self._session.save()
        return finished

    def _finish(
        self, regression: Regression, stage: Stageman, clock: float, *, interrupted: bool
    ) -> Finished:
        from flow.regress.buckets import group  # noqa: PLC0415 - `suzuri test` needs none of it
        from flow.regress.classify import classify  # noqa: PLC0415

        if not self._order.keep:
            regression = replace(
                regression, buckets=group(regression.results), elapsed_s=time.monotonic() - clock
            )
            _write_json(self._folder / "regression.json", regression)
            return self._finished(regression, interrupted)
        # What ran is not lost when the database cannot be used.
        _write_json(self._folder / "regression.json", replace(regression, buckets=group(regression.results)))
        database = self._request.database or self._session.build / "suzuri.sqlite"
        with _history(database) as history:
            regression = classify(regression, history)
            if self._order.waves and not interrupted:
                interrupted = self._record_waves(regression.buckets, stage)
                regression = replace(regression, results=self._ledger.all_results())
            known = history.latest(regression.design) is not None
            regression = replace(_unhidden(regression, known=known), elapsed_s=time.monotonic() - clock)
            nights = history.nights(regression.design, regression.suite)
            if not interrupted:
                history.record(regression)
        _write_json(self._folder / "regression.json", regression)
        if len(self._covering) and self._order.ranked is None and not interrupted:
            self._covering.write_ranking(self._folder, self._id, self._ledger.times())
        if len(self._covering):
            self._covering.write_ucis(self._folder, regression)
        from flow.regress import junit  # noqa: PLC0415
        from flow.report.regress import write  # noqa: PLC0415

        junit.write(regression, self._folder / "junit.xml")
        write(regression, self._folder / "report.html", nights)
        return self._finished(regression, interrupted)

    def _finished(self, regression: Regression, interrupted: bool) -> Finished:
        codes = set(self._codes)
        if any(result.verdict is Verdict.INFRA for result in regression.results):
            codes.add(EXIT_TOOL)
        if not regression.passed and max(codes) == EXIT_GOOD:
            codes.add(EXIT_CHECK)
        code = _EXIT_INTERRUPTED if interrupted else max(codes)
        return Finished(regression=regression, folder=self._folder, exit_code=code, notes=tuple(self._notes))

    def _execute(self, graph: Graph, listener: Listener) -> Mapping[str, Outcome]:
        request = self._request
        options = Options(
            run_id=new_run_id(),
            keep=self._session.build / "failed",
            jobs=request.jobs,
            scheduler=request.scheduler,
            force=request.force,
        )
        return run_graph(graph, self._session.cache, options, listener)

    def _first_pass(self, listener: Listener) -> bool:
        runs = {(run.test.name, run.seed): run for run in self._session.flow.runs}
        ledger = self._ledger
        ledger.runs = runs
        outcomes = self._execute(self.graph, listener)
        for step in self.graph:
            outcome = outcomes[step.name]
            if step.kind != "simulate":
                self._note_other(step, outcome)
                continue
            keys = keys_of(step)
            members = [runs[key] for key in keys]
            if len(members) > 1:
                ledger.together.update(keys)
            self._covering.take(step, keys, self.graph, outcomes)
            found = ledger.dress(results_of(members, outcome, step.name), step, outcome)
            for key in keys:
                own = [result for result in found if (result.test, result.seed) == key]
                if own:
                    ledger.results[key] = own
                else:
                    ledger.missing[key] = why_missing(outcome)
        for name, error in self._session.missing_tools:
            for key, run in runs.items():
                if key not in ledger.results and (name == run.test.simulator or name in ("cocotb", "cxx")):
                    ledger.missing[key] = str(error)
        return _cancelled(outcomes)

    def _note_other(self, step: Step, outcome: Outcome) -> None:
        """Take note of a failure that is no test's: the design does not elaborate or build."""
        if outcome.status in (Status.FAILED, Status.INFRA):
            error = outcome.error or {}
            where = f"{error['where']}: " if error.get("where") else ""
            self._notes.append(f"{step.label or step.name}: {where}{error.get('what') or 'failed'}")
            self._codes.add(EXIT_INPUT if error.get("type") == "ConfigError" else EXIT_TOOL)

    def _repeat_failures(self, stage: Stageman) -> bool:
        """Run alone what failed, hung or crashed: its verdict is its own then, and whether it is flaky."""
        failed = [key for key, own in self._ledger.results.items() if any(r.verdict.triaged for r in own)]
        if not failed:
            return False
        chosen = self._spread(failed)[:MOST_RERUNS]
        if len(chosen) < len(failed):
            self._notes.append(f"{len(chosen)} of the {len(failed)} runs that failed were repeated alone")
        runs = [self._alone(self._ledger.runs[key], repeat=1) for key in chosen]
        ledger = self._ledger
        graph, outcomes = self._again(stage, f"Repeating {len(runs)} that failed, each alone", runs)
        for step in _simulations(graph):
            outcome, key = outcomes[step.name], keys_of(step)[0]
            again = ledger.dress(results_of([ledger.runs[key]], outcome, step.name), step, outcome)
            if any(result.verdict is Verdict.INFRA for result in again):
                again = []  # says nothing of the test
            elif key in ledger.together:  # counts as it went alone
                self._covering.take(step, [key], graph, outcomes)
            ledger.results[key] = settle(ledger.results[key], again, alone_before=key not in ledger.together)
        return _cancelled(outcomes)

    def _spread(self, keys: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Return the keys, one of each kind of failure before the second of any."""
        from flow.regress.buckets import group  # noqa: PLC0415

        buckets = group([result for own in self._ledger.results.values() for result in own])
        rank: dict[tuple[str, int], int] = {}
        for bucket in buckets:
            for place, (test, _, seed) in enumerate(bucket.members):
                rank[test, seed] = min(place, rank.get((test, seed), place))
        return sorted(keys, key=lambda key: rank.get(key, 0))

    def _alone(self, run: TestRun, *, repeat: int = 0, waves: bool = False) -> TestRun:
        limit = None if run.limit_s is None else min(run.test.timeout_s, 3 * run.limit_s)
        coverage = () if waves else run.coverage  # waves are for looking at, not for counting
        return replace(run, group=1, repeat=repeat, waves=waves, limit_s=limit, coverage=coverage)

    def _again(
        self, stage: Stageman, heading: str, runs: Sequence[TestRun]
    ) -> tuple[Graph, Mapping[str, Outcome]]:
        graph = replace(self._session.flow, runs=tuple(runs)).graph()
        return graph, self._execute(graph, stage(heading, graph))

    def _record_waves(self, buckets: Sequence[Bucket], stage: Stageman) -> bool:
        """Run the first of each bucket again with waves, and keep them beside the report."""
        keys = dict.fromkeys((b.members[0][0], b.members[0][2]) for b in buckets if b.members)
        chosen = [key for key in keys if key in self._ledger.runs][:MOST_WAVES]
        if not chosen:
            return False
        runs = [self._alone(self._ledger.runs[key], waves=True) for key in chosen]
        graph, outcomes = self._again(stage, f"Recording waves of {len(runs)}", runs)
        for step in _simulations(graph):
            key = keys_of(step)[0]
            waves = self._ledger.keep_waves(step, outcomes[step.name])
            self._ledger.results[key] = [replace(r, waves=waves) for r in self._ledger.results[key]]
        return _cancelled(outcomes)


def _simulations(graph: Graph) -> Iterator[Step]:
    return (step for step in graph if step.kind == "simulate")


def _cancelled(outcomes: Mapping[str, Outcome]) -> bool:
    return any(outcome.status is Status.CANCELLED for outcome in outcomes.values())


def _unhidden(regression: Regression, *, known: bool) -> Regression:
    """Let quarantined failures count that are of a bucket which nobody knew: quarantine hides nothing new."""
    if not known:
        return regression
    fresh = {
        key for bucket in regression.buckets if bucket.state in ("new", "back") for key in bucket.members
    }
    results = [
        replace(result, quarantined=False) if result.quarantined and result.key in fresh else result
        for result in regression.results
    ]
    return replace(regression, results=results)


@contextmanager
def _history(where: Path | str) -> Iterator[History]:
    from flow.regress.history import History  # noqa: PLC0415 - the database costs a third of a second

    history = History(where)
    try:
        yield history
    finally:
        history.close()


def _write_json(path: Path, regression: Regression) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(regression.to_json()))
    temporary.replace(path)
