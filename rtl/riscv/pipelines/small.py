"""The small pipeline: three stages for RV32IMC and its kin."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import Rvfi, StallReason, core_signature
from rtl.riscv.isa import Cause, DebugCause
from rtl.riscv.pipelines.small_fetch import Fetch, Parcel
from rtl.riscv.pipelines.small_memory import LoadAlign, store_lanes
from rtl.riscv.pipelines.small_trace import Trace
from rtl.riscv.system.pmp import PmpAccess, PmpChecker
from rtl.riscv.system.triggers import TriggerChecker
from rtl.riscv.system.unit import SystemUnit
from rtl.riscv.units.alu import Alu
from rtl.riscv.units.decoder import Decoder
from rtl.riscv.units.divider import Divider
from rtl.riscv.units.multiplier import IterativeMultiplier, Multiplier
from rtl.riscv.units.registers import MemoryRegisterFile, RegisterFile
from rtl.riscv.units.shifter import SerialShifter

__all__ = ["SmallPipeline"]

_MULTIPLIER_BITS = {"serial": 2, "fast": 16}


class Phase(enum.Enum, shape=unsigned(2)):
    """Where the instruction in the execute stage is."""

    EXECUTE = 0
    ACCESS = 1  #: its address is registered, and checked
    TRAP = 2  #: it, or the one before it, enters a trap handler or debug mode
    REDIRECT = 3  #: what follows it comes from the address in the result register


class TrapValue(enum.Enum, shape=unsigned(3)):
    """What ``mtval`` becomes."""

    ZERO = 0
    RESULT = 1  #: the result register: an address
    TARGET = 2  #: ``pc`` plus the immediate
    INSTRUCTION = 3
    PC = 4


class Pending(data.Struct):
    """A trap, between the cycle that finds it and the one that takes it.

    ``debug`` enters debug mode instead, for the reason in ``cause``.
    """

    interrupt: 1
    debug: 1
    cause: 5
    value: TrapValue


class Retiring(data.Struct):
    """An instruction in the writeback stage.

    ``memory`` waits for a response; ``multiply`` takes the multiplier's
    result; ``counts`` in ``minstret``; the rest as in the instruction.
    """

    valid: 1
    writes: 1
    rd: 5
    memory: 1
    load: 1
    multiply: 1
    counts: 1
    funct3: 3
    pc: 31


class SmallPipeline(wiring.Component):
    """Fetch and expand; decode, read and execute; write back.

    docs/riscv/small.md has the drawing and the timing of each instruction.

    Parameters
    ----------
    config
        The core.

    Members
    -------
    See :func:`rtl.riscv.interfaces.core_signature`.

    Timing
    ------
    With memories that grant at once and answer in the next cycle: 1 cycle;
    1 more for a taken branch or ``jal``, 2 more for ``jalr``; 1 more when an
    instruction uses the result of the load or multiplication right before it.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(core_signature(config))

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        config = self._config
        m.submodules.system = self._system = SystemUnit(config)
        m.submodules.fetch = self._fetch = Fetch(config)
        m.submodules.decoder = self._decoder = Decoder(config)
        m.submodules.alu = self._alu = Alu(config, shifter=config.shifter == "barrel")
        self._x = Signal(Parcel, reset_less=True)
        self._x_valid = Signal()
        self._x_first = Signal()  # it is here since this cycle
        self._phase = Signal(Phase)
        self._w = Signal(Retiring)
        self._result = Signal(32, reset_less=True)
        self._pending = Signal(Pending, reset_less=True)
        self._control = self._decoder.control
        self._fire = Signal()  # the instruction leaves the execute stage
        self._redirect = Signal()
        self._found = Signal()  # a trap, to be taken
        self._stops = Signal()  # one, which waits for the instruction before
        self._w_done = Signal()  # the writeback stage lets go of its instruction
        self._error = Signal()  # the bus failed what is in the writeback stage
        self._resume, self._inject = Signal(), Signal()
        self._trapped = Signal()  # the instruction in the redirect phase
        self._checked = bool(config.pmp_regions or config.triggers)
        self._connect_system(m)
        self._connect_fetch(m)
        self._interruptions(m)
        self._operands(m)
        self._long_operations(m)
        self._custom(m)
        self._memory(m)
        self._flow(m)
        self._traps(m)
        self._special(m)
        self._writeback(m)
        self._advance(m)
        self._debug(m)
        self._stalls(m)
        if config.rvfi:
            self._trace(m)
        return m

    # What several parts ask for.

    def _in(self, phase: Phase) -> Value:
        return self._x_valid & (self._phase == phase)

    @property
    def _funct3(self) -> Value:
        return self._x.instruction[12:15]

    @property
    def _next_pc(self) -> Value:
        """The address after the instruction in the execute stage: nothing was redirected since."""
        return Cat(Const(0, 1), self._fetch.parcel.pc)

    @property
    def _debug_mode(self) -> Value:
        return self._system.port.debug_mode

    @property
    def _arriving(self) -> Value:
        """The instruction that will be in the execute stage in the next cycle."""
        arriving = Mux(self._fetch.take, self._fetch.parcel.instruction, self._x.instruction)
        if self._config.debug != "none":
            arriving = Mux(self._inject, self.debug.instruction, arriving)
        return arriving

    def _connect_system(self, m: Module) -> None:
        config, system, port = self._config, self._system, self._system.port
        connect(m, flipped(self.interrupts), system.interrupts)
        if config.zicntr:
            m.d.comb += system.time.eq(self.time)
        operand = Mux(self._x.instruction[14], self._control.immediate, self._alu.a)
        m.d.comb += [
            port.csr_address.eq(self._x.instruction[20:]),
            port.csr_operation.eq(self._x.instruction[12:14]),
            port.csr_write.eq(self._control.csr_write),
            port.csr_operand.eq(operand),
        ]

    def _connect_fetch(self, m: Module) -> None:
        config, fetch = self._config, self._fetch
        connect(m, flipped(self.ibus), fetch.ibus)
        if config.pmp_regions:
            m.d.comb += [fetch.pmp.eq(self._system.pmp), fetch.mode.eq(self._system.port.mode)]

    def _operands(self, m: Module) -> None:
        """Read registers, with what is about to be written to them."""
        config, x, w, control = self._config, self._x, self._w, self._control
        # A memory is read while the instruction arrives, and again while it waits.
        kind = MemoryRegisterFile if config.register_file == "memory" else RegisterFile
        m.submodules.registers = self._registers = registers = kind(registers=config.registers)
        asking = self._arriving if config.register_file == "memory" else x.instruction
        late = w.memory | w.multiply
        values, hazards = [], []
        for port, (low, reads) in enumerate(((15, control.reads_rs1), (20, control.reads_rs2))):
            number = x.instruction[low : low + 5]
            same = Signal(name=f"same_{port}")
            value = Signal(32, name=f"rs{port + 1}")
            m.d.comb += [
                same.eq(w.writes & (w.rd == number)),
                registers.read_number[port].eq(asking[low : low + 5]),
                value.eq(Mux(same, self._result, registers.read_data[port])),
            ]
            values.append(value)
            hazards.append(same & late & reads)
        self._rs1, self._rs2 = values
        self._hazard = Signal()
        pc = Cat(Const(0, 1), x.pc)
        alu = self._alu
        m.d.comb += [
            self._decoder.instruction.eq(x.instruction),
            self._hazard.eq(hazards[0] | hazards[1]),
            alu.control.eq(control.alu),
            alu.a.eq(Mux(control.a_pc, pc, self._rs1) & (~control.a_zero).replicate(32)),
            alu.b.eq(Mux(control.b_immediate, control.immediate, self._rs2)),
        ]
        self._target = Signal(32)
        m.d.comb += self._target.eq(pc + control.immediate)

    def _long_operations(self, m: Module) -> None:
        """Multiply, divide, and shift in steps; `_waits` while they are not done."""
        config, control = self._config, self._control
        self._started = Signal()
        starts = Signal()
        m.d.comb += starts.eq(
            self._in(Phase.EXECUTE) & ~self._hazard & ~self._started & ~self._stops & self._w_done
        )
        waits: list[Value] = []
        self._slow_result: Value = Const(0, 32)
        self._busy_unit: list[tuple[Value, StallReason]] = []

        def connect_unit(unit: wiring.Component, wanted: Value, done: Value, reason: StallReason) -> None:
            finished = Signal(name=f"{reason.name.lower()}_finished")
            begin = Signal(name=f"{reason.name.lower()}_begin")
            m.d.comb += begin.eq(starts & wanted & ~unit.busy)
            m.d.comb += [unit.start.eq(begin)]
            ready = self._started & (done | finished)
            m.d.sync += finished.eq(wanted & ready & ~self._fire)
            with m.If(self._fire | self._error):
                m.d.sync += self._started.eq(0)
            with m.Elif(begin):
                m.d.sync += self._started.eq(1)
            waits.append(wanted & ~ready)
            self._busy_unit.append((wanted, reason))

        if config.m:
            multiplier = self._add_multiplier(m, connect_unit)
            self._product = multiplier.result
            m.submodules.divider = divider = Divider(early_out=config.divider == "early_out")
            connect_unit(divider, control.divide, divider.done, StallReason.DIVIDE)
            m.d.comb += [
                divider.operation.eq(self._funct3[:2]),
                divider.a.eq(self._rs1),
                divider.b.eq(self._rs2),
            ]
            self._slow_result |= divider.result & control.divide.replicate(32)
        if config.shifter == "serial":
            m.submodules.shifter = shifter = SerialShifter()
            connect_unit(shifter, control.alu.shift, ~shifter.busy, StallReason.EXECUTE)
            m.d.comb += [
                shifter.control.eq(control.alu.shift_control),
                shifter.value.eq(self._alu.a),
                shifter.amount.eq(self._alu.b[:5]),
            ]
            self._slow_result |= shifter.result & control.alu.shift.replicate(32)
        self._waits = Cat(*waits).any() if waits else Const(0, 1)

    def _add_multiplier(self, m: Module, connect_unit: object) -> wiring.Component:
        config, control = self._config, self._control
        if config.multiplier == "single":
            m.submodules.multiplier = multiplier = Multiplier(registered=True)
            m.d.comb += multiplier.enable.eq(self._fire & control.multiply)
        else:
            bits = _MULTIPLIER_BITS[config.multiplier]
            m.submodules.multiplier = multiplier = IterativeMultiplier(bits=bits)
            connect_unit(multiplier, control.multiply, multiplier.done, StallReason.MULTIPLY)
        m.d.comb += [
            multiplier.operation.eq(self._funct3[:2]),
            multiplier.a.eq(self._rs1),
            multiplier.b.eq(self._rs2),
        ]
        return multiplier

    def _custom(self, m: Module) -> None:
        """Offer custom instructions when nothing is before them; `_custom_waits` for the answer."""
        self._custom_waits: Value = Const(0, 1)
        self._custom_error: Value = Const(0, 1)
        if self._config.custom == "none":
            return
        custom, accepted = self.custom, Signal()
        here = self._in(Phase.EXECUTE) & self._control.custom & ~self._w.valid & ~self._before
        m.d.comb += [
            custom.request_valid.eq(here & ~accepted),
            custom.instruction.eq(self._x.instruction),
            custom.rs1.eq(self._rs1),
            custom.rs2.eq(self._rs2),
        ]
        answered = here & custom.response_valid
        with m.If(answered):
            m.d.sync += accepted.eq(0)
        with m.Elif(custom.request_valid & custom.request_ready):
            m.d.sync += accepted.eq(1)
        self._custom_waits = self._control.custom & ~answered
        self._custom_error = answered & custom.response_error
        self._slow_result |= custom.response_data & self._control.custom.replicate(32)

    @property
    def _before(self) -> Value:
        """What stops an instruction before it does anything; known early in its first cycle."""
        trigger = self._before_trigger
        return self._interrupted | self._x.fault | trigger["debug"] | trigger["exception"]

    def _memory(self, m: Module) -> None:
        """Request loads and stores, and say whether the writeback stage lets go of its instruction."""
        control, x, w, bus = self._control, self._x, self._w, self.dbus
        m.d.comb += [
            self._error.eq(w.memory & bus.response & bus.error),
            self._w_done.eq(~w.memory | (bus.response & ~bus.error)),
        ]
        access = (control.load | control.store) & ~x.fault
        address, at = Signal(32), Phase.EXECUTE
        m.d.comb += address.eq(self._alu.sum)
        size = self._funct3
        self._misaligned = access & ((size[0] & self._alu.sum[0]) | (size[1] & self._alu.sum[:2].any()))
        self._denied: Value = Const(0, 1)
        self._access_trigger: dict[str, Value] = {"debug": Const(0, 1), "exception": Const(0, 1)}
        if self._checked:
            at = Phase.ACCESS
            m.d.comb += address.eq(self._result)
            self._check_access(m, access)
        refused = self._denied | self._access_trigger["debug"] | self._access_trigger["exception"]
        if not self._checked:
            refused = self._misaligned | self._before | control.illegal
        strobe, lanes = store_lanes(size, address[:2], self._rs2)
        self._offers = Signal()
        m.d.comb += [
            self._offers.eq(self._in(at) & access & ~refused & ~self._hazard),
            bus.request.eq(self._offers & self._w_done),
            bus.address.eq(Cat(Const(0, 2), address[2:])),
            bus.write.eq(control.store),
            bus.strobe.eq(strobe),
            bus.write_data.eq(lanes),
        ]
        self._access = access
        self._strobe = strobe

    def _check_access(self, m: Module, access: Value) -> None:
        config, control, system = self._config, self._control, self._system
        if config.pmp_regions:
            m.submodules.protection = checker = PmpChecker(config)
            m.d.comb += [
                checker.state.eq(system.pmp),
                checker.mode.eq(system.port.data_mode),
                checker.access.eq(Mux(control.store, PmpAccess.WRITE, PmpAccess.READ)),
                checker.address.eq(self._result),
            ]
            self._denied = self._in(Phase.ACCESS) & ~checker.allowed
        if config.triggers:
            m.submodules.watch = watch = TriggerChecker(config)
            there = self._in(Phase.ACCESS)
            m.d.comb += [
                watch.state.eq(system.triggers),
                watch.address.eq(self._result),
                watch.load.eq(control.load & access & there),
                watch.store.eq(control.store & access & there),
            ]
            self._access_trigger = {"debug": watch.debug, "exception": watch.exception}

    def _flow(self, m: Module) -> None:
        """Decide branches, and where to go on."""
        control, alu, fetch = self._control, self._alu, self._fetch
        condition = self._funct3[0] ^ Mux(self._funct3[2], alu.less, alu.equal)
        taken = Signal()
        m.d.comb += taken.eq(control.jump | (control.branch & condition))
        # The target is used without a word from the data bus: should what is before fail, its trap
        # redirects again.
        go = (
            self._in(Phase.EXECUTE)
            & taken
            & ~self._hazard
            & ~self._before
            & ~control.illegal
            & ~(control.jump & self._w.memory)
        )
        again = self._in(Phase.REDIRECT)
        self._target_misaligned: Value = Const(0, 1)
        self._jump_misaligned: Value = Const(0, 1)
        if not self._config.c:
            self._target_misaligned = taken & self._target[1]
            self._jump_misaligned = again & control.jump_register & self._result[1] & ~self._trapped
            go &= ~self._target[1]
            again &= ~self._jump_misaligned
        target = Mux(self._phase == Phase.REDIRECT, self._result[1:], self._target[1:])
        self._flush_ready: Value = Const(1, 1)
        if self._config.pmp_regions:
            # What was fetched was checked before the regions changed.
            self._flush_ready = fetch.redirect_ready
            flush = self._system.port.csr_commit & control.csr_write
            target = Mux(flush, self._next_pc[1:], target)
        else:
            flush = Const(0, 1)
        m.d.comb += [
            self._redirect.eq(((go | again) & fetch.redirect_ready) | flush),
            fetch.redirect.eq(self._redirect),
            fetch.target.eq(target),
        ]
        self._taken = taken

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
        config, control, port, x = self._config, self._control, self._system.port, self._x
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
        del config

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

    def _writeback(self, m: Module) -> None:
        """Write the register, and choose what the result register takes."""
        config, control, w, x = self._config, self._control, self._w, self._x
        port, alu = self._system.port, self._alu
        m.submodules.align = align = LoadAlign()
        value = Signal(32)
        m.d.comb += [
            align.word.eq(self.dbus.read_data),
            align.offset.eq(self._result[:2]),
            align.funct3.eq(w.funct3),
            value.eq(Mux(w.load, align.value, self._result)),
        ]
        if config.m:
            with m.If(w.multiply):
                m.d.comb += value.eq(self._product)
        self._written = value
        self._registers_write(m, value)

        redirecting = self._in(Phase.REDIRECT)
        trapping = self._in(Phase.TRAP)
        link = control.jump | (control.jump_register & redirecting)
        outcome = alu.result
        if not config.c:  # a misaligned target is seen in mtval; its bit 0 is clear
            outcome = Cat(alu.result[0] & ~control.jump_register, alu.result[1:])
        from_alu = ~(link | trapping | self._resume)
        choices = [
            (from_alu, outcome),
            ((link | control.fence_i) & ~trapping & ~self._resume, self._next_pc),
            (control.csr & ~trapping & ~self._resume, port.csr_read),
            (trapping, port.trap_target),
            (control.mret & ~trapping & ~self._resume, port.mret_target),
        ]
        if config.debug != "none":
            choices.append(((control.dret & ~trapping) | self._resume, port.dret_target))
        result = self._slow_result & (~(trapping | self._resume)).replicate(32)
        for select, choice in choices:
            result |= choice & select.replicate(32)
        with m.If(self._w_done & ~(redirecting & ~self._redirect)):
            m.d.sync += self._result.eq(result)
        del x

    def _registers_write(self, m: Module, value: Value) -> None:
        registers, w = self._registers, self._w
        m.d.comb += [
            registers.write_enable.eq(w.writes & self._w_done),
            registers.write_number[0].eq(w.rd),
            registers.write_data[0].eq(value),
        ]

    def _advance(self, m: Module) -> None:
        """Move instructions on."""
        control, x, w, fetch, port = self._control, self._x, self._w, self._fetch, self._system.port
        executing = self._in(Phase.EXECUTE) & ~self._hazard & ~self._stops & self._w_done
        far = control.jump_register | control.mret | control.dret | control.fence_i
        waits = (
            self._waits
            | self._custom_waits
            | self._special_waits
            | far
            | (self._taken & ~self._redirect)
            | (self._access & (~self.dbus.grant if not self._checked else Const(1, 1)))
        )
        fire = executing & ~waits
        if self._checked:
            fire |= self._offers & self.dbus.grant & self._w_done
        trapped = self._trapped
        fire |= self._in(Phase.REDIRECT) & self._redirect & ~trapped
        m.d.comb += self._fire.eq(fire)

        entering = self._in(Phase.TRAP)
        with m.If(executing & far & ~self._special_waits):
            m.d.sync += [self._phase.eq(Phase.REDIRECT), trapped.eq(0)]
        if self._checked:
            with m.If(executing & self._access):
                m.d.sync += self._phase.eq(Phase.ACCESS)
        leaves = self._fire | (self._in(Phase.REDIRECT) & self._redirect)
        ready = ~self._x_valid | leaves
        take = ready & fetch.valid & ~self._redirect & ~port.debug_mode
        m.d.comb += fetch.take.eq(take)
        m.d.sync += self._x_first.eq(take | (self._x_first & ~self._w_done))
        with m.If(leaves):
            m.d.sync += [self._x_valid.eq(0), self._phase.eq(Phase.EXECUTE)]
        with m.If(take):
            m.d.sync += [x.eq(fetch.parcel), self._x_valid.eq(1)]
        with m.If(self._found):
            m.d.sync += self._phase.eq(Phase.TRAP)
        with m.If(entering):
            m.d.sync += [self._phase.eq(Phase.REDIRECT), trapped.eq(1)]
            with m.If(port.debug_mode | self._pending.debug):
                m.d.sync += [self._x_valid.eq(0), self._phase.eq(Phase.EXECUTE)]
        with m.If(self._w_done):
            m.d.sync += [
                w.valid.eq(self._fire),
                w.writes.eq(self._fire & control.writes_rd),
                w.rd.eq(x.instruction[7:12]),
                w.memory.eq(self._fire & self._access),
                w.load.eq(control.load),
                w.multiply.eq(self._fire & control.multiply),
                w.counts.eq(~control.csr & ~port.debug_mode),
                w.funct3.eq(self._funct3),
                w.pc.eq(x.pc),
            ]
        with m.If(self._error):
            # The failed access takes the execute stage, to trap from there.
            m.d.sync += [
                w.valid.eq(0),
                w.writes.eq(0),
                w.memory.eq(0),
                w.multiply.eq(0),
                x.pc.eq(w.pc),
                self._x_valid.eq(1),
                self._x_first.eq(0),
                self._phase.eq(Phase.TRAP),
            ]
        m.d.comb += [
            port.retired.eq((w.valid & self._w_done & w.counts) | (port.csr_commit & ~port.debug_mode)),
            self.sleeping.eq(self._in(Phase.EXECUTE) & self._sleeps & ~w.valid & fetch.idle),
        ]

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
