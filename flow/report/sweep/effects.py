"""Which axes matter for an objective, and how it goes with each of their values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from flow.report.marks import bar, section
from flow.report.markup import Html, h, join
from flow.report.sweep.best import goal, pretty, scale_of
from flow.report.units import count, number, plain, significant

__all__ = ["sensitivity"]

_WIDE, _HIGH, _LEFT, _RIGHT, _TOP, _BOTTOM = 230, 108, 44, 10, 10, 26


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, int | float) else str(value)


def _effect(axis: str, effect: Sequence[Sequence[Any]], factor: float, unit: str) -> Html | None:
    """Return the mean of an objective by value of an axis, as a line with a dot for each value."""
    rows = [(v, m * factor, n) for v, mean, n in effect if (m := number(mean)) is not None]
    if not rows:
        return None
    low, high = min(m for _, m, _ in rows), max(m for _, m, _ in rows)
    span = (high - low) or abs(high) or 1.0
    step = (_WIDE - _LEFT - _RIGHT) / max(len(rows) - 1, 1)

    def y(value: float) -> float:
        return _TOP + (_HIGH - _TOP - _BOTTOM) * (1 - (value - low) / span)

    at = [(_LEFT + n * step if len(rows) > 1 else _WIDE / 2, y(m)) for n, (_, m, _) in enumerate(rows)]
    parts = [h("path", d="M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in at), class_="line")]
    every = math.ceil(len(rows) / 6)
    for n, ((value, mean, many), (a, b)) in enumerate(zip(rows, at, strict=True)):
        said = (
            f"{axis} = {_text(value)}: mean {significant(mean)} {unit}".rstrip() + f", {count(many)} points"
        )
        parts.append(h("circle", h("title", said), cx=f"{a:.1f}", cy=f"{b:.1f}", r=3.2))
        if n % every == 0:
            parts.append(h("text", _text(value)[:9], x=f"{a:.1f}", y=_HIGH - 9, text_anchor="middle"))
    for value in dict.fromkeys((low, high)):
        parts.append(
            h("text", significant(value, 3), x=_LEFT - 6, y=f"{y(value) + 3.5:.1f}", text_anchor="end")
        )
    ends = f"from {significant(rows[0][1], 3)} to {significant(rows[-1][1], 3)} {unit}".rstrip()
    return h(
        "svg",
        *parts,
        viewbox=f"0 0 {_WIDE} {_HIGH}",
        class_="effect",
        role="img",
        aria_label=f"{axis}: {ends}",
    )


def sensitivity(data: Mapping[str, Any]) -> Html | None:
    """Return bars of the share that each axis has in an objective, with what each value gives."""
    entries = list(data.get("sensitivity") or ())
    if not entries:
        return None
    parts = []
    for objective in data.get("objectives") or ():
        own = sorted(
            (e for e in entries if e.get("objective") == objective["name"]),
            key=lambda e: -(e.get("share") or 0),
        )
        if not own:
            continue
        means = [number(row[1]) for e in own for row in e.get("effect") or ()]
        factor, unit = scale_of(objective.get("unit") or "", means)
        cards = []
        for e in own:
            share = number(e.get("share"))
            said = "—" if share is None else f"{significant(100 * share, 2)} %"
            key = f"a:{e.get('axis')}"
            cards.append(h(
                "div",
                h("p", h("b", str(e.get("axis"))), h("span", said, class_="n"), class_="top"),
                bar(share or 0),
                _effect(str(e.get("axis")), e.get("effect") or (), factor, unit),
                h("button", "Show in the scatter", type="button", class_="js quiet", data_x=key,
                  data_y=f"o:{objective['name']}"),
                class_="effect-card",
            ))  # fmt: skip
        label = f" ({unit or pretty(objective.get('unit') or '')})" if unit else ""
        parts.append(
            join(h("h3", goal(objective), h("span", label, class_="u")), h("div", *cards, class_="effects"))
        )
    note = "Share of an objective's variation that goes with each axis alone, and the mean at each value."
    return section("sensitivity", "Sensitivity", note, *parts)
