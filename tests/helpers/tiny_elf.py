"""ELF files and RISC-V code made by hand, so that tests of programs need no compiler."""

from __future__ import annotations

import struct

EXIT = 0x1000_0004  # the test device
PUT = 0x1000_0000


def lui(rd: int, value: int) -> int:
    return (value & 0xFFFFF000) | rd << 7 | 0x37


def addi(rd: int, rs1: int, value: int) -> int:
    return (value & 0xFFF) << 20 | rs1 << 15 | rd << 7 | 0x13


def load_immediate(rd: int, value: int) -> list[int]:
    low = (value & 0xFFF ^ 0x800) - 0x800
    return [lui(rd, value - low & 0xFFFFFFFF), addi(rd, rd, low)]


def sw(rs2: int, offset: int, rs1: int) -> int:
    return (offset >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (offset & 31) << 7 | 0x23


def lw(rd: int, offset: int, rs1: int) -> int:
    return (offset & 0xFFF) << 20 | rs1 << 15 | 2 << 12 | rd << 7 | 0x03


def csrw(csr: int, rs1: int) -> int:
    return csr << 20 | rs1 << 15 | 1 << 12 | 0x73


STOP = 0x0000_006F  # jal zero, .
ILLEGAL = 0xC000_8053  # fcvt.w.s zero, ft1: needs F
WFI = 0x1050_0073


def store(value: int, address: int) -> list[int]:
    return [*load_immediate(5, address), *load_immediate(6, value), sw(6, 0, 5)]


def exits(code: int) -> list[int]:
    return [*store(code, EXIT), STOP]


def says(text: str) -> list[int]:
    words = load_immediate(5, PUT)
    for character in text:
        words += [addi(6, 0, ord(character)), sw(6, 0, 5)]
    return words


def words(*code: int) -> bytes:
    return struct.pack(f"<{len(code)}I", *code)


def attributes(arch: str) -> bytes:
    """Return the section .riscv.attributes with one string."""
    value = b"\x05" + arch.encode() + b"\0"
    inner = b"\x01" + struct.pack("<I", len(value) + 5) + value
    vendor = b"riscv\0" + inner
    return b"A" + struct.pack("<I", len(vendor) + 4) + vendor


def elf(
    segments: dict[int, bytes],
    entry: int | None = None,
    *,
    symbols: dict[str, int] | None = None,
    functions: dict[str, tuple[int, int]] | None = None,
    arch: str = "",
    kind: int = 2,
    machine: int = 243,
    flags: int = 0,
    bits: int = 1,
) -> bytes:
    """Return an ELF file.

    `symbols` are addresses by name, `functions` addresses and sizes.
    """
    names, table = b"\0", bytes(16)
    rows = [(n, v, 0, 0x10) for n, v in (symbols or {}).items()]
    rows += [(n, v, size, 0x12) for n, (v, size) in (functions or {}).items()]
    for name, value, size, info in rows:
        table += struct.pack("<IIIBBH", len(names), value, size, info, 0, 0xFFF1)
        names += name.encode() + b"\0"
    sections = [(0, b""), (2, table), (3, names), (0x7000_0003, attributes(arch) if arch else b"")]
    at = 52 + 32 * len(segments) + 40 * len(sections)
    programs, headers, body = b"", b"", b""
    for address, data in segments.items():
        programs += struct.pack("<8I", 1, at + len(body), address, address, len(data), len(data), 7, 4)
        body += data
    for section, data in sections:
        link = 2 if section == 2 else 0
        headers += struct.pack("<10I", 0, section, 0, 0, at + len(body), len(data), link, 0, 1, 16)
        body += data
    first = min(segments, default=0) if entry is None else entry
    head = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    offset = 52 + len(programs)
    head += struct.pack(
        "<HHIIIIIHHHHHH", kind, machine, 1, first, 52, offset, flags, 52, 32, len(segments), 40, 4, 2
    )
    return head + programs + headers + body
