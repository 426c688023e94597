"""Faults of the fast pipeline."""

from verif.mutants.riscv.faults import CoreMutant, planter

__all__ = ["FAST"]

_access = planter("fast", "fast", "rtl/riscv/pipelines/fast/access.py")
_arithmetic = planter("fast", "fast", "rtl/riscv/pipelines/fast/arithmetic.py")
_decode = planter("fast", "fast", "rtl/riscv/pipelines/fast/decode.py")
_execute = planter("fast", "fast", "rtl/riscv/pipelines/fast/execute.py")
_results = planter("fast", "fast", "rtl/riscv/pipelines/fast/execute_results.py")
_traps = planter("fast", "fast", "rtl/riscv/pipelines/fast/execute_traps.py")
_fetch = planter("fast", "fast", "rtl/riscv/pipelines/fast/fetch.py")
_registers = planter("fast", "fast", "rtl/riscv/pipelines/fast/registers.py")

#: Grouped by what is broken.
FAST: tuple[CoreMutant, ...] = (
    # Prediction, and its repair.
    _execute(
        "target_not_repaired",
        "a branch that is predicted taken to a wrong place is not repaired",
        "redirect.eq(Mux(taken, ~pair.predicted | wrong, pair.predicted))",
        "redirect.eq(Mux(taken, ~pair.predicted, pair.predicted))",
    ),
    _execute(
        "not_taken_not_repaired",
        "a branch that is predicted taken and is not goes where it was predicted",
        "redirect.eq(Mux(taken, ~pair.predicted | wrong, pair.predicted))",
        "redirect.eq(taken & (~pair.predicted | wrong))",
    ),
    _execute(
        "returns_trusted",
        "the return-address stack is believed",
        "self._added.target != self.next_pc",
        "(self._added.target != self.next_pc) & ~self._operations[0].ret",
    ),
    _fetch(
        "behind_predicted",
        "what stands behind a branch that is predicted taken is executed",
        "filled & ~(entry.taken & (entry.position < i))",
        "filled",
    ),
    # Operands and pairs.
    _access(
        "forward_by_four_bits",
        "forwarding compares four bits of the register's number",
        "Mux(port.writes & (port.rd == source), port.value, value)",
        "Mux(port.writes & (port.rd[:4] == source[:4]), port.value, value)",
    ),
    _access(
        "address_too_early",
        "an address is computed before its register is",
        "((hit1 & address) | (hit2 & operation.store & port.load))",
        "(hit2 & operation.store & port.load)",
    ),
    _results(
        "product_not_late",
        "a product is forwarded before it is there",
        "port.late.eq(operation.multiply if",
        "port.late.eq(0 if",
    ),
    _registers(
        "older_wins",
        "of two writes to one register in a cycle the older one lasts",
        "value = Mux(hit[slot], self.write_data[slot], value)",
        "value = Mux(hit[0], self.write_data[0], self.write_data[slot])",
    ),
    _decode(
        "pair_with_sum",
        "an instruction goes together with the sum that it needs",
        "| (needs & ~chains)",
        "| (needs & ~chains & ~a.alu.sum)",
    ),
    _decode(
        "pair_of_products",
        "two products share one array",
        "            | (a.multiply & b.multiply)\n",
        "",
    ),
    _execute(
        "second_behind_branch",
        "the second of a pair is done though the first, a branch, is taken",
        "commit[1].eq(valid[1] & done & ~trap & ~self._left)",
        "commit[1].eq(valid[1] & done & ~trap)",
    ),
    # Traps.
    _execute(
        "older_lost",
        "the older one of a pair whose second traps is not done",
        "peel.eq(fault & faulty_slot & valid[0])",
        "peel.eq(0)",
    ),
    _execute(
        "store_error_lost",
        "a store that the bus fails does not trap",
        "with m.Elif(needs & self.response & self.error):",
        "with m.Elif(needs & self.response & self.error & self._operations[0].load):",
    ),
    _access(
        "word_at_half",
        "a word at an odd half is not misaligned",
        "(function[1] & added.address[:2].any())",
        "(function[1] & added.address[0])",
    ),
    _traps(
        "fence_i_keeps",
        "FENCE.I keeps what has been fetched",
        "            | is_[Special.FENCE_I]\n",
        "",
    ),
    _execute(
        "pair_counts_once",
        "two instructions in a cycle count as one in minstret",
        "counted.eq(sum((commit[i] for i in range(1, self._slots)), commit[0]))",
        "counted.eq(commit.any())",
    ),
    # Arithmetic.
    _arithmetic(
        "mulh_unsigned",
        "MULH and MULHSU take a negative first operand as positive",
        "subtracts = last & negative_a",
        "subtracts = last & 0",
    ),
    _arithmetic(
        "remainder_sign",
        "a remainder's sign depends on the divisor's",
        "negate.eq(negative_a ^ (negative_b & ~rest & ~signing))",
        "negate.eq(negative_a ^ (negative_b & ~signing))",
    ),
    _arithmetic(
        "divide_by_zero",
        "a quotient by zero lacks its top bit",
        "low.eq(0xFFFF_FFFF)",
        "low.eq(0x7FFF_FFFF)",
    ),
)
