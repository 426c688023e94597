"""How a core that was reset comes to a program's entry."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from flow.isa.elf import Program, Segment
from flow.isa.image import MemoryMap, Region
from flow.model.errors import ConfigError

__all__ = ["Boot", "plan_boot"]

_PAGE = 4096
#: Pages for the first instructions, where the program leaves one free: Spike's own comes first.
_PLACES = (0x0000_1000, 0xFFFF_F000, 0x7FFF_F000, 0x4000_0000, 0x0003_0000)


@dataclass(frozen=True, slots=True)
class Boot:
    """What to do.

    Attributes
    ----------
    reset_vector
        Where the core is to start, ``None`` for where it starts anyway.
    segments
        What is loaded beside the program.
    memory
        Where memory lies.
    """

    reset_vector: int | None
    segments: tuple[Segment, ...]
    memory: MemoryMap


def plan_boot(program: Program, memory: MemoryMap, reset_vector: int, *, movable: bool) -> Boot:
    """Return how the core comes from its reset vector to the program's entry.

    At once where they are the same. Otherwise by two instructions, which
    change ``t0``: at the reset vector where the program leaves that page
    free, or in another page when the core's reset vector can be moved.

    Parameters
    ----------
    program, memory
        What is to run, and where memory lies.
    reset_vector
        Of the core.
    movable
        Whether a parameter of the core moves it.

    Raises
    ------
    ConfigError
        There is no way.
    """
    if program.entry == reset_vector:
        return Boot(None, (), memory)
    if _free(reset_vector, program, memory):
        return _jump(program, memory, reset_vector, None)
    if not movable:
        raise ConfigError(
            f"the core starts at {reset_vector:#x}, where the program has something else than its entry "
            f"{program.entry:#x}",
            program.name,
            "Link it so that its entry comes first, or name the core's reset_parameter in [isa]",
        )
    place = next((p for p in _PLACES if _free(p, program, memory)), None)
    if place is None:
        raise ConfigError(
            f"the program leaves no page free for the jump to its entry {program.entry:#x}",
            program.name,
            f"Link it so that its entry lies at the core's reset vector {reset_vector:#x}",
        )
    return _jump(program, memory, place, place)


def _free(address: int, program: Program, memory: MemoryMap) -> bool:
    page = address & -_PAGE
    used = any(s.address < page + _PAGE and page < s.end for s in program.segments)
    return not used and (not memory.holds(page) or memory.holds(page, _PAGE))


def _jump(program: Program, memory: MemoryMap, place: int, moved: int | None) -> Boot:
    low = (program.entry & 0xFFF ^ 0x800) - 0x800
    code = struct.pack(
        "<II",
        (program.entry - low & 0xFFFF_F000) | 5 << 7 | 0x37,  # lui t0, ...
        (low & 0xFFF) << 20 | 5 << 15 | 0x67,  # jalr zero, ...(t0)
    )
    page = place & -_PAGE
    if not memory.holds(page):
        memory = MemoryMap((*memory.regions, Region(page, _PAGE)))
    return Boot(moved, (Segment(place, code, len(code)),), memory)
