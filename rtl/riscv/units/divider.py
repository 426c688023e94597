"""A divider: a bit of the quotient each cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.units.alu import count_zeros

__all__ = ["Divider"]


class Divider(wiring.Component):
    """Divide by restoring, on magnitudes.

    Parameters
    ----------
    early_out
        Skip the zeros above the dividend's highest bit.

    Members
    -------
    start : In(1)
        Take the operands; only while not ``busy``.
    operation : In(2)
        ``funct3[1:0]``: ``div``, ``divu``, ``rem``, ``remu``. Holds until ``done``.
    a, b : In(32)
        Dividend and divisor.
    busy, done : Out(1)
        It works; it does not, and ``result`` is valid.
    result : Out(32)

    Timing
    ------
    ``done`` comes 34 cycles after ``start``. With ``early_out``, 3 cycles and
    as many as the dividend's magnitude has bits, or 3 when the divisor is 0.

    Source
    ------
    RISC-V Instruction Set Manual, volume I, chapter M: division by zero and overflow.
    """

    def __init__(self, *, early_out: bool = False) -> None:
        self._early_out = early_out
        super().__init__(
            {
                "start": In(1),
                "operation": In(2),
                "a": In(32),
                "b": In(32),
                "busy": Out(1),
                "done": Out(1),
                "result": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic.

        The dividend is made positive in a first step and the result gets its
        sign in the last; one negation serves both. The divisor stays as it
        is: a negative one is added instead of subtracted.
        """
        m = Module()
        quotient, remainder, divisor = (
            Signal(32, name=name, reset_less=True) for name in ("quotient", "remainder", "divisor")
        )
        negative_a, negative_b, zero = (
            Signal(name=name, reset_less=True) for name in ("negative_a", "negative_b", "zero")
        )
        count = Signal(6)
        rest = self.operation[1]

        shifted, difference = Signal(33), Signal(34)
        subtrahend = Cat(divisor ^ (~negative_b).replicate(32), Const(1, 1))
        m.d.comb += [
            shifted.eq(Cat(quotient[31], remainder)),
            difference.eq(shifted + subtrahend + ~negative_b),
        ]
        fits = difference[33]

        selected, negate, magnitude = Signal(32), Signal(), Signal(32)
        with m.FSM():
            with m.State("idle"):
                m.d.comb += [
                    self.done.eq(~self.start),
                    selected.eq(Mux(rest, remainder, quotient)),
                    # A quotient by zero is all ones whatever the signs are.
                    negate.eq(Mux(rest, negative_a, (negative_a ^ negative_b) & ~zero)),
                ]
                with m.If(self.start):
                    m.next = "magnitude"
            with m.State("magnitude"):
                m.d.comb += [self.busy.eq(1), selected.eq(quotient), negate.eq(negative_a)]
                m.d.sync += quotient.eq(magnitude)
                m.next = "normalise" if self._early_out else "divide"
            if self._early_out:
                with m.State("normalise"):
                    zeros = count_zeros(m, quotient[::-1])
                    m.d.comb += self.busy.eq(1)
                    m.d.sync += [quotient.eq(quotient << zeros[:5]), count.eq(31 - zeros)]
                    m.next = "divide"
                    with m.If(zero):
                        m.d.sync += [quotient.eq(0xFFFF_FFFF), remainder.eq(quotient)]
                        m.next = "idle"
                    with m.Elif(zeros[5]):
                        m.next = "idle"
            with m.State("divide"):
                m.d.comb += self.busy.eq(1)
                m.d.sync += [
                    remainder.eq(Mux(fits, difference[:32], shifted[:32])),
                    quotient.eq(Cat(fits, quotient[:31])),
                    count.eq(count - 1),
                ]
                with m.If(~count.any()):
                    m.next = "idle"
        with m.If(self.start):
            signed = ~self.operation[0]
            m.d.sync += [
                quotient.eq(self.a),
                remainder.eq(0),
                divisor.eq(self.b),
                count.eq(31),
                negative_a.eq(signed & self.a[31]),
                negative_b.eq(signed & self.b[31]),
                zero.eq(~self.b.any()),
            ]
        m.d.comb += [
            magnitude.eq((selected ^ negate.replicate(32)) + negate),
            self.result.eq(magnitude),
        ]
        return m
