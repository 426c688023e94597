"""Commit traces: what a simulation writes of each instruction, and how a person reads it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from flow.isa.disassemble import REGISTERS, disassemble
from flow.isa.elf import Program

__all__ = ["RECORD_BYTES", "Record", "read_trace", "trace_lines"]

_FORMAT = struct.Struct("<20I")
RECORD_BYTES = _FORMAT.size
_BATCH = 4096
_EXCEPTIONS = (
    "instruction misaligned", "instruction access fault", "illegal instruction", "breakpoint",
    "load misaligned", "load access fault", "store misaligned", "store access fault",
    "environment call from U", "", "", "environment call from M",
)  # fmt: skip
_INTERRUPTS = {3: "software", 7: "timer", 11: "external"}


@dataclass(frozen=True, slots=True)
class Record:
    """One instruction, as the harness saw it retire (``verif/harness/riscv``)."""

    flags: int
    pc: int
    insn: int
    rd_wdata: int
    mem_addr: int
    mem_rdata: int
    mem_wdata: int
    pc_wdata: int
    cycle_low: int
    mstatus: int
    mepc: int
    mcause: int
    mtval: int
    mie: int
    mip: int
    mtvec: int
    mscratch: int
    order: int
    reserved: int
    cycle_high: int

    @property
    def trap(self) -> bool:
        """It was not executed: a trap was taken."""
        return bool(self.flags & 1)

    @property
    def interrupt(self) -> bool:
        """It is the first of an interrupt's handler."""
        return bool(self.flags & 2)

    @property
    def mode(self) -> int:
        """Privilege mode it ran in: 0 user, 3 machine."""
        return self.flags >> 3 & 3

    @property
    def read_mask(self) -> int:
        """Bytes of the word at ``mem_addr`` that it read."""
        return self.flags >> 8 & 15

    @property
    def write_mask(self) -> int:
        """Bytes of the word at ``mem_addr`` that it wrote."""
        return self.flags >> 12 & 15

    @property
    def rd(self) -> int:
        """The register that it wrote, 0 for none."""
        return self.flags >> 16 & 31

    @property
    def cycle(self) -> int:
        """The cycle in which it retired."""
        return self.cycle_low | self.cycle_high << 32


def read_trace(file: BinaryIO) -> Iterator[Record]:
    """Yield the records of a trace; one that was cut short is left out."""
    while chunk := file.read(RECORD_BYTES * _BATCH):
        whole = len(chunk) - len(chunk) % RECORD_BYTES
        for words in _FORMAT.iter_unpack(chunk[:whole]):
            yield Record(*words)


def trace_lines(records: Iterable[Record], program: Program | None = None) -> Iterator[str]:
    """Yield a line for each record: cycle, pc, instruction, and what it changed.

    Parameters
    ----------
    records
        The trace.
    program
        Its symbols stand before the first instruction of each function.
    """
    where = ""
    for r in records:
        here = program.where(r.pc).partition("+")[0] if program else ""
        if here != where:
            where = here
            if here:
                yield f"{here}:"
        yield _line(r)


def _line(r: Record) -> str:
    found = disassemble(r.insn, r.pc)
    digits = 2 * found.size
    text = f"{r.cycle:>10} {r.mode} {r.pc:08x} {r.insn & (1 << 4 * digits) - 1:0{digits}x}"
    changes = []
    if r.interrupt:
        number = r.mcause & 0x7FFF_FFFF
        changes.append(f"{_INTERRUPTS.get(number, f'local {number}')} interrupt")
    if r.trap:
        number = r.mcause & 0x7FFF_FFFF
        name = _EXCEPTIONS[number] if number < len(_EXCEPTIONS) else f"exception {number}"
        changes.append(f"trap: {name}, mtval {r.mtval:#x}, to {r.pc_wdata:08x}")
    else:
        if r.rd:
            changes.append(f"{REGISTERS[r.rd]}={r.rd_wdata:08x}")
        changes += [f"{sign}[{_bytes(r.mem_addr, mask)}]{value}" for sign, mask, value in _accesses(r)]
    return f"{text:<33} {found!s:<30} {', '.join(changes)}".rstrip()


def _accesses(r: Record) -> Iterator[tuple[str, int, str]]:
    if r.read_mask:
        yield "", r.read_mask, ""
    if r.write_mask:
        yield "", r.write_mask, f"={_part(r.mem_wdata, r.write_mask)}"


def _bytes(address: int, mask: int) -> str:
    first = (mask & -mask).bit_length() - 1
    return f"{address + first:08x}"


def _part(word: int, mask: int) -> str:
    first, count = (mask & -mask).bit_length() - 1, mask.bit_count()
    return f"{word >> 8 * first & (1 << 8 * count) - 1:0{2 * count}x}"
