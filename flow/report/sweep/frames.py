"""Frames that the page's script fills: the controls, and where charts and the table go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.report.marks import section
from flow.report.markup import Child, Html, h

__all__ = ["explore", "parallel", "per_pdk", "points_table"]

_WITHOUT = h(
    "p", "This needs a script. All points are in sweep.json beside this page.", class_="empty unscripted"
)


def _pick(word: str, ident: str) -> Html:
    return h("label", f"{word} ", h("select", id=ident))


def _tick(word: str, ident: str) -> Html:
    return h("label", h("input", type="checkbox", id=ident), f" {word}")


def _button(word: str, ident: str, **more: object) -> Html:
    return h("button", word, type="button", id=ident, **more)


def explore() -> Html:
    """Return the section of the scatter, with the filters that all charts share."""
    filters = h(
        "div",
        h("label", "Filter ", h("input", type="search", id="s-text", placeholder="word, id, rows=16")),
        h("label", "Show ", h("select", id="s-status")),
        _tick("Pareto front only", "s-front"),
        h("span", id="s-chips"),
        _button("Clear", "s-clear"), _button("Copy link", "s-link"),
        h("span", class_="hits", role="status", id="s-hits"),
        class_="tools js filters",
    )  # fmt: skip
    axes: list[Child] = [
        _pick("Across", "s-x"),
        _tick("log", "s-lx"),
        _pick("Up", "s-y"),
        _tick("log", "s-ly"),
    ]
    axes += [_pick("Colour", "s-c"), _pick("Front", "s-pareto"), _tick("noise", "s-noise")]
    note = "Drag over the chart to filter everything below; click a point for its parameters and command. "
    note += "With the keyboard: arrows walk the points, Enter opens one."
    plot = h(
        "figure", h("div", id="s-scatter", class_="plot"), h("div", id="s-key", class_="key"), class_="js"
    )
    return section("explore", "Explore", note, filters, h("div", *axes, class_="tools js"), plot, _WITHOUT)


def parallel() -> Html:
    """Return the section of parallel axes."""
    note = "Drag along an axis to filter; drag its name, or press the arrow keys on it, to move it."
    menu = h("details", h("summary", "Axes"), h("div", id="s-paxes", class_="choices"), class_="menu js")
    return section(
        "parallel", "Parallel axes", note, menu, h("figure", h("div", id="s-parallel"), class_="js"), _WITHOUT
    )


def per_pdk(packed: Mapping[str, Any]) -> Html | None:
    """Return the frames of small multiples, where there are at least two PDKs."""
    column = next((c for c in packed["columns"] if c["key"] in ("a:pdk", "pdk")), None)
    if column is None or len(column.get("levels") or ()) < 2:
        return None
    figures = [
        h("figure", h("figcaption", h("b", name), h("span", class_="about", data_count=code)),
          h("div", class_="plot small", data_pdk=code, data_label=f"Points on {name}"))
        for code, name in enumerate(column["levels"])
    ]  # fmt: skip
    return section(
        "pdks", "Per PDK", "The axes of the scatter above, one PDK each.",
        h("div", _tick("same scales", "s-same"), class_="tools js"),
        h("div", *figures, class_="figures js"), _WITHOUT,
    )  # fmt: skip


def points_table(total: int) -> Html:
    """Return the frame of the table of points."""
    menu = h("details", h("summary", "Columns"), h("div", id="s-columns", class_="choices"), class_="menu")
    tools = h("div", menu, _button(f"CSV of {total:,} points", "s-csv"), class_="tools js")
    grid = h(
        "div",
        h("div", id="t-head", role="rowgroup"),
        h("div", id="t-rows", role="rowgroup"),
        role="table", aria_label="Points", aria_rowcount=total + 1, id="t-points", class_="frame js",
        tabindex="0",
    )  # fmt: skip
    note = "Points that pass the filters. A range filters every chart as well; a row opens its point."
    return section("points", "Points", note, tools, grid, _WITHOUT)
