"""Arithmetic and logic of one cycle: RV32I, Zba, Zbb, Zbs and Zicond."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.units.shifter import BarrelShifter, ShiftControl

__all__ = ["Alu", "AluControl", "byte_operation", "count_zeros"]


class AluControl(data.Struct):
    """What the ALU does. All zero: the result is 0.

    At most one of the fields from ``sum`` on is high: they select the
    result as an AND-OR, which is faster than a decoded multiplexer.

    Members
    -------
    invert_b
        Complement ``b``, and carry 1 into the adder: subtract, compare, and
        the logic operations with a complemented operand.
    scale
        Shift ``a`` left by 0 to 3 before the adder (Zba).
    unsigned
        Compare without sign.
    logic_xor, logic_and
        The terms of the logic operation; both make an OR.
    one_hot_b
        Use ``1 << b[4:0]`` for ``b`` (Zbs).
    shift_control
        What the shifter does.
    trailing, population
        Count from the low end; count ones (Zbb).
    signed_extension, half
        Extend with the sign; extend 16 bits, not 8 (Zbb).
    reverse
        Reverse the bytes, rather than OR each one's bits (Zbb).
    greater
        Maximum, not minimum (Zbb).
    when_zero
        Clear the result when ``b`` is zero, not when it is not (Zicond).
    sum, less, logic, shift, extreme, count, extension, bytes_, conditional
        Which result.
    """

    invert_b: 1
    scale: 2
    unsigned: 1
    logic_xor: 1
    logic_and: 1
    one_hot_b: 1
    shift_control: ShiftControl
    trailing: 1
    population: 1
    signed_extension: 1
    half: 1
    reverse: 1
    greater: 1
    when_zero: 1
    sum: 1
    less: 1
    logic: 1
    shift: 1
    extreme: 1
    count: 1
    extension: 1
    bytes_: 1
    conditional: 1


def count_zeros(m: Module, value: Value) -> Value:
    """Return how many of the lowest bits are zero, before the first one.

    Each level halves: the low half's count, unless it is all zero.
    """
    if len(value) == 1:
        return ~value
    half = len(value) // 2
    low, high = count_zeros(m, value[:half]), count_zeros(m, value[half:])
    # A count's top bit says that all its bits are zero; the rest is then 0.
    rest = len(low) - 1
    low_empty, high_empty = low[rest], high[rest]
    middle = Mux(low_empty, high[:rest], low[:rest]) if rest else Const(0, 0)
    count = Signal(rest + 2)
    m.d.comb += count.eq(Cat(middle, low_empty & ~high_empty, low_empty & high_empty))
    return count


def byte_operation(value: Value, reverse: Value) -> Value:
    """Return ``rev8`` or ``orc.b`` of `value`."""
    groups = [value[i : i + 8] for i in range(0, len(value), 8)]
    return Mux(reverse, Cat(*reversed(groups)), Cat(group.any().replicate(8) for group in groups))


class Alu(wiring.Component):
    """Compute one operation on two operands.

    Parameters
    ----------
    config : CoreConfig
        Which extensions it has; the control fields of the others are ignored.
    shifter
        Whether shifts are here; else they are another unit's.

    Members
    -------
    control : In(AluControl)
    a, b : In(32)
    result : Out(32)
    sum : Out(32)
        The adder alone: addresses do not wait for the result multiplexer.
    less, equal : Out(1)
        ``a < b``; needs ``invert_b``, and regards ``unsigned``. ``a == b``,
        of the operands as they are.

    Timing
    ------
    Combinational.

    Source
    ------
    RISC-V Instruction Set Manual, volume I, chapters RV32I, Zicond and B.
    """

    def __init__(self, config: CoreConfig, *, shifter: bool = True) -> None:
        self._config = config
        self._shifter = shifter
        super().__init__(
            {
                "control": In(AluControl),
                "a": In(32),
                "b": In(32),
                "result": Out(32),
                "sum": Out(32),
                "less": Out(1),
                "equal": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config, control = self._config, self.control
        a, b = self.a, Signal(32)
        m.d.comb += b.eq(self.b ^ control.invert_b.replicate(32))

        addend = a
        if config.zba:
            addend = Mux(control.scale[1], Cat(Const(0, 2), a)[:32], a)
            addend = Mux(control.scale[0], Cat(Const(0, 1), addend)[:32], addend)
        # The carry enters as one more bit below.
        total = Signal(34)
        m.d.comb += total.eq(Cat(Const(1, 1), addend) + Cat(control.invert_b, b))
        m.d.comb += self.sum.eq(total[1:33])
        carry = total[33]
        m.d.comb += [
            # b is complemented here, so equal signs show as different bits.
            self.less.eq(Mux(a[31] ^ b[31], ~carry, Mux(control.unsigned, ~b[31], a[31]))),
            self.equal.eq(self.a == self.b),
        ]

        results = [
            (control.sum, self.sum),
            (control.less, self.less),
            (control.logic, self._logic(m, a, b)),
        ]
        if self._shifter:
            m.submodules.shifter = shifter = BarrelShifter()
            m.d.comb += [
                shifter.control.eq(control.shift_control),
                shifter.value.eq(a),
                shifter.amount.eq(self.b[:5]),
            ]
            results.append((control.shift, shifter.result))
        if config.zbb:
            results += self._basic(m, a)
        if config.zicond:
            keep = self.b.any() ^ ~control.when_zero
            results.append((control.conditional & keep, a))
        picked = [value & select.replicate(len(value)) for select, value in results]
        total_or = picked[0]
        for value in picked[1:]:
            total_or |= value
        m.d.comb += self.result.eq(total_or)
        return m

    def _logic(self, m: Module, a: Value, b: Value) -> Value:
        control = self.control
        if self._config.zbs:
            single = Signal(32)
            m.d.comb += single.eq((1 << self.b[:5]) ^ control.invert_b.replicate(32))
            b = Mux(control.one_hot_b, single, b)
        exclusive = (a ^ b) & control.logic_xor.replicate(32)
        return exclusive | (a & b & control.logic_and.replicate(32))

    def _basic(self, m: Module, a: Value) -> list[tuple[Value, Value]]:
        control = self.control
        zeros = count_zeros(m, Mux(control.trailing, a, a[::-1]))
        ones = sum((a[i : i + 1] for i in range(1, 32)), a[0:1])
        half_sign = Mux(control.half, a[15], a[7]) & control.signed_extension
        middle = Mux(control.half, a[8:16], half_sign.replicate(8))
        return [
            # Equal signs or not, `less` of the subtraction decides.
            (control.extreme, Mux(self.less ^ control.greater, a, self.b)),
            (control.count, Mux(control.population, ones[:6], zeros)),
            (control.extension, Cat(a[:8], middle, half_sign.replicate(16))),
            (control.bytes_, byte_operation(a, control.reverse)),
        ]
