"""Results of a regression, from what came of its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flow.model.step import Outcome, Status
from flow.regress.model import Result, Verdict
from flow.stages.chip import TestRun

__all__ = ["expected", "results_of", "settle"]

_STATUS = {
    "passed": Verdict.PASS,
    "failed": Verdict.FAIL,
    "skipped": Verdict.SKIPPED,
    "timeout": Verdict.TIMEOUT,
    "crash": Verdict.CRASH,
}
_WALL_CLOCK = "s of wall-clock time"
_TAIL_LINES = 12
_TAIL_BYTES = 64 << 10


def results_of(runs: Sequence[TestRun], outcome: Outcome, step: str) -> list[Result]:
    """Return the results of the runs that one step made; none for a step that did not come to run.

    Parameters
    ----------
    runs
        Those of the step.
    outcome, step
        What came of it, and its name.
    """
    if outcome.status in (Status.SKIPPED, Status.CANCELLED):
        return []
    found: list[Result] = []
    cases = _by_seed(outcome.data.get("tests", ()))
    ends = _by_seed(outcome.data.get("runs", ()))
    for run in runs:
        start = Result(
            test=run.test.name, module=run.test.module, testcase="", seed=run.seed, index=run.index,
            verdict=Verdict.FAIL, step=step, host=outcome.host, attempts=outcome.attempts,
            quarantined=bool(run.test.quarantine),
        )  # fmt: skip
        if not outcome.status.ok:
            found.append(_stopped(start, outcome))
            continue
        end = (ends.get(run.seed) or [{}])[0]
        rows = cases.get(run.seed, [])
        found += [_of_case(start, row, end) for row in rows]
        if "message" in end or not rows:
            message = _line(end.get("message") or "the simulation left no result")
            found.append(
                replace(start, message=message, place=end.get("place", ""), time_s=end.get("wall_s"))
            )
    return found


def _by_seed(rows: Iterable[Mapping[str, Any]]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["seed"], []).append(row)
    return found


def _of_case(start: Result, row: Mapping[str, Any], end: Mapping[str, Any]) -> Result:
    verdict = _STATUS.get(row["status"], Verdict.FAIL)
    ended = verdict in (Verdict.TIMEOUT, Verdict.CRASH)
    return replace(
        start,
        testcase="" if ended else row["name"],
        verdict=verdict,
        message=_line(row["message"] or ""),
        place=row["place"] or "",
        traceback=row["traceback"] or "",
        time_s=end.get("wall_s") if ended else row["time_s"],
        sim_time_ns=row["sim_time_ns"],
    )


def _stopped(start: Result, outcome: Outcome) -> Result:
    """Return the result of a run whose step failed as a whole."""
    error = outcome.error or {}
    what, kind = str(error.get("what") or "failed"), error.get("type")
    tail = _tail(error.get("log"))
    start = replace(start, message=_line(what), traceback=tail, time_s=outcome.wall_s)
    if outcome.status is Status.INFRA:
        return replace(start, verdict=Verdict.INFRA)
    if kind == "ConfigError":
        where = str(error.get("where") or "")
        return replace(start, verdict=Verdict.FAIL, place=where if ":" in where else "")
    if _WALL_CLOCK in what:  # in the words that it has beside other runs in one process
        return replace(start, verdict=Verdict.TIMEOUT, message="was stopped at its wall-clock limit")
    return replace(start, verdict=Verdict.CRASH)


def _line(text: str) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _tail(log: str | None) -> str:
    if not log:
        return ""
    try:
        with Path(log).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - _TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def settle(first: Sequence[Result], again: Sequence[Result], *, alone_before: bool) -> list[Result]:
    """Return the results of one run that was repeated alone.

    A run that shared its process counts as it went alone; one that was alone
    already, and once failed, has failed. In both cases what differs is flaky.

    Parameters
    ----------
    first, again
        Its results, and those of the repetition.
    alone_before
        Whether it was alone the first time.
    """
    if not again:
        return list(first)
    failed = any(result.verdict.bad for result in again)
    if failed:
        return list(again)
    if alone_before:
        return [replace(result, flaky=True) for result in first]
    said = next((result for result in first if result.verdict.bad), None)
    note = f"{said.verdict} beside other runs in one process: {said.message}" if said else ""
    return [replace(result, flaky=True, message=result.message or note) for result in again]


def expected(results: Sequence[Result], xfail: Mapping[str, str]) -> list[Result]:
    """Return the results with the failures that the manifest expects as such.

    A test that it expects to fail, and of which nothing failed with any
    seed, has passed unexpectedly.

    Parameters
    ----------
    results
        All of them.
    xfail
        Why tests are expected to fail, by name.
    """
    failing = {result.test for result in results if result.verdict.triaged}
    unsure = {result.test for result in results if result.verdict is Verdict.INFRA}
    changed: list[Result] = []
    for result in results:
        reason = xfail.get(result.test)
        if reason and result.verdict.triaged:
            said = f"{result.message} " if result.message else ""
            changed.append(replace(result, verdict=Verdict.XFAIL, message=f"{said}(expected: {reason})"))
        elif reason and result.verdict is Verdict.PASS and result.test not in failing | unsure:
            message = f"passed, although it is expected to fail: {reason}"
            changed.append(replace(result, verdict=Verdict.XPASS, message=message))
        else:
            changed.append(result)
    return changed
