"""Look for a fault: plant it in a copy, build that, and run what should notice."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtl.riscv.config import CoreConfig
from verif.mutants import plant
from verif.mutants.riscv.faults import CoreMutant
from verif.mutants.riscv.lockstep import comparator, compare
from verif.mutants.riscv.workshop import elaborate_core, simulator
from verif.programs.directed.build import assemble
from verif.programs.directed.catalogue import DirectedTest, applicable
from verif.programs.directed.run import on_core

__all__ = ["ROOT", "Finding", "attack", "examine"]

#: The folder of the packages.
ROOT = Path(__file__).resolve().parents[3]

# A mutant may hang; a good core's longest directed test takes half of this.
_LIMIT = 400_000
# These take longest, and find little that the others do not.
_LAST = ("illegal_words", "illegal_halves", "register", "multiply_divide", "protection", "awkward")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of a mutant.

    Attributes
    ----------
    mutant
        Its name.
    by
        What found it; empty when nothing did.
    message
        What that said.
    cycles, instructions
        How far the program that found it had come.
    tried
        Programs that ran before.
    """

    mutant: str
    by: str = ""
    message: str = ""
    cycles: int = 0
    instructions: int = 0
    tried: int = 0


def _order(tests: list[DirectedTest]) -> list[DirectedTest]:
    return sorted(tests, key=lambda test: test.name in _LAST)


def attack(mutant: CoreMutant, cache: Path, *, root: Path = ROOT, seeds: int = 0) -> Finding:
    """Return what finds a mutant.

    Parameters
    ----------
    mutant
        The fault.
    cache
        For programs, and for what all simulators share.
    root
        Sources to plant it in; they are copied, not changed.
    seeds
        Random programs to try in lockstep with Spike when no directed test
        fails.

    Raises
    ------
    RuntimeError
        The mutant does not elaborate, or does not compile.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        plant(mutant, root, Path(folder))
        return examine(mutant.name, mutant.preset, mutant.parameters, Path(folder), cache, seeds=seeds)


def examine(
    name: str, preset: str, parameters: Mapping[str, Any], root: Path, cache: Path, *, seeds: int = 0
) -> Finding:
    """Return what finds a fault in a core whose sources lie below `root`; nothing, when it has none.

    Parameters
    ----------
    name
        For the finding.
    preset, parameters
        The core.
    root, cache, seeds
        As for :func:`attack`.

    Raises
    ------
    RuntimeError
        It does not elaborate, or does not compile.
    """
    config = CoreConfig.preset(preset, **parameters)
    with tempfile.TemporaryDirectory(prefix="core-") as folder:
        files = elaborate_core(preset, parameters, root)
        executable = simulator(files, Path(folder), cache / "runtime")
        tried = 0
        for test in _order(applicable(config)):
            program = assemble(test, config, cache / "programs")
            outcome = on_core(test, program, executable, limit=_LIMIT)
            if not outcome.good:
                return Finding(
                    mutant=name,
                    by=f"directed {test.name}",
                    message=outcome.message,
                    cycles=outcome.cycles,
                    instructions=outcome.instructions,
                    tried=tried,
                )
            tried += 1
        cycles = instructions = 0
        for seed in range(1, seeds + 1):
            report = compare(preset, parameters, seed, executable, comparator(cache / "lockstep"))
            cycles += report["cycles"]
            instructions += report["instructions"]
            if report["status"] != "match":
                text = (report.get("mismatch") or {}).get("text", report["status"])
                return Finding(
                    mutant=name,
                    by=f"lockstep seed {seed}",
                    message=text.splitlines()[0],
                    cycles=cycles,
                    instructions=instructions,
                    tried=tried,
                )
            tried += 1
    return Finding(mutant=name, cycles=cycles, instructions=instructions, tried=tried)
