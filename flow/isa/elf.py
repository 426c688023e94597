"""Read ELF files of RISC-V programs: what is loaded where, and what is called how.

Source: System V ABI, chapters 4 and 5; RISC-V ELF psABI 1.0, chapter "ELF Object Files".
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from flow.model.errors import ConfigError

__all__ = ["Program", "Segment", "check_overlap", "read_elf"]

_RISCV = 243
_MACHINES = {3: "x86", 8: "MIPS", 20: "PowerPC", 40: "Arm", 62: "x86-64", 94: "Xtensa", 183: "AArch64"}
_EXEC, _DYN = 2, 3
_PT_LOAD = 1
_SHT_SYMTAB, _SHT_ATTRIBUTES = 2, 0x7000_0003
_PROGRAM_HEADER, _SECTION_HEADER = 32, 40  # bytes
_MOST_SEGMENTS = 256
_STT_NOTYPE, _STT_OBJECT, _STT_FUNC = 0, 1, 2
_FLOAT_ABI = {0: "", 2: "single", 4: "double", 6: "quad"}
_TAG_ARCH = 5
_COMPILE = "Compile and link it for RV32, for example with 'suzuri isa build'"


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes at an address; ``size`` counts the zeros after ``data`` too."""

    address: int
    data: bytes
    size: int

    @property
    def end(self) -> int:
        """The address after its last byte."""
        return self.address + self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program, ready to be loaded.

    Attributes
    ----------
    name
        What the user calls it: a file name.
    entry
        Address of its first instruction.
    segments
        What is loaded, by address.
    symbols
        Name to address.
    arch
        The ISA string that its ELF attributes give, or an empty one.
    functions
        First address, and address after the last, of each function that the
        file gives a size.
    """

    name: str
    entry: int
    segments: tuple[Segment, ...]
    symbols: Mapping[str, int] = field(default_factory=dict)
    arch: str = ""
    functions: tuple[tuple[int, int], ...] = ()
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())
    _names: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        code = [(a, n) for n, a in self.symbols.items() if self.holds(a) and not n.startswith(("$", ".L"))]
        rows = dict(sorted(code, key=lambda row: (row[0], row[1].startswith("_"), row[1]), reverse=True))
        starts = sorted(rows)
        object.__setattr__(self, "_starts", tuple(starts))
        object.__setattr__(self, "_names", tuple(rows[a] for a in starts))

    def holds(self, address: int) -> bool:
        """Whether something of the program lies at `address`."""
        return any(s.address <= address < s.end for s in self.segments)

    def where(self, address: int) -> str:
        """Return ``symbol+offset`` for an address, or an empty string."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at < 0 or not self.holds(address):
            return ""
        offset = address - self._starts[at]
        return self._names[at] + (f"+{offset:#x}" if offset else "")

    def half(self, address: int) -> int | None:
        """Return the aligned 16-bit unit at `address` as loaded, ``None`` where nothing is."""
        for s in self.segments:
            if s.address <= address and address + 2 <= s.address + len(s.data):
                return int.from_bytes(s.data[address - s.address :][:2], "little")
        return None

    def plusargs(self) -> list[str]:
        """Return what the harness is told of the program's symbols."""
        return [f"{n}={self.symbols[n]:x}" for n in ("tohost", "fromhost") if n in self.symbols]


def check_overlap(segments: Iterable[Segment], name: str) -> None:
    """Refuse a program in which one byte of memory is given twice.

    Raises
    ------
    ConfigError
        Two segments have data for the same address.
    """
    loaded = sorted((s.address, s.address + len(s.data)) for s in segments if s.data)
    for (_, end), (begin, _) in pairwise(loaded):
        if begin < end:
            raise ConfigError(
                f"two parts of the program overlap at {begin:#010x}", name,
                "Check the addresses in its linker script, or those given to objcopy",
            )  # fmt: skip


def read_elf(content: bytes, name: str) -> Program:
    """Return the program in an ELF file.

    Parameters
    ----------
    content
        The whole file.
    name
        What messages call it.

    Raises
    ------
    ConfigError
        It is no ELF file, damaged, not for RISC-V, of another width or byte
        order, not linked, or has nothing to load or no entry.
    """
    try:
        return _read(content, name)
    except (struct.error, IndexError, ValueError, OverflowError):
        raise ConfigError("the ELF file is damaged or cut short", name, "Link it again") from None


def _read(content: bytes, name: str) -> Program:
    _check_identification(content, name)
    kind, machine, _, entry, phoff, shoff, flags, _, phsize, phnum, shsize, shnum, _ = struct.unpack_from(
        "<HHIIIIIHHHHHH", content, 16
    )
    _check_machine(name, kind, machine, flags)
    if (phnum and phsize != _PROGRAM_HEADER) or (shoff and shnum and shsize != _SECTION_HEADER):
        raise ValueError("headers of another size")
    segments = _segments(content, name, phoff, phnum)
    sections = (
        [struct.unpack_from("<10I", content, shoff + i * _SECTION_HEADER) for i in range(shnum)]
        if shoff
        else []
    )
    symbols, functions = _symbols(content, sections)
    if entry == 0 and not _deliberate(symbols, segments):
        raise ConfigError(
            "the program has no entry address", name,
            "Define the symbol _start, or name another with the linker's -e; a raw address: --entry",
        )  # fmt: skip
    if not any(s.address <= entry < s.end for s in segments):
        raise ConfigError(
            f"the entry address {entry:#x} lies outside everything that the program loads", name,
            "Check ENTRY in its linker script",
        )  # fmt: skip
    return Program(
        name=name,
        entry=entry,
        segments=segments,
        symbols=symbols,
        arch=_arch(content, sections),
        functions=tuple(sorted(functions)),
    )


