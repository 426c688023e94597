"""What a Liberty cell is: pins, functions, state, and the marks that decide its use."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flow.formats.boolean import Function, parse_function
from flow.formats.liberty.scan import Group

__all__ = [
    "SPANS",
    "WANTED",
    "LibertyCell",
    "Memory",
    "Pin",
    "Sequential",
    "StateTable",
    "cell_from_group",
    "finite",
]

_NONE: frozenset[str] = frozenset()
_PINS = frozenset({"pin"})
WANTED = {
    "library": frozenset({"operating_conditions", "cell", "type"}),
    "cell": frozenset(
        [
            "pin",
            "bus",
            "bundle",
            "ff",
            "latch",
            "ff_bank",
            "latch_bank",
            "statetable",
            "memory",
            "pg_pin",
            "test_cell",
        ]
    ),
    "bus": _PINS,
    "bundle": _PINS,
    **dict.fromkeys(
        [
            "operating_conditions",
            "type",
            "pin",
            "ff",
            "latch",
            "ff_bank",
            "latch_bank",
            "statetable",
            "memory",
            "pg_pin",
            "test_cell",
        ],
        _NONE,
    ),
}
SPANS = frozenset({"leakage_power", "memory_read", "memory_write"})
_VALUE = re.compile(r'\bvalue\s*:\s*"?\s*([-+\d.eE]+)')
_WORD = re.compile(r"\w+")
_STATES = ("ff", "latch", "ff_bank", "latch_bank")
_GATE_ROLES = ("clock", "enable", "test", "out", "obs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One logic pin.

    Attributes
    ----------
    direction
        ``input``, ``output``, ``inout`` or ``internal``.
    width
        1, or the width of a bus.
    function, three_state, state_function
        Boolean functions as text, or ``None``.
    internal_node
        Node of the state table that it shows.
    capacitance_pf, max_capacitance_pf
        Picofarads, or ``None`` where the file does not say.
    clock
        Marked as a clock pin.
    is_pad
        Connects to the outside of the chip.
    gate_role
        In a clock gate: ``clock``, ``enable``, ``test``, ``out`` or ``obs``.
    memory
        ``read`` or ``write`` for a data port of a memory.
    """

    name: str
    direction: str
    width: int = 1
    function: str | None = None
    three_state: str | None = None
    state_function: str | None = None
    internal_node: str | None = None
    capacitance_pf: float | None = None
    max_capacitance_pf: float | None = None
    clock: bool = False
    is_pad: bool = False
    gate_role: str | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential:
    """An ``ff`` or ``latch`` group; functions are text.

    ``trigger`` is ``clocked_on`` of a flop and ``enable`` of a latch, ``data``
    is ``next_state`` and ``data_in``. ``both`` holds ``clear_preset_var1`` and
    ``clear_preset_var2``: what the two variables become while clear and preset
    are both active. ``width`` is above 1 for a bank.
    """

    kind: str
    state: str
    inverted: str
    trigger: str | None
    data: str | None
    clear: str | None = None
    preset: str | None = None
    both: tuple[str, str] = ("", "")
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTable:
    """A ``statetable`` group: each row is (inputs, current nodes, next nodes)."""

    inputs: tuple[str, ...]
    nodes: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A ``memory`` group."""

    type: str
    address_width: int
    word_width: int


@dataclass(frozen=True, kw_only=True)
class LibertyCell:
    """One cell.

    Attributes
    ----------
    area_um2
        As the file says; square micrometres by convention.
    leakage_nw
        ``cell_leakage_power``, else the mean of its ``leakage_power`` groups,
        else ``None``; nanowatts.
    clock_gate
        Kind of integrated clock gate, for example ``latch_posedge``.
    scan
        Whether it has a ``test_cell`` group: a scan cell.
    power_pins
        Names of its power and ground pins.
    kind
        ``comb``, ``flop``, ``latch``, ``gate`` (integrated clock gate),
        ``macro`` or ``other`` (fillers, taps, antennas).
    clocks
        Pins that clock or enable its state.
    state
        Text of its state groups, blanks removed: equal for all drives of one
        flop.
    """

    name: str
    area_um2: float
    pins: tuple[Pin, ...]
    sequential: tuple[Sequential, ...] = ()
    statetable: StateTable | None = None
    clock_gate: str | None = None
    dont_use: bool = False
    dont_touch: bool = False
    leakage_nw: float | None = None
    footprint: str | None = None
    memory: Memory | None = None
    is_macro: bool = False
    is_pad: bool = False
    scan: bool = False
    power_pins: tuple[str, ...] = ()
    kind: str = "other"
    clocks: frozenset[str] = frozenset()
    state: str = ""
    _index: Mapping[str, Pin] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def inputs(self) -> tuple[Pin, ...]:
        """Its input pins, in the file's order."""
        return tuple(p for p in self.pins if p.direction == "input")

    @cached_property
    def outputs(self) -> tuple[Pin, ...]:
        """Its output and bidirectional pins, in the file's order."""
        return tuple(p for p in self.pins if p.direction in ("output", "inout"))

    def pin(self, name: str) -> Pin | None:
        """Return the pin called `name`, or ``None``."""
        return self._index.get(name)

    @property
    def register(self) -> bool:
        """Whether it is a flip-flop or a latch."""
        return self.kind in ("flop", "latch")

    @cached_property
    def buffer(self) -> bool:
        """Whether it is a plain buffer."""
        function = self._of_one_input()
        return function is not None and function.tree == ("var", self.inputs[0].name)

    @cached_property
    def inverter(self) -> bool:
        """Whether it is a plain inverter."""
        function = self._of_one_input()
        return function is not None and function.tree == ("not", ("var", self.inputs[0].name))

    def _of_one_input(self) -> Function | None:
        if self.kind != "comb" or len(self.inputs) != 1 or len(self.outputs) != 1:
            return None
        out = self.outputs[0]
        if out.three_state is not None or not out.function:
            return None
        try:
            return parse_function(out.function)
        except ValueError:
            return None


