"""Verilator: lint, and models for simulation; with the C++ compiler that builds them."""

from __future__ import annotations

from flow.tools.verilator.adapter import CXX, VERILATOR, CxxAdapter, VerilatorAdapter
from flow.tools.verilator.coverage import CoveragePoint, read_counts, read_points
from flow.tools.verilator.log import read_compile_log, read_log, read_runtime_errors, unread_images
from flow.tools.verilator.plan import (
    COVERAGE,
    OBJ_DIR,
    RUNTIME_PARTS,
    Model,
    Trace,
    compile_command,
    fst_probe_command,
    lint_command,
    read_files,
    read_model,
    runtime_command,
    uncovered_text,
    verilate_command,
)

__all__ = [
    "COVERAGE",
    "CXX",
    "OBJ_DIR",
    "RUNTIME_PARTS",
    "VERILATOR",
    "CoveragePoint",
    "CxxAdapter",
    "Model",
    "Trace",
    "VerilatorAdapter",
    "compile_command",
    "fst_probe_command",
    "lint_command",
    "read_compile_log",
    "read_counts",
    "read_files",
    "read_log",
    "read_model",
    "read_points",
    "read_runtime_errors",
    "runtime_command",
    "uncovered_text",
    "unread_images",
    "verilate_command",
]
