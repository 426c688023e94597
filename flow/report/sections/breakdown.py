"""Where the area and the power go."""

from __future__ import annotations

from collections.abc import Sequence

from flow.report.charts import stacked
from flow.report.details import Module, PowerRow, cells_by_type, modules, power_rows
from flow.report.extras import Memory, memories, outside_bits
from flow.report.marks import bar, num, section, table, th
from flow.report.markup import Child, Html, h, join
from flow.report.rundata import Corner, Run, StepRun, Target, lookup
from flow.report.units import Scale, area_scale, count, fixed, power_scale, power_text, significant

__all__ = ["area", "power"]

_MODULES, _CELLS, _POWERS = 40, 15, 30
_PARTS = ("internal", "switching", "leakage")


def _area_rows(listed: Sequence[Module], whole: float, scale: Scale, most: int) -> list[Html]:
    body = []
    counted = not any(m.area for m in listed)
    largest = max([m.cells or 0 for m in listed] if counted else [m.area for m in listed], default=0.0)
    for module in listed[:most]:
        size = (module.cells or 0) if counted else module.area
        share = module.area / whole if whole and not counted else None
        body.append(
            h(
                "tr",
                h("th", h("code", module.name), scope="row"),
                h("td", bar(size / largest if largest else 0), class_="g wide"),
                h("td", num(module.cells, count(module.cells or 0), reason="not counted"), class_="n"),
                None
                if counted
                else h(
                    "td",
                    "≈ " if module.estimated else None,
                    significant(module.area * scale.factor),
                    class_="n",
                ),
                None if counted else h("td", fixed(share * 100, 1) if share is not None else "", class_="n"),
            )
        )
    rest = listed[most:]
    if rest:
        left = f"{len(rest)} more"
        size = sum(m.area for m in rest)
        cells = sum(m.cells or 0 for m in rest)
        tail = [] if counted else [h("td", significant(size * scale.factor), class_="n"), h("td", class_="n")]
        body.append(
            h(
                "tr",
                h("th", left, scope="row"),
                h("td"),
                h("td", count(cells), class_="n"),
                *tail,
                class_="rest",
            )
        )
    return body


def _area_table(
    title: str, first: str, listed: Sequence[Module], whole: float, scale: Scale, *, most: int
) -> Html:
    counted = not any(m.area for m in listed)
    areas = [] if counted else [th("Area", number=True, unit=scale.unit), th("Share", number=True, unit="%")]
    head = [th(first), h("td", class_="g"), th("Cells", number=True), *areas]
    return h("div", table(title, head, _area_rows(listed, whole, scale, most), cls="tight"))


def _area_of(target: Target, *, opened: bool) -> Html | None:
    for step in target.of("synthesize"):
        mods, cells = modules(step), cells_by_type(step)
        if not mods and not cells:
            continue
        whole = target.num("design__instance__area").value or max((m.area for m in mods), default=0.0)
        whole = whole or sum(c.area for c in cells)
        scale = area_scale([whole])
        columns = []
        if mods:
            columns.append(
                _area_table(f"Area by module on {target.name}", "Module", mods, whole, scale, most=_MODULES)
            )
        if cells:
            columns.append(
                _area_table(
                    f"Cells by type on {target.name}", "Library cell", cells, whole, scale, most=_CELLS
                )
            )
        held = memories(step)
        if held:
            columns.append(_memory_table(target, held))
        total = join(significant(whole * scale.factor), " ", scale.unit) if whole else ""
        left = outside_bits(target)
        total = join(total, f", and {count(left)} bits of memory outside") if left else total
        summary = h("summary", h("b", target.name), h("span", total, class_="more"))
        return h("details", summary, h("div", *columns, class_="columns"), open=opened)
    return None


_MADE_OF = {
    "macros": "macros",
    "registers": "flip-flops",
    "outside": "left outside: not in area, timing, power",
}


def _memory_table(target: Target, held: Sequence[Memory]) -> Html:
    body = [
        h(
            "tr",
            h("th", h("code", m.name), scope="row"),
            h("td", f"{count(m.words)} × {m.width}", class_="n"),
            h("td", count(m.words * m.width), class_="n"),
            h("td", _MADE_OF.get(m.made_of, m.made_of), class_="bad" if m.made_of == "outside" else None),
        )
        for m in held[:_MODULES]
    ]
    if len(held) > _MODULES:
        body.append(h("tr", h("th", f"{len(held) - _MODULES} more", scope="row"), h("td", colspan=3)))
    head = [th("Memory"), th("Words", number=True), th("Bits", number=True), th("Made of")]
    return h("div", table(f"Memories on {target.name}", head, body, cls="tight"))


