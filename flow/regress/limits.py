"""What earlier regressions tell of a test: what to run first, how long to wait, what to run together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flow.stages.chip import TestRun

if TYPE_CHECKING:
    from flow.regress.history import TestPast

__all__ = ["arrange", "limit_s"]

_LEAST_S = 20.0  # a busy machine delays a short test by more than its own length
_FACTOR = 5.0
_MANY = 200  # seeds from which on more of them share a process
_TOGETHER = 50
_SHORT_S = 1.0


def limit_s(past: TestPast | None, timeout_s: float) -> float:
    """Return the wall-clock limit of a run: a multiple of the slowest one known, never beyond its own."""
    if past is None or past.slowest_s is None:
        return timeout_s
    return min(timeout_s, max(_LEAST_S, _FACTOR * past.slowest_s * past.cases))


def arrange(
    runs: Sequence[TestRun], past: Mapping[str, TestPast], changed: Collection[str] = ()
) -> list[TestRun]:
    """Return the runs in the order to start them, with limits and groups.

    First the tests that failed lately, the likeliest ones before the others;
    then those that changed or never ran; then the rest, the longest first, so
    that none of them is waited for at the end.

    Parameters
    ----------
    runs
        All of them.
    past
        By the test's name.
    changed
        Names of tests whose bench changed since.
    """

    def place(run: TestRun) -> tuple[int, float]:
        known = past.get(run.test.name)
        if known is not None and known.failed:
            return 0, -known.failed / max(known.runs, 1)
        if known is None or run.test.name in changed:
            return 1, 0.0
        return 2, -(known.slowest_s or 0.0)

    return [_prepared(run, past.get(run.test.name)) for run in sorted(runs, key=place)]


def _prepared(run: TestRun, past: TestPast | None) -> TestRun:
    short = past is None or past.slowest_s is None or past.slowest_s <= _SHORT_S
    group = _TOGETHER if run.test.seeds >= _MANY and short else run.group
    return replace(run, limit_s=limit_s(past, run.test.timeout_s), group=group)
