"""Faults of the small pipeline."""

from verif.mutants.riscv.faults import CoreMutant, planter

__all__ = ["SMALL"]

_pipeline = planter("small", "small", "rtl/riscv/pipelines/small.py")
_execute = planter("small", "small", "rtl/riscv/pipelines/small_execute.py")
_traps = planter("small", "small", "rtl/riscv/pipelines/small_traps.py")
_fetch = planter("small", "small", "rtl/riscv/pipelines/small_fetch.py")
_memory = planter("small", "small", "rtl/riscv/pipelines/small_memory.py")

#: Grouped by what is broken.
SMALL: tuple[CoreMutant, ...] = (
    # Operands and hazards.
    _execute(
        "no_forwarding",
        "an operand is read from the register file while its value is on the way there",
        "value.eq(Mux(same, self._result, registers.read_data[port]))",
        "value.eq(registers.read_data[port])",
    ),
    _execute(
        "forwards_stores",
        "what lies in the place of rd is forwarded, though the instruction writes none",
        "same.eq(w.writes & (w.rd == number))",
        "same.eq(w.valid & (w.rd == number))",
    ),
    _execute(
        "no_hazard_of_rs2",
        "rs2 does not wait for a load or product",
        "self._hazard.eq(hazards[0] | hazards[1])",
        "self._hazard.eq(hazards[0])",
    ),
    _execute(
        "no_hazard_of_products",
        "nothing waits for a product",
        "late = w.memory | w.multiply",
        "late = w.memory",
    ),
    _pipeline(
        "branch_on_old_value",
        "a branch does not wait for the load before it",
        "            & taken\n            & ~self._hazard\n",
        "            & taken\n",
    ),
    # Loads and stores.
    _pipeline(
        "word_at_half",
        "a word at an odd half is not misaligned",
        "(size[1] & self._alu.sum[:2].any())",
        "(size[1] & self._alu.sum[0])",
    ),
    _pipeline(
        "store_error_lost",
        "a store that the bus fails does not trap",
        "self._error.eq(w.memory & bus.response & bus.error)",
        "self._error.eq(w.memory & w.load & bus.response & bus.error)",
    ),
    _pipeline(
        "failed_load_writes",
        "a load that the bus fails writes its register",
        "                w.valid.eq(0),\n                w.writes.eq(0),\n",
        "                w.valid.eq(0),\n",
    ),
    _pipeline(
        "failed_load_pc",
        "mepc of a load that the bus fails is the next instruction's",
        "                x.pc.eq(w.pc),\n",
        "                x.pc.eq(x.pc),\n",
    ),
    _memory(
        "byte_in_lane_2",
        "SB to lane 2 stores the register's third byte",
        "third = Mux(word, data[16:24], data[:8])",
        "third = data[16:24]",
    ),
    _memory(
        "sign_of_low_byte",
        "LB from an odd byte takes the sign of the even one",
        "sign = Mux(half, low[15], first[7])",
        "sign = Mux(half, low[15], low[7])",
    ),
    # Traps, interrupts, CSRs.
    _traps(
        "interrupt_anytime",
        "an interrupt is taken in the middle of an instruction",
        "self._interrupted.eq(self._x_first & (port.interrupt",
        "self._interrupted.eq((port.interrupt",
    ),
    _traps(
        "csr_overtakes",
        "a CSR instruction does not wait for the one before it",
        "ready = self._in(Phase.EXECUTE) & ~self._stops & ~w.valid",
        "ready = self._in(Phase.EXECUTE) & ~self._stops",
    ),
    _pipeline(
        "csr_counts_twice",
        "a CSR instruction counts twice in minstret",
        "w.counts.eq(~control.csr & ~port.debug_mode)",
        "w.counts.eq(~port.debug_mode)",
    ),
    _traps(
        "wfi_wants_mie",
        "WFI goes on only when mstatus.MIE is set",
        "awake = port.wake",
        "awake = port.interrupt",
    ),
    _traps(
        "ecall_of_machine",
        "ECALL in user mode has machine mode's cause",
        "cause(Cause.ECALL_U | port.mode)",
        "cause(Cause.ECALL_M)",
        user_mode=True,
    ),
    _traps(
        "wfi_ignores_tw",
        "WFI in user mode does not regard mstatus.TW",
        "            | (control.wfi & port.wfi_illegal)\n",
        "",
        user_mode=True,
    ),
    _pipeline(
        "pmp_without_mprv",
        "protection of loads and stores does not regard mstatus.MPRV",
        "checker.mode.eq(system.port.data_mode)",
        "checker.mode.eq(system.port.mode)",
        user_mode=True,
        pmp_regions=4,
    ),
    # Fetch.
    _pipeline(
        "fence_i_keeps",
        "FENCE.I keeps what has been fetched",
        "control.mret | control.dret | control.fence_i\n        waits = (",
        "control.mret | control.dret\n        waits = (",
    ),
    _fetch(
        "stale_word",
        "after a jump one word too many is dropped, when one comes in that cycle",
        "self._stale.eq(self._outstanding - bus.response)",
        "self._stale.eq(self._outstanding)",
    ),
    _fetch(
        "fault_of_second_half",
        "mtval is the pc when the second half of an instruction cannot be fetched",
        "Mux(beyond, _FAULT_BEYOND, _FAULT)",
        "_FAULT",
    ),
)
