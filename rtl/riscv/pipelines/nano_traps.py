"""The nano pipeline's traps, triggers and debug mode."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

from rtl.riscv.isa import Cause, DebugCause
from rtl.riscv.pipelines.nano_state import NanoState, State
from rtl.riscv.system.triggers import TriggerChecker

__all__ = ["Traps"]


class Traps(NanoState):
    """Find what stops an instruction, and say it to the system unit."""

    def _add_traps(self, m: Module) -> None:
        """Find what traps in this cycle, and say it to the system unit."""
        config, decoder, lanes = self._config, self._decoder, self._lanes
        port, target = self._system.port, self._alu.sum
        exception, fetch_fault = self._exception, self._fetch_fault
        illegal, jump, data, fault = Signal(), Signal(), Signal(), Signal()
        custom_error: Value = Const(0)
        if config.custom != "none":
            custom_error = self._is(State.OFFER, State.ANSWER) & self.custom.response_valid
            custom_error &= self.custom.response_error
        access = decoder.load | decoder.store
        refused = decoder.illegal | (decoder.csr & port.csr_illegal) | (decoder.mret & port.debug_mode)
        jumps = (self._execute & (decoder.jal | decoder.jalr)) | self._branches
        breaks = decoder.ebreak & ~(port.debug_ebreak & ~port.debug_mode)
        m.d.comb += [
            fetch_fault.eq(self._fetch_fails & ~self._debug_enter),
            illegal.eq((self._execute & refused) | custom_error),
            jump.eq(jumps & target[1] & ~illegal),
            data.eq(self._execute & access & lanes.misaligned & ~illegal),
            fault.eq(self._is(State.RESPONSE) & self.dbus.response & self.dbus.error),
        ]
        # A word whose low bits are not 11 may look like ECALL or EBREAK, and is illegal.
        call, pause = (self._execute & x & ~decoder.illegal for x in (decoder.ecall, breaks))
        m.d.comb += [
            exception.eq(fetch_fault | illegal | jump | data | fault | call | pause | self._fires),
            self._trap.eq(exception | self._interrupt),
        ]
        # Bits of the cause, as `Cause` numbers them: 0 needs none.
        stores = decoder.store
        causes = [
            (fetch_fault, Cause.INSTRUCTION_FAULT),
            (illegal, Cause.ILLEGAL_INSTRUCTION),
            (pause | self._fires, Cause.BREAKPOINT),
            (data & ~stores, Cause.LOAD_MISALIGNED),
            (data & stores, Cause.STORE_MISALIGNED),
            (fault & ~stores, Cause.LOAD_FAULT),
            (fault & stores, Cause.STORE_FAULT),
            (call, Cause.ECALL_M),
            (self._interrupt, port.interrupt_cause),
        ]
        short = self._word[:2] == 3
        values = [
            (illegal, Cat(self._word[:16], self._word[16:] & short.replicate(16))),
            (fetch_fault | pause | self._fires_here, Cat(Const(0, 2), self._pc)),
            (
                jump | data | fault | (self._fires & ~self._fires_here),
                Cat(target[0] & ~decoder.jalr, target[1:]),
            ),
        ]
        for place, choices in ((port.trap_cause, causes), (port.trap_value, values)):
            total: Value = Const(0, len(place))
            for chosen, value in choices:
                total |= chosen.replicate(len(place)) & Value.cast(value)
            m.d.comb += place.eq(total)
        m.d.comb += [
            port.trap.eq(self._trap & ~port.debug_mode),
            port.trap_interrupt.eq(self._interrupt),
            port.trap_pc.eq(Cat(Const(0, 2), self._pc)),
        ]

    def _add_triggers(self, m: Module) -> None:
        """Compare the addresses of the instruction and of its load or store with the triggers."""
        decoder = self._decoder
        m.submodules.here = here = TriggerChecker(self._config)
        m.submodules.there = there = TriggerChecker(self._config)
        executes = self._is(State.EXECUTE)
        accesses = executes & ~decoder.illegal
        m.d.comb += [
            here.state.eq(self._system.triggers),
            here.address.eq(Cat(Const(0, 2), self._pc)),
            here.execute.eq(executes),
            there.state.eq(self._system.triggers),
            there.address.eq(self._alu.sum),
            there.load.eq(accesses & decoder.load),
            there.store.eq(accesses & decoder.store),
            self._fires_debug.eq(here.debug | there.debug),
            self._fires_here.eq(here.exception & ~self._interrupt & ~self._debug_enter),
            self._fires.eq((here.exception | there.exception) & ~self._interrupt & ~self._debug_enter),
        ]

    def _add_debug(self, m: Module) -> None:
        """Enter and leave debug mode between instructions, and end those that it injects."""
        debug, port, state = self.debug, self._system.port, self._state
        fresh = Signal(init=1)  # nothing executed since reset
        stepped = Signal()
        decoded = self._is(State.EXECUTE)
        executes = (decoded | self._fetch_fails) & ~port.debug_mode
        breaks = decoded & self._decoder.ebreak & port.debug_ebreak & ~self._decoder.illegal
        halts = debug.halt_request | stepped | (fresh & debug.halt_on_reset) | breaks | self._fires_debug
        ends = self._done | self._exception
        cause = Signal(3)  # the most urgent first
        with m.If(stepped):  # and the next instruction has not been looked at
            m.d.comb += cause.eq(DebugCause.STEP)
        with m.Elif(self._fires_debug):
            m.d.comb += cause.eq(DebugCause.TRIGGER)
        with m.Elif(breaks):
            m.d.comb += cause.eq(DebugCause.EBREAK)
        with m.Elif(fresh & debug.halt_on_reset):
            m.d.comb += cause.eq(DebugCause.RESET_HALT)
        with m.Else():
            m.d.comb += cause.eq(DebugCause.HALT_REQUEST)
        halted = self._is(State.HALTED)
        m.d.comb += [
            self._debug_enter.eq(executes & halts),
            self._resume.eq(halted & debug.resume_request & ~debug.instruction_valid),
            port.debug_enter.eq(self._debug_enter),
            port.debug_cause.eq(cause),
            port.debug_pc.eq(Cat(Const(0, 2), self._pc)),
            port.dret.eq(self._resume),
            debug.halted.eq(port.debug_mode),
            debug.instruction_ready.eq(halted),
            debug.done.eq(ends & port.debug_mode),
            debug.error.eq(self._exception & port.debug_mode),
        ]
        with m.If(executes):
            m.d.sync += fresh.eq(0)
        with m.If(self._debug_enter):
            m.d.sync += stepped.eq(0)
        with m.Elif((ends | self._interrupt) & ~port.debug_mode):
            m.d.sync += stepped.eq(port.debug_step)
        with m.If(self._debug_enter | (ends & port.debug_mode)):
            m.d.sync += state.eq(State.HALTED)
