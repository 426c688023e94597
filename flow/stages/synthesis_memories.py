"""Memories in synthesis: composed of the PDK's macros, or left to flip-flops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flow.formats.liberty import CellLibrary
from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages.synthesis_input import SafeFiles
from flow.tools.yosys import Yosys, memory_script
from flow.tools.yosys.log import Memory, read_log, read_memories
from flow.tools.yosys.memories import RamMacro, macro_outline, ram_library, ram_map, read_ram_macros
from flow.tools.yosys.script import MEMORIES

__all__ = ["compose_memories"]


def compose_memories(
    ctx: StepContext,
    files: SafeFiles,
    library: CellLibrary,
    macros: CellLibrary | None,
    usable: Iterable[str],
    *,
    described: Iterable[Mapping[str, Any]],
    limit: int,
) -> None:
    """Compose the memories of ``front.il`` of macros where that takes less area.

    Parameters
    ----------
    library, macros
        Cells, and macros by their Liberty files.
    usable
        Cells that may be used.
    described
        What the pins of macros are (:func:`flow.tools.yosys.memories.read_ram_macros`); none
        leaves all to flip-flops.
    limit
        Bits of memories that may become flip-flops, all together.

    Raises
    ------
    ConfigError
        Memories that no macro serves have more.
    """
    memories = _read(ctx, files)
    ctx.data("memories", [{"name": m.name, "words": m.words, "width": m.width} for m in memories])
    rams = _usable(described, macros) if macros and memories else []
    if macros and rams and not all(m.preset for m in memories):
        outlines = (cell for ram in rams if (cell := macros.get(ram.name)))
        for name, text in (
            ("macros.v", "".join(macro_outline(cell) for cell in outlines)),
            ("rams.txt", ram_library(rams, 2.5 * (library.smallest_nand2() or 0.0))),
            ("rams.v", ram_map(rams)),
        ):
            (ctx.workdir / name).write_text(text, encoding="utf-8")
        script = memory_script(_bit_area(library, usable), [m.cell for m in memories if m.preset])
        result = ctx.run(Yosys().command(ctx.tool("yosys"), "memories.ys", script, "memories.log"))
        if result.returncode != 0:
            errors = read_log(result.text(), files.real).errors
            said = errors[0].text if errors else f"it ended with status {result.returncode}"
            raise ToolError("yosys", f"cannot compose memories of macros: {said}", result.log)
        memories = _read(ctx, files)
    _check(memories, limit, bool(rams))


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
    total = sum(m.words * m.width for m in memories)
    if total <= limit:
        return
    memory = max(memories, key=lambda m: m.words * m.width)
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
        remedy,
    )
