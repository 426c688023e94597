"""The test plan on the page of a regression: a line for each requirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flow.report.marks import null, section, state, table, th
from flow.report.markup import Child, Html, h
from flow.report.regress.coverage import percent
from flow.report.units import count

__all__ = ["testplan"]

_MOST_HOLES = 40


def _state(row: Mapping[str, Any]) -> tuple[int, str, str]:
    """Return the rank, the tone and the word of an entry: the worst of what is said of it."""
    if row["failed"]:
        return 0, "fail", "Failed"
    if row["not_run"]:
        return 1, "skipped", "Not run"
    if row["unmatched"] or row["covered"] < row["total"]:
        return 2, "warning", "Holes"
    return 3, "pass", "Shown"


def _row(row: Mapping[str, Any]) -> Html:
    rank, tone, word = _state(row)
    tests = [f"{count(row['passed'])} passed"] if row["passed"] else []
    tests += [f"{count(row['failed'])} failed"] if row["failed"] else []
    tests += [f"not run: {', '.join(row['not_run'])}"] if row["not_run"] else []
    covered, total = row["covered"], row["total"]
    holes = [f"{group}.{name}" if name else group for group, name, _, _ in row["holes"][:_MOST_HOLES]]
    more = len(row["holes"]) - len(holes) + row["more"]
    said = [", ".join(holes) + (f" and {count(more)} more" if more else "")] if holes else []
    said += [f"nothing matches {pattern}" for pattern in row["unmatched"]]
    share: Child = percent(covered, total) if total else null("no bins")
    return h(
        "tr",
        h("td", state(tone, word), data_v=rank),
        h("th", row["name"], scope="row"),
        h("td", row["requirement"], class_="wide"),
        h("td", ", ".join(tests) or "—"),
        h("td", share, class_="n", data_v=covered / total if total else -1),
        h("td", "; ".join(said), class_="wide"),
    )


def testplan(rows: Sequence[Mapping[str, Any]]) -> Html | None:
    """Return the section of the test plan, or nothing without one.

    Parameters
    ----------
    rows
        As :func:`flow.regress.testplan.plan_rows` returns them.
    """
    if not rows:
        return None
    shown = sum(_state(row)[0] == 3 for row in rows)
    note = (
        f"{count(shown)} of {count(len(rows))} requirements have tests that passed and bins that are covered."
    )
    head = [th("State"), th("Entry"), th("Requirement"), th("Tests"), th("Bins", number=True), th("Holes")]
    body = [_row(row) for row in sorted(rows, key=lambda row: _state(row)[0])]
    return section(
        "testplan",
        "Test plan",
        note,
        table("Test plan", head, body, ident="t-plan", cls="sortable", tall=True),
    )
