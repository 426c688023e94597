"""What the page's script draws from: columns of values, texts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flow.report.sweep.best import failures, pretty, scale_of
from flow.report.units import number

__all__ = ["pack"]


def _column(
    key: str, label: str, group: str, values: Sequence[Any], unit: str = "", **more: object
) -> dict[str, Any]:
    """Return a column: numbers where all are, else codes of its levels."""
    known = [v for v in values if v is not None]
    column: dict[str, Any] = {"key": key, "label": label, "group": group, **more}
    levels: Any = more.get("levels")
    if levels is None and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known):
        numbers = [number(v) for v in values]
        factor, shown = scale_of(unit, numbers)
        short = [None if v is None else float(f"{v:.9g}") for v in numbers]
        return {**column, "kind": "num", "unit": shown, "raw": unit, "factor": factor, "values": short}
    text = [
        None if v is None else ("true" if v else "false") if isinstance(v, bool) else str(v) for v in values
    ]
    order = [("true" if v else "false") if isinstance(v, bool) else str(v) for v in levels or ()]
    order = list(dict.fromkeys([*order, *(t for t in text if t is not None)]))
    place = {t: n for n, t in enumerate(order)}
    codes = [None if t is None else place[t] for t in text]
    return {**column, "kind": "cat", "unit": pretty(unit), "raw": unit, "levels": order, "values": codes}


def _axes(data: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for axis in data.get("axes") or ():
        name, levels = axis["name"], axis.get("values") or []
        own = [(p.get("point") or {}).get("values", {}).get(name) for p in points]
        plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in levels)
        about: dict[str, Any] = {"log": bool(axis.get("log"))}
        if not plain:
            about["levels"] = levels
        found.append(_column(f"a:{name}", name, "axis", own, axis.get("unit") or "", **about))
    return found


def pack(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the script needs of ``sweep.json``.

    Returns
    -------
    dict
        ``columns``: ``key``, ``label``, ``group``, ``kind`` (``num`` or
        ``cat``), ``unit`` and ``factor`` (value times factor is in `unit`),
        ``raw`` (unit of the value), ``values`` (numbers, or places in
        ``levels``), ``better`` (true: more is), ``noise``. ``ids``,
        ``reports``, ``commands`` (places in ``words``), ``missed`` by row,
        ``pairs`` of the correlation.
    """
    points = list(data.get("points") or ())
    noise = data.get("noise") or {}
    groups = failures(data)
    why: dict[int, int] = {row: n for n, group in reversed(list(enumerate(groups))) for row in group.rows}
    status = [
        ("infeasible" if p.get("status") == "done" and not p.get("feasible") else p.get("status"))
        for p in points
    ]
    fidelity = list((data.get("sweep") or {}).get("fidelity") or ())
    columns = [
        _column("status", "Status", "point", status, levels=["done", "infeasible"]),
        _column("fidelity", "Fidelity", "point", [p.get("fidelity") for p in points], levels=fidelity),
        _column("front", "Front", "point", [bool(p.get("front")) for p in points], levels=[False, True]),
        _column("rank", "Rank", "point", [p.get("rank") for p in points]),
    ]
    columns += _axes(data, points)
    if not any(c["key"] == "a:pdk" for c in columns) and any(p.get("pdk") for p in points):
        columns.append(
            _column(
                "pdk", "pdk", "point", [p.get("pdk") for p in points], levels=list(data.get("pdks") or ())
            )
        )
    for name in data.get("derived") or ():
        own = [(p.get("point") or {}).get("derived", {}).get(name) for p in points]
        columns.append(_column(f"d:{name}", name, "derived", own))
    for one in data.get("objectives") or ():
        name = one["name"]
        own = [(p.get("objectives") or {}).get(name) for p in points]
        columns.append(_column(f"o:{name}", name, "objective", own, one.get("unit") or "",
                               better=bool(one.get("maximise")), noise=noise.get(name)))  # fmt: skip
    for name, about in (data.get("metrics") or {}).items():
        own = [(p.get("metrics") or {}).get(name) for p in points]
        columns.append(_column(f"m:{name}", name, "metric", own, about.get("unit") or "",
                               better=about.get("higher_is_better"), noise=noise.get(name)))  # fmt: skip
    if len(fidelity) > 1:
        columns += _levels(data, points, fidelity)
    columns.append(_column("tool_s", "Tool time", "point", [p.get("tool_s") for p in points], "s"))
    titles = [f"{g.status}: {g.reason[:200]}" for g in groups]
    reason = [titles[why[row]] if row in why else None for row in range(len(points))]
    columns.append(_column("why", "Reason", "point", reason, levels=titles))
    words: dict[str, int] = {}
    commands = [
        [words.setdefault(w, len(words)) for w in str(p.get("command") or "").split(" ")] for p in points
    ]
    return {
        "columns": columns,
        "ids": [str(p.get("id")) for p in points],
        "reports": [p.get("report") for p in points],
        "words": list(words), "commands": commands,
        "said": [str(p.get("reason") or "; ".join(map(str, p.get("missed") or ())))[:400] for p in points],
        "pairs": [
            [f"l:{c['from']}:{c['objective']}", f"l:{c['to']}:{c['objective']}"]
            for c in data.get("correlation") or ()
        ],
        "name": str((data.get("sweep") or {}).get("name") or "sweep"),
    }  # fmt: skip


def _levels(
    data: Mapping[str, Any], points: Sequence[Mapping[str, Any]], fidelity: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a column for each objective at each level."""
    found = []
    for one in data.get("objectives") or ():
        for level in fidelity:
            own = [((p.get("levels") or {}).get(level) or {}).get(one["name"]) for p in points]
            label = f"{one['name']}, {level}"
            key = f"l:{level}:{one['name']}"
            found.append(
                _column(key, label, "level", own, one.get("unit") or "", better=bool(one.get("maximise")))
            )
    return found
