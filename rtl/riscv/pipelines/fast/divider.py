"""Stand-in until the unit is there."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Divider"]


class Divider(wiring.Component):
    start: In(1)
    a: In(32)
    b: In(32)
    function: In(3)
    busy: Out(1)
    result: Out(32)

    def __init__(self, config):
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        q, r, d = Signal(32), Signal(32), Signal(32)
        n = Signal(6)
        neg_q, neg_r, nz, rem = Signal(), Signal(), Signal(), Signal()
        signed = ~self.function[0]
        sa, sb = signed & self.a[31], signed & self.b[31]
        with m.If(self.start):
            m.d.sync += [
                q.eq(Mux(sa, -self.a, self.a)),
                d.eq(Mux(sb, -self.b, self.b)),
                r.eq(0),
                n.eq(32),
                neg_q.eq((sa ^ sb) & self.b.any()),
                neg_r.eq(sa),
                nz.eq(self.b.any()),
                rem.eq(self.function[1]),
            ]
        with m.Elif(n != 0):
            t = Signal(34)
            m.d.comb += t.eq(Cat(q[31], r) - d)
            with m.If(nz & (r == 0) & (q[28:] == 0) & (n >= 4)):
                m.d.sync += [q.eq(q << 4), n.eq(n - 4)]
            with m.Else():
                m.d.sync += [q.eq(Cat(~t[33], q)), n.eq(n - 1), r.eq(Mux(t[33], Cat(q[31], r), t))]
        m.d.comb += [
            self.busy.eq(n != 0),
            self.result.eq(Mux(rem, Mux(neg_r, -r, r), Mux(neg_q, -q, q))),
        ]
        return m
