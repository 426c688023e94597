"""The second slot's ALU, which takes some results of the first in the same cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.units.alu import AluControl
from rtl.riscv.units.shifter import BarrelShifter

__all__ = ["ChainedAlu", "logic"]


def logic(config: CoreConfig, control: Value, a: Value, b: Value) -> Value:
    """Return the logic operation alone, which is ready much before the other results."""
    second = b
    if config.zbs:
        second = Mux(control.one_hot_b, (1 << b[:5])[:32], b)
    second ^= control.invert_b.replicate(32)
    exclusive = (a ^ second) & control.logic_xor.replicate(32)
    return exclusive | (a & second & control.logic_and.replicate(32))


class ChainedAlu(wiring.Component):
    """An ALU whose operands may be results of another one, in the same cycle.

    Two short operations fit into a cycle where two long ones do not: logic
    and extensions may follow any result; a shift may follow logic. Of
    Zbb it has what is short; counts and operations on bytes are the first
    slot's.

    Parameters
    ----------
    config : CoreConfig
        Which extensions it has.

    Members
    -------
    control : In(AluControl)
    a, b : In(32)
        The operands, if they are not chained.
    chain_a, chain_b : In(1)
        Take the other ALU's result in place of ``a`` or ``b``.
    quick : In(32)
        The other ALU's logic result, which a shift here may use.
    whole : In(32)
        Its result, which logic and extensions here may use.
    result : Out(32)
    less, equal : Out(1)
        ``a < b``, ``a == b``; never chained.

    Timing
    ------
    Combinational.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "control": In(AluControl),
                "a": In(32),
                "b": In(32),
                "chain_a": In(1),
                "chain_b": In(1),
                "quick": In(32),
                "whole": In(32),
                "result": Out(32),
                "less": Out(1),
                "equal": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config, control, a, b = self._config, self.control, self.a, self.b
        total, less = self._add(m)
        m.d.comb += [self.less.eq(less), self.equal.eq(a == b)]
        m.submodules.shifter = shifter = BarrelShifter()
        combined, chained = Signal(32), Signal(32)
        m.d.comb += [
            shifter.control.eq(control.shift_control),
            shifter.value.eq(Mux(self.chain_a, self.quick, a)),
            shifter.amount.eq(Mux(self.chain_b, self.quick, b)[:5]),
            chained.eq(Mux(self.chain_a, self.whole, a)),
            combined.eq(logic(config, control, chained, Mux(self.chain_b, self.whole, b))),
        ]
        results = [
            (control.sum, total),
            (control.less, Cat(less, Const(0, 31))),
            (control.logic, combined),
            (control.shift, shifter.result),
        ]
        if config.zbb:
            half_sign = Mux(control.half, chained[15], chained[7]) & control.signed_extension
            middle = Mux(control.half, chained[8:16], half_sign.replicate(8))
            results += [
                (control.extreme, Mux(less ^ control.greater, a, b)),
                (control.extension, Cat(chained[:8], middle, half_sign.replicate(16))),
            ]
        if config.zicond:
            keep = b.any() ^ ~control.when_zero
            results.append((control.conditional & keep, a))
        result: Value = Const(0, 32)
        for select, value in results:
            result |= value & select.replicate(32)
        m.d.comb += self.result.eq(result)
        return m

    def _add(self, m: Module) -> tuple[Value, Signal]:
        control, a = self.control, self.a
        addend = a
        if self._config.zba:
            addend = Mux(control.scale[1], Cat(Const(0, 2), a)[:32], a)
            addend = Mux(control.scale[0], Cat(Const(0, 1), addend)[:32], addend)
        b = self.b ^ control.invert_b.replicate(32)
        total, less = Signal(34), Signal()
        m.d.comb += [
            total.eq(Cat(Const(1, 1), addend) + Cat(control.invert_b, b)),
            # b is complemented here, so equal signs show as different bits.
            less.eq(Mux(a[31] ^ b[31], ~total[33], Mux(control.unsigned, ~b[31], a[31]))),
        ]
        return total[1:33], less
