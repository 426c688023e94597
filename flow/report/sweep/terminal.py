"""A sweep for a terminal: what is best, its front, what failed, what to do next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flow.report.sweep.best import failures, parameters, scale_of, winners
from flow.report.terminal import styled
from flow.report.units import count, duration, number, significant

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["render"]

_WIDE, _HIGH, _MOST, _GROUPS = 60, 14, 12, 8
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def render(data: Mapping[str, Any], console: Console) -> None:
    """Print a sweep.

    Parameters
    ----------
    data
        The content of ``sweep.json``.
    console
        Where to print.
    """
    console.print(_headline(data))
    found = _best(data)
    if found is not None:
        console.print(found)
    else:
        console.print(styled(("No point is a candidate.", "yellow")))
    front = _front(data)
    if front is not None:
        console.print(styled(("\nPareto front", "bold")))
        console.print(front)
    for line in _scatter(data):
        console.print(line)
    for line in _failures(data):
        console.print(line)
    skipped = data.get("skipped") or ()
    for one in skipped:
        console.print(styled(("! ", "yellow"), f"{one.get('what')} was left out: {one.get('reason')}"))
    command = (data.get("sweep") or {}).get("command")
    if command:
        console.print(styled("Again, or further: ", (str(command), "bold")))


def _headline(data: Mapping[str, Any]) -> Text:
    sweep, points = data.get("sweep") or {}, data.get("points") or ()
    status = str(sweep.get("status") or "")
    done = status == "done"
    feasible = sum(bool(p.get("feasible")) for p in points)
    levels = Counter(str(p.get("fidelity")) for p in points if p.get("status") == "done")
    fidelity = ", ".join(f"{count(n)} at {level}" for level, n in levels.items())
    tail = f"  {sweep.get('name')}: {count(len(points))} points, {count(feasible)} candidates"
    tail += f", {count(len(data.get('front') or ()))} on the front"
    if (elapsed := number(sweep.get("elapsed_s"))) is not None:
        tail += f", {duration(elapsed)}"
    style = "bold green" if done and feasible else "bold yellow"
    return styled(
        (f"{'✔' if done else '!'} {status.upper()}", style),
        tail,
        (f"\n  {fidelity}" if fidelity else "", "dim"),
    )


def _table(heads: Sequence[tuple[str, bool]]) -> Table:
    from rich.table import Table  # noqa: PLC0415 - rich costs time

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, right in heads:
        table.add_column(styled(head), justify="right" if right else "left", overflow="fold")
    return table


def _best(data: Mapping[str, Any]) -> Table | None:
    won = winners(data)
    if not won:
        return None
    table = _table(
        [
            ("Best", False),
            ("PDK", False),
            ("Value", True),
            ("Parameters", False),
            ("Fidelity", False),
            ("How certain", False),
        ]
    )
    values: dict[str, list[float | None]] = {}
    for winner in won:
        values.setdefault(winner.objective["name"], []).append(winner.value)
    last = ""
    for winner in won:
        name = winner.objective["name"]
        word = f"{'most' if winner.objective.get('maximise') else 'least'} {name}"
        factor, unit = scale_of(winner.objective.get("unit") or "", values[name])
        said = " ".join(f"{n.rpartition('.')[2]}={v}{u}" for n, v, u in parameters(data, winner.point))
        table.add_row(
            styled((word if name != last else "", "bold")), styled(winner.pdk or "—"),
            styled(f"{significant(winner.value * factor)} {unit}".strip()), styled(said),
            styled(str(winner.point.get("fidelity"))), styled((winner.certainty, "dim")),
        )  # fmt: skip
        last = name
    return table


def _front(data: Mapping[str, Any]) -> Table | None:
    by_id = {p.get("id"): p for p in data.get("points") or ()}
    chosen = [by_id[i] for i in data.get("front") or () if i in by_id]
    objectives = list(data.get("objectives") or ())
    if not chosen or len(objectives) < 2:
        return None
    scales = [
        scale_of(o.get("unit") or "", [number((p.get("objectives") or {}).get(o["name"])) for p in chosen])
        for o in objectives
    ]
    heads = [("Point", False)]
    heads += [
        (f"{o['name']}{f' ({u})' if u else ''}", True) for o, (_, u) in zip(objectives, scales, strict=True)
    ]
    axes = list(data.get("axes") or ())
    heads += [
        (f"{a['name'].rpartition('.')[2]}{' (' + a['unit'] + ')' if a.get('unit') else ''}", False)
        for a in axes
    ]
    table = _table(heads)
    for point in chosen[:_MOST]:
        values = [number((point.get("objectives") or {}).get(o["name"])) for o in objectives]
        cells = ["—" if v is None else significant(v * f) for v, (f, _) in zip(values, scales, strict=True)]
        own = {name: text for name, text, _ in parameters(data, point, pdk=True)}
        table.add_row(
            *(styled(c) for c in (str(point.get("id")), *cells, *(own.get(a["name"], "—") for a in axes)))
        )
    if len(chosen) > _MOST:
        table.add_row(styled((f"and {len(chosen) - _MOST} more", "dim")))
    return table


def _scaled(values: Sequence[float]) -> tuple[list[float], bool]:
    """Return shares from 0 to 1, by logarithm where values are wide and positive."""
    low, high = min(values), max(values)
    log = low > 0 and high / low > 30
    at = [math.log(v) for v in values] if log else list(values)
    low, span = min(at), (max(at) - min(at)) or 1.0
    return [(v - low) / span for v in at], log


def _scatter(data: Mapping[str, Any]) -> list[Text]:
    """Return a small picture of the first two objectives: the front as diamonds, others as dots."""
    objectives = list(data.get("objectives") or ())
    if len(objectives) < 2:
        return []
    first, second = objectives[0], objectives[1]
    shown = []
    for point in data.get("points") or ():
        own = point.get("objectives") or {}
        x, y = number(own.get(first["name"])), number(own.get(second["name"]))
        if point.get("feasible") and x is not None and y is not None:
            shown.append((x, y, point))
    if len(shown) < 2:
        return []
    xs, x_log = _scaled([s[0] for s in shown])
    ys, y_log = _scaled([s[1] for s in shown])
    pdks = list(dict.fromkeys(str(s[2].get("pdk") or "") for s in shown))
    dots: dict[tuple[int, int], int] = {}
    style: dict[tuple[int, int], str] = {}
    marks: dict[tuple[int, int], str] = {}
    for x, y, (_, _, point) in zip(xs, ys, shown, strict=True):
        column, row = round(x * (2 * _WIDE - 1)), round((1 - y) * (4 * _HIGH - 1))
        cell = (row // 4, column // 2)
        dots[cell] = dots.get(cell, 0) | _DOTS[row % 4][column % 2]
        colour = _COLOURS[pdks.index(str(point.get("pdk") or "")) % len(_COLOURS)]
        if cell not in marks:
            style[cell] = colour
        if point.get("front"):
            marks[cell], style[cell] = "◆", f"bold {colour}"
    (fx, ux), (fy, uy) = (
        scale_of(o.get("unit") or "", [s[i] for s in shown]) for i, o in enumerate((first, second))
    )
    high, low = (significant(pick(s[1] for s in shown) * fy, 3) for pick in (max, min))
    width = max(len(high), len(low))
    lines = [styled((f"\n{second['name']}{f' ({uy})' if uy else ''}{', log' if y_log else ''}", "dim"))]
    for row in range(_HIGH):
        label = high if row == 0 else low if row == _HIGH - 1 else ""
        parts: list[tuple[str, str] | str] = [(f"{label:>{width}} │", "dim")]
        for column in range(_WIDE):
            cell = (row, column)
            sign = marks.get(cell) or (chr(0x2800 + dots[cell]) if cell in dots else " ")
            parts.append((sign, style.get(cell, "")))
        lines.append(styled(*parts))
    lines.append(styled((" " * (width + 1) + "└" + "─" * _WIDE, "dim")))
    left, right = (significant(pick(s[0] for s in shown) * fx, 3) for pick in (min, max))
    name = f"{first['name']}{f' ({ux})' if ux else ''}{', log' if x_log else ''}"
    lines.append(
        styled((" " * (width + 2) + left + name.center(_WIDE - len(left) - len(right)) + right, "dim"))
    )
    key: list[tuple[str, str] | str] = [" " * (width + 2), "◆ front  "]
    key += [(f"● {pdk}  ", _COLOURS[n % len(_COLOURS)]) for n, pdk in enumerate(pdks) if pdk]
    return [*lines, styled(*key)]


def _failures(data: Mapping[str, Any]) -> list[Text]:
    groups = failures(data)
    found = []
    for group in groups[:_GROUPS]:
        mark = "!" if group.status in ("infeasible", "refused", "cancelled") else "✘"
        said = f"{mark} {count(len(group.rows))} {group.status}"
        found.append(styled((said, "yellow" if mark == "!" else "red"), f": {group.reason[:200]}"))
    if len(groups) > _GROUPS:
        found.append(styled((f"  and {len(groups) - _GROUPS} more reasons in the report", "dim")))
    return found
