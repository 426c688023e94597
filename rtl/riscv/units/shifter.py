"""Shifts and rotations: all at once, or a bit a cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BarrelShifter", "SerialShifter", "ShiftControl"]


class ShiftControl(data.Struct):
    """What a shifter does: a logical right shift when all is zero.

    Members
    -------
    left
        To the left.
    arithmetic
        Fill with the sign. Right only.
    rotate
        Fill with what falls out.
    single_bit
        Of the result, bit 0 alone (``bext``).
    """

    left: 1
    arithmetic: 1
    rotate: 1
    single_bit: 1


class BarrelShifter(wiring.Component):
    """Shift or rotate in one cycle.

    A rotation to the right, then a mask: a shift to the left by ``n`` is a
    rotation to the right by ``32 - n``, so that both directions share the
    multiplexers, and the mask is ready when they are.

    Members
    -------
    control : In(ShiftControl)
    value, amount : In(32), In(5)
    result : Out(32)

    Timing
    ------
    Combinational.
    """

    control: In(ShiftControl)
    value: In(32)
    amount: In(5)
    result: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        control = self.control
        amount = Signal(5)
        m.d.comb += amount.eq(Mux(control.left, -self.amount, self.amount))
        rotated = self.value
        for bit in range(5):
            step = Signal(32)
            m.d.comb += step.eq(Mux(amount[bit], rotated.rotate_right(1 << bit), rotated))
            rotated = step

        # Bit i is 1 from `amount` on: what a left shift keeps.
        kept_left = Signal(32)
        m.d.comb += kept_left.eq(Const((1 << 32) - 1, 32) << self.amount)
        keep = Signal(32)
        one_bit = Cat(Const(1, 1), (~control.single_bit).replicate(31))
        m.d.comb += keep.eq(
            (Mux(control.left, kept_left, kept_left[::-1]) | control.rotate.replicate(32)) & one_bit
        )
        fill = control.arithmetic & self.value[31]
        m.d.comb += self.result.eq((rotated & keep) | (~keep & fill.replicate(32)))
        return m


class SerialShifter(wiring.Component):
    """Shift or rotate by one bit a cycle.

    Members
    -------
    start : In(1)
        Take the operands; only while not ``busy``.
    control, value, amount : In(ShiftControl), In(32), In(5)
        The operation; ``control`` holds until it is done.
    busy : Out(1)
        ``result`` is not ready yet.
    result : Out(32)

    Timing
    ------
    ``result`` comes ``amount`` + 1 cycles after ``start`` and stays until the next.
    """

    start: In(1)
    control: In(ShiftControl)
    value: In(32)
    amount: In(5)
    busy: Out(1)
    result: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        control = self.control
        left, remaining = Signal(32), Signal(5)
        fill_low = left[31] & control.rotate
        fill_high = (left[31] & control.arithmetic) | (left[0] & control.rotate)
        with m.If(self.start):
            m.d.sync += [left.eq(self.value), remaining.eq(self.amount)]
        with m.Elif(self.busy):
            m.d.sync += [
                left.eq(Mux(control.left, Cat(fill_low, left[:31]), Cat(left[1:], fill_high))),
                remaining.eq(remaining - 1),
            ]
        m.d.comb += [
            self.busy.eq(remaining.any()),
            self.result.eq(left & Cat(Const(1, 1), (~control.single_bit).replicate(31))),
        ]
        return m
