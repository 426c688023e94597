"""Faults planted in the accelerator, and what finds them.

Each changes one place of the sources. Those of the compute engine meet random
commands, each compared with the functional model; those of the shell around it
(transfers, packing, memories, sequencer) meet programs that must fail and
random ones.

    python -m verif.mutants.accelerator                     all, as a table
    python -m verif.mutants.accelerator --list
    python -m verif.mutants.accelerator fill_is_zero window
"""

from verif.mutants import Mutant
from verif.mutants.accelerator.compute import COMPUTE
from verif.mutants.accelerator.shell import SHELL

__all__ = ["COMPUTE", "MUTANTS", "SHELL"]

#: All of them.
MUTANTS: tuple[Mutant, ...] = (*COMPUTE, *SHELL)
