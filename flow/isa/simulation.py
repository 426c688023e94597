"""One run of a program on a built simulator: its command, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

__all__ = ["STALLS", "Ending", "Fault", "Result", "RunOptions", "plusargs", "read_result"]

#: Why no instruction retired in a cycle, by the number that the core gives.
STALLS: Mapping[int, str] = {
    1: "fetch: no instruction has come from memory",
    2: "branch: refill after a taken or mispredicted one",
    3: "load-use: an operand is still being loaded",
    4: "multiply",
    5: "divide",
    6: "data bus: a load or store waits",
    7: "system: CSR, trap, return, fence",
    8: "execute: several cycles by itself",
    9: "sleep: WFI or halted",
    10: "custom instruction",
}


class Ending(StrEnum):
    """How a run ended."""

    EXIT = "exit"  # the program ended itself
    LIMIT = "limit"  # the limit in cycles
    STUCK = "stuck"  # nothing retired for long
    TRAP_LOOP = "trap_loop"  # one instruction traps again and again
    LOOP = "loop"  # an instruction jumps to itself, and no interrupt can come
    INTERRUPTED = "interrupted"  # by the user


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a program is run.

    Attributes
    ----------
    limit
        Most clock cycles, 0 for no limit.
    watchdog
        Most cycles without an instruction, 0 for no limit.
    seed
        Of what is random.
    stall_grant, stall_response
        Chance in percent that a cycle brings no grant, and no answer, on a bus.
    interrupt_rate, interrupt_mask
        Chance in 65536 that an interrupt line rises in a cycle, and which may.
    """

    limit: int = 0
    watchdog: int = 0
    seed: int = 1
    stall_grant: int = 0
    stall_response: int = 0
    interrupt_rate: int = 0
    interrupt_mask: int = 0xFFFF_0888


def plusargs(options: RunOptions, files: Mapping[str, Path | None], more: Sequence[str] = ()) -> list[str]:
    """Return the arguments of a simulator.

    Parameters
    ----------
    options
        How it is run.
    files
        By the names of the harness: ``image``, ``result``, ``trace``,
        ``waves``, ``signature``.
    more
        Further ``name=value``.
    """
    values = [f"{name}={path}" for name, path in files.items() if path is not None]
    values += [
        f"limit={options.limit}",
        f"watchdog={options.watchdog}",
        f"seed={options.seed}",
        f"stall_grant={options.stall_grant}",
        f"stall_response={options.stall_response}",
        f"interrupt_rate={options.interrupt_rate}",
        f"interrupt_mask={options.interrupt_mask:x}",
    ]
    return [f"+{text}" for text in (*values, *more)]


class Fault(NamedTuple):
    """An instruction that was refused: pc, ``mcause``, ``mtval``, its bits."""

    pc: int
    cause: int
    value: int
    insn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run.

    Attributes
    ----------
    ending
        How it ended.
    code
        The program's exit code.
    cycles, instructions
        From the end of reset to the program's end.
    stalls
        Cycles in which nothing retired, by the number of the reason.
    traps, interrupts
        How many were taken.
    trap
        pc, ``mcause`` and ``mtval`` of the last exception.
    illegal
        pc and bits of the first illegal instruction.
    fault
        The first access that was misaligned or refused, or jump of this kind.
    pairs
        Cycles in which two instructions retired.
    sleeping
        Whether the core waited in WFI at the end.
    buses
        For ``ibus`` and ``dbus``: a request without a grant, answers that
        are due, and the last granted address.
    last
        pc and bits of the last instructions, the youngest last; and whether
        they trapped. Of one that only traps or jumps to itself, the first time.
    """

    ending: Ending
    code: int
    cycles: int
    instructions: int
    stalls: Mapping[int, int] = field(default_factory=dict)
    traps: int = 0
    interrupts: int = 0
    trap: tuple[int, int, int] | None = None
    illegal: tuple[int, int] | None = None
    fault: Fault | None = None
    pairs: int = 0
    sleeping: bool = False
    buses: Mapping[str, tuple[bool, int, int]] = field(default_factory=dict)
    last: tuple[tuple[int, int, bool], ...] = ()

    @property
    def cpi(self) -> float | None:
        """Cycles an instruction."""
        return self.cycles / self.instructions if self.instructions else None


def read_result(text: str) -> Result:
    """Return what the harness wrote of a run.

    Raises
    ------
    ValueError
        It is not complete.
    """
    rows = [line.split() for line in text.splitlines() if line]
    single = {row[0]: row[1:] for row in rows}
    try:
        return Result(
            ending=Ending(single["status"][0]),
            code=int(single["code"][0]),
            cycles=int(single["cycles"][0]),
            instructions=int(single["instructions"][0]),
            stalls={n: int(single[f"stall{n}"][0]) for n in range(1, 16) if int(single[f"stall{n}"][0])},
            traps=int(single["traps"][0]),
            interrupts=int(single["interrupts"][0]),
            trap=_three(single["trap"]) if "trap" in single else None,
            illegal=_two(single["illegal"]) if "illegal" in single else None,
            fault=Fault(*map(_hex, single["fault"])) if "fault" in single else None,
            pairs=int(single["pairs"][0]) if "pairs" in single else 0,
            sleeping=single["sleeping"][0] == "1",
            buses={n: (single[n][0] == "1", int(single[n][1]), _hex(single[n][2])) for n in ("ibus", "dbus")},
            last=tuple((*_two(row[1:]), row[3:] == ["1"]) for row in rows if row[0] == "last"),
        )
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ValueError(f"the simulator left no complete result ({error})") from None


def _hex(text: str) -> int:
    """Return a number in which simulators may write unknown digits."""
    return int(text.replace("x", "0").replace("z", "0").replace("X", "0"), 16)


def _two(words: Sequence[str]) -> tuple[int, int]:
    return _hex(words[0]), _hex(words[1])


def _three(words: Sequence[str]) -> tuple[int, int, int]:
    return _hex(words[0]), _hex(words[1]), _hex(words[2])
