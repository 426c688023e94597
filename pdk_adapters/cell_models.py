"""Verilog simulation models of cells, derived from what Liberty says they do.

The models have no timing, no power pins and no user-defined primitives, so
that Icarus, Verilator and Yosys all read them. They serve gate-level
simulation and equivalence. A cell that cannot be modelled faithfully is left
out, with a reason: a netlist that uses it then fails to elaborate, instead of
being simulated with a guess.

Asynchronous clear and preset that are active at once follow
``clear_preset_var1``; where the library leaves it open, clear wins.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from flow.formats.boolean import Function, parse_function
from flow.formats.liberty import LibertyCell, Library, Pin
from pdk_adapters.model_state import Body, Unmodelled, clock_gate, sequential, statetable

__all__ = ["CellModel", "CellModels", "cell_models", "model_cell", "netlist_cells"]

_INSTANCE = re.compile(
    r"(?:^|;)\s*(?:\\(\S+)\s|([A-Za-z_][\w$]*)\s)\s*(?:\\\S+\s|[A-Za-z_][\w$]*)\s*\(", re.MULTILINE
)
_IDENTIFIER = re.compile(r"^[A-Za-z_][\w$]*$")
_HEADER = """\
// Functional cell models derived from Liberty; no timing, no power pins.
// verilator lint_off DECLFILENAME
// verilator lint_off LATCH
// verilator lint_off UNUSEDSIGNAL
// verilator lint_off MULTITOP
// verilator lint_off WIDTHTRUNC
`timescale 1ns/1ps
"""
INITIAL = ("x", "0", "random")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellModel:
    """One cell's model.

    Attributes
    ----------
    kind
        ``logic``, ``tristate``, ``flop``, ``latch``, ``clock_gate``, or
        ``physical`` for a cell without outputs.
    inputs, outputs
        Port names.
    verilog
        The module.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    verilog: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellModels:
    """Models by cell, and why the others have none."""

    models: Mapping[str, CellModel] = field(default_factory=dict)
    omitted: Mapping[str, str] = field(default_factory=dict)

    def verilog(self, cells: Iterable[str] | None = None) -> str:
        """Return one Verilog file with the models of `cells`, or all of them.

        Raises
        ------
        ValueError
            A cell has no model; the message gives the reason.
        """
        names = list(self.models) if cells is None else list(dict.fromkeys(cells))
        for name in names:
            if name not in self.models:
                reason = self.omitted.get(name, "the libraries do not define it")
                raise ValueError(f"no simulation model for cell {name}: {reason}")
        return _HEADER + "\n".join(self.models[name].verilog for name in names)


def cell_models(libraries: Iterable[Library], *, initial: str = "x") -> CellModels:
    """Return models of every cell of `libraries`.

    Parameters
    ----------
    libraries
        The Liberty files of one corner.
    initial
        What flops and latches hold at time zero: ``x``, ``0``, or ``random``
        (from ``$random``, so the simulator's seed decides), which avoids the
        pessimism of unknown values in mapped logic.

    Raises
    ------
    ValueError
        `initial` is none of those.
    """
    if initial not in INITIAL:
        raise ValueError(f"initial must be one of {', '.join(INITIAL)}, not {initial!r}")
    models: dict[str, CellModel] = {}
    omitted: dict[str, str] = {}
    for library in libraries:
        for cell in library.cells.values():
            try:
                models[cell.name] = model_cell(cell, initial=initial)
            except (Unmodelled, ValueError) as error:
                omitted[cell.name] = str(error)
    return CellModels(models=models, omitted={k: v for k, v in omitted.items() if k not in models})


def model_cell(cell: LibertyCell, *, initial: str = "x") -> CellModel:
    """Return the model of one cell.

    Raises
    ------
    ValueError
        It cannot be modelled; the message says why.
    """
    pins = [p for p in cell.pins if p.direction in ("input", "output", "inout")]
    _refuse(cell, pins)
    body = Body(cell, initial)
    outputs = [p for p in pins if p.direction != "input"]
    kind = "logic" if outputs else "physical"
    if outputs:
        kind = _state(cell, body) or kind
    for pin in outputs:
        if _drive(cell, pin, body) and kind == "logic":
            kind = "tristate"
    if cell.clock_gate and body.has_state:
        kind = "clock_gate"
    ports = ", ".join(f"{p.direction} wire {identifier(p.name)}" for p in pins)
    lines = [f"module {identifier(cell.name)} ({ports});", *(f"  {line}" for line in body.lines), "endmodule"]
    return CellModel(
        name=cell.name,
        kind=kind,
        inputs=tuple(p.name for p in pins if p.direction == "input"),
        outputs=tuple(p.name for p in outputs),
        verilog="\n".join(lines) + "\n",
    )


def netlist_cells(netlist: str, known: Container[str]) -> tuple[str, ...]:
    """Return the cells of `known` that a Verilog netlist instantiates, sorted, each once."""
    found = {a or b for a, b in _INSTANCE.findall(netlist)}
    return tuple(sorted(name for name in found if name in known))


def identifier(name: str) -> str:
    """Return `name` as a Verilog identifier, escaped where it has to be."""
    return name if _IDENTIFIER.match(name) else f"\\{name} "


def _refuse(cell: LibertyCell, pins: list[Pin]) -> None:
    if cell.memory is not None:
        raise Unmodelled("a memory: its behaviour is not in Liberty")
    wide = [p.name for p in pins if p.width > 1]
    if wide:
        raise Unmodelled(f"bus pins ({', '.join(wide)})")
    if any(s.width > 1 for s in cell.sequential):
        raise Unmodelled("a bank of flops or latches")
    names = [p.name for p in pins]
    if len(set(names)) != len(names):
        raise Unmodelled("two pins of one name")


def _state(cell: LibertyCell, body: Body) -> str | None:
    for group in cell.sequential:
        sequential(group, body)
    if cell.sequential:
        return "flop" if any(s.kind == "ff" for s in cell.sequential) else "latch"
    if cell.statetable is not None:
        statetable(cell.statetable, body)
        return "latch"
    return None


def _drive(cell: LibertyCell, pin: Pin, body: Body) -> bool:
    """Drive one output; return whether it can be released."""
    text = pin.state_function or pin.function
    if text is None and pin.internal_node:
        text = pin.internal_node
    if text is None:
        if cell.clock_gate and pin.gate_role == "out" and not body.has_state:
            clock_gate(cell, pin, body)
            return False
        raise Unmodelled(f"output {pin.name} has no function")
    value = body.expression(_parsed(text))
    if pin.three_state:
        released = body.expression(_parsed(pin.three_state))
        value = f"{released} ? 1'bz : {value}"
    elif pin.direction == "inout":
        raise Unmodelled(f"bidirectional pin {pin.name} is never released")
    body.lines.append(f"assign {identifier(pin.name)} = {value};")
    return pin.three_state is not None


def _parsed(text: str) -> Function:
    try:
        return parse_function(text)
    except ValueError as error:
        raise Unmodelled(str(error)) from None
