"""A project on this machine: its design, tools and PDKs, planned and run.

This is the library behind ``suzuri plan`` and ``suzuri run``: load a
manifest, find the tools, make the graph, drive it, record what came of it.
"""

from __future__ import annotations

from flow.project.request import Request
from flow.project.session import RunResult, Session

__all__ = ["Request", "RunResult", "Session"]
