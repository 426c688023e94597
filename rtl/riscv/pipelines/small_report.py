"""The small pipeline under a debugger, and what it reports."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from rtl.riscv.interfaces import Rvfi, StallReason
from rtl.riscv.pipelines.small_state import Phase, State
from rtl.riscv.pipelines.small_trace import Trace

__all__ = ["Report"]


class Report(State):
    """Debug mode, RVFI, and why nothing retires."""

    def _debug(self, m: Module) -> None:
        """Stop, step, and execute what the debug module injects."""
        if self._config.debug == "none":
            return
        debug, port, w, x = self.debug, self._system.port, self._w, self._x
        busy, failed = Signal(), Signal()
        empty = ~self._x_valid & ~w.valid
        m.d.comb += self._inject.eq(debug.instruction_valid & debug.instruction_ready)
        m.d.comb += [
            debug.halted.eq(port.debug_mode),
            debug.instruction_ready.eq(port.debug_mode & empty & ~busy & ~debug.resume_request),
            debug.done.eq(busy & empty),
            debug.error.eq(failed),
            port.debug_data_in.eq(debug.data_in),
            debug.data_out.eq(port.debug_data_out),
            debug.data_write.eq(port.debug_data_write),
            self._resume.eq(port.debug_mode & empty & ~busy & debug.resume_request),
        ]
        with m.If(self._inject):
            m.d.sync += [
                x.instruction.eq(debug.instruction),
                x.fault.eq(0),
                x.compressed.eq(0),
                self._x_valid.eq(1),
                busy.eq(1),
                failed.eq(0),
            ]
        with m.Elif(debug.done):
            m.d.sync += busy.eq(0)
        with m.If(self._in(Phase.TRAP) & port.debug_mode):
            m.d.sync += failed.eq(1)
        with m.If(self._resume):
            m.d.sync += [self._x_valid.eq(1), self._phase.eq(Phase.REDIRECT), self._trapped.eq(1)]
        with m.If(port.debug_enter):
            m.d.sync += self._step.eq(0)
        with m.Elif((self._fire | port.trap) & port.debug_step & ~port.debug_mode):
            m.d.sync += self._step.eq(1)

    def _trace(self, m: Module) -> None:
        """Report instructions by RVFI."""
        control, port, w, x = self._control, self._system.port, self._w, self._x
        m.submodules.trace = trace = Trace()
        raw, failed = Signal(32), Signal()
        with m.If(self._fetch.take):
            m.d.sync += raw.eq(
                self._fetch.raw & Cat(Const(0xFFFF, 16), (~self._fetch.parcel.compressed).replicate(16))
            )
        m.d.sync += failed.eq(self._error)
        # An mret has changed the mode before it leaves the stage.
        mode = Signal(2)
        with m.If(self._phase == Phase.EXECUTE):
            m.d.sync += mode.eq(port.mode)
        following = Mux(self._redirect, Cat(Const(0, 1), self._fetch.target), self._next_pc)
        masks = self._strobe & self._access.replicate(4)
        address = self._result if self._checked else self._alu.sum
        lanes = self.dbus.write_data
        m.d.comb += [
            trace.record.insn.eq(raw),
            trace.record.mode.eq(Mux(self._phase == Phase.REDIRECT, mode, port.mode)),
            trace.record.rs1_addr.eq(Mux(control.reads_rs1, x.instruction[15:20], 0)),
            trace.record.rs2_addr.eq(Mux(control.reads_rs2, x.instruction[20:25], 0)),
            trace.record.rs1_rdata.eq(Mux(control.reads_rs1, self._rs1, 0)),
            trace.record.rs2_rdata.eq(Mux(control.reads_rs2, self._rs2, 0)),
            trace.record.rd_addr.eq(Mux(control.writes_rd, x.instruction[7:12], 0)),
            trace.record.pc_rdata.eq(Cat(Const(0, 1), x.pc)),
            trace.record.pc_wdata.eq(following),
            trace.record.mem_addr.eq(Mux(self._access, Cat(Const(0, 2), address[2:]), 0)),
            trace.record.mem_rmask.eq(masks & control.load.replicate(4)),
            trace.record.mem_wmask.eq(masks & control.store.replicate(4)),
            trace.record.mem_wdata.eq(Mux(control.store, lanes, 0)),
            trace.fire.eq(self._fire & ~port.debug_mode),
            trace.trap.eq(port.trap & ~port.trap_interrupt),
            trace.trap_before.eq(failed),
            trace.interrupt.eq(port.trap & port.trap_interrupt),
            trace.trap_target.eq(port.trap_target),
            trace.retire.eq(w.valid & self._w_done & ~port.debug_mode),
            trace.rd_wdata.eq(self._written),
            trace.mem_rdata.eq(Mux(w.load, self.dbus.read_data, 0)),
        ]
        for name in Rvfi().members:
            if name not in ("state", "stall"):
                m.d.comb += getattr(self.rvfi, name).eq(getattr(trace.rvfi, name))
        for name in port.state.signature.members:
            m.d.comb += getattr(self.rvfi.state, name).eq(getattr(port.state, name))
        m.d.comb += self.rvfi.stall.eq(self._stall)

    def _stalls(self, m: Module) -> None:
        """Say why nothing retires: what the execute stage waited for a cycle ago, or the bus now."""
        control, w = self._control, self._w
        refilling, waiting = Signal(), Signal(StallReason)
        with m.If(self._redirect):
            m.d.sync += refilling.eq(1)
        with m.Elif(self._fetch.take):
            m.d.sync += refilling.eq(0)
        special = control.csr | control.mret | control.dret | control.fence_i
        reasons: list[tuple[Value, StallReason]] = [
            (self._debug_mode | self._sleeps & self._x_valid, StallReason.SLEEP),
            (~self._x_valid & refilling, StallReason.BRANCH),
            (~self._x_valid, StallReason.FETCH),
            ((self._phase == Phase.REDIRECT) & control.jump_register & ~self._trapped, StallReason.BRANCH),
            ((self._phase == Phase.TRAP) | (self._phase == Phase.REDIRECT), StallReason.SYSTEM),
            (self._hazard, StallReason.LOAD_USE),
            (self._stops | special, StallReason.SYSTEM),
            *self._busy_unit,
            (control.custom, StallReason.CUSTOM),
            (self._access, StallReason.DATA_BUS),
        ]
        chosen: Value = Const(StallReason.BRANCH.value, 4)
        for select, reason in reversed(reasons):
            chosen = Mux(select, Const(reason.value, 4), chosen)
        m.d.sync += waiting.eq(chosen)
        self._stall = Signal(StallReason)
        with m.If(w.memory & ~self._w_done):
            m.d.comb += self._stall.eq(StallReason.DATA_BUS)
        with m.Elif(~w.valid):
            m.d.comb += self._stall.eq(waiting)
