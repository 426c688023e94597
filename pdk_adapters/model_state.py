"""State in cell models: flops, latches, state tables and clock gates as Verilog."""

from __future__ import annotations

import re

from flow.formats.boolean import Function, parse_function
from flow.formats.liberty import LibertyCell, Pin, Sequential, StateTable

__all__ = ["Body", "Unmodelled", "clock_gate", "sequential", "statetable"]

_IDENTIFIER = re.compile(r"^[A-Za-z_][\w$]*$")
# What to wait for, and the condition that then holds.
_Edge = tuple[str, str]
_LEVELS = {"L": "1'b0", "H": "1'b1"}


class Unmodelled(ValueError):
    """A cell cannot be modelled; the message says why."""


class Body:
    """The inside of a module while it is written.

    Parameters
    ----------
    cell
        Whose module it is; its pin names may be used in expressions.
    initial
        ``x``, ``0`` or ``random``.
    """

    def __init__(self, cell: LibertyCell, initial: str) -> None:
        self.initial = initial
        self.lines: list[str] = []
        self.nets = {p.name: _escape(p.name) for p in cell.pins if p.direction != "internal"}
        # Inner names must not meet the cell's own pins.
        taken = {p.name for p in cell.pins}
        self.prefix = next(p for n in range(99) if (p := f"u{n or ''}_") and not _starts(taken, p))
        self.has_state = False

    def expression(self, function: Function) -> str:
        """Return `function` as Verilog over this module's nets."""
        unknown = [name for name in function.inputs if name not in self.nets]
        if unknown:
            raise Unmodelled(f"function {function.text!r} reads {unknown[0]}, which is no pin or state")
        return function.verilog(lambda name: self.nets[name])

    def wire(self, name: str, text: str) -> str:
        """Name the function `text`: a pin itself, or a new wire."""
        function = parse_function(text)
        if function.tree[0] == "var":
            return self.expression(function)
        net = f"{self.prefix}{name}"
        self.lines.append(f"wire {net} = {self.expression(function)};")
        return net

    def edge(self, name: str, text: str) -> tuple[str, str]:
        """Return (edge, condition) of the function `text`: ``("posedge CLK", "CLK")``."""
        function = parse_function(text)
        inner = function.tree[1] if function.tree[0] == "not" else None
        if isinstance(inner, tuple) and inner[0] == "var" and str(inner[1]) in self.nets:
            net = self.nets[str(inner[1])]
            return f"negedge {net}", f"!{net}"
        net = self.wire(name, text)
        return f"posedge {net}", net

    def state(self, name: str, inverted: str = "") -> tuple[str, str]:
        """Declare a state variable; return its register and its inverse's net."""
        self.has_state = True
        reg, inverse = f"{self.prefix}{name}", f"{self.prefix}{inverted or name + '_n'}"
        self.lines.append(f"reg {reg};")
        if self.initial == "random":
            # Yosys wants constants as initial values, and knows itself by this name.
            self.lines += ["`ifndef YOSYS", f"initial {reg} = $random;", "`endif"]
        elif self.initial == "0":
            self.lines.append(f"initial {reg} = 1'b0;")
        self.nets[name] = reg
        if inverted:
            self.nets[inverted] = inverse
        return reg, inverse


def _escape(name: str) -> str:
    return name if _IDENTIFIER.match(name) else f"\\{name} "


