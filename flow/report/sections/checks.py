"""Findings about the design: what, where, and what to do about it."""

from __future__ import annotations

from flow.report.marks import filter_tools, section, state, table, th
from flow.report.markup import Html, h
from flow.report.rundata import Run, text

__all__ = ["checks"]

_ROWS = 800
_ORDER = {"error": 0, "warning": 1, "info": 2, "pass": 3}
_WORDS = {"error": "Failed", "warning": "Warning", "info": "Info", "pass": "Passed"}


def checks(run: Run) -> Html | None:
    """Return every check, failures first, with a filter."""
    listed = []
    for step, check in run.checks():
        severity = text(check.get("severity"), "error")
        status = "pass" if check.get("passed") else severity if severity in _ORDER else "error"
        listed.append((status, step, check))
    if not listed:
        why = "No step made any check, so nothing is known about lint or the netlist."
        return section("checks", "Checks", None, h("p", why, class_="empty"))
    listed.sort(key=lambda item: _ORDER[item[0]])
    body = []
    for status, step, check in listed[:_ROWS]:
        place, remedy = text(check.get("place")), text(check.get("remedy"))
        body.append(
            h(
                "tr",
                h(
                    "td",
                    state({"error": "failed"}.get(status, status), _WORDS[status]),
                    data_v=_ORDER[status],
                ),
                h("th", h("code", text(check.get("name"))), h("span", step.name, class_="more"), scope="row"),
                h("td", text(check.get("message")), class_="wide"),
                h("td", h("code", place) if place else None, class_="place"),
                h("td", remedy, class_="wide"),
                data_state=status,
            )
        )
    counts = {k: sum(s == k for s, _, _ in listed) for k in _ORDER}
    tools = filter_tools("t-checks", [(k, _WORDS[k], n) for k, n in counts.items()], "rule, place, text")
    head = [th("State"), th("Check"), th("Finding"), th("Place"), th("What to do")]
    lost = len(listed) - _ROWS
    rest = (
        h("p", f"{lost} more are in run.json; failures come first here.", class_="note") if lost > 0 else None
    )
    said = [f"{n} {_WORDS[k].lower()}" for k, n in counts.items() if n]
    grid = table("Checks", head, body, ident="t-checks", cls="sortable", tall=len(body) > 20)
    return section("checks", "Checks", ", ".join(said) + ".", tools, grid, rest)
