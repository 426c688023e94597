"""What a register slice promises, as assertions over one that is driven by anything.

Proved for every reachable and unreachable state that the invariants allow
(k-induction), hence without bound on time.
"""

from amaranth.hdl import Assert, Module, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ips.stream_register.component import StreamRegister

__all__ = ["StreamRegisterProperties"]


class StreamRegisterProperties(wiring.Component):
    """A slice beside a reference queue, with nothing assumed of either side.

    The reference is a queue of two entries written as such: it can neither
    lose, repeat nor reorder. Asserted in every cycle: the slice offers
    exactly when the queue is not empty, and the queue's head; it accepts
    exactly when the queue is not full; an offer that was not taken stays,
    unchanged.

    Parameters
    ----------
    payload_shape : ShapeLike
        Shape of the payload.

    Members
    -------
    i : In, stream of ``payload_shape``
    o : Out, stream of ``payload_shape``
    """

    def __init__(self, payload_shape: ShapeLike = 8) -> None:
        self._payload_shape = payload_shape
        super().__init__(
            {
                "i": In(stream.Signature(payload_shape)),
                "o": Out(stream.Signature(payload_shape)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the slice, the queue and the assertions."""
        m = Module()
        m.submodules.dut = dut = StreamRegister(self._payload_shape)
        connect(m, flipped(self.i), dut.i)
        connect(m, dut.o, flipped(self.o))

        count = Signal(range(3))
        queue = [Signal(self._payload_shape, name=f"queue_{n}") for n in range(2)]
        push = self.i.valid & (count < 2)
        pop = self.o.ready & (count > 0)
        m.d.sync += count.eq(count + push - pop)
        with m.If(pop):
            m.d.sync += queue[0].eq(queue[1])
        with m.If(push), m.Switch(count - pop):
            for n in range(2):
                with m.Case(n):
                    m.d.sync += queue[n].eq(self.i.payload)

        offered = Signal()
        before = Signal(self._payload_shape)
        m.d.sync += [offered.eq(self.o.valid & ~self.o.ready), before.eq(self.o.payload)]

        m.d.comb += [
            Assert(count <= 2),
            Assert(self.o.valid == (count > 0)),
            Assert(self.i.ready == (count < 2)),
        ]
        with m.If(count > 0):
            m.d.comb += Assert(self.o.payload == queue[0])
        with m.If(count > 1):
            m.d.comb += Assert(dut._skid == queue[1])
        with m.If(offered):
            m.d.comb += [Assert(self.o.valid), Assert(self.o.payload == before)]
        return m
