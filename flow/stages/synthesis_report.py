"""What synthesis says of a design: findings, metrics, tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from flow.formats.liberty import CellLibrary
from flow.model.check import Check, Severity
from flow.model.step import StepContext
from flow.tools.netlist import Links, Measures, Netlist, area_by_module, measure
from flow.tools.yosys.log import Latch, Problem, read_latches, read_problems, wire_places
from flow.tools.yosys.script import LATCHES, LOOPS, PROBLEMS

__all__ = ["Mapped", "report_design", "report_netlist"]

_SHOWN = 20  # findings of one kind that are listed one by one


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _report(
    ctx: StepContext,
    name: str,
    good: str,
    findings: Iterable[tuple[str, str]],
    severity: Severity,
    remedy: str,
) -> None:
    """Report one check a finding, or one that all is well."""
    found = list(findings)
    if not found:
        ctx.check(Check(name=name, passed=True, message=good))
    for message, place in found[:_SHOWN]:
        ctx.check(
            Check(name=name, passed=False, severity=severity, message=message, place=place, remedy=remedy)
        )
    if len(found) > _SHOWN:
        ctx.check(
            Check(
                name=name,
                passed=False,
                severity=severity,
                message=f"and {len(found) - _SHOWN} more of the same kind",
                remedy=remedy,
            )
        )


def report_design(
    ctx: StepContext, real: Callable[[str], str], allow_latches: bool, allow_undriven: bool
) -> None:
    """Report latches, undriven and multiply driven nets, and loops, as the RTL has them."""
    latches = [x for x in read_latches(_text(ctx.workdir / LATCHES), real) if not x.intended]
    _report_latches(ctx, latches, allow_latches)
    problems = read_problems(_text(ctx.workdir / PROBLEMS), real)
    loops = [p for p in read_problems(_text(ctx.workdir / LOOPS), real) if p.kind == "loop"]
    undriven = _by_wire(p for p in problems if p.kind == "undriven")
    places = wire_places(_text(ctx.workdir / "checked.il"), set(undriven), real) if undriven else {}
    bits = sum(len(v) for v in undriven.values())
    ctx.metric("synthesis__undriven__count", bits)
    _report(
        ctx,
        "synthesize.undriven",
        "every net that is read is driven",
        ((f"net {name} is read but nothing drives it", places.get(name, name)) for name in undriven),
        Severity.WARNING if allow_undriven else Severity.ERROR,
        "Drive it, or remove what reads it; synthesis took it as 0.",
    )
    several = [p for p in problems if p.kind == "multidriven"]
    ctx.metric("synthesis__multidriven__count", len(several))
    _report(
        ctx,
        "synthesize.multidriven",
        "no net has several drivers",
        ((f"net {p.name} has several drivers", ", ".join(p.places) or p.name) for p in several),
        Severity.ERROR,
        "Leave it one driver.",
    )
    ctx.metric("synthesis__comb_loop__count", len(loops))
    _report(
        ctx,
        "synthesize.loops",
        "there is no combinational loop",
        (_loop(p) for p in loops),
        Severity.ERROR,
        "Put a register into the loop, or complete the assignments of the block.",
    )


def _report_latches(ctx: StepContext, latches: list[Latch], allowed: bool) -> None:
    ctx.metric("design__inferred_latch__count", sum(latch.width for latch in latches))
    _report(
        ctx,
        "synthesize.latches",
        "no latch is inferred",
        (
            (f"{x.signal} becomes a latch ({x.width} bit{'s' if x.width > 1 else ''})", x.place)
            for x in latches
        ),
        Severity.WARNING if allowed else Severity.ERROR,
        "Assign it on every path of the block, or say always_latch if it is meant.",
    )


def _by_wire(problems: Iterable[Problem]) -> dict[str, list[str]]:
    wires: dict[str, list[str]] = {}
    for problem in problems:
        wires.setdefault(re.sub(r"\[\d+(?::\d+)?\]$", "", problem.name), []).append(problem.name)
    return wires


def _loop(problem: Problem) -> tuple[str, str]:
    where = problem.places[0] if problem.places else problem.name
    others = f" (also {', '.join(problem.places[1:6])})" if len(problem.places) > 1 else ""
    return f"combinational loop through {problem.name}{others}", where


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A mapped and mended netlist, with what it is made of and what mending took."""

    netlist: Netlist
    library: CellLibrary
    links: Links
    buffers_added: int
    flops_resized: int
    trees_rebuilt: int


def report_netlist(ctx: StepContext, mapped: Mapped, nand2_area: float | None) -> None:
    """Report cells, areas and fanout of the mapped netlist, and write ``stat``."""
    netlist, library, links = mapped.netlist, mapped.library, mapped.links
    measures = measure(netlist, library, links=links)
    modules = area_by_module(netlist, library, links=links)
    unit = nand2_area if nand2_area is not None else library.smallest_nand2()
    metrics = {
        "design__instance__count": measures.cells,
        "design__instance__count__stdcell": measures.stdcells,
        "design__instance__count__sequential": measures.sequential,
        "design__instance__count__buffer": measures.buffers,
        "design__instance__area": round(measures.area, 6),
        "design__instance__area__sequential": round(measures.sequential_area, 6),
        "design__instance__area__macros": round(measures.macro_area, 6),
        "design__gate_equivalents": round((measures.area - measures.macro_area) / unit, 1) if unit else None,
        "design__io": measures.io,
        "synthesis__unmapped__count": len(measures.unmapped),
        "synthesis__max_fanout": measures.max_fanout,
    }
    for name, value in metrics.items():
        ctx.metric(name, value)
    cells = [
        {"cell": name, "count": count, "area": round(area, 6)}
        for name, (count, area) in measures.types.items()
    ]
    ctx.data("cells_by_type", cells)
    ctx.data("area_by_module", modules)
    ctx.data(
        "buffering",
        {
            "added": mapped.buffers_added,
            "resized_flops": mapped.flops_resized,
            "rebuilt_trees": mapped.trees_rebuilt,
            "max_fanout_net": measures.max_fanout_net,
        },
    )
    _report_mapping(ctx, measures)
    stat = {"top": netlist.top, "metrics": metrics, "cells_by_type": cells, "area_by_module": modules}
    path = ctx.workdir / "stat.json"
    path.write_text(json.dumps(stat, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    ctx.output("stat", path)


def _report_mapping(ctx: StepContext, measures: Measures) -> None:
    _report(
        ctx,
        "synthesize.unmapped",
        "every cell is one of the library's",
        (
            (f"{name} is a {kind}, which the library does not have", src or name)
            for name, kind, src in measures.unmapped
        ),
        Severity.ERROR,
        "Choose a library that has such a cell, or describe it otherwise.",
    )
    empty = [] if measures.cells else [("the design has no cells", "")]
    _report(
        ctx,
        "synthesize.empty",
        "the design has cells",
        empty,
        Severity.ERROR,
        "Check that its outputs depend on its inputs, and that 'top' is the right module.",
    )
