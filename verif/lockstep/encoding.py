"""Encodings of the instructions that the cores may have: one table for generator and coverage.

Source: The RISC-V Instruction Set Manual, volume I (20240411), chapter
"RV32/64G Instruction Set Listings", and the chapters of the B, Zicond, C and
Zcb extensions.
"""

from dataclasses import dataclass
from functools import cache

from rtl.riscv.config import CoreConfig

__all__ = ["Instruction", "extensions", "instructions", "table"]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes
    ----------
    name
        Mnemonic.
    extension
        What must be enabled for it: ``i``, ``m``, ``a``, ``c``, ``zba`` ...
    group
        Kind of work, as coverage tells instructions apart.
    match, mask
        It is this one when ``word & mask == match``; the entry with the
        largest mask counts.
    fields
        Where rd, rs1 and rs2 come from, one letter each: ``-`` none, ``d``
        bits 11:7, ``s`` 19:15, ``t`` 24:20, ``c`` 6:2, ``p`` x8 and bits 4:2,
        ``q`` x8 and bits 9:7, ``1`` and ``2`` the registers x1 and x2.
    immediate
        Format letter (I, S, B, U, J), ``H`` shift amount, ``C`` CSR, ``Z``
        CSR with immediate, ``-`` none or of a compressed instruction.
    """

    name: str
    extension: str
    group: str
    match: int
    mask: int
    fields: str
    immediate: str

    @property
    def size(self) -> int:
        """Bytes."""
        return 4 if self.match & 3 == 3 else 2


def _r(name: str, extension: str, group: str, funct7: int, funct3: int, opcode: int = 0x33) -> Instruction:
    return Instruction(name, extension, group, funct7 << 25 | funct3 << 12 | opcode, 0xFE00707F, "dst", "-")


def _unary(name: str, extension: str, funct12: int, funct3: int, opcode: int = 0x13) -> Instruction:
    return Instruction(name, extension, "bit", funct12 << 20 | funct3 << 12 | opcode, 0xFFF0707F, "ds-", "-")


def _i(name: str, group: str, funct3: int, opcode: int = 0x13) -> Instruction:
    return Instruction(name, "i", group, funct3 << 12 | opcode, 0x707F, "ds-", "I")


def _shift(name: str, extension: str, group: str, funct7: int, funct3: int) -> Instruction:
    return Instruction(name, extension, group, funct7 << 25 | funct3 << 12 | 0x13, 0xFE00707F, "ds-", "H")


def _amo(name: str, funct5: int) -> Instruction:
    return Instruction(name, "a", "amo", funct5 << 27 | 0x202F, 0xF800707F, "dst", "-")


def _c(name: str, group: str, match: int, mask: int, fields: str, extension: str = "c") -> Instruction:
    return Instruction(name, extension, group, match, mask, fields, "-")


_BASE = (
    Instruction("lui", "i", "upper", 0x37, 0x7F, "d--", "U"),
    Instruction("auipc", "i", "upper", 0x17, 0x7F, "d--", "U"),
    Instruction("jal", "i", "jump", 0x6F, 0x7F, "d--", "J"),
    Instruction("jalr", "i", "jumpr", 0x67, 0x707F, "ds-", "I"),
    *(
        Instruction(name, "i", "branch", funct3 << 12 | 0x63, 0x707F, "-st", "B")
        for name, funct3 in (("beq", 0), ("bne", 1), ("blt", 4), ("bge", 5), ("bltu", 6), ("bgeu", 7))
    ),
    *(_i(n, "load", f, 0x03) for n, f in (("lb", 0), ("lh", 1), ("lw", 2), ("lbu", 4), ("lhu", 5))),
    *(
        Instruction(name, "i", "store", funct3 << 12 | 0x23, 0x707F, "-st", "S")
        for name, funct3 in (("sb", 0), ("sh", 1), ("sw", 2))
    ),
    *(
        _i(n, "alu", f)
        for n, f in (("addi", 0), ("slti", 2), ("sltiu", 3), ("xori", 4), ("ori", 6), ("andi", 7))
    ),
    _shift("slli", "i", "shift", 0x00, 1),
    _shift("srli", "i", "shift", 0x00, 5),
    _shift("srai", "i", "shift", 0x20, 5),
    _r("add", "i", "alu", 0x00, 0),
    _r("sub", "i", "alu", 0x20, 0),
    _r("sll", "i", "shift", 0x00, 1),
    _r("slt", "i", "alu", 0x00, 2),
    _r("sltu", "i", "alu", 0x00, 3),
    _r("xor", "i", "alu", 0x00, 4),
    _r("srl", "i", "shift", 0x00, 5),
    _r("sra", "i", "shift", 0x20, 5),
    _r("or", "i", "alu", 0x00, 6),
    _r("and", "i", "alu", 0x00, 7),
    Instruction("fence", "i", "fence", 0x0F, 0x707F, "---", "-"),
    Instruction("fence.i", "i", "fence", 0x100F, 0x707F, "---", "-"),
    Instruction("ecall", "i", "system", 0x00000073, 0xFFFFFFFF, "---", "-"),
    Instruction("ebreak", "i", "system", 0x00100073, 0xFFFFFFFF, "---", "-"),
    Instruction("mret", "i", "system", 0x30200073, 0xFFFFFFFF, "---", "-"),
    Instruction("wfi", "i", "system", 0x10500073, 0xFFFFFFFF, "---", "-"),
    *(
        Instruction(name, "i", "csr", funct3 << 12 | 0x73, 0x707F, "ds-", "C")
        for name, funct3 in (("csrrw", 1), ("csrrs", 2), ("csrrc", 3))
    ),
    *(
        Instruction(name, "i", "csr", funct3 << 12 | 0x73, 0x707F, "d--", "Z")
        for name, funct3 in (("csrrwi", 5), ("csrrsi", 6), ("csrrci", 7))
    ),
)

_MULTIPLY = (
    *(_r(n, "m", "mul", 0x01, f) for n, f in (("mul", 0), ("mulh", 1), ("mulhsu", 2), ("mulhu", 3))),
    *(_r(n, "m", "div", 0x01, f) for n, f in (("div", 4), ("divu", 5), ("rem", 6), ("remu", 7))),
)

_ATOMIC = (
    Instruction("lr.w", "a", "amo", 0x02 << 27 | 0x202F, 0xF9F0707F, "ds-", "-"),
    _amo("sc.w", 0x03),
    *(
        _amo(n, f)
        for n, f in (
            ("amoswap.w", 0x01),
            ("amoadd.w", 0x00),
            ("amoxor.w", 0x04),
            ("amoand.w", 0x0C),
            ("amoor.w", 0x08),
            ("amomin.w", 0x10),
            ("amomax.w", 0x14),
            ("amominu.w", 0x18),
            ("amomaxu.w", 0x1C),
        )
    ),
)

_BITS = (
    *(_r(n, "zba", "bit", 0x10, f) for n, f in (("sh1add", 2), ("sh2add", 4), ("sh3add", 6))),
    *(_r(n, "zbb", "bit", 0x20, f) for n, f in (("andn", 7), ("orn", 6), ("xnor", 4))),
    *(_r(n, "zbb", "bit", 0x05, f) for n, f in (("min", 4), ("minu", 5), ("max", 6), ("maxu", 7))),
    _r("rol", "zbb", "bit", 0x30, 1),
    _r("ror", "zbb", "bit", 0x30, 5),
    _shift("rori", "zbb", "bit", 0x30, 5),
    _unary("clz", "zbb", 0x600, 1),
    _unary("ctz", "zbb", 0x601, 1),
    _unary("cpop", "zbb", 0x602, 1),
    _unary("sext.b", "zbb", 0x604, 1),
    _unary("sext.h", "zbb", 0x605, 1),
    _unary("zext.h", "zbb", 0x080, 4, 0x33),
    _unary("orc.b", "zbb", 0x287, 5),
    _unary("rev8", "zbb", 0x698, 5),
    *(
        _r(n, "zbs", "bit", f7, f3)
        for n, f7, f3 in (("bclr", 0x24, 1), ("bext", 0x24, 5), ("binv", 0x34, 1), ("bset", 0x14, 1))
    ),
    *(
        _shift(n, "zbs", "bit", f7, f3)
        for n, f7, f3 in (("bclri", 0x24, 1), ("bexti", 0x24, 5), ("binvi", 0x34, 1), ("bseti", 0x14, 1))
    ),
    _r("czero.eqz", "zicond", "bit", 0x07, 5),
    _r("czero.nez", "zicond", "bit", 0x07, 7),
)

_COMPRESSED = (
    _c("c.addi4spn", "alu", 0x0000, 0xE003, "p2-"),
    _c("c.lw", "load", 0x4000, 0xE003, "pq-"),
    _c("c.sw", "store", 0xC000, 0xE003, "-qp"),
    _c("c.addi", "alu", 0x0001, 0xE003, "dd-"),
    _c("c.jal", "jump", 0x2001, 0xE003, "1--"),
    _c("c.li", "alu", 0x4001, 0xE003, "d--"),
    _c("c.lui", "upper", 0x6001, 0xE003, "d--"),
    _c("c.addi16sp", "alu", 0x6101, 0xEF83, "22-"),
    _c("c.srli", "shift", 0x8001, 0xEC03, "qq-"),
    _c("c.srai", "shift", 0x8401, 0xEC03, "qq-"),
    _c("c.andi", "alu", 0x8801, 0xEC03, "qq-"),
    _c("c.sub", "alu", 0x8C01, 0xFC63, "qqp"),
    _c("c.xor", "alu", 0x8C21, 0xFC63, "qqp"),
    _c("c.or", "alu", 0x8C41, 0xFC63, "qqp"),
    _c("c.and", "alu", 0x8C61, 0xFC63, "qqp"),
    _c("c.j", "jump", 0xA001, 0xE003, "---"),
    _c("c.beqz", "branch", 0xC001, 0xE003, "-q-"),
    _c("c.bnez", "branch", 0xE001, 0xE003, "-q-"),
    _c("c.slli", "shift", 0x0002, 0xE003, "dd-"),
    _c("c.lwsp", "load", 0x4002, 0xE003, "d2-"),
    _c("c.jr", "jumpr", 0x8002, 0xF07F, "-d-"),
    _c("c.mv", "alu", 0x8002, 0xF003, "d-c"),
    _c("c.ebreak", "system", 0x9002, 0xFFFF, "---"),
    _c("c.jalr", "jumpr", 0x9002, 0xF07F, "1d-"),
    _c("c.add", "alu", 0x9002, 0xF003, "ddc"),
    _c("c.swsp", "store", 0xC002, 0xE003, "-2c"),
    _c("c.lbu", "load", 0x8000, 0xFC03, "pq-", "zcb"),
    _c("c.lhu", "load", 0x8400, 0xFC43, "pq-", "zcb"),
    _c("c.lh", "load", 0x8440, 0xFC43, "pq-", "zcb"),
    _c("c.sb", "store", 0x8800, 0xFC03, "-qp", "zcb"),
    _c("c.sh", "store", 0x8C00, 0xFC43, "-qp", "zcb"),
    _c("c.zext.b", "bit", 0x9C61, 0xFC7F, "qq-", "zcb"),
    _c("c.sext.b", "bit", 0x9C65, 0xFC7F, "qq-", "zcb+zbb"),
    _c("c.zext.h", "bit", 0x9C69, 0xFC7F, "qq-", "zcb+zbb"),
    _c("c.sext.h", "bit", 0x9C6D, 0xFC7F, "qq-", "zcb+zbb"),
    _c("c.not", "bit", 0x9C75, 0xFC7F, "qq-", "zcb"),
    _c("c.mul", "mul", 0x9C41, 0xFC63, "qqp", "zcb+m"),
)

# Code points inside the above that are reserved, or RV64's: they trap.
_RESERVED = (
    _c("reserved", "illegal", 0x0000, 0xFFE3, "---"),
    _c("reserved", "illegal", 0x6001, 0xF07F, "---"),
    _c("reserved", "illegal", 0x6101, 0xFFFF, "---"),
    _c("reserved", "illegal", 0x4002, 0xEF83, "---"),
    _c("reserved", "illegal", 0x8002, 0xFFFF, "---"),
    _c("reserved", "illegal", 0x1002, 0xF003, "---"),
    _c("reserved", "illegal", 0x9001, 0xFC03, "---"),
    _c("reserved", "illegal", 0x9401, 0xFC03, "---"),
)

_ALL = (*_BASE, *_MULTIPLY, *_ATOMIC, *_BITS, *_COMPRESSED, *_RESERVED)


def extensions(config: CoreConfig) -> frozenset[str]:
    """Return the extensions of a core, as :attr:`Instruction.extension` names them."""
    names = ("m", "a", "c", "zba", "zbb", "zbs", "zcb", "zicond")
    return frozenset(("i", *(name for name in names if getattr(config, name))))


@cache
def instructions(enabled: frozenset[str]) -> tuple[Instruction, ...]:
    """Return the instructions of the extensions that are enabled, the reserved ones included."""
    return tuple(item for item in _ALL if enabled.issuperset(item.extension.split("+")))


def table(enabled: frozenset[str]) -> str:
    """Return the instructions as the comparator reads them, a line each.

    ``name group match mask fields immediate``, numbers in hexadecimal, the
    largest masks first.
    """
    ordered = sorted(instructions(enabled), key=lambda item: -item.mask.bit_count())
    return "".join(f"{i.name} {i.group} {i.match:x} {i.mask:x} {i.fields} {i.immediate}\n" for i in ordered)