def _flag(group: Group, name: str) -> bool:
    return group.attrs.get(name, "").lower() == "true"


def finite(raw: str) -> float:
    """Return `raw` as a number.

    Raises
    ------
    ValueError
        It is none, or not finite.
    """
    value = float(raw)
    if not math.isfinite(value):
        raise ValueError(raw)
    return value


def _float(group: Group, name: str) -> float | None:
    raw = group.attrs.get(name)
    if not raw:
        return None
    try:
        return finite(raw)
    except ValueError:
        where = " ".join((group.kind, *group.args))
        raise ValueError(f"{name} of {where} is not a number: {raw!r}") from None


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit


def cell_from_group(
    text: str, group: Group, cap_pf: float, leak_nw: float, widths: Mapping[str, int]
) -> LibertyCell:
    """Return the cell that `group` describes.

    Parameters
    ----------
    text
        The whole file, where jumped-over leakage groups are looked up.
    cap_pf, leak_nw
        The file's units.
    widths
        Bit width of each bus type.

    Raises
    ------
    ValueError
        Something in it is not what Liberty says.
    """
    if not group.args:
        raise ValueError("a cell has no name")
    pins = [p for g in group.groups if g.kind in ("pin", "bus", "bundle") for p in _pins(g, cap_pf, widths)]
    memories, tables = group.all("memory"), group.all("statetable")
    states = [g for g in group.groups if g.kind in _STATES]
    return LibertyCell(
        name=group.args[0],
        area_um2=_float(group, "area") or 0.0,
        pins=tuple(pins),
        sequential=tuple(_sequential(g) for g in states if g.args),
        statetable=_statetable(tables[0]) if tables else None,
        clock_gate=group.attrs.get("clock_gating_integrated_cell"),
        dont_use=_flag(group, "dont_use"),
        dont_touch=_flag(group, "dont_touch"),
        leakage_nw=_leakage(text, group, leak_nw),
        footprint=group.attrs.get("cell_footprint"),
        memory=_memory(memories[0]) if memories else None,
        is_macro=_flag(group, "is_macro_cell") or bool(memories),
        is_pad=_flag(group, "pad_cell") or any(p.is_pad for p in pins),
        scan=bool(group.all("test_cell")),
        power_pins=tuple(g.args[0] for g in group.all("pg_pin") if g.args),
        kind=_kind(group, pins),
        clocks=_clocks(states, pins),
        state=";".join(_state(g) for g in states),
        _index={p.name: p for p in pins},
    )