def _starts(names: set[str], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def sequential(group: Sequential, body: Body) -> None:
    """Write a flop or a latch."""
    if not group.trigger and not (group.clear and group.preset):
        raise Unmodelled(f"the {group.kind} has no clock or enable")
    reg, inverse = body.state(group.state, group.inverted)
    # Declared before its use: next_state may read the inverse.
    body.lines.append(f"wire {inverse};")
    clear = body.edge("clear", group.clear) if group.clear else None
    preset = body.edge("preset", group.preset) if group.preset else None
    both = None
    if clear and preset:
        both = f"({clear[1]}) && ({preset[1]})"
        clear, preset = _ranked(clear, preset, group.both[0], body)
    value = "1'b1" if group.both[0] == "H" else "1'b0"
    inverse_value = _LEVELS.get(group.both[1])
    if both and inverse_value == value:
        body.lines.append(f"assign {inverse} = {both} ? {value} : ~{reg};")
    else:
        body.lines.append(f"assign {inverse} = ~{reg};")
    data = body.wire("next", group.data) if group.data else reg
    if group.kind == "ff":
        _flop(group, body, reg, data, (clear, preset))
    else:
        _latch(group, body, reg, data, (clear, preset))


def _ranked(
    clear: tuple[str, str], preset: tuple[str, str], both: str, body: Body
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Make clear and preset exclude each other.

    Whichever wins hides the other one behind a wire, so that the loser takes
    effect by an edge of its own when the winner is released first.
    """
    loser, winner = (clear, preset) if both == "H" else (preset, clear)
    net = f"{body.prefix}{'clear' if both == 'H' else 'preset'}_only"
    body.lines.append(f"wire {net} = ({loser[1]}) && !({winner[1]});")
    only = (f"posedge {net}", net)
    return (only, preset) if both == "H" else (clear, only)


def _flop(
    group: Sequential, body: Body, reg: str, data: str, resets: tuple[_Edge | None, _Edge | None]
) -> None:
    clear, preset = resets
    if not group.trigger:
        raise Unmodelled("the ff has no clock")
    edges = [body.edge("clock", group.trigger)[0], *(e[0] for e in (clear, preset) if e)]
    body.lines.append(f"always @({' or '.join(edges)})")
    steps = [f"if ({clear[1]}) {reg} <= 1'b0;"] if clear else []
    steps += [f"if ({preset[1]}) {reg} <= 1'b1;"] if preset else []
    body.lines.append("  " + " else ".join([*steps, f"{reg} <= {data};"]))


def _latch(
    group: Sequential, body: Body, reg: str, data: str, resets: tuple[_Edge | None, _Edge | None]
) -> None:
    clear, preset = resets
    steps = [f"if ({clear[1]}) {reg} = 1'b0;"] if clear else []
    steps += [f"if ({preset[1]}) {reg} = 1'b1;"] if preset else []
    if group.trigger:
        steps.append(f"if ({body.wire('enable', group.trigger)}) {reg} = {data};")
    body.lines.append("always @*")
    body.lines.append("  " + " else ".join(steps))


def statetable(table: StateTable, body: Body) -> None:
    """Write a state table that has levels only, as one latch a node."""
    nodes = {}
    for name in table.nodes:
        nodes[name] = body.state(name)[0]
    for index, name in enumerate(table.nodes):
        steps = []
        for inputs, current, following in _rows(table):
            condition = _condition(table, inputs, current, body)
            value = following[index]
            if value in _LEVELS:
                steps.append(f"if ({condition}) {nodes[name]} = {_LEVELS[value]};")
            elif value == "N":
                steps.append(f"if ({condition}) ;")
            elif value == "X":
                steps.append(f"if ({condition}) {nodes[name]} = 1'bx;")
            else:
                raise Unmodelled(f"state table: next value {value!r}")
        while steps and steps[-1].endswith(") ;"):
            steps.pop()  # holding is what a latch does anyway
        if not steps:
            raise Unmodelled(f"state table: {name} never changes")
        body.lines.append("always @*")
        body.lines.append("  " + " else ".join(steps))


def _rows(table: StateTable) -> list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    rows = []
    for inputs, current, following in table.rows:
        if (len(inputs), len(current), len(following)) != (
            len(table.inputs), len(table.nodes), len(table.nodes),
        ):  # fmt: skip
            raise Unmodelled("state table: a row has not as many values as the table has columns")
        slashed = [t for t in (*inputs, *current) if "/" in t]
        if not slashed:
            rows.append((inputs, current, following))
            continue
        if len(set(slashed)) > 1:
            raise Unmodelled("state table: a row with several alternatives")
        for side in (0, 1):
            rows.append((_pick(inputs, side), _pick(current, side), _pick(following, side)))
    return rows


def _pick(tokens: tuple[str, ...], side: int) -> tuple[str, ...]:
    return tuple(t.split("/")[side] if "/" in t else t for t in tokens)


def _condition(table: StateTable, inputs: tuple[str, ...], current: tuple[str, ...], body: Body) -> str:
    terms = []
    for name, token in [*zip(table.inputs, inputs, strict=True), *zip(table.nodes, current, strict=True)]:
        if token == "-":
            continue
        if token not in _LEVELS:
            raise Unmodelled(f"state table: {token!r} (an edge) for {name}")
        if name not in body.nets:
            raise Unmodelled(f"state table: {name} is no pin")
        terms.append(body.nets[name] if token == "H" else f"!{body.nets[name]}")
    return " && ".join(terms) or "1'b1"


def clock_gate(cell: LibertyCell, out: Pin, body: Body) -> None:
    """Write a clock gate of which only the kind is known.

    Source
    ------
    Liberty Reference Manual, ``clock_gating_integrated_cell``: with
    ``latch_posedge`` the enable passes a latch that is open while the clock is
    low, and an and; with ``latch_negedge`` all of it the other way round.
    ``precontrol`` puts the test pin before the latch, ``postcontrol`` after.
    """
    kind = (cell.clock_gate or "").lower()
    roles = {p.gate_role: body.nets[p.name] for p in cell.pins if p.gate_role and p.name in body.nets}
    if not kind.startswith(("latch_posedge", "latch_negedge")) or not {"clock", "enable"} <= roles.keys():
        raise Unmodelled(f"clock gate of kind {cell.clock_gate!r} without a state table")
    rising = kind.startswith("latch_posedge")
    clock, test = roles["clock"], roles.get("test")
    enable = roles["enable"]
    if test and "precontrol" in kind:
        enable = f"({enable} | {test})"
    reg, _ = body.state("gate")
    body.lines.append("always @*")
    body.lines.append(f"  if ({'!' if rising else ''}{clock}) {reg} = {enable};")
    passed = f"({reg} | {test})" if test and "postcontrol" in kind else reg
    value = f"{clock} & {passed}" if rising else f"{clock} | ~{passed}"
    body.lines.append(f"assign {_escape(out.name)} = {value};")
