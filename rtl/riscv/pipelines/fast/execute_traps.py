"""The execute stage's special instructions and traps: all that changes the system's state."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from rtl.riscv.isa import Cause, DebugCause, Mode
from rtl.riscv.pipelines.fast.execute_state import ExecuteState
from rtl.riscv.pipelines.fast.operation import Special

__all__ = ["SpecialOutcome", "Traps"]


@dataclass(frozen=True, kw_only=True)
class SpecialOutcome:
    """What a special instruction does in execution.

    Attributes
    ----------
    kind
        For each kind, whether the instruction is one.
    trap, illegal, interrupt, enters
        It traps; because it is illegal; because it stands for an interrupt;
        or it enters debug mode.
    waits
        It is not done yet.
    again, flush
        Fetch begins again, at this instruction, or behind it.
    silent
        It is none of the program's.
    """

    kind: dict[Special, Value]
    trap: Value
    enters: Value
    illegal: Value
    interrupt: Value
    waits: Value
    again: Value
    flush: Value
    silent: Value


class Traps(ExecuteState):
    """Decide what special instructions do, and tell the system unit of them and of traps."""

    def _special(self, m: Module) -> SpecialOutcome:
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
        return SpecialOutcome(
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

    def _watch(self, m: Module) -> Value:
        """Return whether a trigger fires."""
        if not self._config.triggers:
            return Const(0, 1)
        return self._valid[0] & (self._added.breaks | self._added.halts)

    def _traps(
        self,
        m: Module,
        *,
        done: Value,
        trap: Value,
        fault: Value,
        faulty_slot: Value,
        watched: Value,
        special: SpecialOutcome,
    ) -> None:
        """Tell the system unit of traps."""
        system, pair = self.system, self._pair
        pc, kind = pair.pc, special.kind
        if self._slots == 2:
            pc = Mux(fault & faulty_slot, pair.pc + 1 + pair.long[0], pc)
        entering = special.enters
        debug_cause = Mux(kind[Special.EBREAK], DebugCause.EBREAK, self.halt_cause)
        if self._config.triggers:
            entering |= watched & self._added.halts
            debug_cause = Mux(watched, DebugCause.TRIGGER, debug_cause)
        cause, value = self._cause(m, faulty_slot=faulty_slot, watched=watched, special=special)
        m.d.comb += [
            system.trap.eq(done & trap & ~entering & ~system.debug_mode),
            system.debug_enter.eq(done & entering & ~system.debug_mode),
            system.debug_cause.eq(debug_cause),
            system.debug_pc.eq(Cat(Const(0, 1), pair.pc)),
            self.debug_done.eq(done & system.debug_mode & ~kind[Special.DRET]),
            self.debug_error.eq(trap),
            self.stepped.eq(done & ~system.debug_mode & ~special.again & ~entering),
            system.trap_interrupt.eq(special.interrupt),
            system.trap_cause.eq(cause),
            system.trap_pc.eq(Cat(Const(0, 1), pc)),
            system.trap_value.eq(value),
        ]

    def _cause(
        self, m: Module, *, faulty_slot: Value, watched: Value, special: SpecialOutcome
    ) -> tuple[Signal, Signal]:
        """Return what ``mcause`` and ``mtval`` say of a trap, the most urgent first."""
        added, kind = self._added, special.kind
        address = Cat(Const(0, 1), self._pair.pc)
        store = self._operations[0].store
        if self._slots == 2:
            store = Mux(faulty_slot, self._operations[1].store, store)
        if self._config.a:
            store |= self._modifies
        cause, value = Signal(5), Signal(32)
        with m.If(watched):
            access = self._uses_memory[0] & ~added.executes
            m.d.comb += [cause.eq(Cause.BREAKPOINT), value.eq(Mux(access, added.address, address))]
        with m.Elif(special.interrupt):
            m.d.comb += cause.eq(self.system.interrupt_cause)
        with m.Elif(special.illegal):
            m.d.comb += [cause.eq(Cause.ILLEGAL_INSTRUCTION), value.eq(added.b[0])]
        with m.Elif(kind[Special.FETCH_FAULT]):
            m.d.comb += [cause.eq(Cause.INSTRUCTION_FAULT), value.eq(address)]
        with m.Elif(kind[Special.FETCH_FAULT_SECOND]):
            m.d.comb += [cause.eq(Cause.INSTRUCTION_FAULT), value.eq(address + 2)]
        with m.Elif(kind[Special.ECALL]):
            user = self.system.mode == Mode.USER
            m.d.comb += cause.eq(Mux(user, Cause.ECALL_U, Cause.ECALL_M))
        with m.Elif(kind[Special.EBREAK]):
            m.d.comb += [cause.eq(Cause.BREAKPOINT), value.eq(address)]
        with m.Elif(self._jump_fault):
            m.d.comb += [cause.eq(Cause.INSTRUCTION_MISALIGNED), value.eq(Cat(Const(0, 1), added.target))]
        with m.Else():
            aligned = Mux(store, Cause.STORE_FAULT, Cause.LOAD_FAULT)
            misaligned = Mux(store, Cause.STORE_MISALIGNED, Cause.LOAD_MISALIGNED)
            m.d.comb += [cause.eq(Mux(added.misaligned, misaligned, aligned)), value.eq(added.address)]
        return cause, value
