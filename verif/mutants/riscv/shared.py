"""Faults of the units that pipelines share, and of the system unit."""

from verif.mutants.riscv.faults import CoreMutant, planter

__all__ = ["SHARED"]

_divider = planter("small", "divider", "rtl/riscv/units/divider.py")
_multiplier = planter("small", "multiplier", "rtl/riscv/units/multiplier.py")
_expander = planter("small", "expander", "rtl/riscv/units/expander.py")
_alu = planter("small", "alu", "rtl/riscv/units/alu.py")
_traps = planter("small", "traps", "rtl/riscv/system/traps.py")
_counters = planter("small", "counters", "rtl/riscv/system/counters.py")
_csrs = planter("small", "csrs", "rtl/riscv/system/unit.py")
_pmp = planter("small", "pmp", "rtl/riscv/system/pmp.py", user_mode=True, pmp_regions=4)

#: Grouped by what is broken.
SHARED: tuple[CoreMutant, ...] = (
    # Arithmetic.
    _divider(
        "by_zero",
        "a negative number by zero is 1",
        "(negative_a ^ negative_b) & ~zero",
        "negative_a ^ negative_b",
    ),
    _divider(
        "remainder_sign",
        "a remainder's sign depends on the divisor's",
        "negate.eq(Mux(rest, negative_a, (negative_a",
        "negate.eq(Mux(rest, negative_a ^ negative_b, (negative_a",
    ),
    _divider(
        "early_out_of_short",
        "a dividend of less than 16 bits has no quotient",
        "with m.Elif(zeros[5]):",
        "with m.Elif(zeros[4:].any()):",
        divider="early_out",
    ),
    _multiplier(
        "mulhsu_sign",
        "MULHSU takes a negative first operand as positive",
        "self.a[31] & (self.operation != 3)",
        "self.a[31] & ~self.operation[1]",
    ),
    _multiplier(
        "short_by_sixteen",
        "a factor of 16 bits without its sign is taken for a short one",
        "short.eq((self.b[15:].all() | ~self.b[15:].any())",
        "short.eq((self.b[15:].all() | ~self.b[16:].any())",
    ),
    _alu(
        "cpop_of_31",
        "CPOP leaves out the top bit",
        "for i in range(1, 32)), a[0:1])",
        "for i in range(1, 31)), a[0:1])",
        zbb=True,
    ),
    _alu(
        "czero_of_31",
        "CZERO takes 0x80000000 for zero",
        "keep = self.b.any() ^",
        "keep = self.b[:31].any() ^",
        zicond=True,
    ),
    # Compressed instructions.
    _expander(
        "lwsp_offset",
        "C.LWSP has two fields of its offset exchanged",
        "load = Cat(Const(0, 2), x[4:7], x[12], x[2:4], Const(0, 4))",
        "load = Cat(Const(0, 2), x[4:7], x[2:4], x[12], Const(0, 4))",
    ),
    _expander(
        "lui_of_zero",
        "C.LUI and C.ADDI16SP with 0 are not illegal",
        "legal.eq((sign | x[2:7].any()) & self._allowed(rd))",
        "legal.eq(self._allowed(rd))",
    ),
    # Traps and interrupts.
    _traps(
        "mpie_not_saved",
        "a trap sets mstatus.MPIE whatever MIE is",
        "[enable.eq(0), previous_enable.eq(enable)]",
        "[enable.eq(0), previous_enable.eq(1)]",
    ),
    _traps(
        "user_waits_for_mie",
        "interrupts in user mode want mstatus.MIE",
        "self.pending & (enable | ~self.machine)",
        "self.pending & enable",
        user_mode=True,
    ),
    _traps(
        "timer_first",
        "the timer goes before the software interrupt",
        "_PRIORITY = (Interrupt.EXTERNAL, Interrupt.SOFTWARE, Interrupt.TIMER)",
        "_PRIORITY = (Interrupt.EXTERNAL, Interrupt.TIMER, Interrupt.SOFTWARE)",
    ),
    _traps(
        "mprv_stays",
        "MRET to user mode leaves mstatus.MPRV",
        "modify.eq(modify & previous_machine)",
        "modify.eq(modify)",
        user_mode=True,
    ),
    _traps(
        "exceptions_vectored",
        "exceptions go to the vectors of interrupts",
        "(self.trap_interrupt & vectored)",
        "vectored",
    ),
    # CSRs.
    _counters(
        "no_carry",
        "counters do not carry into their high halves",
        "m.d.sync += count.eq(count + step)",
        "m.d.sync += count[:32].eq(count[:32] + step)",
    ),
    _counters(
        "open_to_users",
        "mcounteren does not keep users away",
        "allowed = enabled | self.machine.replicate(3)",
        "allowed = Const(7, 3)",
        user_mode=True,
    ),
    _csrs(
        "read_only_written",
        "writes to read-only CSRs are not illegal",
        "(port.csr_write & (port.csr_address[10:] == _READ_ONLY))",
        "0",
    ),
    _csrs(
        "clear_sets_others",
        "CSRRC writes the complement of its operand",
        "sets_or_clears = operation[1].replicate(32)",
        "sets_or_clears = (operation == 2).replicate(32)",
    ),
    # Protection.
    _pmp(
        "tor_without_base",
        "a top-of-range region begins at zero",
        "& top & ~below)",
        "& top)",
    ),
    _pmp(
        "lock_spares_machine",
        "locked regions do not bind machine mode",
        "(machine & ~region.locked)",
        "machine",
    ),
    _pmp(
        "base_not_locked",
        "the lock of a range does not lock its base",
        "(above.locked & (above.matching == PmpMatching.TOR))",
        "0",
    ),
    _pmp(
        "open_without_match",
        "users may access what no region covers",
        "Cat(granted).any() | (unmatched & machine)",
        "Cat(granted).any() | unmatched",
    ),
)
