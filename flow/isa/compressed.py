"""Say what compressed instructions are: RV32C (Zca) and Zcb.

Source: The RISC-V Instruction Set Manual, volume I (20240411), chapter "C"; Zc 1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["compressed"]

_Found = tuple[str, str, str]


def compressed(w: int, pc: int, registers: Sequence[str]) -> _Found:
    """Return mnemonic, operands and extension of a 16-bit instruction.

    Parameters
    ----------
    w
        Its bits.
    pc
        Its address.
    registers
        Names of the registers.
    """
    quadrants: tuple[Callable[[int, int, Sequence[str]], _Found | None], ...] = (_first, _second, _third)
    return quadrants[w & 3](w, pc, registers) or (".2byte", f"{w:#x}", "")


def _sign(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


def _first(w: int, pc: int, x: Sequence[str]) -> _Found | None:
    f3, low, high = w >> 13, x[8 + (w >> 2 & 7)], x[8 + (w >> 7 & 7)]
    if f3 == 0:
        amount = (w >> 11 & 3) << 4 | (w >> 7 & 15) << 6 | (w >> 6 & 1) << 2 | (w >> 5 & 1) << 3
        return (
            ("c.addi4spn", f"{low},sp,{amount}", "c") if amount else ("c.unimp", "", "") if w == 0 else None
        )
    if f3 in (2, 6):
        offset = (w >> 10 & 7) << 3 | (w >> 6 & 1) << 2 | (w >> 5 & 1) << 6
        return ("c.lw" if f3 == 2 else "c.sw"), f"{low},{offset}({high})", "c"
    if f3 in (1, 3, 5, 7):
        return (("c.fld", "c.flw", "c.fsd", "c.fsw")[f3 // 2], "", "f" if f3 & 2 else "d")
    return _bytes_and_halves(w, low, high)


def _bytes_and_halves(w: int, low: str, high: str) -> _Found | None:
    """Read the loads and stores of Zcb."""
    kind = w >> 10 & 7
    if kind in (0, 2):
        offset = (w >> 6 & 1) | (w >> 5 & 1) << 1
        return ("c.lbu" if kind == 0 else "c.sb"), f"{low},{offset}({high})", "zcb"
    offset = (w >> 5 & 1) << 1
    if kind == 1:
        return ("c.lh" if w >> 6 & 1 else "c.lhu"), f"{low},{offset}({high})", "zcb"
    return ("c.sh", f"{low},{offset}({high})", "zcb") if kind == 3 and not w >> 6 & 1 else None


def _second(w: int, pc: int, x: Sequence[str]) -> _Found | None:
    f3, number = w >> 13, w >> 7 & 31
    rd, high = x[number], x[8 + (number & 7)]
    value = _sign((w >> 12 & 1) << 5 | w >> 2 & 31, 6)
    if f3 == 0:
        return ("c.nop", "", "c") if w == 1 else ("c.addi", f"{rd},{value}", "c")
    if f3 in (1, 5):
        raw = (w >> 12 & 1) << 11 | (w >> 11 & 1) << 4 | (w >> 9 & 3) << 8 | (w >> 8 & 1) << 10
        raw |= (w >> 7 & 1) << 6 | (w >> 6 & 1) << 7 | (w >> 3 & 7) << 1 | (w >> 2 & 1) << 5
        return ("c.jal" if f3 == 1 else "c.j"), f"{pc + _sign(raw, 12) & 0xFFFF_FFFF:x}", "c"
    if f3 == 2:
        return "c.li", f"{rd},{value}", "c"
    if f3 == 3:
        return _upper(w, number, rd, value)
    if f3 == 4:
        return _arithmetic(w, high, x[8 + (w >> 2 & 7)], value)
    raw = (w >> 12 & 1) << 8 | (w >> 10 & 3) << 3 | (w >> 5 & 3) << 6 | (w >> 3 & 3) << 1 | (w >> 2 & 1) << 5
    return ("c.beqz" if f3 == 6 else "c.bnez"), f"{high},{pc + _sign(raw, 9) & 0xFFFF_FFFF:x}", "c"


def _upper(w: int, number: int, rd: str, value: int) -> _Found | None:
    if number == 2:
        raw = (
            (w >> 12 & 1) << 9 | (w >> 6 & 1) << 4 | (w >> 5 & 1) << 6 | (w >> 3 & 3) << 7 | (w >> 2 & 1) << 5
        )
        return ("c.addi16sp", f"sp,{_sign(raw, 10)}", "c") if raw else None
    return ("c.lui", f"{rd},{value & 0xFFFFF:#x}", "c") if value else None


def _arithmetic(w: int, rd: str, rs2: str, value: int) -> _Found | None:
    kind = w >> 10 & 3
    if kind < 2:
        return ("c.srai" if kind else "c.srli", f"{rd},{value & 31:#x}", "c") if not w >> 12 & 1 else None
    if kind == 2:
        return "c.andi", f"{rd},{value}", "c"
    which = w >> 5 & 3
    if not w >> 12 & 1:
        return ("c.sub", "c.xor", "c.or", "c.and")[which], f"{rd},{rs2}", "c"
    if which == 2:
        return "c.mul", f"{rd},{rs2}", "zcb"
    names = {0: "c.zext.b", 1: "c.sext.b", 2: "c.zext.h", 3: "c.sext.h", 5: "c.not"}
    name = names.get(w >> 2 & 7) if which == 3 else None
    return (name, rd, "zcb") if name else None


def _third(w: int, pc: int, x: Sequence[str]) -> _Found | None:  # noqa: PLR0911 - one a kind
    f3, number = w >> 13, w >> 7 & 31
    rd, rs2 = x[number], x[w >> 2 & 31]
    if f3 == 0:
        return ("c.slli", f"{rd},{w >> 2 & 31:#x}", "c") if not w >> 12 & 1 else None
    if f3 == 2:
        offset = (w >> 12 & 1) << 5 | (w >> 4 & 7) << 2 | (w >> 2 & 3) << 6
        return ("c.lwsp", f"{rd},{offset}(sp)", "c") if number else None
    if f3 == 6:
        offset = (w >> 9 & 15) << 2 | (w >> 7 & 3) << 6
        return "c.swsp", f"{rs2},{offset}(sp)", "c"
    if f3 != 4:
        return ({1: "c.fldsp", 3: "c.flwsp", 5: "c.fsdsp", 7: "c.fswsp"}[f3], "", "f" if f3 & 2 else "d")
    linked = w >> 12 & 1
    if w >> 2 & 31:
        return ("c.add" if linked else "c.mv"), f"{rd},{rs2}", "c"
    if number:
        return ("c.jalr" if linked else "c.jr"), rd, "c"
    return ("c.ebreak", "", "c") if linked else None
