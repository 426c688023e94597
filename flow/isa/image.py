"""Where memory lies in a simulated system, and what is in it when a program starts."""

from __future__ import annotations

import bisect
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from flow.isa.elf import Program, Segment
from flow.model.errors import ConfigError

__all__ = ["DEVICES", "MemoryMap", "Region", "image_text", "parse_region"]

_PAGE = 4096
_BLOCK = 32  # bytes that a line of an image has
_SPACE = 1 << 32
_DEFAULT_SIZE = 4 << 20
_MOST = 8
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_EXAMPLE = "For example: --memory 0x80000000:4M"

#: Devices of the harness: name, first address, address after the last.
DEVICES = (("CLINT", 0x0200_0000, 0x0201_0000), ("test device", 0x1000_0000, 0x1000_1000))


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """Memory from ``base``, ``size`` bytes of it."""

    base: int
    size: int

    def __post_init__(self) -> None:
        if self.base % _PAGE or self.size % _PAGE or self.size <= 0:
            raise ValueError(f"{self} is not made of pages of 4 KiB")
        if self.base < 0 or self.end > _SPACE:
            raise ValueError(f"{self} reaches beyond the 32-bit address space")

    def __str__(self) -> str:
        return f"{self.base:#010x}:{_size_text(self.size)}"

    @property
    def end(self) -> int:
        """The address after its last byte."""
        return self.base + self.size


def _size_text(size: int) -> str:
    for unit in ("G", "M", "K"):
        if size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def parse_region(text: str) -> Region:
    """Return ``ADDRESS:SIZE`` as a region; sizes take K, M and G.

    Raises
    ------
    ConfigError
        It is not of that form, or not made of pages.
    """
    match = re.fullmatch(r"(0[xX][0-9a-fA-F_]+|[0-9_]+):(0[xX][0-9a-fA-F]+|[0-9]+)([KMG]?)i?B?", text.strip())
    if not match:
        raise ConfigError(f"{text!r} is not of the form ADDRESS:SIZE", "--memory", _EXAMPLE)
    try:
        return Region(int(match[1], 0), int(match[2], 0) * _UNITS[match[3]])
    except ValueError as error:
        raise ConfigError(str(error), "--memory", _EXAMPLE) from None


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """The memory of a system: regions that do not overlap, by address."""

    regions: tuple[Region, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "regions", tuple(sorted(self.regions)))
        for low, high in zip(self.regions, self.regions[1:], strict=False):
            if low.end > high.base:
                raise ConfigError(f"the memory regions {low} and {high} overlap", "--memory", _EXAMPLE)
        if len(self.regions) > _MOST:
            raise ConfigError(
                f"there are {len(self.regions)} memory regions; the harness has {_MOST}",
                "--memory",
                "Give fewer and larger ones",
            )

    @classmethod
    def for_program(cls, program: Program, size: int = _DEFAULT_SIZE) -> MemoryMap:
        """Return memory for all that `program` loads, and `size` bytes from the begin of each part."""
        regions: list[Region] = []
        for segment in program.segments:
            base = segment.address & -_PAGE
            last = regions[-1] if regions else None
            if last and base < last.end:
                if segment.end > last.end:
                    regions[-1] = Region(last.base, _pages(segment.end) - last.base)
                continue
            roof = min((d for _, d, _ in DEVICES if d >= segment.end), default=_SPACE)
            end = max(_pages(segment.end), min(base + size, roof))
            if last and base == last.end:
                regions[-1] = Region(last.base, end - last.base)
            else:
                regions.append(Region(base, end - base))
        if len(regions) > _MOST:
            raise ConfigError(
                f"the program lies in {len(regions)} places far apart; memory has {_MOST} regions at most",
                program.name,
                "Link it closer together, or give larger regions that hold several: --memory ADDRESS:SIZE",
            )
        return cls(tuple(regions))

    def holds(self, address: int, size: int = 1) -> bool:
        """Whether memory lies at all of `size` bytes from `address`."""
        for region in self.regions:
            if region.base <= address < region.end:
                if address + size <= region.end:
                    return True
                address, size = region.end, address + size - region.end
        return False

    def hidden(self) -> tuple[str, ...]:
        """Return the devices that memory lies over."""
        return tuple(n for n, a, b in DEVICES if any(r.base < b and a < r.end for r in self.regions))

    def check(self, program: Program) -> None:
        """Refuse a program that does not fit.

        Raises
        ------
        ConfigError
            A part of it lies outside.
        """
        for segment in program.segments:
            if not self.holds(segment.address, segment.size):
                raise ConfigError(
                    f"the program has {segment.size} bytes at {segment.address:#010x}, outside the memory "
                    f"({', '.join(map(str, self.regions)) or 'there is none'})",
                    program.name,
                    f"Give it memory there, --memory {segment.address & -_PAGE:#x}:SIZE, or link it anew",
                )

    @property
    def words(self) -> int:
        """How many words it has."""
        return sum(r.size for r in self.regions) // 4

    def plusargs(self) -> list[str]:
        """Return what the harness is told of it."""
        return [
            text
            for i, r in enumerate(self.regions)
            for text in (f"region{i}_base={r.base:x}", f"region{i}_size={r.size:x}")
        ]


def _pages(address: int) -> int:
    return -(-address // _PAGE) * _PAGE


def image_text(segments: Iterable[Segment], memory: MemoryMap) -> str:
    """Return the contents of memory for ``$readmemh``: its words, one region after the other.

    Parameters
    ----------
    segments
        What is loaded.
    memory
        Where memory lies; it holds all of them.
    """
    blocks: dict[int, bytearray] = {}
    for segment in segments:
        at = segment.address
        left = memoryview(segment.data)
        while left:
            block, offset = at & -_BLOCK, at % _BLOCK
            part = left[: _BLOCK - offset]
            blocks.setdefault(block, bytearray(_BLOCK))[offset : offset + len(part)] = part
            left, at = left[len(part) :], at + len(part)
    lines, first, known = [], 0, sorted(blocks)
    for region in memory.regions:
        last = -1
        inside = known[bisect.bisect_left(known, region.base) : bisect.bisect_left(known, region.end)]
        for block in inside:
            if block != last:
                lines.append(f"@{first + (block - region.base) // 4:x}")
            lines.append(" ".join(f"{word:08x}" for word in struct.unpack("<8I", blocks[block])))
            last = block + _BLOCK
        first += region.size // 4
    return "\n".join(lines) + "\n"
