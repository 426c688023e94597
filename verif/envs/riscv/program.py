"""Programs for the bench, made without a compiler."""

from dataclasses import dataclass

from rtl.riscv.config import CoreConfig
from verif.lockstep.random import generate
from verif.lockstep.random.assembler import Code, b_type, i_type, j_type, s_type

__all__ = ["Program", "random_program", "smoke_program"]

_BASE, _DATA, _EXIT = 0x8000_0000, 0x8001_0000, 0x1000_0004
_LUI, _LW, _SW, _SB, _LBU, _BNE, _BEQ, _BGEU, _JALR = (
    0x37, 0x2003, 0x2023, 0x23, 0x4003, 0x1063, 0x63, 0x7063, 0x67,
)  # fmt: skip
_ADDI, _SLLI, _SRLI, _SRAI, _ANDI, _SLTI = 0x13, 0x1013, 0x5013, 0x4000_5013, 0x7013, 0x2013
_ADD, _SUB, _XOR, _OR, _AND, _SLTU, _SLL, _SRL = (
    0x33, 0x4000_0033, 0x4033, 0x6033, 0x7033, 0x3033, 0x1033, 0x5033,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """Contents of memory.

    Attributes
    ----------
    segments
        Address and bytes.
    """

    segments: tuple[tuple[int, bytes], ...]


def random_program(config: CoreConfig, seed: int, size: int, length: int) -> Program:
    """Return a constrained-random program: all that the core has, traps and interrupts included."""
    return Program(generate(config, seed, size=size, length=length).segments)


def _r(match: int, rd: int, rs1: int, rs2: int) -> int:
    return match | rd << 7 | rs1 << 15 | rs2 << 20


def smoke_program(config: CoreConfig, *, elements: int = 24) -> Program:
    """Return a program that fills an array, sorts it, and writes checksums of it.

    It keeps to RV32E, reads no counter and takes no trap, so that the same
    is done by every core.

    Parameters
    ----------
    config
        The core: where it begins.
    elements
        Words in the array.
    """
    if config.reset_vector != _BASE:
        raise ValueError(f"the program begins at {_BASE:#x}, not at reset_vector {config.reset_vector:#x}")
    code = Code(_BASE)
    _fill(code, elements)
    _sort(code, elements)
    _checksum(code, elements)
    code.load_immediate(5, _EXIT)
    code.word(s_type(_SW, 5, 0, 0))
    code.label("stop")
    code.refer("jump", "stop", j_type(0, 0))
    code.label("mix")  # x10 into x10: xorshift
    for match, amount in ((_SLLI, 13), (_SRLI, 17), (_SLLI, 5)):
        code.word(i_type(match, 11, 10, amount))
        code.word(_r(_XOR, 10, 10, 11))
    code.word(i_type(_JALR, 0, 1, 0))
    return Program(((_BASE, code.finish()),))


def _fill(code: Code, elements: int) -> None:
    code.load_immediate(10, 0x1234_5678)
    code.load_immediate(8, _DATA)
    code.load_immediate(9, elements)
    code.label("fill")
    code.refer("jump", "mix", j_type(1, 0))
    code.word(s_type(_SW, 8, 10, 0))
    code.word(i_type(_ADDI, 8, 8, 4))
    code.word(i_type(_ADDI, 9, 9, -1))
    code.refer("branch", "fill", b_type(_BNE, 9, 0, 0))


def _sort(code: Code, elements: int) -> None:
    """Append a bubble sort: x9 passes, x8 the place, x12 and x13 its neighbours."""
    code.load_immediate(9, elements - 1)
    code.label("pass")
    code.load_immediate(8, _DATA)
    code.word(_r(_ADD, 14, 9, 0))
    code.label("pair")
    code.word(i_type(_LW, 12, 8, 0))
    code.word(i_type(_LW, 13, 8, 4))
    code.refer("branch", "ordered", b_type(_BGEU, 13, 12, 0))
    code.word(s_type(_SW, 8, 13, 0))
    code.word(s_type(_SW, 8, 12, 4))
    code.label("ordered")
    code.word(i_type(_ADDI, 8, 8, 4))
    code.word(i_type(_ADDI, 14, 14, -1))
    code.refer("branch", "pair", b_type(_BNE, 14, 0, 0))
    code.word(i_type(_ADDI, 9, 9, -1))
    code.refer("branch", "pass", b_type(_BNE, 9, 0, 0))


def _checksum(code: Code, elements: int) -> None:
    """Append sums over all bytes by every kind of operation, each written behind the array."""
    code.load_immediate(8, _DATA)
    code.load_immediate(9, 4 * elements)
    code.load_immediate(10, 0)
    code.load_immediate(15, _DATA + 4 * elements)
    code.label("sum")
    code.word(i_type(_LBU, 12, 8, 0))
    code.word(_r(_ADD, 10, 10, 12))
    code.word(i_type(_SLLI, 13, 10, 7))
    code.word(_r(_SUB, 13, 13, 10))
    code.word(i_type(_ANDI, 14, 12, 31))
    code.word(_r(_SRL, 13, 13, 14))
    code.word(_r(_SLL, 12, 12, 14))
    code.word(i_type(_SRAI & 0xFFFFF, 11, 12, 0x400 | 9))
    code.word(_r(_OR, 13, 13, 11))
    code.word(_r(_AND, 11, 13, 10))
    code.word(_r(_SLTU, 14, 11, 13))
    code.word(i_type(_SLTI, 11, 13, -5))
    code.word(_r(_ADD, 14, 14, 11))
    code.word(_r(_XOR, 10, 10, 13))
    code.word(_r(_ADD, 10, 10, 14))
    code.word(s_type(_SB, 15, 10, 0))
    code.word(i_type(_ADDI, 15, 15, 1))
    code.word(i_type(_ADDI, 8, 8, 1))
    code.word(i_type(_ADDI, 9, 9, -1))
    code.refer("branch", "sum", b_type(_BNE, 9, 0, 0))
    code.word(_LUI | 11 << 7 | 0xABCDE000)
    code.word(_r(_XOR, 10, 10, 11))
    code.word(s_type(_SW, 15, 10, 0))
