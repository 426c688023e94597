"""What a coverage bin means in words, and which programs aim at it."""

from collections.abc import Callable, Sequence

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Cause, Csr, Interrupt
from verif.lockstep.random.targets import ROUND, seeds_for

__all__ = ["explain"]

_MODES = {"M": "machine mode", "U": "user mode"}
_GROUPS = {
    "alu": "addition, comparison or logic",
    "shift": "a shift",
    "bit": "bit manipulation",
    "mul": "a multiplication",
    "div": "a division",
    "load": "a load",
    "store": "a store",
    "amo": "an atomic",
    "branch": "a branch",
    "jump": "JAL or C.J",
    "jumpr": "JALR or C.JR",
    "upper": "LUI or AUIPC",
    "csr": "a CSR instruction",
    "system": "ECALL, EBREAK, MRET or WFI",
    "fence": "a fence",
    "illegal": "no instruction at all",
}
_OVERLAPS = {
    "distinct": "three different registers",
    "rd_rs1": "rd the same as rs1",
    "rd_rs2": "rd the same as rs2",
    "rs1_rs2": "rs1 the same as rs2",
    "all_same": "one register in all places",
    "rd_x0": "x0 as rd",
}
_REGIONS = {"memory": "memory", "device": "a device", "unmapped": "a place where nothing is"}
_VALUES = {"minus_one": "-1", "max": "the largest number", "min": "the smallest number"}
_VALUES |= {"positive": "a positive number", "negative": "a negative number"}
_OPERATIONS = {
    "write": "written by CSRRW",
    "set": "changed by CSRRS",
    "clear": "changed by CSRRC",
    "read_set": "only read, by CSRRS with x0",
    "read_clear": "only read, by CSRRC with x0",
}


def explain(config: CoreConfig, point: str, name: str) -> str:
    """Return what a bin wants to see, and the seeds whose programs aim at it.

    Raises
    ------
    KeyError
        It is no goal of this core.
    """
    seed = seeds_for(config, point, name)
    words = _WORDS[point](name.split("*"))
    return f"{words}; the programs of seeds {seed}, {seed + ROUND}, {seed + 2 * ROUND} ... aim at it"


def _value(name: str) -> str:
    return _VALUES.get(name, name)


def _cause(number: str, kind: type[Cause] | type[Interrupt]) -> str:
    known = {int(member): member.name.lower().replace("_", " ") for member in kind}
    return known.get(int(number), f"local {int(number) - Interrupt.LOCAL}")


def _csr(parts: Sequence[str]) -> str:
    address, operation, mode, outcome = parts
    known = {int(member): f" ({member.name.lower()})" for member in Csr}
    trap = ", which traps" if outcome == "illegal" else ""
    return f"CSR {address}{known.get(int(address, 16), '')} {_OPERATIONS[operation]} in {_MODES[mode]}{trap}"


def _half(place: str) -> str:
    return "a multiple of 4" if place == "word" else "no multiple of 4"


_WORDS: dict[str, Callable[[Sequence[str]], str]] = {
    "instruction": lambda p: f"{p[0]} that does not trap",
    "operands": lambda p: f"{p[0]} with {_value(p[1])} in rs1 and, if there is one, {_value(p[2])} in rs2",
    "registers": lambda p: f"{p[0]} with {_OVERLAPS[p[1]]}",
    "immediate": lambda p: f"{p[0]} with {_value(p[1])} as its immediate",
    "shift_amount": lambda p: f"{p[0]} by {p[1]}",
    "hazard": lambda p: (
        f"the result of {_GROUPS[p[0]]} read as {p[2]} by {_GROUPS[p[1]]} that is instruction {p[3]} after it"
    ),
    "sequence": lambda p: f"{_GROUPS[p[1]]} right after {_GROUPS[p[0]]}",
    "branch": lambda p: f"{p[0]} {p[1].replace('_', ' ')}, {p[2]}, at an address that is {_half(p[3])}",
    "jump": lambda p: f"{p[0]} with {p[1]} as its link register to an address that is {_half(p[2])}",
    "alignment": lambda p: (
        f"an instruction of {p[1]} bytes at an address that is {_half(p[2])}, after one of {p[0]} bytes"
    ),
    "memory": lambda p: f"{p[0]} at byte {p[1]} of a word, outcome {p[2]}, in {_REGIONS[p[3]]}",
    "store_to_load": lambda p: f"{p[0]} of a word that was stored {p[1]} instructions before",
    "trap": lambda p: f"exception {p[0]} ({_cause(p[0], Cause)}) of {_GROUPS[p[1]]} in {_MODES[p[2]]}",
    "nesting": lambda p: f"{p[0]} traps inside one another",
    "interrupt_at": lambda p: (
        f"interrupt {p[0]} ({_cause(p[0], Interrupt)}) instead of {_GROUPS[p[1]]} in {_MODES[p[2]]}"
    ),
    "interrupt_after": lambda p: f"interrupt {p[0]} ({_cause(p[0], Interrupt)}) right after {_GROUPS[p[1]]}",
    "mode_change": lambda p: f"from {_MODES[p[0]]} to {_MODES[p[1]]}",
    "self_modified": lambda p: f"an instruction of {p[0]} bytes that the program stored, after FENCE.I",
    "csr": _csr,
}
