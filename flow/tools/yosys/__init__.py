"""Yosys: logic synthesis.

``adapter`` finds it, ``script`` plans what it does, ``recipe`` says how hard
it tries, ``perturb`` changes what must not matter, ``memories`` what it may
compose memories of, ``log`` reads what it said. ``child`` is the process that
runs a script in the wheel's library.
"""

from __future__ import annotations

from flow.tools.yosys.adapter import Yosys
from flow.tools.yosys.log import read_latches, read_log, read_problems
from flow.tools.yosys.perturb import jitter, shuffle_cells
from flow.tools.yosys.recipe import PORTFOLIO, RECIPES, Recipe, recipe
from flow.tools.yosys.script import (
    Frontend,
    Mapping,
    elaborate_script,
    map_script,
    memory_script,
    outside_script,
)

__all__ = [
    "PORTFOLIO",
    "RECIPES",
    "Frontend",
    "Mapping",
    "Recipe",
    "Yosys",
    "elaborate_script",
    "jitter",
    "map_script",
    "memory_script",
    "outside_script",
    "read_latches",
    "read_log",
    "read_problems",
    "recipe",
    "shuffle_cells",
]
