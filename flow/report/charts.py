"""Charts as inline SVG and plain boxes: no script, no library, readable in print."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flow.report.details import Histogram
from flow.report.markup import Html, h, join
from flow.report.units import count, fixed, significant

__all__ = ["columns", "slack_histogram", "stacked", "waterfall"]

_WIDTH, _HEIGHT = 340, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 10, 30


def _nice(span: float, ticks: int) -> float:
    """Return a round step that divides `span` into about `ticks` parts."""
    if span <= 0:
        return 1.0
    raw = span / ticks
    base: float = 10.0 ** math.floor(math.log10(raw))
    return next(base * m for m in (1, 2, 2.5, 5, 10) if base * m >= raw * 0.999)


def _ticks(low: float, high: float, ticks: int) -> list[float]:
    step = _nice(high - low, ticks)
    first = math.ceil(low / step - 1e-9)
    return [first * step + i * step for i in range(int((high - first * step) / step + 1e-9) + 1)]


def slack_histogram(data: Histogram, title: str) -> Html:
    """Return the endpoint slacks as columns, with a zero line and hatched violations.

    Parameters
    ----------
    data
        The histogram, slack in nanoseconds.
    title
        Read aloud instead of the picture.
    """
    low, high = min(data.edges[0], 0.0), max(data.edges[-1], 0.0)
    span = (high - low) or 1.0
    top = max(data.counts) or 1
    plot_w, plot_h = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + (value - low) / span * plot_w

    def y(value: float) -> float:
        return _TOP + plot_h * (1 - value / top)

    parts: list[Html] = []
    for mark in sorted({round(v) for v in _ticks(0, top, 3)}):
        line = {"x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": f"{y(mark):.1f}", "y2": f"{y(mark):.1f}"}
        parts.append(h("line", class_="grid", **line))
        parts.append(h("text", count(mark), x=_LEFT - 5, y=f"{y(mark) + 3.5:.1f}", text_anchor="end"))
    step = _nice(span, 5)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (
        step * 10 ** -math.floor(math.log10(step)) == 2.5
    )
    for value in _ticks(low, high, 5):
        where = min(max(x(value), _LEFT + 4), _WIDTH - _RIGHT - 8)
        parts.append(h("text", fixed(value, digits), x=f"{where:.1f}", y=_HEIGHT - 16, text_anchor="middle"))
    for left, right, many in zip(data.edges, data.edges[1:], data.counts, strict=False):
        if not many:
            continue
        height = max(1.5, _TOP + plot_h - y(many))
        label = f"{fixed(left)} to {fixed(right)} ns: {count(many)} endpoint{'s' if many != 1 else ''}"
        box = {"y": f"{_TOP + plot_h - height:.2f}", "height": f"{height:.2f}"}
        # A column that zero cuts is shown as violated left of zero only.
        for start, end, bad in ((left, min(right, 0.0), True), (max(left, 0.0), right, False)):
            if end - start <= 1e-12:
                continue
            place = {"x": f"{x(start) + 0.5:.2f}", "width": f"{max(1.0, x(end) - x(start) - 1):.2f}", **box}
            hover = h("title", label + (", violated" if right <= 1e-12 else ""))
            parts.append(h("rect", hover, class_="col bad" if bad else "col", **place))
            if bad:
                parts.append(h("rect", class_="hatch", **place))
    zero = f"{x(0):.1f}"
    parts.append(h("line", class_="zero", x1=zero, x2=zero, y1=_TOP - 4, y2=_TOP + plot_h))
    parts.append(h("line", class_="axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_TOP + plot_h, y2=_TOP + plot_h))
    middle = _LEFT + plot_w / 2
    parts.append(h("text", "slack, ns", x=middle, y=_HEIGHT - 3, text_anchor="middle", class_="axis-name"))
    return h("svg", h("title", title), *parts, viewbox=f"0 0 {_WIDTH} {_HEIGHT}", class_="hist", role="img")


def stacked(parts: Sequence[tuple[str, float, str]], whole: float) -> Html:
    """Return one stacked bar.

    Parameters
    ----------
    parts
        ``(tone, value, text on hover)`` of each part.
    whole
        The value of a bar of full length.
    """
    boxes = [
        h("span", class_=tone, style=f"width:{value / whole * 100:.3f}%", title=hover)
        for tone, value, hover in parts
        if whole > 0 and value > 0
    ]
    return h("span", *boxes, class_="bar stack", aria_hidden="true")


def waterfall(before: float, delay: float, whole: float) -> Html:
    """Return a box from `before` to ``before + delay`` on an axis from 0 to `whole` (ns)."""
    if whole <= 0:
        return join()
    left = min(100.0, max(0.0, min(before, before + delay) / whole * 100))
    width = min(100.0 - left, max(0.4, abs(delay) / whole * 100))
    share = significant(abs(delay) / whole * 100, 2)
    box = h("span", style=f"margin-left:{left:.2f}%;width:{width:.2f}%", title=f"{share} % of the path")
    return h("span", box, class_="bar fall", aria_hidden="true")


def columns(
    names: Sequence[str],
    stacks: Sequence[Sequence[tuple[str, float, str]]],
    title: str,
    *,
    whole: bool = False,
) -> Html:
    """Return one stacked column for each name, in order.

    Parameters
    ----------
    names
        One under each column; the first and the last are written.
    stacks
        Of each column, from the bottom: ``(tone, value, text on hover)``.
    title
        Read aloud instead of the picture.
    whole
        Whether values are counts, so that marks are whole numbers.
    """
    top = max((sum(value for _, value, _ in stack) for stack in stacks), default=0.0) or 1.0
    marks = _ticks(0, top, 3)
    if whole:
        marks = sorted({float(round(mark)) for mark in marks})
    plot_w, plot_h = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    wide = plot_w / max(1, len(stacks))

    def y(value: float) -> float:
        return _TOP + plot_h * (1 - value / top)

    parts: list[Html] = []
    for mark in marks:
        line = {"x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": f"{y(mark):.1f}", "y2": f"{y(mark):.1f}"}
        parts.append(h("line", class_="grid", **line))
        parts.append(h("text", f"{mark:g}", x=_LEFT - 5, y=f"{y(mark) + 3.5:.1f}", text_anchor="end"))
    for place, (name, stack) in enumerate(zip(names, stacks, strict=True)):
        below = 0.0
        for tone, value, hover in stack:
            if value <= 0:
                continue
            high = max(1.5, y(below) - y(below + value))
            box = {"x": f"{_LEFT + place * wide + wide * 0.1:.2f}", "width": f"{wide * 0.8:.2f}"}
            where = {"y": f"{y(below) - high:.2f}", "height": f"{high:.2f}"}
            said = h("title", f"{name}: {hover}")
            parts.append(h("rect", said, class_=f"col {tone}".strip(), **box, **where))
            below += value
    parts.append(h("line", class_="axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_TOP + plot_h, y2=_TOP + plot_h))
    if names:
        parts.append(h("text", names[0], x=_LEFT, y=_HEIGHT - 14))
    if len(names) > 1:
        parts.append(h("text", names[-1], x=_WIDTH - _RIGHT, y=_HEIGHT - 14, text_anchor="end"))
    return h("svg", h("title", title), *parts, viewbox=f"0 0 {_WIDTH} {_HEIGHT}", class_="hist", role="img")
