"""Liberty libraries as synthesis, timing and power need them: cells, pins, functions, excerpts.

Only what is asked for is parsed: a library is cut into its cells by their
braces, and a cell is read when somebody asks for it.
"""

from __future__ import annotations

from flow.tools.liberty.cell import LibertyCell, LibertyPin
from flow.tools.liberty.function import BoolFunction, parse_function
from flow.tools.liberty.library import (
    Liberty,
    LibertyError,
    Library,
    read_liberty,
)

__all__ = [
    "BoolFunction",
    "Liberty",
    "LibertyCell",
    "LibertyError",
    "LibertyPin",
    "Library",
    "parse_function",
    "read_liberty",
]
