"""ABC: bounded and unbounded proofs over an and-inverter graph, by SAT instead of SMT."""

from __future__ import annotations

from flow.tools.abc.adapter import ABC, Abc
from flow.tools.abc.log import check_possible, read_log, statements, states_visited
from flow.tools.abc.plan import (
    GRAPH,
    MAP,
    MAPS,
    NAMES,
    WITNESS,
    graph_lines,
    possible_command,
    prove_command,
    trace_command,
)

__all__ = [
    "ABC",
    "GRAPH",
    "MAP",
    "MAPS",
    "NAMES",
    "WITNESS",
    "Abc",
    "check_possible",
    "graph_lines",
    "possible_command",
    "prove_command",
    "read_log",
    "statements",
    "states_visited",
    "trace_command",
]
