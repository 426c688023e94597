"""What only some runs have: workloads with their energy, and memories with what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flow.report.rundata import Num, Run, StepRun, Target, lookup, mapping, rows, text
from flow.report.units import number

__all__ = ["Memory", "Workload", "memories", "outside_bits", "workloads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload on one PDK, at one corner.

    Attributes
    ----------
    cycles
        Of one repetition.
    seconds, watts, joules
        Its time at the clock asked for, mean power, and energy.
    """

    name: str
    pdk: str
    corner: str
    cycles: Num
    seconds: Num
    watts: Num
    joules: Num


def workloads(run: Run) -> Iterator[Workload]:
    """Yield the workloads of a run, PDK by PDK."""
    for target in run.targets:
        for step in target.of("power"):
            name = step.tag("workload")
            if not name:
                continue
            figures = [
                lookup([step], metric, step.tag("corner"), "power")
                for metric in (f"workload__{name}__duration", "power__total", f"workload__{name}__energy")
            ]
            cycles = lookup(run.of("simulate"), f"workload__{name}__cycles", "", "simulate")
            counted = number(mapping(step.data.get("workload")).get("cycles"))
            yield Workload(
                name=name, pdk=target.name, corner=step.tag("corner"),
                cycles=cycles if counted is None else Num(counted, "", step.name),
                seconds=figures[0], watts=figures[1], joules=figures[2],
            )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A memory of the RTL; `made_of` is ``macros``, ``registers`` or ``outside``."""

    name: str
    words: int
    width: int
    made_of: str


def memories(step: StepRun) -> list[Memory]:
    """Return the memories of a synthesis step, the largest first."""
    found = [
        Memory(
            name=text(row.get("name")),
            words=int(number(row.get("words")) or 0),
            width=int(number(row.get("width")) or 0),
            made_of=text(row.get("made_of")),
        )
        for row in rows(step.data.get("memories"))
        if row.get("made_of")
    ]
    return sorted(found, key=lambda m: (-m.words * m.width, m.name))


def outside_bits(target: Target) -> int:
    """Return how many bits of memory are no part of a PDK's netlist."""
    return int(target.num("design__memory_bits__outside").value or 0)
