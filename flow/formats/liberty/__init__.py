"""Liberty: what a library says of its cells, read whole or one cell at a time.

``read_library`` reads a whole file strictly, which PDK adapters and their
checks want. ``read_liberty`` cuts a file into cells by their braces and reads
a cell when somebody asks for it, which steps want, that also write excerpts.
Both read cells by the same grammar (``scan``) into the same ``LibertyCell``.
"""

from __future__ import annotations

from flow.formats.liberty.cell import LibertyCell, Memory, Pin, Sequential, StateTable
from flow.formats.liberty.cut import CellLibrary, Liberty, LibertyError, read_liberty
from flow.formats.liberty.library import Library, OperatingConditions, parse_library, read_library

__all__ = [
    "CellLibrary",
    "Liberty",
    "LibertyCell",
    "LibertyError",
    "Library",
    "Memory",
    "OperatingConditions",
    "Pin",
    "Sequential",
    "StateTable",
    "parse_library",
    "read_liberty",
    "read_library",
]
