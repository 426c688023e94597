"""The test plan after a regression: what came of each requirement's tests, and of its bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flow.model.testplan import TestplanEntry, matches
from flow.regress.coverage import FUNCTIONAL, Merged
from flow.regress.model import Result, Verdict

__all__ = ["plan_rows", "unmatched"]

_MOST_HOLES = 200


def plan_rows(
    entries: Sequence[TestplanEntry], results: Sequence[Result], merged: Merged
) -> list[dict[str, Any]]:
    """Return a row for each entry.

    Returns
    -------
    list
        ``name``, ``requirement``; ``passed`` and ``failed``, results of its
        tests; ``not_run``, its tests without any that ran; ``covered`` and
        ``total``, its bins; ``holes``, coverpoint, bin, hits and goal of
        those that are not covered, and ``more``, how many further ones;
        ``unmatched``, patterns that mean no bin.
    """
    by_test: dict[str, list[Result]] = {}
    for result in results:
        by_test.setdefault(result.test, []).append(result)
    bins = [(p.group, p.name, found) for p, found in merged.points.items() if p.kind == FUNCTIONAL]
    rows: list[dict[str, Any]] = []
    for entry in entries:
        ran = {
            test: [r for r in by_test.get(test, ()) if r.verdict is not Verdict.SKIPPED]
            for test in entry.tests
        }
        own = [result for found in ran.values() for result in found]
        meant = [b for b in bins if any(matches(pattern, b[0], b[1]) for pattern in entry.bins)]
        holes = [[group, name, found.hits, found.goal] for group, name, found in meant if not found.enough]
        rows.append(
            {
                "name": entry.name,
                "requirement": entry.requirement,
                "passed": sum(result.verdict is Verdict.PASS for result in own),
                "failed": sum(result.verdict is not Verdict.PASS for result in own),
                "not_run": [test for test, found in ran.items() if not found],
                "covered": len(meant) - len(holes),
                "total": len(meant),
                "holes": holes[:_MOST_HOLES],
                "more": max(0, len(holes) - _MOST_HOLES),
                "unmatched": [
                    pattern for pattern in entry.bins if not any(matches(pattern, g, n) for g, n, _ in meant)
                ],
            }
        )
    return rows


def unmatched(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a warning for each entry with patterns that mean no bin, although all of its tests ran."""
    return [
        f"testplan {row['name']}: no bin matches {', '.join(map(repr, row['unmatched']))}"
        for row in rows
        if row["unmatched"] and not row["not_run"]
    ]
