"""Look for a fault: plant it in a copy, build that, and run what should notice."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rtl.riscv.config import CoreConfig
from verif.mutants import plant
from verif.mutants.riscv.faults import CoreMutant
from verif.mutants.riscv.workshop import elaborate_core, simulator
from verif.programs.directed.build import assemble
from verif.programs.directed.catalogue import DirectedTest, applicable
from verif.programs.directed.run import on_core

__all__ = ["ROOT", "Finding", "attack"]

#: The folder of the packages.
ROOT = Path(__file__).resolve().parents[3]

# A mutant may hang; a good core's longest directed test takes a quarter of this.
_LIMIT = 1_000_000
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
    config = CoreConfig.preset(mutant.preset, **mutant.parameters)
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        work = Path(folder)
        plant(mutant, root, work / "src")
        files = elaborate_core(mutant.preset, mutant.parameters, work / "src")
        (work / "sim").mkdir()
        executable = simulator(files, work / "sim", cache / "runtime")
        tried = 0
        for test in _order(applicable(config)):
            program = assemble(test, config, cache / "programs")
            outcome = on_core(test, program, executable, limit=_LIMIT)
            if not outcome.good:
                return Finding(
                    mutant=mutant.name,
                    by=f"directed {test.name}",
                    message=outcome.message,
                    cycles=outcome.cycles,
                    instructions=outcome.instructions,
                    tried=tried,
                )
            tried += 1
        return Finding(mutant=mutant.name, tried=tried)
