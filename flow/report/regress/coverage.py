"""Coverage of a regression: totals, a line for each coverpoint, and what was missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flow.regress.model import Night
from flow.report.charts import columns
from flow.report.marks import bar, section, table, th
from flow.report.markup import Child, Html, h
from flow.report.regress.code import code_parts
from flow.report.regress.words import percent
from flow.report.units import count

__all__ = ["coverage", "percent"]

_MOST_HOLES = 40
_MOST_GROUPS = 1_000
_MOST_NIGHTS = 40


def _group(row: Mapping[str, Any]) -> Html:
    covered, total = row["covered"], row["total"]
    holes = [
        f"{name} ({count(hits)} of {count(goal)})" if goal > 1 else name
        for name, hits, goal in row["holes"][:_MOST_HOLES]
    ]
    more = len(row["holes"]) - len(holes) + row["more"]
    said = ", ".join(holes) + (f" and {count(more)} more" if more else "")
    return h(
        "tr",
        h("th", row["name"], scope="row"),
        h("td", f"{count(covered)} of {count(total)}", class_="n", data_v=covered / total),
        h("td", percent(covered, total), class_="n", data_v=covered / total),
        h("td", bar(covered / total, "good" if covered == total else "warn"), class_="g"),
        h("td", said, class_="wide"),
    )


def _nights(nights: Sequence[Night]) -> Html | None:
    """Return what regressions covered, newest first; nothing for fewer than two."""
    listed = [night for night in reversed(nights) if night.coverage]
    if len(listed) < 2:
        return None
    kinds = list(dict.fromkeys(kind for night in listed for kind in night.coverage))
    pictures = [_trend(kind, list(reversed(listed[:_MOST_NIGHTS]))) for kind in kinds]
    head = [th("Started"), *(th(kind.capitalize(), number=True) for kind in kinds)]
    body = [
        h(
            "tr",
            h("th", night.started.replace("T", " ")[:16] or night.id, scope="row"),
            *(h("td", percent(*night.coverage[kind]) if kind in night.coverage else "—", class_="n")
              for kind in kinds),
        )
        for night in listed[:_MOST_NIGHTS]
    ]  # fmt: skip
    return h(
        "details",
        h("summary", "Over the last regressions"),
        h("div", *pictures, class_="figures"),
        table("Coverage over regressions", head, body),
    )


def _trend(kind: str, nights: Sequence[Night]) -> Html:
    """Return what was missing of a kind, oldest first: near 100 % that shows what changed."""
    had = [night for night in nights if kind in night.coverage]
    stacks = []
    for night in had:
        covered, total = night.coverage[kind]
        said = f"{percent(covered, total)} covered, {count(total - covered)} of {count(total)} missing"
        stacks.append([("", 100 * (total - covered) / total if total else 0.0, said)])
    title = f"{kind.capitalize()} coverage that is missing, by regression"
    caption = h("figcaption", h("span", h("b", kind.capitalize())), h("span", "% missing"))
    return h("figure", caption, columns([night.started[:10] or night.id for night in had], stacks, title))


def coverage(found: Mapping[str, Any], nights: Sequence[Night] = ()) -> Html | None:
    """Return the section of coverage, the coverpoints with the largest share missing first.

    Parameters
    ----------
    found
        As :func:`flow.regress.coverage.summary` returns it.
    nights
        Regressions, oldest first, this one the last.
    """
    kinds, groups = found.get("kinds"), found.get("groups", ())
    if not kinds:
        return None
    facts = [
        h("div", h("dt", kind.capitalize()),
          h("dd", percent(*numbers),
            h("span", f"{count(numbers[0])} of {count(numbers[1])}", class_="more")))
        for kind, numbers in kinds.items()
    ]  # fmt: skip
    worst = sorted(groups, key=lambda row: (row["covered"] / row["total"], row["name"]))
    head = [th("Coverpoint"), th("Covered", number=True), th("Share", number=True),
            h("td", class_="g"), th("Holes")]  # fmt: skip
    runs = max(found.get("runs", 0), found.get("code", {}).get("runs", 0))
    note = f"Merged over {count(runs)} run{'' if runs == 1 else 's'}, each test and seed once."
    more = len(worst) - _MOST_GROUPS
    rest = h("p", f"and {count(more)} more that are covered no worse", class_="note") if more > 0 else None
    body = [_group(row) for row in worst[:_MOST_GROUPS]]
    code = found.get("code", {})
    bins: list[Child] = [h("h3", "Coverpoints")] if code and body else []
    if body:
        bins += [table("Coverpoints", head, body, ident="t-coverage", cls="sortable", tall=True), rest]
    return section(
        "coverage", "Coverage", note, h("dl", *facts, class_="strip"), *bins, *code_parts(code),
        _nights(nights),
    )  # fmt: skip
