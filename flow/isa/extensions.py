"""Which extensions a core has, and which a program needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flow.isa.disassemble import Instruction, disassemble
from flow.isa.elf import Program

__all__ = ["extensions_of", "first_use", "lacking"]

_IMPLIED = {
    "g": ("i", "m", "a", "f", "d", "zicsr", "zifencei"),
    "b": ("zba", "zbb", "zbs"),
    "c": ("zca",),
    "zcb": ("zca",),
    "d": ("f",),
    "f": ("zicsr",),
    "m": ("zmmul",),
}
#: What no core says, and every core has or does not need.
_GIVEN = {"zicntr", "zihpm", "zmmul", "zca"}


def extensions_of(isa: str) -> frozenset[str]:
    """Return the extensions in an ISA string, versions left out.

    ``rv32e`` has ``e``; both ``i`` and ``e`` are bases, of which a program
    for ``e`` runs on either.
    """
    text = re.sub(r"\d+p\d+", "", isa.lower()).removeprefix("rv32").removeprefix("rv64")
    head, *rest = text.split("_")
    multi = re.search(r"[zsx][a-z]{2,}", head)
    single = head[: multi.start()] if multi else head
    found = set(single) | ({multi.group()} if multi else set()) | {r for r in rest if r}
    for name in tuple(found):
        found.update(_IMPLIED.get(name, ()))
    if "zca" in found and not found & {"f", "d"}:
        found.add("c")
    return frozenset(found)


def lacking(program: str, core: str) -> tuple[str, ...]:
    """Return the extensions that a program's ISA string has and the core's has not, in order."""
    if not program or not core:
        return ()
    has = set(extensions_of(core))
    if "i" in has:
        has.add("e")
    if "zicsr" in has:
        has.add("zifencei")  # no core of this kind is without
    wants = extensions_of(program)
    if "i" in wants and "e" in has and "i" not in has:
        return ("i with 32 registers", *sorted(wants - has - _GIVEN - {"i"}))
    return tuple(sorted(wants - has - _GIVEN))


def first_use(program: Program, extension: str) -> tuple[int, Instruction] | None:
    """Return address and instruction where a program uses an extension first, by a linear reading.

    Only what lies in functions is read, since constants look like
    instructions.
    """
    for pc, found in _instructions(program):
        if found.extension == extension:
            return pc, found
    return None


def _instructions(program: Program) -> Iterator[tuple[int, Instruction]]:
    for start, end in program.functions:
        pc = start
        while pc < end:
            half = program.half(pc)
            if half is None:
                break
            high = program.half(pc + 2) or 0
            found = disassemble(half | high << 16 if half & 3 == 3 else half, pc)
            yield pc, found
            pc += found.size
