"""Shifters of the nano pipeline: in steps, or at once."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BarrelShifter", "StepShifter"]


class StepShifter(wiring.Component):
    """One step of a shift: eight places while that many are left, then one.

    Members
    -------
    value, amount : In(32), In(5)
        What to shift, and by how much.
    right, arithmetic : In(1)
        The direction, and what enters from the left.
    result, rest : Out(32), Out(5)
        `value` after this step, and how much is left then.
    last : Out(1)
        Nothing is left then.

    Timing
    ------
    Combinational.
    """

    value: In(32)
    amount: In(5)
    right: In(1)
    arithmetic: In(1)
    result: Out(32)
    rest: Out(5)
    last: Out(1)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        value, ones, eights = self.value, self.amount[:3], self.amount[3:]
        by_eight, by_one = eights.any(), ~eights.any() & ones.any()
        sign = value[31] & self.arithmetic
        choices = [
            (~by_eight & ~by_one, value),
            (by_one & ~self.right, Cat(0, value[:31])),
            (by_one & self.right, Cat(value[1:], sign)),
            (by_eight & ~self.right, Cat(*([0] * 8), value[:24])),
            (by_eight & self.right, Cat(value[8:], sign.replicate(8))),
        ]
        result: Value = Const(0, 32)
        for chosen, moved in choices:
            result |= chosen.replicate(32) & moved
        m.d.comb += [
            self.result.eq(result),
            self.rest.eq(Mux(by_eight, Cat(ones, eights - 1), Cat(ones - 1, eights))),
            self.last.eq(Mux(by_eight, ~ones.any() & (eights == 1), ~ones[1:].any())),
        ]
        return m


class BarrelShifter(wiring.Component):
    """A shift of any amount: a shifter to the right between two reversals.

    Members
    -------
    value, amount, right, arithmetic, result
        As :class:`StepShifter`'s.

    Timing
    ------
    Combinational.
    """

    value: In(32)
    amount: In(5)
    right: In(1)
    arithmetic: In(1)
    result: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        shifted = Signal(32)
        sign = self.value[31] & self.arithmetic & self.right
        whole = Cat(Mux(self.right, self.value, self.value[::-1]), sign).as_signed()
        m.d.comb += [
            shifted.eq(whole >> self.amount),
            self.result.eq(Mux(self.right, shifted, shifted[::-1])),
        ]
        return m
