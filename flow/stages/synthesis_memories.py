"""Memories in synthesis: composed of the PDK's macros, left to flip-flops, or left outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flow.formats.liberty import CellLibrary
from flow.model.check import Check, Severity
from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages.synthesis_input import SafeFiles
from flow.tools.netlist import Outside
from flow.tools.yosys import Yosys, memory_script, outside_script
from flow.tools.yosys.log import Memory, read_log, read_memories
from flow.tools.yosys.memories import (
    RamMacro,
    macro_outline,
    outside_outline,
    ram_library,
    ram_map,
    read_ram_macros,
)
from flow.tools.yosys.script import MEMORIES

__all__ = ["MemoryPlan", "compose_memories"]

_OUTSIDE = "suzuri_outside_"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """What memories may become.

    Attributes
    ----------
    described
        What the pins of macros are (:func:`flow.tools.yosys.memories.read_ram_macros`); none
        leaves all to flip-flops.
    limit
        Bits of memories that may become flip-flops, all together.
    outside_bits
        Memories of so many bits or more that no macro serves are left outside the design; ``None``
        leaves none.
    """

    described: Iterable[Mapping[str, Any]]
    limit: int
    outside_bits: int | None = None


def compose_memories(
    ctx: StepContext,
    files: SafeFiles,
    library: CellLibrary,
    macros: CellLibrary | None,
    usable: Iterable[str],
    plan: MemoryPlan,
) -> list[Outside]:
    """Compose the memories of ``front.il`` of macros where that takes less area; leave others outside.

    Parameters
    ----------
    library, macros
        Cells, and macros by their Liberty files.
    usable
        Cells that may be used.

    Returns
    -------
    list of Outside
        Memories that are no part of the design from here on.

    Raises
    ------
    ConfigError
        Memories that are to become flip-flops have too many bits.
    """
    memories = every = _read(ctx, files)
    rams = _usable(plan.described, macros) if macros and memories else []
    if macros and rams and not all(m.preset for m in memories):
        outlines = (cell for ram in rams if (cell := macros.get(ram.name)))
        for name, text in (
            ("macros.v", "".join(macro_outline(cell) for cell in outlines)),
            ("rams.txt", ram_library(rams, 2.5 * (library.smallest_nand2() or 0.0))),
            ("rams.v", ram_map(rams)),
        ):
            (ctx.workdir / name).write_text(text, encoding="utf-8")
        script = memory_script(_bit_area(library, usable), [m.cell for m in memories if m.preset])
        _run(ctx, files, "memories", script, "compose memories of macros")
        memories = _read(ctx, files)
    left = [m for m in memories if plan.outside_bits is not None and m.bits >= plan.outside_bits]
    outside = _leave(ctx, files, left)
    registers = [m for m in memories if m not in left]
    _report(ctx, every, registers, left)
    _check(registers, plan.limit, bool(rams))
    return outside


def _run(ctx: StepContext, files: SafeFiles, name: str, script: str, what: str) -> None:
    result = ctx.run(Yosys().command(ctx.tool("yosys"), f"{name}.ys", script, f"{name}.log"))
    if result.returncode != 0:
        errors = read_log(result.text(), files.real).errors
        said = errors[0].text if errors else f"it ended with status {result.returncode}"
        raise ToolError("yosys", f"cannot {what}: {said}", result.log)


def _leave(ctx: StepContext, files: SafeFiles, memories: list[Memory]) -> list[Outside]:
    """Put black boxes in place of `memories`."""
    kinds = {memory.cell: f"{_OUTSIDE}{place}" for place, memory in enumerate(memories)}
    if kinds:
        text = "".join(outside_outline(kinds[memory.cell], memory) for memory in memories)
        (ctx.workdir / "outside.v").write_text(text, encoding="utf-8")
        _run(ctx, files, "outside", outside_script(kinds), "leave memories outside")
    return [
        Outside(
            cell_type=kinds[memory.cell], name=memory.name, reads=memory.reads, writes=memory.writes,
            address_bits=memory.address_bits, width=memory.width,
        )
        for memory in memories
    ]  # fmt: skip


def _report(ctx: StepContext, every: list[Memory], registers: list[Memory], outside: list[Memory]) -> None:
    """Say what each memory becomes."""
    names = {"registers": {m.cell for m in registers}, "outside": {m.cell for m in outside}}
    rows = [
        {
            "name": m.name, "words": m.words, "width": m.width, "bits": m.bits, "place": m.place,
            "made_of": next((what for what, cells in names.items() if m.cell in cells), "macros"),
        }
        for m in every
    ]  # fmt: skip
    ctx.data("memories", rows)
    bits = sum(m.bits for m in outside)
    ctx.metric("design__memory_bits__outside", bits)
    if outside:
        count = f"{len(outside)} memories" if len(outside) > 1 else f"memory {outside[0].name}"
        ctx.check(
            Check(
                name="synthesize.outside",
                passed=False,
                severity=Severity.WARNING,
                message=f"{bits:,} bits of memory ({count}) are left outside: they are in no area, "
                "timing or power",
                remedy="Take a PDK with memory macros that serve them, or add what they take from elsewhere.",
            )
        )


def _read(ctx: StepContext, files: SafeFiles) -> list[Memory]:
    text = (ctx.workdir / MEMORIES).read_text(encoding="utf-8", errors="replace")
    return read_memories(text, files.real)


def _usable(described: Iterable[Mapping[str, Any]], macros: CellLibrary) -> list[RamMacro]:
    """Return the memory macros that may be used: a power of two of words, and every input pin is known."""
    found = []
    for macro in read_ram_macros(described):
        cell = macros.get(macro.name)
        if cell is None or macro.words < 2 or macro.words & (macro.words - 1):
            continue
        widths = {pin.name: pin.width for pin in cell.pins if pin.direction == "input"}
        ram = replace(macro, widths=widths, area_um2=cell.area_um2 or macro.area_um2)
        if ram.access and not ram.unknown_pins():
            found.append(ram)
    return found


def _bit_area(library: CellLibrary, usable: Iterable[str]) -> float:
    """Return about what a bit takes in flip-flops: a flip-flop, and three gates to write and read it."""
    flops = [c.area_um2 for n in usable if library.is_sequential(n) and (c := library.get(n)) and c.register]
    return min(flops, default=0.0) + 3 * (library.smallest_nand2() or 0.0)


def _check(memories: list[Memory], limit: int, macros: bool) -> None:
    total = sum(m.bits for m in memories)
    if total <= limit:
        return
    memory = max(memories, key=lambda m: m.bits)
    others = f", and {len(memories) - 1} more, {total} bits in all" if len(memories) > 1 else ""
    remedy = (
        "Macros serve memories that hold nothing at first, and that read or write one word "
        "a cycle, at the clock's rising edge; describe it so, or make it smaller."
        if macros
        else "Take a PDK that has memory macros: ihp-sg13g2, nangate45 or asap7. Or make it smaller."
    )
    raise ConfigError(
        f"memory {memory.name} has {memory.words} x {memory.width} bits{others}: more than the {limit} "
        "that synthesis turns into flip-flops",
        memory.place or None,
        f'{remedy} Or leave it out of the figures: memories = "outside" in [synthesis].',
    )
