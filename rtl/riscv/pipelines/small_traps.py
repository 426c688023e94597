"""The small pipeline's traps, and the instructions that change the system's state."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from rtl.riscv.isa import Cause, DebugCause
from rtl.riscv.pipelines.small_state import Pending, Phase, State, TrapValue
from rtl.riscv.system.triggers import TriggerChecker

__all__ = ["Traps"]


class Traps(State):
    """Find what stops an instruction; enter its handler, or debug mode, a cycle later."""

    def _interruptions(self, m: Module) -> None:
        """Say what stops an instruction before it has begun: interrupts, debugger, triggers."""
        config, system, port = self._config, self._system, self._system.port
        self._interrupted = Signal()
        self._debug_wanted, self._debug_cause = Signal(), Signal(3)
        self._before_trigger: dict[str, Value] = {"debug": Const(0, 1), "exception": Const(0, 1)}
        if config.debug != "none":
            debug, fresh = self.debug, Signal(init=1)
            self._step = Signal()
            with m.If(self._x_valid):
                m.d.sync += fresh.eq(0)
            wanted = debug.halt_request | self._step | (fresh & debug.halt_on_reset)
            m.d.comb += self._debug_wanted.eq(wanted & ~port.debug_mode)
            with m.If(fresh & debug.halt_on_reset):
                m.d.comb += self._debug_cause.eq(DebugCause.RESET_HALT)
            with m.Elif(debug.halt_request):
                m.d.comb += self._debug_cause.eq(DebugCause.HALT_REQUEST)
            with m.Else():
                m.d.comb += self._debug_cause.eq(DebugCause.STEP)
        if config.triggers:
            m.submodules.breakpoints = watch = TriggerChecker(config)
            m.d.comb += [
                watch.state.eq(system.triggers),
                watch.address.eq(Cat(Const(0, 1), self._x.pc)),
                watch.execute.eq(self._in(Phase.EXECUTE) & ~port.debug_mode),
            ]
            self._before_trigger = {"debug": watch.debug, "exception": watch.exception}
        m.d.comb += self._interrupted.eq(self._x_first & (port.interrupt | self._debug_wanted))

    def _traps(self, m: Module) -> None:
        """Find what stops the instruction; the next cycle takes it."""
        control, port, x = self._control, self._system.port, self._x
        pending = Signal(Pending)
        illegal = (
            control.illegal
            | (control.csr & port.csr_illegal)
            | (control.wfi & port.wfi_illegal)
            | (control.mret & port.mret_illegal)
            | (control.dret & ~port.debug_mode)
            | self._custom_error
        )
        executing, stops = self._in(Phase.EXECUTE) & ~self._hazard, self._stops
        m.d.comb += stops.eq(
            executing
            & (
                self._before
                | illegal
                | control.ecall
                | control.ebreak
                | self._misaligned
                | self._target_misaligned
            )
        )
        refused = self._denied | self._access_trigger["debug"] | self._access_trigger["exception"]
        m.d.comb += self._found.eq((stops | refused | self._jump_misaligned) & self._w_done)

        def cause(number: Value | int, value: TrapValue = TrapValue.ZERO, **flags: Value | int) -> None:
            m.d.comb += [pending.cause.eq(number), pending.value.eq(value)]
            m.d.comb += [getattr(pending, name).eq(flag) for name, flag in flags.items()]

        before, at = self._before_trigger, self._access_trigger
        with m.If(self._error):
            cause(Mux(self._w.load, Cause.LOAD_FAULT, Cause.STORE_FAULT), TrapValue.RESULT)
        with m.Elif(refused):
            fault = Mux(control.load, Cause.LOAD_FAULT, Cause.STORE_FAULT)
            cause(Mux(at["exception"], Cause.BREAKPOINT, fault), TrapValue.RESULT)
            with m.If(at["debug"]):
                cause(DebugCause.TRIGGER, debug=1)
        with m.Elif(self._jump_misaligned):
            cause(Cause.INSTRUCTION_MISALIGNED, TrapValue.RESULT)
        with m.Elif(self._interrupted & self._debug_wanted):
            cause(self._debug_cause, debug=1)
        with m.Elif(self._interrupted):
            cause(port.interrupt_cause, interrupt=1)
        with m.Elif(before["debug"]):
            cause(DebugCause.TRIGGER, debug=1)
        with m.Elif(before["exception"]):
            cause(Cause.BREAKPOINT, TrapValue.PC)
        with m.Elif(x.fault):
            cause(Cause.INSTRUCTION_FAULT, TrapValue.TARGET)
        with m.Elif(illegal):
            cause(Cause.ILLEGAL_INSTRUCTION, TrapValue.INSTRUCTION)
        with m.Elif(control.ebreak & port.debug_ebreak):
            cause(DebugCause.EBREAK, debug=1)
        with m.Elif(control.ebreak):  # its immediate is 0
            cause(Cause.BREAKPOINT, TrapValue.TARGET)
        with m.Elif(control.ecall):
            cause(Cause.ECALL_U | port.mode)
        with m.Elif(self._misaligned):
            cause(Mux(control.load, Cause.LOAD_MISALIGNED, Cause.STORE_MISALIGNED), TrapValue.RESULT)
        with m.Else():
            cause(Cause.INSTRUCTION_MISALIGNED, TrapValue.TARGET)
        with m.If(self._found | self._error):
            m.d.sync += self._pending.eq(pending)
        self._take_trap(m)

    def _take_trap(self, m: Module) -> None:
        """Enter the handler, or debug mode, from what was found."""
        pending, port, x = self._pending, self._system.port, self._x
        taking = self._in(Phase.TRAP) & ~port.debug_mode
        pc = Cat(Const(0, 1), x.pc)
        values = {
            TrapValue.RESULT: self._result,
            TrapValue.TARGET: self._target,
            TrapValue.INSTRUCTION: x.instruction,
        }
        if self._config.triggers:
            values[TrapValue.PC] = pc
        value: Value = Const(0, 32)
        for name, choice in values.items():
            value |= choice & (pending.value == name).replicate(32)
        m.d.comb += [
            port.trap.eq(taking & ~pending.debug),
            port.trap_interrupt.eq(pending.interrupt),
            port.trap_cause.eq(pending.cause),
            port.trap_pc.eq(pc),
            port.trap_value.eq(value),
            port.debug_enter.eq(taking & pending.debug),
            port.debug_cause.eq(pending.cause[:3]),
            port.debug_pc.eq(pc),
        ]

    def _special(self, m: Module) -> None:
        """Do what waits for an empty writeback stage."""
        control, port, w = self._control, self._system.port, self._w
        ready = self._in(Phase.EXECUTE) & ~self._stops & ~w.valid
        m.d.comb += [
            port.csr_commit.eq(ready & control.csr & self._flush_ready),
            port.mret.eq(ready & control.mret),
            port.dret.eq((ready & control.dret) | self._resume),
        ]
        awake = port.wake
        if self._config.debug != "none":
            awake |= self.debug.halt_request
        self._sleeps = control.wfi & ~awake
        self._special_waits = (
            (control.csr & ~port.csr_commit)
            | (control.wfi & ~(ready & awake))
            | ((control.mret | control.dret | control.fence_i) & ~ready)
        )
