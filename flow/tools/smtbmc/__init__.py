"""Formal proof: yosys-smtbmc and the SMT solvers behind it."""

from __future__ import annotations

from flow.tools.smtbmc.adapter import BOOLECTOR, SMTBMC, SOLVERS, YICES, Smtbmc, Solver
from flow.tools.smtbmc.log import Step, Trace, read_log, read_trace
from flow.tools.smtbmc.plan import MODEL, MODES, TRACE, CheckPlan, check_command, model_lines

__all__ = [
    "BOOLECTOR",
    "MODEL",
    "MODES",
    "SMTBMC",
    "SOLVERS",
    "TRACE",
    "YICES",
    "CheckPlan",
    "Smtbmc",
    "Solver",
    "Step",
    "Trace",
    "check_command",
    "model_lines",
    "read_log",
    "read_trace",
]
