"""GCC for RISC-V, with picolibc."""

from __future__ import annotations

from flow.tools.gcc.adapter import GCC, GccAdapter
from flow.tools.gcc.plan import Build, abi, compile_command, link_command, march, multilib

__all__ = ["GCC", "Build", "GccAdapter", "abi", "compile_command", "link_command", "march", "multilib"]