def _kind(group: Group, pins: Iterable[Pin]) -> str:
    kinds = {child.kind for child in group.groups}
    macro = "memory" in kinds or "bus" in kinds or "interface_timing" in group.attrs
    tests = (
        ("gate", "clock_gating_integrated_cell" in group.attrs),
        ("flop", bool(kinds & {"ff", "ff_bank"})),
        ("latch", bool(kinds & {"latch", "latch_bank"})),
        ("macro", macro),
        ("comb", any(pin.function for pin in pins)),
        ("flop", "statetable" in kinds),
    )
    return next((kind for kind, found in tests if found), "other")


def _clocks(states: Iterable[Group], pins: Iterable[Pin]) -> frozenset[str]:
    names = {pin.name for pin in pins}
    clocks = {pin.name for pin in pins if pin.clock}
    for state in states:
        for key in ("clocked_on", "clocked_on_also", "enable"):
            clocks.update(name for name in _WORD.findall(state.attrs.get(key, "")) if name in names)
    return frozenset(clocks)


def _state(group: Group) -> str:
    attributes = ",".join(f"{k}={v.replace(' ', '')}" for k, v in sorted(group.attrs.items()))
    return f"{group.kind}:{attributes}"


def _pins(group: Group, cap_pf: float, widths: Mapping[str, int]) -> list[Pin]:
    width = 1
    names = group.args
    if group.kind == "bus":
        width = widths.get(group.attrs.get("bus_type", ""), max(1, len(group.all("pin"))))
    elif group.kind == "bundle":
        names = group.last("members") or ()
    roles = [r for r in _GATE_ROLES if _flag(group, f"clock_gate_{r}_pin")]
    memory = next((m for m in ("read", "write") if f"memory_{m}" in group.spans), None)
    return [
        Pin(
            name=name,
            direction=group.attrs.get("direction", "input").lower(),
            width=width,
            function=group.attrs.get("function"),
            three_state=group.attrs.get("three_state"),
            state_function=group.attrs.get("state_function"),
            internal_node=group.attrs.get("internal_node"),
            capacitance_pf=_scaled(_float(group, "capacitance"), cap_pf),
            max_capacitance_pf=_scaled(_float(group, "max_capacitance"), cap_pf),
            clock=_flag(group, "clock"),
            is_pad=_flag(group, "is_pad"),
            gate_role=roles[0] if roles else None,
            memory=memory,
        )
        for name in names
    ]


def _sequential(group: Group) -> Sequential:
    flop = group.kind.startswith("ff")
    bank = group.kind.endswith("_bank")
    width = int(group.args[2]) if bank and len(group.args) > 2 and group.args[2].isdigit() else 1
    return Sequential(
        kind="ff" if flop else "latch",
        state=group.args[0],
        inverted=group.args[1] if len(group.args) > 1 else "",
        trigger=group.attrs.get("clocked_on" if flop else "enable"),
        data=group.attrs.get("next_state" if flop else "data_in"),
        clear=group.attrs.get("clear"),
        preset=group.attrs.get("preset"),
        both=(
            group.attrs.get("clear_preset_var1", "").upper(),
            group.attrs.get("clear_preset_var2", "").upper(),
        ),
        width=width,
    )


def _statetable(group: Group) -> StateTable:
    if len(group.args) < 2:
        raise ValueError("a statetable names its inputs and its nodes")
    rows = []
    for row in group.attrs.get("table", "").split(","):
        parts = [tuple(part.split()) for part in row.split(":")]
        if parts == [()]:
            continue
        if len(parts) != 3:
            raise ValueError(f"statetable: the row {row.strip()!r} has not three parts")
        rows.append((parts[0], parts[1], parts[2]))
    return StateTable(inputs=_words(group.args[0]), nodes=_words(group.args[1]), rows=tuple(rows))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _memory(group: Group) -> Memory:
    return Memory(
        type=group.attrs.get("type", "ram"),
        address_width=int(_float(group, "address_width") or 0),
        word_width=int(_float(group, "word_width") or 0),
    )


def _leakage(text: str, group: Group, leak_nw: float) -> float | None:
    value = _float(group, "cell_leakage_power")
    if value is not None:
        return value * leak_nw
    found = [m for a, b in group.spans.get("leakage_power", ()) if (m := _VALUE.search(text, a, b))]
    if not found:
        return None
    return sum(finite(m.group(1)) for m in found) / len(found) * leak_nw
