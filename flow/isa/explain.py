"""Say in words how a run ended."""

from __future__ import annotations

from collections.abc import Iterator

from flow.isa.disassemble import disassemble
from flow.isa.elf import Program
from flow.isa.extensions import first_use, lacking
from flow.isa.simulation import STALLS, Ending, Result

__all__ = ["complaint", "foresee", "illegal_instruction", "last_instructions", "refused", "summary"]

_EXCEPTIONS = (
    "instruction address misaligned", "instruction access fault", "illegal instruction", "breakpoint",
    "load address misaligned", "load access fault", "store address misaligned", "store access fault",
    "environment call from user mode", "exception 9", "exception 10", "environment call",
)  # fmt: skip


def summary(result: Result) -> Iterator[str]:
    """Yield the figures of a run as lines: exit code, cycles, instructions, CPI, stalls."""
    if result.code:
        yield f"exit code    {result.code:>12}"
    yield f"cycles       {result.cycles:>12}"
    if not result.last:
        yield "instructions      unknown: the core has no rvfi, or nothing retired"
        return
    yield f"instructions {result.instructions:>12}"
    if result.cpi is not None:
        yield f"CPI          {result.cpi:>12.3f}"
    if result.pairs:
        share = 100 * result.pairs / max(result.cycles, 1)
        yield f"  two at once{result.pairs:>12} {share:5.1f} %"
    for number, count in sorted(result.stalls.items(), key=lambda row: -row[1]):
        share = 100 * count / max(result.cycles, 1)
        yield f"  stalled    {count:>12} {share:5.1f} %  {STALLS.get(number, f'reason {number}')}"
    if result.interrupts or result.traps:
        yield f"exceptions   {result.traps:>12}"
        yield f"interrupts   {result.interrupts:>12}"


def foresee(program: Program, isa: str) -> str | None:
    """Return a warning where a program was made for extensions that the core lacks."""
    missing = lacking(program.arch, isa)
    if not missing:
        return None
    uses = [(name, first_use(program, name)) for name in missing]
    told = [
        f"{name} (first at {_at(program, found[0])}: {' '.join(str(found[1]).split())})" if found else name
        for name, found in uses
    ]
    return f"the program was compiled for {', '.join(told)}, which the core ({isa}) lacks"


def complaint(result: Result, program: Program, isa: str, limit: int) -> tuple[str, str]:
    """Return what is wrong with a run that its program did not end, and what to do about it."""
    ended = _ended(result, program, limit)
    illegal, fault = illegal_instruction(result, program, isa), refused(result, program)
    if result.ending is Ending.INTERRUPTED:
        return ended, _REMEDIES[result.ending]
    if illegal is not None:
        return (
            f"{ended}; before that, the {illegal}",
            "Compile it for the core (suzuri isa build), or give the core the extension (--set)",
        )
    if fault is not None and result.fault is not None:
        remedy = _REMEDIES[result.ending]
        if result.fault.cause in _REFUSED and _below(result.fault.value, program):
            remedy = "That is just below the program: its stack may have grown through it; see --trace"
        elif result.fault.cause in _REFUSED:
            remedy = (
                f"If a device is missed there, memory may do (--memory {result.fault.value & -4096:#x}:4K); "
                "see the devices in 'suzuri isa run --help'"
            )
        return f"{ended}; before that, the {fault}", remedy
    return ended, _REMEDIES[result.ending]


def _below(address: int, program: Program) -> bool:
    return 0 < min(s.address for s in program.segments) - address <= _STACK_STEP


def refused(result: Result, program: Program) -> str | None:
    """Return where and what the first access was that was misaligned or refused."""
    if result.fault is None:
        return None
    pc, cause, value, insn = result.fault
    what = f"first {_EXCEPTIONS[cause]} was at {_at(program, pc)}"
    if cause not in _OF_DATA:
        return what
    return f"{what}: {' '.join(str(disassemble(insn, pc)).split())}, address {value:#010x}"


def illegal_instruction(result: Result, program: Program, isa: str) -> str | None:
    """Return where and what the first illegal instruction was, and which extension it needs."""
    if result.illegal is None:
        return None
    pc, insn = result.illegal
    found = disassemble(insn, pc)
    text = " ".join(str(found).split())
    return f"first illegal instruction was at {_at(program, pc)}: {text}{_lacks(found.extension, isa)}"


_REFUSED = (5, 7)  # loads and stores that the bus or memory protection refused
_STACK_STEP = 1 << 16  # how far one function may move the stack pointer
_OF_DATA = (4, 5, 6, 7)
_REMEDIES = {
    Ending.LIMIT: "Give it more (--limit), or have it end by the exit device or HTIF (tohost)",
    Ending.STUCK: "See the bus in --waves; or allow longer waits (--watchdog)",
    Ending.TRAP_LOOP: "Set mtvec to a handler; see --trace for how it came there",
    Ending.LOOP: "Have it end by the exit device or HTIF (tohost)",
    Ending.INTERRUPTED: "Run it again",
    Ending.EXIT: "",
}


def _lacks(extension: str, isa: str) -> str:
    if not extension:
        return " (no instruction that is known)"
    missing = lacking(f"rv32i_{extension}" if len(extension) > 1 else f"rv32i{extension}", isa)
    return f", which needs {extension}; the core ({isa}) lacks it" if missing else ""


def _ended(result: Result, program: Program, limit: int) -> str:
    pc = result.last[-1][0] if result.last else program.entry
    where = _at(program, pc)
    if result.ending is Ending.LIMIT:
        waits = ", waiting in WFI for an interrupt" if result.sleeping else ""
        return f"the program did not end within {limit} cycles; it was at {where}{waits}"
    if result.ending is Ending.TRAP_LOOP and result.trap is not None:
        at, cause, value = result.trap
        name = _EXCEPTIONS[cause] if cause < len(_EXCEPTIONS) else f"exception {cause}"
        return f"the program only traps: {name} at {_at(program, at)}, mtval {value:#x}, again and again"
    if result.ending is Ending.LOOP:
        return f"the program goes round for ever at {where}: a jump to itself, with interrupts off"
    if result.ending is Ending.STUCK:
        return f"no instruction came to its end any more after {where}; {_buses(result)}"
    return f"the program was interrupted at {where}"


def _buses(result: Result) -> str:
    for name, what in (("dbus", "data"), ("ibus", "instruction")):
        waiting, owed, address = result.buses.get(name, (False, 0, 0))
        if owed:
            return f"the {what} bus has not answered the access to {address:#010x}"
        if waiting:
            return f"the {what} bus does not grant the core's request"
    return "both buses are idle"


def _at(program: Program, pc: int) -> str:
    symbol = program.where(pc)
    return f"{pc:#010x} ({symbol})" if symbol else f"{pc:#010x}"


def last_instructions(result: Result, program: Program) -> Iterator[str]:
    """Yield the last instructions before the end, the youngest last."""
    for pc, insn, trapped in result.last:
        where = f"{program.where(pc)} (trapped)" if trapped else program.where(pc)
        yield f"{pc:08x}  {disassemble(insn, pc)!s:<32} {where.strip()}".rstrip()