def area(run: Run) -> Html | None:
    """Return the area by module and by library cell, for each PDK."""
    blocks: list[Html] = []
    for target in run.targets:
        block = _area_of(target, opened=not blocks)
        if block:
            blocks.append(block)
    if not blocks:
        return section("area", "Area", None, h("p", "No synthesis step reported areas.", class_="empty"))
    guessed = any(m.estimated for t in run.targets for s in t.of("synthesize") for m in modules(s))
    note = "Mapped cells by module, without what lies deeper, and by library cell; what memories became."
    if guessed:
        note += " ≈ marks a flattened netlist: a gate is counted where most of what reads it lies."
    return section("area", "Area by module", note, *blocks)


def _watts(value: float | None, scale: Scale, digits: int = 3) -> Html:
    if value is None:
        return num(None, reason="the power tool did not split it")
    shown, unit = power_text(value, scale, digits)
    return num(value, shown, unit=unit)


def _power_row(
    row: PowerRow, largest: float, whole: float, scale: Scale, *, split: bool, module: bool
) -> Html:
    parts = [row.internal, row.switching, row.leakage]
    tones = (
        list(zip(_PARTS, parts, strict=True)) if any(p is not None for p in parts) else [("total", row.total)]
    )
    shown = []
    for name, value in tones:
        figure, unit = power_text(value or 0.0, scale, 3)
        shown.append((name, value or 0.0, f"{name} {figure} {unit or scale.unit}"))
    return h(
        "tr",
        h("th", row.name if module else row.name.capitalize(), scope="row"),
        h("td", stacked(shown, largest), class_="g wide"),
        *(h("td", _watts(p, scale), class_="n") for p in parts if split),
        h("td", _watts(row.total, scale, 4), class_="n strong"),
        h("td", fixed(row.total / whole * 100, 1) if whole else "", class_="n"),
    )


def _power_table(title: str, first: str, listed: Sequence[PowerRow], whole: float, scale: Scale) -> Html:
    largest = max((r.total for r in listed), default=0.0)
    split = any(r.internal is not None or r.switching is not None for r in listed)
    body = [
        _power_row(r, largest, whole, scale, split=split, module=first == "Module") for r in listed[:_POWERS]
    ]
    if len(listed) > _POWERS:
        more = f"{len(listed) - _POWERS} more"
        body.append(h("tr", h("th", more, scope="row"), h("td", colspan=6 if split else 3), class_="rest"))
    head = [
        th(first),
        h("td", class_="g"),
        *(th(p.capitalize(), number=True, unit=scale.unit) for p in _PARTS if split),
        th("Total", number=True, unit=scale.unit),
        th("Share", number=True, unit="%"),
    ]
    return table(title, head, body, cls="tight")


def _power_of(target: Target, corner: Corner, step: StepRun, *, opened: bool) -> Html | None:
    groups, mods = (power_rows(step, by) for by in ("group", "module"))
    groups = [g for g in groups if g.total > 0] or groups
    if not groups and not mods:
        return None
    whole = lookup([step], "power__total", corner.name, "power").value or sum(g.total for g in groups)
    scale = power_scale([whole])
    columns: list[Child] = []
    source = {"default": "default activity", "simulated": "activity from simulation"}.get(
        step.tag("activity"), ""
    )
    place = " ".join(filter(None, (target.name, corner.name, source)))
    if groups:
        columns.append(_power_table(f"Power by group on {place}", "Group", groups, whole, scale))
    if mods:
        mods = sorted(mods, key=lambda r: -r.total)
        columns.append(_power_table(f"Power by module on {place}", "Module", mods, whole, scale))
    share = lookup([step], "power__annotated__ratio", corner.name, "power").value
    said = [f"{significant(whole * scale.factor)} {scale.unit}", source]
    said.append(f"{fixed(share, 0)} % of nets annotated" if share else "")
    summary = h(
        "summary",
        h("b", target.name),
        " ",
        h("span", corner.name, class_="corner"),
        h("span", ", ".join(filter(None, said)), class_="more"),
    )
    return h("details", summary, *columns, open=opened)


def power(run: Run) -> Html | None:
    """Return the power by group and by module, for each PDK and corner."""
    blocks: list[Html] = []
    for target in run.targets:
        for corner in target.corners:
            for step in corner.power:
                block = _power_of(target, corner, step, opened=not blocks) if step.ok else None
                if block:
                    blocks.append(block)
    if not blocks:
        return section("power", "Power", None, h("p", "No power step reported its groups.", class_="empty"))
    key = h("p", *(h("span", h("i", class_=p), p) for p in _PARTS), class_="key")
    return section(
        "power", "Power by group", "Bars are drawn to the largest row of each table.", key, *blocks
    )
