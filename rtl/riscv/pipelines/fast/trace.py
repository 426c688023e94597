"""RVFI for the fast pipeline."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import Rvfi, StallReason
from rtl.riscv.pipelines.fast.access import Forwarded, access_layout
from rtl.riscv.pipelines.fast.execute_state import retired_layout
from rtl.riscv.pipelines.fast.operation import pair_layout

__all__ = ["Trace"]


class Trace(wiring.Component):
    """Report what execution made final a cycle ago.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    pair, added, retired : In
        What is in execution, and what becomes of it.
    final : In(Forwarded) for each slot
        The results in write-back.
    mode : In(2)
        The privilege mode in execution.
    suppress : In(1)
        Report nothing: debug mode.
    stall : In(StallReason)
        Why execution has nothing.
    flush : In(1)
        Execution refills the pipeline.
    state : In
        ``SystemPort.state``.
    rvfi : Out(Rvfi)

    Timing
    ------
    One cycle after execution.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._slots = config.issue_width
        super().__init__(
            {
                "pair": In(pair_layout(config)),
                "added": In(access_layout(config)),
                "retired": In(retired_layout(config)),
                "final": In(Forwarded()).array(self._slots),
                "mode": In(2),
                "suppress": In(1),
                "stall": In(StallReason),
                "flush": In(1),
                "state": In(Rvfi().members["state"].signature),
                "rvfi": Out(Rvfi(self._slots)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        rvfi, retired, pair, added = self.rvfi, self.retired, self.pair, self.added
        slots = range(self._slots)
        valid = Signal(self._slots)
        order, interrupted = Signal(64), Signal()
        m.d.sync += valid.eq(Mux(self.suppress, 0, retired.valid))
        m.d.comb += rvfi.valid.eq(valid)
        m.d.sync += order.eq(order + sum((valid[i] for i in range(1, self._slots)), valid[0]))
        m.d.comb += rvfi.order.eq(Cat((order + (valid[0] if i else 0))[:64] for i in slots))
        with m.If(retired.interrupt):
            m.d.sync += interrupted.eq(1)
        with m.Elif(retired.valid.any()):
            m.d.sync += interrupted.eq(0)
        halted = Const(0, self._slots)
        m.d.sync += [
            rvfi.insn.eq(Cat(pair.raw[i] for i in slots)),
            rvfi.trap.eq(retired.valid & retired.trap.replicate(self._slots)),
            rvfi.halt.eq(halted),
            rvfi.intr.eq(interrupted & Mux(retired.valid[0], 1, 2)),
            rvfi.mode.eq(self.mode.replicate(self._slots)),
            rvfi.ixl.eq(Const(1, 2).replicate(self._slots)),
            rvfi.pc_rdata.eq(Cat(Cat(Const(0, 1), retired.pc[i]) for i in slots)),
            rvfi.pc_wdata.eq(Cat(Cat(Const(0, 1), retired.next_pc[i]) for i in slots)),
        ]
        operations = [pair.operations[i] for i in slots]
        traps = retired.trap
        addresses, read_masks, write_masks, reads, writes = [], [], [], [], []
        for i, operation in enumerate(operations):
            uses = retired.memory[i] & ~traps & (operation.load | retired.writes[i])
            word = Mux(uses, Cat(Const(0, 2), added.address[2:]), 0)
            addresses.append(word)
            read_masks.append(Mux(uses & operation.load, added.strobe, 0))
            write_masks.append(Mux(uses & retired.writes[i], added.strobe, 0))
            reads.append(Mux(uses & operation.load, retired.read_data, 0))
            writes.append(Mux(uses & retired.writes[i], retired.write_data, 0))
        m.d.sync += [
            rvfi.rs1_addr.eq(Cat(x.rs1 for x in operations)),
            rvfi.rs2_addr.eq(Cat(x.rs2 for x in operations)),
            rvfi.rs1_rdata.eq(Cat(Mux(x.rs1.any(), added.rs1[i], 0) for i, x in enumerate(operations))),
            rvfi.rs2_rdata.eq(Cat(Mux(x.rs2.any(), added.rs2[i], 0) for i, x in enumerate(operations))),
            rvfi.mem_addr.eq(Cat(*addresses)),
            rvfi.mem_rmask.eq(Cat(*read_masks)),
            rvfi.mem_wmask.eq(Cat(*write_masks)),
            rvfi.mem_rdata.eq(Cat(*reads)),
            rvfi.mem_wdata.eq(Cat(*writes)),
        ]
        m.d.comb += [
            rvfi.rd_addr.eq(Cat(Mux(x.writes, x.rd, 0) for x in self.final)),
            rvfi.rd_wdata.eq(Cat(Mux(x.writes, x.value, 0) for x in self.final)),
        ]
        for name in rvfi.state.signature.members:
            m.d.comb += getattr(rvfi.state, name).eq(getattr(self.state, name))
        self._stall(m, valid)
        return m

    def _stall(self, m: Module, valid: Value) -> None:
        retired = self.retired
        # What kept the stage before from handing on is why execution is empty a cycle later.
        empty, before, refill, reason = (
            Signal(),
            Signal(StallReason),
            Signal(StallReason),
            Signal(StallReason),
        )
        m.d.comb += empty.eq(~self.pair.valid.any())
        with m.If(self.flush):
            system = retired.stall == StallReason.SYSTEM
            m.d.sync += refill.eq(Mux(system, StallReason.SYSTEM, StallReason.BRANCH))
        with m.Elif(~empty):
            m.d.sync += refill.eq(StallReason.FETCH)
        m.d.sync += [before.eq(self.stall), reason.eq(retired.stall)]
        with m.If(empty):
            m.d.sync += reason.eq(Mux(before.as_value().any(), before.as_value(), refill.as_value()))
        with m.If(valid == 0):
            m.d.comb += self.rvfi.stall.eq(reason)
