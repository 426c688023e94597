"""Faults planted in the RISC-V cores, and what finds them.

Each changes one place of the sources; directed tests are tried first, then
random programs in lockstep with Spike.

    python -m verif.mutants.riscv                     all, as a table
    python -m verif.mutants.riscv --list
    python -m verif.mutants.riscv small_no_forwarding divider_by_zero
"""

from verif.mutants.riscv.fast import FAST
from verif.mutants.riscv.faults import CoreMutant
from verif.mutants.riscv.nano import NANO
from verif.mutants.riscv.shared import SHARED
from verif.mutants.riscv.small import SMALL

__all__ = ["MUTANTS", "CoreMutant"]

#: All of them, by pipeline.
MUTANTS: tuple[CoreMutant, ...] = (*NANO, *SMALL, *FAST, *SHARED)
