"""The nano pipeline: area first, one instruction at a time."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.pipelines.nano_datapath import DataPath
from rtl.riscv.pipelines.nano_state import State
from rtl.riscv.pipelines.nano_trace import NanoTrace
from rtl.riscv.pipelines.nano_traps import Traps

__all__ = ["NanoPipeline"]


class NanoPipeline(DataPath, Traps):
    """RV32I or RV32E in as few gates as a 32-bit data path allows.

    There is one instruction at a time. Its last cycle requests the next one,
    whose first register is read while it arrives; so the register file has
    one read port, and two cycles are the least.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    See :func:`rtl.riscv.interfaces.core_signature`.

    Timing
    ------
    With memories that grant at once and answer in the next cycle: 2 cycles;
    3 for loads, stores and branches; 2 and a cycle for each step of a
    shift (8 places or 1), and one more when a register holds the amount.
    A register file in memory adds 1 to each.
    """

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        self._make(m)
        self._connect_system(m)
        self._add_operands(m)
        self._add_execution(m)
        self._add_accumulator(m)
        self._add_traps(m)
        self._add_fetch(m)
        self._add_control(m)
        if self._config.triggers:
            self._add_triggers(m)
        if self._config.rvfi:
            self._add_trace(m)
        return m

    def _connect_system(self, m: Module) -> None:
        config, system, word = self._config, self._system, self._word
        port = system.port
        connect(m, flipped(self.interrupts), system.interrupts)
        if config.zicntr:
            m.d.comb += system.time.eq(self.time)
        zero = ~word[15:20].any()
        m.d.comb += [
            port.csr_address.eq(word[20:]),
            port.csr_operation.eq(word[12:14]),
            port.csr_write.eq((word[12:14] == 1) | ~zero),
            port.csr_operand.eq(Mux(word[14], word[15:20], self._a)),
            port.csr_commit.eq(self._done & self._decoder.csr),
            port.mret.eq(self._done & self._decoder.mret),
            port.retired.eq(self._done & ~port.debug_mode),
        ]
        if config.debug != "none":
            m.d.comb += [
                port.debug_data_in.eq(self.debug.data_in),
                self.debug.data_out.eq(port.debug_data_out),
                self.debug.data_write.eq(port.debug_data_write),
            ]

    def _add_fetch(self, m: Module) -> None:
        port, target = self._system.port, self._alu.sum
        ends = self._done | self._exception
        jumps = self._done & (self._decoder.jal | self._decoder.jalr | self._branches)
        waits = self._is(State.FETCH)
        follows = self._done & ~jumps & ~self._decoder.mret
        choices = [
            (waits, self._pc),
            (follows, (self._pc + 1)[:30]),
            (jumps, target[2:]),
            (self._trap, port.trap_target[2:]),
            (self._done & self._decoder.mret, port.mret_target[2:]),
            (self._resume, port.dret_target[2:]),
        ]
        chosen_pc: Value = Const(0, 30)
        for chosen, value in choices[: 5 if self._config.debug == "none" else 6]:
            chosen_pc |= chosen.replicate(30) & value
        m.d.comb += [
            self._fetch.eq(waits | self._interrupt | (ends & ~port.debug_mode) | self._resume),
            self._next_pc.eq(chosen_pc),
            self.ibus.request.eq(self._fetch),
            self.ibus.address.eq(Cat(Const(0, 2), self._next_pc)),
        ]
        with m.If(self._fetch):
            m.d.sync += self._pc.eq(self._next_pc)

    def _add_control(self, m: Module) -> None:
        """Say what ends an instruction, and which state follows."""
        config, state, decoder = self._config, self._state, self._decoder
        port = self._system.port
        executes = self._is(State.EXECUTE)
        sleeps = Signal()
        several = decoder.load | decoder.store | decoder.custom
        several |= (decoder.shift & ~self._shift_ends) | decoder.branch | sleeps
        first = State.READ if config.register_file == "memory" else State.EXECUTE
        m.d.comb += [
            # What an interrupt ends here has changed nothing yet. WFI ends before.
            self._interrupt.eq(
                executes & port.interrupt & ~decoder.wfi & ~self._debug_enter & ~port.debug_mode
            ),
            self._execute.eq(executes & ~self._interrupt & ~self._debug_enter & ~self._fires),
            sleeps.eq(decoder.wfi & ~port.wake),
            self.sleeping.eq(executes & sleeps & ~decoder.illegal),
            self._done.eq(self._execute & ~several & ~self._exception),
            self.dbus.request.eq(
                self._is(State.REQUEST) | (self._execute & (decoder.load | decoder.store) & ~self._exception)
            ),
        ]
        with m.Switch(state):
            with m.Case(State.WAIT), m.If(self.ibus.response):
                m.d.sync += state.eq(first)
            if config.register_file == "memory":
                with m.Case(State.READ):
                    m.d.sync += state.eq(State.EXECUTE)
            with m.Case(State.EXECUTE):
                with m.If(self._execute & decoder.branch):
                    m.d.sync += state.eq(State.BRANCH)
                with m.If(self.dbus.request):
                    m.d.sync += state.eq(Mux(self.dbus.grant, State.RESPONSE, State.REQUEST))
                if config.custom != "none":
                    with m.If(self._execute & decoder.custom):
                        m.d.sync += state.eq(State.OFFER)
            with m.Case(State.BRANCH):
                m.d.comb += self._done.eq(~self._exception)
            with m.Case(State.REQUEST), m.If(self.dbus.grant):
                m.d.sync += state.eq(State.RESPONSE)
            with m.Case(State.RESPONSE):
                m.d.comb += self._done.eq(self.dbus.response & ~self.dbus.error)
            if config.custom != "none":
                self._add_custom(m)
            if config.debug != "none":
                with m.Case(State.HALTED), m.If(self.debug.instruction_valid):
                    m.d.sync += state.eq(first)
        with m.If(self._fetch):
            m.d.sync += state.eq(Mux(self.ibus.grant, State.WAIT, State.FETCH))
        if config.debug != "none":
            self._add_debug(m)

    def _add_custom(self, m: Module) -> None:
        """Offer a custom instruction; nothing interrupts it any more."""
        unit, state = self.custom, self._state
        answers = unit.response_valid & ~unit.response_error
        with m.Case(State.OFFER):
            m.d.comb += [unit.request_valid.eq(1), self._done.eq(answers)]
            with m.If(unit.request_ready):
                m.d.sync += state.eq(State.ANSWER)
        with m.Case(State.ANSWER):
            m.d.comb += self._done.eq(answers)
        m.d.comb += [
            unit.instruction.eq(self._word),
            unit.rs1.eq(self._a),
            unit.rs2.eq(self._registers.read_data),
        ]

    def _add_trace(self, m: Module) -> None:
        """Report each instruction on the verification port."""
        m.submodules.trace = trace = NanoTrace(self._config)
        lanes, registers, port = self._lanes, self._registers, self._system.port
        connect(m, flipped(self.rvfi), trace.rvfi)
        m.d.comb += [
            trace.state.eq(self._state),
            trace.halt.eq(self._debug_enter),
            trace.word.eq(self._word),
            trace.first.eq(self._a),
            trace.second.eq(registers.read_data),
            trace.retire.eq((self._done | self._exception) & ~port.debug_mode),
            trace.exception.eq(self._exception),
            trace.interrupt.eq(self._interrupt),
            trace.fetch_fault.eq(self._fetch_fault),
            trace.pc.eq(self._pc),
            trace.next_pc.eq(self._next_pc),
            trace.write.eq(self._done & self._writes),
            trace.write_data.eq(self._next_a),
            trace.address.eq(self.dbus.address),
            trace.strobe.eq(lanes.strobe),
            trace.loaded.eq(self.dbus.read_data),
            trace.stored.eq(self.dbus.write_data),
        ]
        for name in trace.system_state.signature.members:
            m.d.comb += getattr(trace.system_state, name).eq(getattr(port.state, name))
