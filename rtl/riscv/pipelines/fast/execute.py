"""Execute: computes, resolves branches, takes traps. Here instructions become final."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.interfaces import CustomUnit, StallReason, SystemPort
from rtl.riscv.isa import Cause, DebugCause, Mode
from rtl.riscv.pipelines.fast.access import Forwarded, access_layout
from rtl.riscv.pipelines.fast.alu import ChainedAlu, logic
from rtl.riscv.pipelines.fast.arithmetic import LongUnit, Multiplier
from rtl.riscv.pipelines.fast.operation import Atomic, Special, pair_layout
from rtl.riscv.pipelines.fast.predictor import BranchKind, PredictorUpdate
from rtl.riscv.units.alu import Alu

__all__ = ["Execute", "retired_layout"]

_NEAR = 18  # low bits of an address that the predictor needs exactly


def retired_layout(config: CoreConfig) -> data.StructLayout:
    """Return the layout of what RVFI needs to know of a cycle in execution."""
    slots = config.issue_width
    return data.StructLayout(
        {
            "valid": unsigned(slots),
            "trap": unsigned(1),
            "interrupt": unsigned(1),
            "next_pc": data.ArrayLayout(unsigned(31), slots),
            "pc": data.ArrayLayout(unsigned(31), slots),
            "memory": unsigned(slots),
            "read_data": unsigned(32),
            "writes": unsigned(slots),
            "write_data": unsigned(32),
            "stall": StallReason,
        }
    )


class Execute(wiring.Component):
    """The stage in which an instruction is certain to be executed, or not.

    Everything before it may be forgotten; everything that leaves it is
    final. It therefore holds the only places where registers of the system
    unit change, and redirects fetch.

    Parameters
    ----------
    config
        The core's configuration.

    Members
    -------
    pair, added, take : In(pair_layout), In(access_layout), In(1)
        From the stage before, and whether it advances.
    next_pc : In(31)
        Where the instruction after these is; holds when they are predicted taken.
    free : Out(1)
        What is here leaves now, or there is nothing.
    flush, target : Out(1), Out(31)
        Fetch begins again at the halfword address `target`.
    response, read_data, error : In(1), In(32), In(1)
        The data bus.
    system : Out(SystemPort)
        The system unit.
    results, final : Out(Forwarded) for each slot
        Results of this stage, and of write-back.
    update : Out(PredictorUpdate)
        For the predictor, a cycle later.
    sleeping, busy : Out(1)
        WFI waits here; there is anything here.
    halt, halt_cause : In(1), In(3)
        The debugger wants the core, and why.
    stepped, debug_done, debug_error : Out(1)
        An instruction is final, outside debug mode; in it; and that one failed.
    fence_i : Out(1)
        A FENCE.I, the cycle before it is final.
    custom : Out(CustomUnit)
        The extension interface.
    reserved, reserved_address : Out(1), Out(32)
        What LR has reserved.
    bus_request, bus_grant, bus_data : Out(1), In(1), Out(32)
        The second access of an atomic instruction, a write to
        ``values.address``.
    held, values : Out(pair_layout), Out(access_layout)
        What is here.
    retired : Out(retired_layout)
        For RVFI.

    Timing
    ------
    One cycle for most; loads and stores until the response. Products pass
    in one cycle and are added up in write-back.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        self._slots = config.issue_width
        self._pipelined = config.multiplier == "pipelined"
        self._layout = pair_layout(config)
        super().__init__(
            {
                "pair": In(self._layout),
                "added": In(access_layout(config)),
                "take": In(1),
                "next_pc": In(31),
                "free": Out(1),
                "flush": Out(1),
                "target": Out(31),
                "response": In(1),
                "read_data": In(32),
                "error": In(1),
                "system": Out(SystemPort()),
                "results": Out(Forwarded()).array(self._slots),
                "final": Out(Forwarded()).array(self._slots),
                "update": Out(PredictorUpdate()),
                "sleeping": Out(1),
                "busy": Out(1),
                "halt": In(1),
                "halt_cause": In(3),
                "stepped": Out(1),
                "debug_done": Out(1),
                "debug_error": Out(1),
                "fence_i": Out(1),
                "custom": Out(CustomUnit()),
                "reserved": Out(1),
                "reserved_address": Out(32),
                "bus_request": Out(1),
                "bus_grant": In(1),
                "bus_data": Out(32),
                "held": Out(self._layout),
                "values": Out(access_layout(config)),
                "retired": Out(retired_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        slots = self._slots
        self._pair = pair = Signal(self._layout, reset_less=True)
        self._added = added = Signal(access_layout(self._config), reset_less=True)
        self._valid = valid = Signal(slots)
        self._jump_fault = Signal()
        self._operations = [pair.operations[i] for i in range(slots)]
        m.d.comb += [self.held.eq(pair), self.held.valid.eq(valid), self.values.eq(added)]
        self._phase, self._modifies = Signal(2), Signal()  # of an atomic instruction
        memory, fault, faulty_slot = self._memory(m)
        conditions = self._compute(m)
        flow, redirect, void = self._flow(m, conditions)
        special = self._special(m)
        watched = self._watch(m)
        if not self._config.c:
            m.d.comb += self._jump_fault.eq(self._taken & added.target[0])
            fault |= self._jump_fault
            faulty_slot = Mux(self._jump_fault, self._flow_slot, faulty_slot)
        # A trap is alone in its cycle: what is older in the pair goes first.
        peel = Signal()
        if slots == 2:
            m.d.comb += peel.eq(fault & faulty_slot & valid[0])
        trap = Signal()
        m.d.comb += trap.eq(special.trap | special.enters | watched | (fault & ~peel))
        waits = memory | special.waits
        done = Signal()
        m.d.comb += [
            done.eq(valid.any() & ~waits & ~peel),
            self.free.eq(~valid.any() | done),
            self.busy.eq(valid.any()),
            self.flush.eq(done & (trap | special.flush | redirect)),
        ]
        with m.If(self.free):
            # Only `valid` has to know of a flush, which comes late.
            takes = self.take & ~self.flush
            m.d.sync += [
                pair.eq(self.pair),
                added.eq(self.added),
                valid.eq(self.pair.valid & takes.replicate(slots)),
            ]
        with m.Elif(peel):
            m.d.sync += valid[0].eq(0)
        if self._config.a:
            self._atomic(m, done=done & ~trap)
        self._target(m, trap=trap, special=special)
        commit = self._commit(m, done=done, trap=trap, peel=peel, redirect=redirect, special=special)
        self._write_back(m, commit)
        self._traps(m, done=done, trap=trap, fault=fault, faulty_slot=faulty_slot, special=special)
        self._predictor(m, done=done & ~trap, flow=flow, redirect=redirect, void=void)
        if self._config.rvfi:
            if slots == 2:
                for name, chained in zip(("rs1", "rs2"), pair.chain, strict=True):
                    with m.If(valid[0] & chained):
                        m.d.comb += self.values[name][1].eq(self.results[0].value)
            self._report(m, commit, done=done, trap=trap, redirect=redirect, waits_memory=memory)
        return m

    def _memory(self, m: Module) -> tuple[Value, Value, Value]:
        """Return: waits for the bus; a load or store or jump faults; in which slot."""
        valid, operations, added = self._valid, self._operations, self._added
        used = [valid[i] & (x.load | x.store) for i, x in enumerate(operations)]
        self._uses_memory = used
        failed, needs = Signal(), Signal()
        fault = added.misaligned | added.denied | failed
        access = Cat(used).any()
        done = self.response & ~self.error
        stopped = added.breaks | added.halts if self._config.triggers else Const(0, 1)
        if self._config.a:
            stopped |= added.fails
            done &= ~self._modifies | (self._phase == 2)
        m.d.comb += needs.eq(access & ~fault & ~stopped)
        with m.If(self.free):
            m.d.sync += failed.eq(0)
        with m.Elif(needs & self.response & self.error):
            m.d.sync += failed.eq(1)
        waits = Signal()
        m.d.comb += waits.eq(needs & ~done)
        self._bus_error = failed
        return waits, access & fault, used[-1]

    def _watch(self, m: Module) -> Value:
        """Return whether a trigger fires."""
        if not self._config.triggers:
            return Const(0, 1)
        return self._valid[0] & (self._added.breaks | self._added.halts)

    def _atomic(self, m: Module, *, done: Value) -> None:
        """Read, compute, write: the second access is made from here."""
        operation, added, phase, alu = self._operations[0], self._added, self._phase, self._alu
        code, port = operation.atomic, self.results[0]
        here = self._valid[0] & (operation.special == Special.ATOMIC)
        new = Signal(32)
        with m.If(code == Atomic.SWAP):
            m.d.comb += new.eq(added.b[0])
        with m.Elif(code[4]):
            m.d.comb += new.eq(Mux(alu.less ^ code[2], added.a[0], added.b[0]))
        with m.Else():
            m.d.comb += new.eq(alu.result)
        m.d.comb += [
            self._modifies.eq(here & operation.load & (code != Atomic.LR)),
            self.bus_request.eq(phase == 1),
            self.bus_data.eq(new),
        ]
        # The old value takes the place of the first operand.
        with m.If(self._modifies & (phase == 0) & self.response & ~self.error):
            m.d.sync += [added.a[0].eq(self.read_data), phase.eq(1)]
        with m.If((phase == 1) & self.bus_grant):
            m.d.sync += phase.eq(2)
        with m.If(self.free):
            m.d.sync += phase.eq(0)
        with m.If(here & operation.store):
            m.d.comb += port.value.eq(added.fails)
        with m.Elif(self._modifies):
            m.d.comb += port.value.eq(added.a[0])
        with m.If(done & here & ~self._modifies):
            m.d.sync += self.reserved.eq(operation.load)
            with m.If(operation.load):
                m.d.sync += self.reserved_address.eq(added.address)

    def _compute(self, m: Module) -> list[Signal]:
        """Drive the results; return each slot's branch condition."""
        config, added = self._config, self._added
        conditions = []
        shifted, loaded = Signal(32), Signal(32)
        memory_function = self._operations[0].function
        if self._slots == 2:
            memory_function = Mux(self._uses_memory[1], self._operations[1].function, memory_function)
        m.d.comb += shifted.eq(self.read_data >> Cat(Const(0, 3), added.address[:2]))
        with m.If(memory_function[1]):
            m.d.comb += loaded.eq(shifted)
        with m.Elif(memory_function[0]):
            sign = shifted[15] & ~memory_function[2]
            m.d.comb += loaded.eq(Cat(shifted[:16], sign.replicate(16)))
        with m.Else():
            sign = shifted[7] & ~memory_function[2]
            m.d.comb += loaded.eq(Cat(shifted[:8], sign.replicate(24)))
        chainable = Signal(32)
        for slot, operation in enumerate(self._operations):
            alu = ChainedAlu(config) if slot else Alu(config)
            m.submodules[f"alu_{slot}"] = alu
            if slot:
                first = self._operations[0].alu
                m.d.comb += [
                    alu.chain_a.eq(self._pair.chain[0]),
                    alu.chain_b.eq(self._pair.chain[1]),
                    alu.quick.eq(logic(config, first, added.a[0], added.b[0])),
                    alu.whole.eq(chainable),
                ]
            condition = Signal(name=f"condition_{slot}")
            m.d.comb += [
                alu.control.eq(operation.alu),
                alu.a.eq(added.a[slot]),
                alu.b.eq(added.b[slot]),
                condition.eq(Mux(operation.function[2], alu.less, alu.equal) ^ operation.function[0]),
            ]
            conditions.append(condition)
            if not slot:
                self._alu = alu
                m.d.comb += chainable.eq(alu.result)
            port = self.results[slot]
            m.d.comb += [
                port.writes.eq(self._valid[slot] & operation.writes),
                port.rd.eq(operation.rd),
                port.late.eq(operation.multiply),
                port.load.eq(operation.load),
                port.value.eq(Mux(operation.load, loaded, alu.result)),
            ]
        self._long_operations(m)
        return conditions

    def _long_operations(self, m: Module) -> None:
        """Drive the unit that takes several cycles, for which slot 0 waits."""
        self._long_waits: Value = Const(0, 1)
        if not self._config.m:
            return
        operation, port = self._operations[0], self.results[0]
        m.submodules.long_unit = unit = LongUnit(early_out=self._config.divider == "early_out")
        here, started = self._valid[0] & operation.long, Signal()
        self._long_waits = here & (~started | unit.busy)
        m.d.sync += started.eq(self._long_waits)
        m.d.comb += [
            unit.start.eq(here & ~started),
            unit.function.eq(operation.function),
            unit.a.eq(self._added.a[0]),
            unit.b.eq(self._added.b[0]),
        ]
        with m.If(operation.long):
            m.d.comb += port.value.eq(unit.result)

    def _flow(self, m: Module, conditions: list[Signal]) -> tuple[Value, Value, Value]:
        """Return: a branch or jump is here; fetch went elsewhere; a prediction was void."""
        operations, valid, pair = self._operations, self._valid, self._pair
        flows = [valid[i] & (x.branch | x.jump) for i, x in enumerate(operations)]
        takes = [valid[i] & (x.jump | (x.branch & conditions[i])) for i, x in enumerate(operations)]
        self._flow_slot = flows[-1] if self._slots == 2 else Const(0, 1)
        flow, taken, redirect, void = Signal(), Signal(), Signal(), Signal()
        wrong = Signal()
        m.d.comb += [
            flow.eq(Cat(flows).any()),
            taken.eq(Cat(takes).any()),
            # A single step holds back what comes next.
            wrong.eq((self._added.target != self.next_pc) | self.system.debug_step),
            void.eq(pair.predicted & ~flow),
            redirect.eq(Mux(taken, ~pair.predicted | wrong, pair.predicted)),
        ]
        self._taken = taken
        self._left = takes[0]  # by the first of two: the second is not executed
        return flow, redirect, void

    def _special(self, m: Module) -> "_Special":
        """Decide what the special instructions do."""
        system, operation, added = self.system, self._operations[0], self._added
        here = self._valid[0]
        kind = Signal(Special)
        m.d.comb += kind.eq(operation.special)
        is_ = {x: here & (kind == x) for x in Special}
        code = added.b[0]
        m.d.comb += [
            system.csr_address.eq(code[20:32]),
            system.csr_operation.eq(code[12:14]),
            system.csr_write.eq(operation.csr_write),
            system.csr_operand.eq(Mux(code[14], code[15:20], added.a[0])),
        ]
        illegal = (
            is_[Special.ILLEGAL]
            | (is_[Special.CSR] & system.csr_illegal)
            | (is_[Special.MRET] & system.mret_illegal)
            | (is_[Special.WFI] & system.wfi_illegal)
            | (is_[Special.DRET] & ~system.debug_mode)
        )
        custom_waits = self._custom(m, is_[Special.CUSTOM])
        if self._config.custom != "none":
            illegal |= is_[Special.CUSTOM] & self.custom.response_valid & self.custom.response_error
        breaks = is_[Special.EBREAK] & system.debug_ebreak & ~system.debug_mode
        interrupt = is_[Special.INTERRUPT] & system.interrupt
        trap = (
            illegal
            | interrupt
            | is_[Special.FETCH_FAULT]
            | is_[Special.FETCH_FAULT_SECOND]
            | is_[Special.ECALL]
            | (is_[Special.EBREAK] & ~breaks)
        )
        again = (
            is_[Special.REFETCH]
            | (is_[Special.INTERRUPT] & ~system.interrupt)
            | (is_[Special.HALT] & ~self.halt)
        )
        sleeps = is_[Special.WFI] & ~system.wfi_illegal & ~system.wake & ~self.halt
        settled = Signal()
        settles = (is_[Special.CSR] | is_[Special.FENCE_I]) & ~settled
        m.d.comb += self.fence_i.eq(is_[Special.FENCE_I] & ~settled)
        m.d.sync += settled.eq(settles)
        with m.If(is_[Special.CSR]):
            m.d.comb += self.results[0].value.eq(system.csr_read)
        m.d.comb += self.sleeping.eq(sleeps)
        return _Special(
            kind=is_,
            trap=trap,
            illegal=illegal,
            interrupt=interrupt,
            waits=sleeps | self._long_waits | settles | custom_waits,
            enters=breaks | (is_[Special.HALT] & self.halt),
            again=again,
            flush=again
            | is_[Special.MRET]
            | is_[Special.DRET]
            | is_[Special.WFI]
            | is_[Special.FENCE_I]
            | (is_[Special.CSR] & operation.csr_write),
            silent=is_[Special.REFETCH] | is_[Special.INTERRUPT] | is_[Special.HALT] | is_[Special.DRET],
        )

    def _custom(self, m: Module, here: Value) -> Value:
        """Offer an instruction to the extension interface; return whether it is waited for."""
        if self._config.custom == "none":
            return Const(0, 1)
        custom, accepted = self.custom, Signal()
        answered = here & custom.response_valid
        m.d.comb += [
            custom.request_valid.eq(here & ~accepted),
            custom.instruction.eq(self._added.b[0]),
            custom.rs1.eq(self._added.a[0]),
            custom.rs2.eq(self._added.other),
        ]
        with m.If(answered):
            m.d.sync += accepted.eq(0)
        with m.Elif(custom.request_valid & custom.request_ready):
            m.d.sync += accepted.eq(1)
        with m.If(here):
            m.d.comb += self.results[0].value.eq(custom.response_data)
        return here & ~answered

    def _target(self, m: Module, *, trap: Value, special: "_Special") -> None:
        """Choose where fetch begins again."""
        pair, added = self._pair, self._added
        m.d.comb += self.target.eq(Mux(self._taken, added.target, added.following))
        with m.If(trap):
            m.d.comb += self.target.eq(self.system.trap_target[1:])
        with m.Elif(special.kind[Special.MRET]):
            m.d.comb += self.target.eq(self.system.mret_target[1:])
        if self._config.debug != "none":
            with m.Elif(special.kind[Special.DRET]):
                m.d.comb += self.target.eq(self.system.dret_target[1:])
        with m.Elif(special.again):
            m.d.comb += self.target.eq(pair.pc)

    def _commit(
        self, m: Module, *, done: Value, trap: Value, peel: Value, redirect: Value, special: "_Special"
    ) -> Signal:
        """Return which slots become final in this cycle."""
        commit, system = Signal(self._slots), self.system
        valid = self._valid
        m.d.comb += commit[0].eq(valid[0] & ((done & ~trap & ~special.silent) | peel))
        if self._slots == 2:
            m.d.comb += commit[1].eq(valid[1] & done & ~trap & ~self._left)
        final = done & ~trap
        counted = Signal(2)
        with m.If(system.csr_commit):
            m.d.sync += counted.eq(0)
        with m.Else():
            m.d.sync += counted.eq(sum((commit[i] for i in range(1, self._slots)), commit[0]))
        m.d.comb += [
            # A CSR instruction, which may read or write the count, waits until all before it count.
            system.retired.eq(Mux(system.csr_commit, 1, counted)),
            system.csr_commit.eq(final & special.kind[Special.CSR]),
            system.mret.eq(final & special.kind[Special.MRET]),
            system.dret.eq(final & special.kind[Special.DRET]),
        ]
        return commit

    def _write_back(self, m: Module, commit: Signal) -> None:
        """Register the results; add up the products."""
        product: Value = Const(0, 32)
        if self._pipelined:
            m.submodules.multiplier = multiplier = Multiplier()
            a, b = self._added.a[0], self._added.b[0]
            if self._slots == 2:
                second = self._operations[1].multiply & self._valid[1]
                a, b = Mux(second, self._added.a[1], a), Mux(second, self._added.b[1], b)
            m.d.comb += [multiplier.a.eq(a), multiplier.b.eq(b)]
            product = multiplier.result
        for slot, (port, final) in enumerate(zip(self.results, self.final, strict=True)):
            writes = Signal(name=f"final_writes_{slot}")
            late = Signal(name=f"final_late_{slot}")
            rd, value = Signal(5, name=f"final_rd_{slot}"), Signal(32, name=f"final_value_{slot}")
            m.d.sync += [
                writes.eq(commit[slot] & self._operations[slot].writes),
                rd.eq(port.rd),
                late.eq(port.late),
                value.eq(port.value),
            ]
            m.d.comb += [
                final.writes.eq(writes),
                final.rd.eq(rd),
                final.late.eq(late),
                final.value.eq(Mux(late, product, value)),
            ]

    def _traps(
        self,
        m: Module,
        *,
        done: Value,
        trap: Value,
        fault: Value,
        faulty_slot: Value,
        special: "_Special",
    ) -> None:
        """Tell the system unit of traps."""
        system, pair, added, kind = self.system, self._pair, self._added, special.kind
        pc = pair.pc
        if self._slots == 2:
            pc = Mux(fault & faulty_slot, pair.pc + 1 + pair.long[0], pc)
        address = Cat(Const(0, 1), pair.pc)
        store = self._operations[0].store
        if self._slots == 2:
            store = Mux(faulty_slot, self._operations[1].store, store)
        if self._config.a:
            store |= self._modifies
        entering = special.enters
        debug_cause = Mux(kind[Special.EBREAK], DebugCause.EBREAK, self.halt_cause)
        cause, value = Signal(5), Signal(32)
        if self._config.triggers:
            watched = self._valid[0] & (added.breaks | added.halts)
            entering |= watched & added.halts
            debug_cause = Mux(watched, DebugCause.TRIGGER, debug_cause)
            accesses = self._uses_memory[0]
            with m.If(watched):
                m.d.comb += [
                    cause.eq(Cause.BREAKPOINT),
                    value.eq(Mux(accesses & ~added.executes, added.address, address)),
                ]
        with m.If(watched if self._config.triggers else 0):
            pass
        with m.Elif(special.interrupt):
            m.d.comb += cause.eq(system.interrupt_cause)
        with m.Elif(special.illegal):
            m.d.comb += [cause.eq(Cause.ILLEGAL_INSTRUCTION), value.eq(added.b[0])]
        with m.Elif(kind[Special.FETCH_FAULT]):
            m.d.comb += [cause.eq(Cause.INSTRUCTION_FAULT), value.eq(address)]
        with m.Elif(kind[Special.FETCH_FAULT_SECOND]):
            m.d.comb += [cause.eq(Cause.INSTRUCTION_FAULT), value.eq(address + 2)]
        with m.Elif(kind[Special.ECALL]):
            user = system.mode == Mode.USER
            m.d.comb += cause.eq(Mux(user, Cause.ECALL_U, Cause.ECALL_M))
        with m.Elif(kind[Special.EBREAK]):
            m.d.comb += [cause.eq(Cause.BREAKPOINT), value.eq(address)]
        with m.Elif(self._jump_fault):
            m.d.comb += [cause.eq(Cause.INSTRUCTION_MISALIGNED), value.eq(Cat(Const(0, 1), added.target))]
        with m.Else():
            aligned = Mux(store, Cause.STORE_FAULT, Cause.LOAD_FAULT)
            misaligned = Mux(store, Cause.STORE_MISALIGNED, Cause.LOAD_MISALIGNED)
            m.d.comb += [cause.eq(Mux(added.misaligned, misaligned, aligned)), value.eq(added.address)]
        m.d.comb += [
            system.trap.eq(done & trap & ~entering & ~system.debug_mode),
            system.debug_enter.eq(done & entering & ~system.debug_mode),
            system.debug_cause.eq(debug_cause),
            system.debug_pc.eq(address),
            self.debug_done.eq(done & system.debug_mode & ~kind[Special.DRET]),
            self.debug_error.eq(trap),
            self.stepped.eq(done & ~system.debug_mode & ~special.again & ~entering),
            system.trap_interrupt.eq(special.interrupt),
            system.trap_cause.eq(cause),
            system.trap_pc.eq(Cat(Const(0, 1), pc)),
            system.trap_value.eq(value),
        ]

    def _predictor(self, m: Module, *, done: Value, flow: Value, redirect: Value, void: Value) -> None:
        """Tell the predictor what happened, a cycle later."""
        pair, added, update = self._pair, self._added, self.update
        refetch = self._valid[0] & (self._operations[0].special == Special.REFETCH)
        last = pair.pc[:_NEAR] + pair.long[0]
        operation, following = self._operations[0], added.following
        if self._slots == 2:
            operation = Mux(self._flow_slot, self._operations[1].as_value(), operation.as_value())
            operation = data.View(self._operations[1].shape(), operation)
            last = Mux(self._valid[1] & (self._flow_slot | void), following[:_NEAR] - 1, last)
        last = Mux(refetch, pair.pc[:_NEAR], last)
        kind = Mux(
            operation.branch,
            BranchKind.BRANCH,
            Mux(operation.call, BranchKind.CALL, Mux(operation.ret, BranchKind.RETURN, BranchKind.JUMP)),
        )
        m.d.sync += [
            update.valid.eq(done & (flow | void | refetch)),
            update.address.eq(Cat(last[:_NEAR], pair.pc[_NEAR:])),
            update.kind.eq(kind),
            update.taken.eq(self._taken),
            update.target.eq(added.target),
            update.known.eq(pair.known),
            update.allocate.eq(redirect & self._taken),
            update.invalidate.eq(void | refetch),
            update.flushed.eq(self.flush),
        ]

    def _report(
        self, m: Module, commit: Signal, *, done: Value, trap: Value, redirect: Value, waits_memory: Value
    ) -> None:
        """Say for RVFI what happens in this cycle."""
        pair, added, retired = self._pair, self._added, self.retired
        second = (pair.pc + 1 + pair.long[0])[:31]
        real = ~(self._valid[0] & (self._operations[0].special == Special.INTERRUPT))
        excepts = self.system.trap & real
        trapped = Mux(self._valid[0], 1, 2) if self._slots == 2 else Const(1, 1)
        m.d.comb += [
            retired.valid.eq(commit | (trapped & excepts.replicate(self._slots))),
            retired.trap.eq(excepts),
            retired.interrupt.eq(self.system.trap & ~real),
            retired.read_data.eq(Mux(self._modifies, added.a[0], self.read_data)),
            retired.write_data.eq(Mux(self._modifies, self.bus_data, added.store)),
            retired.writes.eq(
                Cat(
                    (x.store & ~(added.fails if self._config.a else Const(0, 1)))
                    | (self._modifies if not i else Const(0, 1))
                    for i, x in enumerate(self._operations)
                )
            ),
            retired.pc[0].eq(pair.pc),
            retired.next_pc[0].eq(Mux(self.flush, self.target, added.following)),
            retired.memory.eq(Cat(self._uses_memory)),
        ]
        if self._slots == 2:
            ends = ~self._valid[1] | self._left
            leaves = (self.flush & ends) & done
            wherever = Mux(pair.predicted & ~self.flush, self.next_pc, added.following)
            m.d.comb += [
                retired.pc[1].eq(second),
                retired.next_pc[0].eq(
                    Mux(self._valid[1] & ~leaves & ~trap, second, Mux(self.flush, self.target, wherever))
                ),
                retired.next_pc[1].eq(Mux(self.flush, self.target, wherever)),
            ]
        else:
            with m.If(pair.predicted & ~self.flush):
                m.d.comb += retired.next_pc[0].eq(self.next_pc)
        with m.If(Cat(self._uses_memory).any() & waits_memory):
            m.d.comb += retired.stall.eq(StallReason.DATA_BUS)
        with m.Elif(self._operations[0].long & self._valid[0]):
            m.d.comb += retired.stall.eq(StallReason.DIVIDE)
        with m.Elif(self.sleeping):
            m.d.comb += retired.stall.eq(StallReason.SLEEP)
        with m.Elif(done & (trap | self._operations[0].special.as_value().any())):
            m.d.comb += retired.stall.eq(StallReason.SYSTEM)
        with m.Else():
            m.d.comb += retired.stall.eq(StallReason.FETCH)


@dataclass(frozen=True, kw_only=True)
class _Special:
    """What a special instruction does in execution."""

    kind: dict[Special, Value]
    trap: Value
    enters: Value
    illegal: Value
    interrupt: Value
    waits: Value
    again: Value
    flush: Value
    silent: Value
