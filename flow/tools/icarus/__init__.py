"""Icarus Verilog: event-driven simulation."""

from __future__ import annotations

from flow.tools.icarus.adapter import DUMP_MODULE, ICARUS, IcarusAdapter, build_command
from flow.tools.icarus.awake import awake
from flow.tools.icarus.log import read_log, read_runtime_errors, unread_images

__all__ = [
    "DUMP_MODULE",
    "ICARUS",
    "IcarusAdapter",
    "awake",
    "build_command",
    "read_log",
    "read_runtime_errors",
    "unread_images",
]
