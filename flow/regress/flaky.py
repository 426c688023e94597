"""Flaky results: the same test and seed on the same inputs, once good and once bad."""

from __future__ import annotations

from dataclasses import replace

from flow.regress.history import History
from flow.regress.model import Regression, Result, Verdict
from flow.regress.past import inputs_of

__all__ = ["mark_flaky"]


def mark_flaky(regression: Regression, history: History) -> Regression:
    """Return `regression`, those results marked flaky that another regression of the same commit contradicts.

    A pass that failed there is marked as well, and stays a pass. What a
    checkout with changes showed is left out, here and there: no commit tells
    its inputs.

    Parameters
    ----------
    regression
        Its results may be marked already, by runs repeated on the spot.
    history
        Of the other regressions.
    """
    if regression.dirty or not regression.commit:
        return regression
    passed, failed = history.shown_at(regression.design, regression.commit, without=regression.id)
    if not passed and not failed:
        return regression

    def contradicted(result: Result) -> bool:
        other = passed if result.verdict.triaged else failed if result.verdict is Verdict.PASS else set()
        return (*result.key, inputs_of(result)) in other

    results = [replace(r, flaky=True) if contradicted(r) else r for r in regression.results]
    return replace(regression, results=results)
