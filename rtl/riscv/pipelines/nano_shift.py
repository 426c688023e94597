"""Shifters of the nano pipeline: in steps, or at once."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BarrelShifter", "ShiftSteps"]


class ShiftSteps(wiring.Component):
    """Plan a shift in steps: eight places while that many are left, then one.

    Members
    -------
    amount : In(5)
        By how much to shift.
    by_eight, by_one : Out(1)
        This step. Neither: there is nothing to shift.
    rest : Out(5)
        What is left after this step.
    last : Out(1)
        That is nothing.

    Timing
    ------
    Combinational.
    """

    amount: In(5)
    by_eight: Out(1)
    by_one: Out(1)
    rest: Out(5)
    last: Out(1)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        ones, eights = self.amount[:3], self.amount[3:]
        m.d.comb += [
            self.by_eight.eq(eights.any()),
            self.by_one.eq(~self.by_eight & ones.any()),
            self.rest.eq(Mux(self.by_eight, Cat(ones, eights - 1), Cat(ones - 1, eights))),
            self.last.eq(Mux(self.by_eight, ~ones.any() & (eights == 1), ~ones[1:].any())),
        ]
        return m


class BarrelShifter(wiring.Component):
    """A shift of any amount: a shifter to the right between two reversals.

    Members
    -------
    value, amount : In(32), In(5)
        What to shift, and by how much.
    right, arithmetic : In(1)
        The direction, and what enters from the left.
    result : Out(32)
        The shifted value.

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