def _check_identification(content: bytes, name: str) -> None:
    if content[:4] != b"\x7fELF":
        raise ConfigError(
            "this is not an ELF file", name,
            "Give a linked program; for hex or binary files see --format, --load-address and --entry",
        )  # fmt: skip
    if len(content) < 52:
        raise ConfigError("the ELF file is damaged or cut short", name, "Link it again")
    machine = struct.unpack_from("<H" if content[5] == 1 else ">H", content, 18)[0]
    if machine != _RISCV:
        what = _MACHINES.get(machine, f"machine {machine}")
        raise ConfigError(f"the program is for {what}, not for RISC-V", name, _COMPILE)
    if content[4] != 1:
        raise ConfigError(
            "the program is for RV64 (a 64-bit ELF file); these cores are RV32", name,
            "Compile it with -march=rv32... -mabi=ilp32",
        )  # fmt: skip
    if content[5] != 1:
        raise ConfigError("the program is big-endian; these cores are little-endian", name, _COMPILE)


def _check_machine(name: str, kind: int, machine: int, flags: int) -> None:
    if kind not in (_EXEC, _DYN):
        what = {1: "an object file", 4: "a core dump"}.get(kind, f"of ELF type {kind}")
        raise ConfigError(f"this is {what}, not a linked program", name, "Link it; -c only compiles")
    abi = _FLOAT_ABI.get(flags & 6, "")
    if abi:
        raise ConfigError(
            f"the program passes {abi}-precision numbers in floating-point registers, which no core here has",
            name,
            "Compile it with -mabi=ilp32 and a -march without f and d",
        )


def _segments(content: bytes, name: str, offset: int, count: int) -> tuple[Segment, ...]:
    found: list[Segment] = []
    headers = [struct.unpack_from("<8I", content, offset + i * _PROGRAM_HEADER) for i in range(count)]
    loaded = [row for row in headers if row[0] == _PT_LOAD and row[5]]
    if len(loaded) > _MOST_SEGMENTS:
        raise ConfigError(
            f"the program is loaded in {len(loaded)} segments; more than {_MOST_SEGMENTS} are not taken",
            name, "Join them in its linker script",
        )  # fmt: skip
    for _, at, virtual, physical, in_file, in_memory, _, _ in loaded:
        data = content[at : at + in_file]
        if len(data) != in_file or in_file > in_memory:
            raise ValueError("a segment that is not there")
        if max(virtual, physical) + in_memory > 1 << 32:
            raise ConfigError(
                f"a segment at {max(virtual, physical):#x} reaches beyond the 32-bit address space",
                name, _COMPILE,
            )  # fmt: skip
        found.append(Segment(physical, data, in_memory))
        # What is copied at start-up needs memory where it runs, too.
        if virtual != physical:
            found.append(Segment(virtual, b"", in_memory))
    if not any(s.data for s in found):
        raise ConfigError("the program has nothing to load", name, "Check its linker script")
    check_overlap(found, name)
    return tuple(sorted(found, key=lambda s: s.address))


def _symbols(content: bytes, sections: list[tuple[int, ...]]) -> tuple[dict[str, int], list[tuple[int, int]]]:
    symbols: dict[str, int] = {}
    functions: list[tuple[int, int]] = []
    # A linked file has one symbol table. Names may be used often and share their ends, but those
    # that begin apart add up to about their section.
    for section in [row for row in sections if row[1] == _SHT_SYMTAB][:1]:
        names = sections[section[6]]
        strings = content[names[4] : names[4] + names[5]]
        left, known = 8 * len(strings), dict[int, str]()
        for at in range(section[4], section[4] + section[5], 16):
            offset, value, size, info, _, index = struct.unpack_from("<IIIBBH", content, at)
            if index == 0 or (info & 15) not in (_STT_NOTYPE, _STT_OBJECT, _STT_FUNC):
                continue
            name = known.get(offset)
            if name is None:
                end = strings.index(b"\0", offset)
                left -= end - offset
                if left < 0:
                    raise ValueError("names without end")
                name = known[offset] = strings[offset:end].decode()
            if name and (name not in symbols or info >> 4):  # a global one wins
                symbols[name] = value
            if info & 15 == _STT_FUNC and size:
                functions.append((value, value + size))
    return symbols, functions


def _deliberate(symbols: Mapping[str, int], segments: tuple[Segment, ...]) -> bool:
    """Whether an entry of 0 is meant: something starts there, and says so."""
    start = symbols.get("_start", symbols.get("_reset", symbols.get("reset_vector")))
    return any(s.address == 0 and s.data for s in segments) and start in (0, None)


def _arch(content: bytes, sections: list[tuple[int, ...]]) -> str:
    """Return Tag_RISCV_arch of the attributes section."""
    for section in sections:
        if section[1] == _SHT_ATTRIBUTES:
            body = content[section[4] : section[4] + section[5]]
            at = body.index(b"riscv\0") + 6 if b"riscv\0" in body else len(body)
            at += 5  # the tag of the whole file, and its length
            while at < len(body):
                tag, at = _uleb(body, at)
                if tag % 2:  # odd tags are strings
                    end = body.index(b"\0", at)
                    if tag == _TAG_ARCH:
                        return body[at:end].decode()
                    at = end + 1
                else:
                    _, at = _uleb(body, at)
    return ""


def _uleb(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
