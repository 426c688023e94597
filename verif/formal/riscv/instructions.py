"""What each instruction does to the register file, memory and pc: a table written from the manual.

It shares nothing with the hardware that it judges.

Source
------
The RISC-V Instruction Set Manual, volume I (20240411): RV32I, M, Zicsr,
Zifencei, Zicond, Zba, Zbb, Zbs; volume II (20240411): MRET, WFI.
"""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.hdl import C, Cat, Module, Mux, Signal, Value

from rtl.riscv.config import CoreConfig

__all__ = ["GROUPS", "INSTRUCTIONS", "Instruction", "instruction_set", "narrow_result"]

Function = Callable[[Module, Value, Value], Value]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes
    ----------
    name, group
        As an assembler writes it, and what it is checked together with.
    mask, match
        It is this one when ``word & mask == match``.
    form
        ``r``, ``i`` (immediate), ``h`` (shift amount), ``u``, ``load``,
        ``store``, ``branch``, ``jal``, ``jalr``, ``csr`` or ``none``.
    result
        What is written to ``rd``, of ``rs1`` and ``rs2`` (or the immediate,
        or the amount); for a branch, whether it is taken.
    needs
        The option that it depends on.
    """

    name: str
    group: str
    mask: int
    match: int
    form: str
    result: Function | None = None
    needs: str | None = None


def _less(x: Value, y: Value) -> Value:
    return x.as_signed() < y.as_signed()


def _count_leading(m: Module, x: Value, bits: list[int]) -> Value:
    """Return how many bits are zero before the first that is one, in the order of `bits`."""
    count = Signal(6, name="zeros")
    m.d.comb += count.eq(32)
    for place, bit in reversed(list(enumerate(bits))):
        with m.If(x[bit]):
            m.d.comb += count.eq(place)
    return count


def _or_combine(x: Value) -> Value:
    return Cat(*(x[i : i + 8].any().replicate(8) for i in range(0, 32, 8)))


def _rotate_right(x: Value, y: Value) -> Value:
    return (Cat(x, x) >> y[:5])[:32]


def _minimum(less: Value, x: Value, y: Value) -> Value:
    return Mux(less, x, y)


def _r(name: str, group: str, funct7: int, funct3: int, result: Function, needs: str | None = None,
       opcode: int = 0x33) -> Instruction:  # fmt: skip
    match = funct7 << 25 | funct3 << 12 | opcode
    form = "r" if opcode == 0x33 else "h"
    return Instruction(name, group, 0xFE00707F, match, form, result, needs)


def _i(name: str, group: str, funct3: int, result: Function) -> Instruction:
    return Instruction(name, group, 0x707F, funct3 << 12 | 0x13, "i", result)


def _unary(name: str, top12: int, funct3: int, result: Function, opcode: int = 0x13) -> Instruction:
    match = top12 << 20 | funct3 << 12 | opcode
    return Instruction(name, "count", 0xFFF0707F, match, "i", result, "zbb")


def _branch(name: str, funct3: int, result: Function) -> Instruction:
    return Instruction(name, "branch", 0x707F, funct3 << 12 | 0x63, "branch", result)


def _simple(name: str, group: str, mask: int, match: int, form: str) -> Instruction:
    return Instruction(name, group, mask, match, form)


_BASE = (
    _simple("lui", "alu", 0x7F, 0x37, "u"),
    _simple("auipc", "alu", 0x7F, 0x17, "u"),
    _i("addi", "alu", 0, lambda m, x, y: x + y),
    _i("slti", "alu", 2, lambda m, x, y: _less(x, y)),
    _i("sltiu", "alu", 3, lambda m, x, y: x < y),
    _i("xori", "alu", 4, lambda m, x, y: x ^ y),
    _i("ori", "alu", 6, lambda m, x, y: x | y),
    _i("andi", "alu", 7, lambda m, x, y: x & y),
    _r("add", "alu", 0x00, 0, lambda m, x, y: x + y),
    _r("sub", "alu", 0x20, 0, lambda m, x, y: x - y),
    _r("slt", "alu", 0x00, 2, lambda m, x, y: _less(x, y)),
    _r("sltu", "alu", 0x00, 3, lambda m, x, y: x < y),
    _r("xor", "alu", 0x00, 4, lambda m, x, y: x ^ y),
    _r("or", "alu", 0x00, 6, lambda m, x, y: x | y),
    _r("and", "alu", 0x00, 7, lambda m, x, y: x & y),
    _r("slli", "shift", 0x00, 1, lambda m, x, y: x << y[:5], None, 0x13),
    _r("srli", "shift", 0x00, 5, lambda m, x, y: x >> y[:5], None, 0x13),
    _r("srai", "shift", 0x20, 5, lambda m, x, y: x.as_signed() >> y[:5], None, 0x13),
    _r("sll", "shift", 0x00, 1, lambda m, x, y: x << y[:5]),
    _r("srl", "shift", 0x00, 5, lambda m, x, y: x >> y[:5]),
    _r("sra", "shift", 0x20, 5, lambda m, x, y: x.as_signed() >> y[:5]),
    _branch("beq", 0, lambda m, x, y: x == y),
    _branch("bne", 1, lambda m, x, y: x != y),
    _branch("blt", 4, lambda m, x, y: _less(x, y)),
    _branch("bge", 5, lambda m, x, y: ~_less(x, y)),
    _branch("bltu", 6, lambda m, x, y: x < y),
    _branch("bgeu", 7, lambda m, x, y: x >= y),
    _simple("jal", "jump", 0x7F, 0x6F, "jal"),
    _simple("jalr", "jump", 0x707F, 0x67, "jalr"),
    *(_simple(n, "load", 0x707F, f << 12 | 0x03, "load")
      for n, f in (("lb", 0), ("lh", 1), ("lw", 2), ("lbu", 4), ("lhu", 5))),
    *(_simple(n, "store", 0x707F, f << 12 | 0x23, "store") for n, f in (("sb", 0), ("sh", 1), ("sw", 2))),
    _simple("fence", "system", 0x707F, 0x0F, "none"),
    _simple("fence.i", "system", 0x707F, 0x100F, "none"),
    _simple("ecall", "system", 0xFFFFFFFF, 0x00000073, "none"),
    _simple("ebreak", "system", 0xFFFFFFFF, 0x00100073, "none"),
    _simple("mret", "system", 0xFFFFFFFF, 0x30200073, "none"),
    _simple("wfi", "system", 0xFFFFFFFF, 0x10500073, "none"),
    *(_simple(n, "csr", 0x707F, f << 12 | 0x73, "csr")
      for n, f in (("csrrw", 1), ("csrrs", 2), ("csrrc", 3), ("csrrwi", 5), ("csrrsi", 6), ("csrrci", 7))),
)  # fmt: skip

# Multiplication and division in full are proved of the units alone: see `narrow_result`.
_M = tuple(
    _r(name, "multiply" if funct3 < 4 else "divide", 0x01, funct3, lambda m, x, y: C(0, 32), "m")
    for funct3, name in enumerate(("mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"))
)

_BITS = (
    *(_r(f"sh{n}add", "address", 0x10, 2 * n, lambda m, x, y, n=n: (x << n) + y, "zba") for n in (1, 2, 3)),
    _r("andn", "bits", 0x20, 7, lambda m, x, y: x & ~y, "zbb"),
    _r("orn", "bits", 0x20, 6, lambda m, x, y: x | ~y, "zbb"),
    _r("xnor", "bits", 0x20, 4, lambda m, x, y: ~(x ^ y), "zbb"),
    _r("min", "bits", 0x05, 4, lambda m, x, y: _minimum(_less(x, y), x, y), "zbb"),
    _r("minu", "bits", 0x05, 5, lambda m, x, y: _minimum(x < y, x, y), "zbb"),
    _r("max", "bits", 0x05, 6, lambda m, x, y: _minimum(_less(x, y), y, x), "zbb"),
    _r("maxu", "bits", 0x05, 7, lambda m, x, y: _minimum(x < y, y, x), "zbb"),
    _r("rol", "bits", 0x30, 1, lambda m, x, y: _rotate_right(x, (32 - y[:5])[:5]), "zbb"),
    _r("ror", "bits", 0x30, 5, lambda m, x, y: _rotate_right(x, y), "zbb"),
    _r("rori", "bits", 0x30, 5, lambda m, x, y: _rotate_right(x, y), "zbb", 0x13),
    _unary("clz", 0x600, 1, lambda m, x, y: _count_leading(m, x, list(range(31, -1, -1)))),
    _unary("ctz", 0x601, 1, lambda m, x, y: _count_leading(m, x, list(range(32)))),
    _unary("cpop", 0x602, 1, lambda m, x, y: sum((x[i] for i in range(32)), C(0, 1))),
    _unary("sext.b", 0x604, 1, lambda m, x, y: x[:8].as_signed()),
    _unary("sext.h", 0x605, 1, lambda m, x, y: x[:16].as_signed()),
    _unary("zext.h", 0x080, 4, lambda m, x, y: x[:16], 0x33),
    _unary("orc.b", 0x287, 5, lambda m, x, y: _or_combine(x)),
    _unary("rev8", 0x698, 5, lambda m, x, y: Cat(x[24:], x[16:24], x[8:16], x[:8])),
    *(_r(name + suffix, "single", funct7, funct3, result, "zbs", opcode)
      for name, funct7, funct3, result in (
          ("bclr", 0x24, 1, lambda m, x, y: x & ~(C(1, 32) << y[:5])[:32]),
          ("bext", 0x24, 5, lambda m, x, y: x.bit_select(y[:5], 1)),
          ("binv", 0x34, 1, lambda m, x, y: x ^ (C(1, 32) << y[:5])[:32]),
          ("bset", 0x14, 1, lambda m, x, y: x | (C(1, 32) << y[:5])[:32]),
      ) for suffix, opcode in (("", 0x33), ("i", 0x13))),
    _r("czero.eqz", "conditional", 0x07, 5, lambda m, x, y: Mux(y == 0, 0, x), "zicond"),
    _r("czero.nez", "conditional", 0x07, 7, lambda m, x, y: Mux(y != 0, 0, x), "zicond"),
)  # fmt: skip

INSTRUCTIONS = (*_BASE, *_M, *_BITS)
GROUPS = tuple(dict.fromkeys(i.group for i in INSTRUCTIONS))


def instruction_set(config: CoreConfig) -> tuple[Instruction, ...]:
    """Return the instructions that a core has."""
    return tuple(i for i in INSTRUCTIONS if i.needs is None or getattr(config, i.needs))


def narrow_result(name: str, x: Value, y: Value) -> tuple[Value, Value]:
    """Return where a product or quotient is easily known, and its value there.

    A solver can hardly compare two multipliers of 32 bits. Of a core it is
    enough that operands and result go the right ways, which numbers of
    three bits and a sign show, with division by zero and the one overflow.

    Returns
    -------
    tuple
        Whether the operands are such, and the 32-bit result.
    """
    a, b = x[:4].as_signed(), y[:4].as_signed()
    narrow = (x == _extend(a)) & (y == _extend(b))
    if name.startswith("mul"):
        product = Cat(a * b, (a * b)[-1].replicate(64))[:64]
        x_part = Mux(a < 0, _extend(b), 0)  # (2**32 + a) * b, in the high word
        y_part = Mux(b < 0, _extend(a), 0)
        high = {"mul": product[:32], "mulh": product[32:], "mulhsu": product[32:] + y_part,
                "mulhu": product[32:] + x_part + y_part}  # fmt: skip
        return narrow, high[name][:32]
    unsigned = name.endswith("u")
    if unsigned:
        narrow = (x[3:] == 0) & (y[3:] == 0)
    size_a, size_b = Mux(a < 0, -a, a)[:4], Mux(b < 0, -b, b)[:4]
    safe = Mux(size_b == 0, 1, size_b)[:4]
    quotient, remainder = (size_a // safe)[:4], (size_a % safe)[:4]
    signed_quotient = Mux((a < 0) ^ (b < 0), -quotient, quotient)
    signed_remainder = Mux(a < 0, -remainder, remainder)
    overflow = C(0, 1) if unsigned else (x == 0x8000_0000) & (y == 0xFFFF_FFFF)
    if name.startswith("div"):
        value = Mux(y == 0, C(0xFFFF_FFFF, 32), Mux(overflow, C(0x8000_0000, 32), _extend(signed_quotient)))
    else:
        value = Mux(y == 0, x, Mux(overflow, C(0, 32), _extend(signed_remainder)))
    return narrow | (y == 0) | overflow, value


def _extend(value: Value) -> Value:
    wide = Value.cast(value)
    fill = wide[-1] if wide.shape().signed else C(0, 1)
    return Cat(wide, fill.replicate(max(32 - len(wide), 1)))[:32]
