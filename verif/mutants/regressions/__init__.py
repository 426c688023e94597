"""Forty faults, one a night: each must be found, and told from the others."""

from verif.mutants.regressions.faults import DESIGNS, FAULTS, Design, Fault
from verif.mutants.regressions.nights import Night, Summary, run_nights

__all__ = ["DESIGNS", "FAULTS", "Design", "Fault", "Night", "Summary", "run_nights"]
