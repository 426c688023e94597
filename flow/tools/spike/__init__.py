"""Spike, the reference model of RISC-V: finding it, and linking with it."""

from __future__ import annotations

from flow.tools.spike.adapter import SPIKE, SpikeAdapter
from flow.tools.spike.comparator import (
    COMPARATOR,
    build_command,
    compare_command,
    read_build_log,
    read_report,
)

__all__ = [
    "COMPARATOR",
    "SPIKE",
    "SpikeAdapter",
    "build_command",
    "compare_command",
    "read_build_log",
    "read_report",
]
