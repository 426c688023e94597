"""The test plan after a regression: what came of each requirement's tests, and of its bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flow.model.testplan import TestplanEntry, matches, matches_code
from flow.regress.coverage import FUNCTIONAL, Merged
from flow.regress.model import Result, Verdict

if TYPE_CHECKING:
    from flow.regress.codecov.collector import CodeMerged

__all__ = ["plan_rows", "unmatched"]

_MOST_HOLES = 200


def plan_rows(
    entries: Sequence[TestplanEntry],
    results: Sequence[Result],
    merged: Merged,
    code: CodeMerged | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each entry.

    Returns
    -------
    list
        ``name``, ``requirement``; ``passed`` and ``failed``, results of its
        tests; ``not_run``, its tests without any that ran; ``covered`` and
        ``total``, its bins; ``holes``, coverpoint, bin, hits and goal of
        those that are not covered, and ``more``, how many further ones;
        ``unmatched``, patterns that mean no bin. Points of the code count as bins do: in
        `holes` with their kind and place as coverpoint.
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
        points, missed, idle = _code(entry, code)
        holes += missed
        rows.append(
            {
                "name": entry.name,
                "requirement": entry.requirement,
                "passed": sum(result.verdict is Verdict.PASS for result in own),
                "failed": sum(result.verdict is not Verdict.PASS for result in own),
                "not_run": [test for test, found in ran.items() if not found],
                "covered": len(meant) + points - len(holes),
                "total": len(meant) + points,
                "holes": holes[:_MOST_HOLES],
                "more": max(0, len(holes) - _MOST_HOLES),
                "unmatched": [
                    pattern for pattern in entry.bins if not any(matches(pattern, g, n) for g, n, _ in meant)
                ]
                + idle,
            }
        )
    return rows


def _code(entry: TestplanEntry, code: CodeMerged | None) -> tuple[int, list[list[Any]], list[str]]:
    """Return how many points of the code an entry means, those that were not hit, and idle patterns.

    Without any code coverage its patterns say nothing.
    """
    if not entry.code or code is None:
        return 0, [], []
    total, used = 0, set()
    holes: list[list[Any]] = []
    for point, hits, waiver in zip(code.points, code.hits, code.waived, strict=True):
        own = [p for p in entry.code if matches_code(p, point.file, point.line)] if waiver < 0 else []
        if own:
            used.update(own)
            total += 1
            if not hits:
                holes.append([f"{point.kind} {point.file}:{point.line}", point.name, 0, 1])
    return total, holes, [pattern for pattern in entry.code if pattern not in used]


def unmatched(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return a warning for each entry with patterns that mean nothing, although all of its tests ran."""
    return [
        f"testplan {row['name']}: nothing matches {', '.join(map(repr, row['unmatched']))}"
        for row in rows
        if row["unmatched"] and not row["not_run"]
    ]
