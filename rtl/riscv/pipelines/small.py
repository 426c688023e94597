"""The small pipeline: three stages for RV32IMC and its kin."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import connect, flipped

from rtl.riscv.pipelines.small_execute import Execute
from rtl.riscv.pipelines.small_memory import LoadAlign, store_lanes
from rtl.riscv.pipelines.small_report import Report
from rtl.riscv.pipelines.small_state import Phase
from rtl.riscv.pipelines.small_traps import Traps
from rtl.riscv.system.pmp import PmpAccess, PmpChecker
from rtl.riscv.system.triggers import TriggerChecker

__all__ = ["SmallPipeline"]


class SmallPipeline(Execute, Traps, Report):
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

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        self._make(m)
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
        if self._config.rvfi:
            self._trace(m)
        return m

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

    def _writeback(self, m: Module) -> None:
        """Write the register, and choose what the result register takes."""
        config, control, w = self._config, self._control, self._w
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
