"""A multiplier that begins a product every cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["PipelinedMultiplier"]


class PipelinedMultiplier(wiring.Component):
    """``mul``, ``mulh``, ``mulhsu``, ``mulhu``.

    Members
    -------
    start : In(1)
        Begin a product.
    a, b, function : In(32), In(32), In(3)
        The operands; ``funct3``.
    result : Out(32)
        The product that began a cycle ago, its low or high half.

    Timing
    ------
    Latency 1 cycle, at the end of which the result is late; one product a cycle.
    """

    start: In(1)
    a: In(32)
    b: In(32)
    function: In(3)
    result: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        signed_a = self.a[31] & (self.function[:2] != 3)
        signed_b = self.b[31] & ~self.function[1]
        product, high = Signal(64), Signal()
        with m.If(self.start):
            m.d.sync += [
                product.eq(Cat(self.a, signed_a).as_signed() * Cat(self.b, signed_b).as_signed()),
                high.eq(self.function[:2] != 0),
            ]
        m.d.comb += self.result.eq(Mux(high, product[32:], product[:32]))
        return m
