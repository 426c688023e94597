"""What the small pipeline says about each instruction: RVFI."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.interfaces import Rvfi

__all__ = ["Record", "Trace"]


class Record(data.Struct):
    """An instruction as the execute stage sees it. Names are RVFI's."""

    insn: 32
    intr: 1
    mode: 2
    rs1_addr: 5
    rs2_addr: 5
    rs1_rdata: 32
    rs2_rdata: 32
    rd_addr: 5
    pc_rdata: 32
    pc_wdata: 32
    mem_addr: 32
    mem_rmask: 4
    mem_wmask: 4
    mem_wdata: 32


class Trace(wiring.Component):
    """Keep the record of the instruction in the writeback stage, and complete it there.

    Members
    -------
    record : In(Record)
        Of the instruction in the execute stage.
    fire : In(1)
        It goes to the writeback stage.
    trap, trap_before, interrupt : In(1)
        It traps in this cycle; or the one in the record does, whose access
        failed; or it is not executed, for an interrupt.
    trap_target : In(32)
        Where the handler is.
    retire : In(1)
        The instruction in the writeback stage is done.
    rd_wdata, mem_rdata : In(32)
        What it writes and has read.
    rvfi : Out(Rvfi())
        But for ``state`` and ``stall``, which the pipeline drives.
    """

    record: In(Record)
    fire: In(1)
    trap: In(1)
    trap_before: In(1)
    interrupt: In(1)
    trap_target: In(32)
    retire: In(1)
    rd_wdata: In(32)
    mem_rdata: In(32)
    rvfi: Out(Rvfi())

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        held, trapped, order, handler = Signal(Record), Signal(), Signal(64), Signal()
        with m.If(self.interrupt):
            m.d.sync += handler.eq(1)
        with m.Elif(self.fire | (self.trap & ~self.trap_before)):
            m.d.sync += [held.eq(self.record), held.intr.eq(handler), handler.eq(0)]
        with m.If(self.trap):
            # A trap's cause has had no effect.
            m.d.sync += [
                held.rd_addr.eq(0),
                held.mem_rmask.eq(0),
                held.mem_wmask.eq(0),
                held.pc_wdata.eq(self.trap_target),
            ]
        m.d.sync += trapped.eq(self.trap)
        rvfi = self.rvfi
        m.d.comb += [
            rvfi.valid.eq(self.retire | trapped),
            rvfi.order.eq(order),
            rvfi.trap.eq(trapped),
            rvfi.ixl.eq(1),
            rvfi.rd_wdata.eq(Mux(held.rd_addr.any(), self.rd_wdata, 0)),
            rvfi.mem_rdata.eq(self.mem_rdata),
        ]
        for name, _ in data.Layout.cast(Record):
            m.d.comb += getattr(rvfi, name).eq(getattr(held, name))
        with m.If(rvfi.valid):
            m.d.sync += order.eq(order + 1)
        return m
