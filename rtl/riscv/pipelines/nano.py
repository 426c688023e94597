"""The nano pipeline: area first, one instruction at a time."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import core_signature
from rtl.riscv.isa import Cause, DebugCause, Opcode
from rtl.riscv.pipelines.nano_alu import Alu, LoadStoreLanes
from rtl.riscv.pipelines.nano_decode import Decoder
from rtl.riscv.pipelines.nano_registers import RegisterFile
from rtl.riscv.pipelines.nano_shift import BarrelShifter, ShiftSteps
from rtl.riscv.pipelines.nano_state import State
from rtl.riscv.pipelines.nano_trace import NanoTrace
from rtl.riscv.system.triggers import TriggerChecker
from rtl.riscv.system.unit import SystemUnit

__all__ = ["NanoPipeline"]


class NanoPipeline(wiring.Component):
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

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(core_signature(config))

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config
        self._state = Signal(State)
        self._pc = Signal(30, init=config.reset_vector >> 2)
        self._word = Signal(32, reset_less=True)  # the instruction
        self._a = Signal(32, reset_less=True)  # its first operand; at the end, its result
        self._next_a = Signal(32)
        self._pending = Signal()  # that result belongs into a register
        self._writes = Signal()
        self._shift_ends = Signal()
        m.submodules.system = self._system = SystemUnit(config)
        m.submodules.decoder = self._decoder = Decoder(config)
        m.submodules.registers = self._registers = RegisterFile(
            registers=config.registers, kind=config.register_file
        )
        m.submodules.alu = self._alu = Alu()
        m.submodules.lanes = self._lanes = LoadStoreLanes()
        # What happens in this cycle: the instruction ends, or traps, or is not begun.
        self._done = Signal()
        self._trap = Signal()
        self._interrupt = Signal()
        self._fetch = Signal()
        self._debug_enter = Signal()
        self._fires = Signal()  # a trigger, as a breakpoint exception
        self._fires_here = Signal()  # at the instruction's own address
        self._fires_debug = Signal()  # into debug mode
        self._execute = Signal()
        self._taken = Signal(reset_less=True)  # the branch, as compared in the cycle before
        self._branches = self._is(State.BRANCH) & self._taken
        self._next_pc = Signal(30)
        self._connect_system(m)
        self._add_operands(m)
        self._add_execution(m)
        self._add_accumulator(m)
        self._add_traps(m)
        self._add_fetch(m)
        self._add_control(m)
        if config.triggers:
            self._add_triggers(m)
        if config.rvfi:
            self._add_trace(m)
        return m

    def _is(self, *states: State) -> Value:
        return Cat(self._state == state for state in states).any()

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

    def _add_operands(self, m: Module) -> None:
        """Take the instruction that arrives, and read its registers: the first now, the second later."""
        config, word, registers = self._config, self._word, self._registers
        self._arriving = arriving = Signal(32)
        self._arrives = arrives = Signal()
        waits = self._is(State.WAIT)
        if config.debug == "none":
            m.d.comb += [arriving.eq(self.ibus.read_data), arrives.eq(waits & self.ibus.response)]
        else:
            halted = self._is(State.HALTED)
            m.d.comb += [
                arriving.eq(Mux(halted, self.debug.instruction, self.ibus.read_data)),
                arrives.eq((waits & self.ibus.response) | (halted & self.debug.instruction_valid)),
            ]
            waits |= halted
        m.d.comb += [
            registers.read_address.eq(Mux(waits, arriving[15:20], word[20:25])),
            # The last result is still in `a`, and goes from there to its register.
            registers.write.eq(self._pending),
            registers.write_address.eq(word[7:12]),
            registers.write_data.eq(self._a),
        ]
        with m.If(arrives):
            m.d.sync += [word.eq(arriving), self._pending.eq(0)]
        with m.If(self._done):
            m.d.sync += self._pending.eq(self._writes)

    def _add_execution(self, m: Module) -> None:
        word, decoder = self._word, self._decoder
        alu, lanes, second = self._alu, self._lanes, self._registers.read_data
        funct3 = word[12:15]
        arithmetic = decoder.op | decoder.op_imm
        compares = arithmetic & (funct3[1:] == 1)
        branches = decoder.branch & self._is(State.EXECUTE)
        differs = decoder.op & word[30] & ~funct3.any()
        with m.If(self._execute):
            m.d.sync += self._taken.eq(Mux(funct3[2], alu.less, alu.equal) ^ funct3[0])
        m.d.comb += [
            decoder.instruction.eq(word),
            alu.a.eq(self._a),
            alu.b.eq(Mux(decoder.op | branches, second, decoder.immediate)),
            alu.subtract.eq(compares | branches | differs),
            alu.unsigned.eq(Mux(decoder.branch, funct3[1], funct3[0])),
            lanes.funct3.eq(funct3),
            lanes.offset.eq(alu.sum[:2]),
            lanes.register.eq(second),
            lanes.read_data.eq(self.dbus.read_data),
            self.dbus.address.eq(Cat(Const(0, 2), alu.sum[2:])),
            self.dbus.write.eq(decoder.store),
            self.dbus.strobe.eq(lanes.strobe),
            self.dbus.write_data.eq(lanes.write_data),
        ]

    def _add_accumulator(self, m: Module) -> None:
        """Say what the first operand's register holds next: an operand, an intermediate or the result."""
        config, word, decoder, alu = self._config, self._word, self._decoder, self._alu
        funct3 = word[12:15]
        arithmetic = decoder.op | decoder.op_imm
        here, following = Cat(Const(0, 2), self._pc), Cat(Const(0, 2), self._pc + 1)[:32]
        results = [
            ((arithmetic & ~funct3.any()) | decoder.lui | decoder.auipc, alu.sum),
            (arithmetic & funct3[2] & ~funct3[0], alu.difference_bits),  # XOR, and half of OR
            (arithmetic & funct3[2] & funct3[1], alu.common_bits),  # AND, and the other half
            (arithmetic & (funct3[1:] == 1), alu.less),
            (decoder.jal | decoder.jalr, following),
            (decoder.load, self._lanes.loaded),
            (decoder.csr, self._system.port.csr_read),
        ]
        if config.custom != "none":
            results.append((decoder.custom, self.custom.response_data))
        m.d.comb += self._writes.eq(decoder.shift | Cat(chosen for chosen, _ in results).any())
        sources = [(self._done & chosen, value) for chosen, value in results]
        sources += [(self._execute & decoder.shift & chosen, value) for chosen, value in self._add_shifter(m)]
        # A branch has compared its registers; now it may add its offset to the pc.
        sources.append((self._execute & decoder.branch, here))
        opcode, loads, bypass = self._arriving[2:7], self._arrives, Const(0)
        if config.register_file == "memory":
            opcode, loads = word[2:7], self._is(State.READ)
        else:
            bypass = self._pending & word[7:12].any() & (self._arriving[15:20] == word[7:12])
        from_pc = (opcode == Opcode.JAL) | (opcode == Opcode.AUIPC)
        from_register = ~from_pc & (opcode != Opcode.LUI)  # whose immediate is added to zero
        sources += [
            (loads & from_pc, here),
            (loads & from_register & ~bypass, self._registers.read_data),
        ]
        changes = Cat(chosen for chosen, _ in sources).any() | (loads & ~(from_register & bypass))
        sources.append((~changes, self._a))
        total: Value = Const(0, 32)
        for chosen, value in sources:
            total |= chosen.replicate(len(value)) & value
        m.d.comb += self._next_a.eq(total)
        m.d.sync += self._a.eq(self._next_a)

    def _add_shifter(self, m: Module) -> list[tuple[Value, Value]]:
        """Return what a shift may put into the accumulator, and when; and say when it ends."""
        word, decoder, second = self._word, self._decoder, self._registers.read_data
        count, right, sign = word[20:25], word[14], self._a[31] & word[30]
        if self._config.shifter == "barrel":
            m.submodules.shifter = shifter = BarrelShifter()
            m.d.comb += [
                shifter.amount.eq(Mux(decoder.op, second[:5], count)),
                shifter.value.eq(self._a),
                shifter.right.eq(right),
                shifter.arithmetic.eq(word[30]),
                self._shift_ends.eq(1),
            ]
            return [(Const(1), shifter.result)]
        m.submodules.steps = steps = ShiftSteps()
        m.d.comb += [steps.amount.eq(count), self._shift_ends.eq(steps.last & ~decoder.op)]
        with m.If(self._execute & decoder.shift):
            m.d.sync += count.eq(steps.rest)
            with m.If(decoder.op):
                # From now on it is a shift by an immediate, which is the instruction's.
                m.d.sync += [count.eq(second[:5]), word[5].eq(0)]
        value, immediate = self._a, decoder.op_imm
        return [
            (immediate & steps.by_one & ~right, Cat(Const(0, 1), value[:31])),
            (immediate & steps.by_one & right, Cat(value[1:], sign)),
            (immediate & steps.by_eight & ~right, Cat(Const(0, 8), value[:24])),
            (immediate & steps.by_eight & right, Cat(value[8:], sign.replicate(8))),
        ]

    def _add_traps(self, m: Module) -> None:
        """Find what traps in this cycle, and say it to the system unit."""
        config, decoder, lanes = self._config, self._decoder, self._lanes
        port, target = self._system.port, self._alu.sum
        self._fetch_fault = fetch_fault = Signal()
        self._fetch_fails = self._is(State.WAIT) & self.ibus.response & self.ibus.error
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
        self._exception = exception = Signal()
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

    def _add_fetch(self, m: Module) -> None:
        port, target = self._system.port, self._alu.sum
        resume = Signal()
        self._resume = resume
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
            (resume, port.dret_target[2:]),
        ]
        chosen_pc: Value = Const(0, 30)
        for chosen, value in choices[: 5 if self._config.debug == "none" else 6]:
            chosen_pc |= chosen.replicate(30) & value
        m.d.comb += [
            self._fetch.eq(waits | self._interrupt | (ends & ~port.debug_mode) | resume),
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
