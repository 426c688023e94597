"""Faults of the nano pipeline."""

from verif.mutants.riscv.faults import CoreMutant, planter

__all__ = ["NANO"]

_pipeline = planter("nano", "nano", "rtl/riscv/pipelines/nano.py")
_datapath = planter("nano", "nano", "rtl/riscv/pipelines/nano_datapath.py")
_traps = planter("nano", "nano", "rtl/riscv/pipelines/nano_traps.py")
_state = planter("nano", "nano", "rtl/riscv/pipelines/nano_state.py")
_alu = planter("nano", "nano", "rtl/riscv/pipelines/nano_alu.py")
_shift = planter("nano", "nano", "rtl/riscv/pipelines/nano_shift.py")
_decode = planter("nano", "nano", "rtl/riscv/pipelines/nano_decode.py")
_registers = planter("nano", "nano", "rtl/riscv/pipelines/nano_registers.py")

#: Grouped by what is broken.
NANO: tuple[CoreMutant, ...] = (
    # Operands.
    _datapath(
        "bypass_of_x0",
        "a result for x0 goes to the next instruction's rs1",
        "self._pending & word[7:12].any() & (self._arriving[15:20]",
        "self._pending & (self._arriving[15:20]",
    ),
    _datapath(
        "bypass_by_four_bits",
        "the bypass compares four bits of the register's number",
        "(self._arriving[15:20] == word[7:12])",
        "(self._arriving[15:19] == word[7:11])",
    ),
    _registers(
        "memory_not_transparent",
        "a register file in memory reads the old value while the new one is written",
        "transparent_for=(write,)",
        "transparent_for=()",
        register_file="memory",
    ),
    # Arithmetic.
    _alu(
        "less_without_sign",
        "SLT of operands with different signs compares as SLTU does",
        "Mux(self.unsigned, self.b[31], self.a[31])",
        "self.b[31]",
    ),
    _shift(
        "shift_ends_early",
        "a shift by 9 to 15 forgets its single steps",
        "Mux(self.by_eight, ~ones.any() & (eights == 1), ~ones[1:].any())",
        "Mux(self.by_eight, eights == 1, ~ones[1:].any())",
    ),
    _datapath(
        "sra_fills_zeros",
        "SRA by eight places fills one sign bit only",
        "Cat(value[8:], sign.replicate(8))",
        "Cat(value[8:], Const(0, 7), sign)",
    ),
    # Loads and stores.
    _alu(
        "word_at_half",
        "a word at an odd half is not misaligned",
        "(self.offset[1] & word)",
        "(self.offset[1] & self.offset[0] & word)",
    ),
    _alu(
        "byte_in_lane_3",
        "SB to lane 3 stores the register's second byte",
        "Mux(word, source[24:], Mux(byte, source[:8], source[8:16]))",
        "Mux(word, source[24:], source[8:16])",
    ),
    _alu(
        "lhu_signed",
        "LHU extends the sign",
        "lanes[1][7]) & ~self.funct3[2]",
        "lanes[1][7]) & ~(self.funct3[2] & byte)",
    ),
    _pipeline(
        "bus_error_also_done",
        "a load or store that the bus fails is done as well",
        "self._done.eq(self.dbus.response & ~self.dbus.error)",
        "self._done.eq(self.dbus.response)",
    ),
    _state(
        "fetch_error_lost",
        "a failed fetch of an odd word goes unnoticed",
        "self.ibus.response & self.ibus.error\n",
        "self.ibus.response & self.ibus.error & ~self._pc[0]\n",
    ),
    # Traps, CSRs, interrupts.
    _traps(
        "store_fault_as_load",
        "a store that the bus fails reports a load's cause",
        "(fault & stores, Cause.STORE_FAULT)",
        "(fault & stores, Cause.LOAD_FAULT)",
    ),
    _traps(
        "target_bit_0",
        "mtval of a misaligned JALR has bit 0 set",
        "Cat(target[0] & ~decoder.jalr, target[1:])",
        "target",
    ),
    _pipeline(
        "csr_always_writes",
        "CSRRS and CSRRC write with x0 as well",
        "port.csr_write.eq((word[12:14] == 1) | ~zero)",
        "port.csr_write.eq(1)",
    ),
    _pipeline(
        "interrupt_at_wfi",
        "an interrupt that ends WFI returns to it",
        "executes & port.interrupt & ~decoder.wfi &",
        "executes & port.interrupt &",
    ),
    _pipeline(
        "wfi_wants_mie",
        "WFI goes on only when mstatus.MIE is set",
        "sleeps.eq(decoder.wfi & ~port.wake)",
        "sleeps.eq(decoder.wfi & ~port.interrupt)",
    ),
    _pipeline(
        "traps_retire",
        "an instruction that traps counts in minstret",
        "port.retired.eq(self._done & ~port.debug_mode)",
        "port.retired.eq((self._done | self._exception) & ~port.debug_mode)",
        zicntr=True,
    ),
    _decode(
        "branch_reserved",
        "the reserved branch conditions are not illegal",
        "(self.branch & ~(funct3[1] & ~funct3[2]))",
        "self.branch",
    ),
)
