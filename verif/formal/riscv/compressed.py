"""What each compressed instruction stands for, as the 32-bit instruction of the same meaning."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import C, Cat, Module, Signal, Value

from rtl.riscv.config import CoreConfig

__all__ = ["COMPRESSED", "Compressed", "compressed_set", "expand"]

_ZERO, _RA, _SP = C(0, 5), C(1, 5), C(2, 5)


@dataclass(frozen=True, slots=True)
class Compressed:
    """A 16-bit instruction.

    Attributes
    ----------
    name
        As an assembler writes it.
    mask, match
        It is this one when ``halfword & mask == match`` ...
    meaning
        Its expansion, from the halfword.
    legal
        ... and this holds, or ``None`` for always.
    needs
        The configuration's options that it depends on.
    """

    name: str
    mask: int
    match: int
    meaning: Callable[[Value], Value]
    legal: Callable[[Value], Value] | None = None
    needs: tuple[str, ...] = ("c",)


def _i(opcode: int, funct3: int, rd: Value, rs1: Value, imm: Value) -> Value:
    return Cat(C(opcode, 7), rd, C(funct3, 3), rs1, _wide(imm, 12))


def _r(funct7: int, funct3: int, rd: Value, rs1: Value, rs2: Value, opcode: int = 0x33) -> Value:
    return Cat(C(opcode, 7), rd, C(funct3, 3), rs1, rs2, C(funct7, 7))


def _s(funct3: int, rs1: Value, rs2: Value, imm: Value) -> Value:
    imm = _wide(imm, 12)
    return Cat(C(0x23, 7), imm[:5], C(funct3, 3), rs1, rs2, imm[5:])


def _b(funct3: int, rs1: Value, imm: Value) -> Value:
    imm = _wide(imm, 13)
    return Cat(C(0x63, 7), imm[11], imm[1:5], C(funct3, 3), rs1, _ZERO, imm[5:11], imm[12])


def _j(rd: Value, imm: Value) -> Value:
    imm = _wide(imm, 21)
    return Cat(C(0x6F, 7), rd, imm[12:20], imm[11], imm[1:11], imm[20])


def _wide(imm: Value, width: int) -> Value:
    """Extend an immediate by its own signedness."""
    wide = Value.cast(imm)
    if len(wide) >= width:
        return wide[:width]
    fill = wide[-1] if wide.shape().signed else C(0, 1)
    return Cat(wide, *([fill] * (width - len(wide))))


def _low(h: Value) -> Value:  # rd' or rs2'
    return Cat(h[2:5], C(1, 2))


def _high(h: Value) -> Value:  # rd' or rs1'
    return Cat(h[7:10], C(1, 2))


def _imm6(h: Value) -> Value:
    return Cat(h[2:7], h[12]).as_signed()


def _shamt(h: Value) -> Value:
    return h[2:7]


def _word(h: Value) -> Value:  # c.lw, c.sw
    return Cat(C(0, 2), h[6], h[10:13], h[5])


def _jump(h: Value) -> Value:
    return Cat(C(0, 1), h[3:6], h[11], h[2], h[7], h[6], h[9:11], h[8], h[12]).as_signed()


def _branch(h: Value) -> Value:
    return Cat(C(0, 1), h[3:5], h[10:12], h[2], h[5:7], h[12]).as_signed()


def _rd(h: Value) -> Value:
    return h[7:12]


def _rs2(h: Value) -> Value:
    return h[2:7]


COMPRESSED = (
    Compressed("c.addi4spn", 0xE003, 0x0000,
               lambda h: _i(0x13, 0, _low(h), _SP, Cat(C(0, 2), h[6], h[5], h[11:13], h[7:11])),
               lambda h: h[5:13].any()),
    Compressed("c.lw", 0xE003, 0x4000, lambda h: _i(0x03, 2, _low(h), _high(h), _word(h))),
    Compressed("c.sw", 0xE003, 0xC000, lambda h: _s(2, _high(h), _low(h), _word(h))),
    Compressed("c.addi", 0xE003, 0x0001, lambda h: _i(0x13, 0, _rd(h), _rd(h), _imm6(h))),
    Compressed("c.jal", 0xE003, 0x2001, lambda h: _j(_RA, _jump(h))),
    Compressed("c.li", 0xE003, 0x4001, lambda h: _i(0x13, 0, _rd(h), _ZERO, _imm6(h))),
    Compressed("c.addi16sp", 0xEF83, 0x6101,
               lambda h: _i(0x13, 0, _SP, _SP, Cat(C(0, 4), h[6], h[2], h[5], h[3:5], h[12]).as_signed()),
               lambda h: Cat(h[2:7], h[12]).any()),
    Compressed("c.lui", 0xE003, 0x6001,
               lambda h: Cat(C(0x37, 7), _rd(h), _wide(_imm6(h), 20)),
               lambda h: Cat(h[2:7], h[12]).any() & (_rd(h) != 2)),
    Compressed("c.srli", 0xFC03, 0x8001, lambda h: _r(0x00, 5, _high(h), _high(h), _shamt(h), 0x13)),
    Compressed("c.srai", 0xFC03, 0x8401, lambda h: _r(0x20, 5, _high(h), _high(h), _shamt(h), 0x13)),
    Compressed("c.andi", 0xEC03, 0x8801, lambda h: _i(0x13, 7, _high(h), _high(h), _imm6(h))),
    Compressed("c.sub", 0xFC63, 0x8C01, lambda h: _r(0x20, 0, _high(h), _high(h), _low(h))),
    Compressed("c.xor", 0xFC63, 0x8C21, lambda h: _r(0x00, 4, _high(h), _high(h), _low(h))),
    Compressed("c.or", 0xFC63, 0x8C41, lambda h: _r(0x00, 6, _high(h), _high(h), _low(h))),
    Compressed("c.and", 0xFC63, 0x8C61, lambda h: _r(0x00, 7, _high(h), _high(h), _low(h))),
    Compressed("c.j", 0xE003, 0xA001, lambda h: _j(_ZERO, _jump(h))),
    Compressed("c.beqz", 0xE003, 0xC001, lambda h: _b(0, _high(h), _branch(h))),
    Compressed("c.bnez", 0xE003, 0xE001, lambda h: _b(1, _high(h), _branch(h))),
    Compressed("c.slli", 0xF003, 0x0002, lambda h: _r(0x00, 1, _rd(h), _rd(h), _shamt(h), 0x13)),
    Compressed("c.lwsp", 0xE003, 0x4002,
               lambda h: _i(0x03, 2, _rd(h), _SP, Cat(C(0, 2), h[4:7], h[12], h[2:4])),
               lambda h: _rd(h).any()),
    Compressed("c.jr", 0xF07F, 0x8002, lambda h: _i(0x67, 0, _ZERO, _rd(h), C(0, 12)),
               lambda h: _rd(h).any()),
    Compressed("c.mv", 0xF003, 0x8002, lambda h: _r(0x00, 0, _rd(h), _ZERO, _rs2(h)),
               lambda h: _rs2(h).any()),
    Compressed("c.ebreak", 0xFFFF, 0x9002, lambda h: C(0x00100073, 32)),
    Compressed("c.jalr", 0xF07F, 0x9002, lambda h: _i(0x67, 0, _RA, _rd(h), C(0, 12)),
               lambda h: _rd(h).any()),
    Compressed("c.add", 0xF003, 0x9002, lambda h: _r(0x00, 0, _rd(h), _rd(h), _rs2(h)),
               lambda h: _rs2(h).any()),
    Compressed("c.swsp", 0xE003, 0xC002,
               lambda h: _s(2, _SP, _rs2(h), Cat(C(0, 2), h[9:13], h[7:9]))),
    Compressed("c.lbu", 0xFC03, 0x8000, lambda h: _i(0x03, 4, _low(h), _high(h), Cat(h[6], h[5])),
               needs=("zcb",)),
    Compressed("c.lhu", 0xFC43, 0x8400, lambda h: _i(0x03, 5, _low(h), _high(h), Cat(C(0, 1), h[5])),
               needs=("zcb",)),
    Compressed("c.lh", 0xFC43, 0x8440, lambda h: _i(0x03, 1, _low(h), _high(h), Cat(C(0, 1), h[5])),
               needs=("zcb",)),
    Compressed("c.sb", 0xFC03, 0x8800, lambda h: _s(0, _high(h), _low(h), Cat(h[6], h[5])), needs=("zcb",)),
    Compressed("c.sh", 0xFC43, 0x8C00, lambda h: _s(1, _high(h), _low(h), Cat(C(0, 1), h[5])),
               needs=("zcb",)),
    Compressed("c.zext.b", 0xFC7F, 0x9C61, lambda h: _i(0x13, 7, _high(h), _high(h), C(0xFF, 12)),
               needs=("zcb",)),
    Compressed("c.sext.b", 0xFC7F, 0x9C65, lambda h: _i(0x13, 1, _high(h), _high(h), C(0x604, 12)),
               needs=("zcb", "zbb")),
    Compressed("c.zext.h", 0xFC7F, 0x9C69, lambda h: _r(0x04, 4, _high(h), _high(h), _ZERO),
               needs=("zcb", "zbb")),
    Compressed("c.sext.h", 0xFC7F, 0x9C6D, lambda h: _i(0x13, 1, _high(h), _high(h), C(0x605, 12)),
               needs=("zcb", "zbb")),
    Compressed("c.not", 0xFC7F, 0x9C75, lambda h: _i(0x13, 4, _high(h), _high(h), C(0xFFF, 12)),
               needs=("zcb",)),
    Compressed("c.mul", 0xFC63, 0x9C41, lambda h: _r(0x01, 0, _high(h), _high(h), _low(h)),
               needs=("zcb", "m")),
)  # fmt: skip


def compressed_set(config: CoreConfig) -> tuple[Compressed, ...]:
    """Return the compressed instructions that a core has."""
    return tuple(c for c in COMPRESSED if all(getattr(config, need) for need in c.needs))


def expand(
    m: Module, config: CoreConfig, halfword: Value, name: str
) -> tuple[Value, Value, dict[str, Value]]:
    """Add the expansion of `halfword` to `m`.

    Returns
    -------
    tuple
        The 32-bit instruction, whether there is one, and for each compressed
        instruction by name whether it is that.

    Source
    ------
    The RISC-V Instruction Set Manual, volume I (20240411), chapter 26 and
    section 26.8; Zcb, chapter 28.
    """
    word, legal = Signal(32, name=f"{name}_expanded"), Signal(name=f"{name}_legal")
    hits: dict[str, Value] = {}
    for item in compressed_set(config):
        hit = (halfword & item.mask) == item.match
        if item.legal is not None:
            hit &= item.legal(halfword)
        hits[item.name] = hit
        with m.If(hit):
            m.d.comb += [word.eq(item.meaning(halfword)), legal.eq(1)]
    return word, legal, hits
