"""Who drives a net and who reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.formats.liberty import CellLibrary
from flow.tools._collector import without_collector
from flow.tools.netlist.model import Cell, Module, Netlist

__all__ = ["Connections", "Links", "connections"]

Pin = tuple[Cell, str, int]
"""A cell, a pin of it, and the bit of that pin."""


@dataclass(slots=True, kw_only=True)
class Connections:
    """Connections of one module, by net number.

    Attributes
    ----------
    drivers, sinks
        Pins of cells; a bidirectional pin is among both.
    outputs
        Bits of output ports that the net drives, as ``(port, index)``.
    inputs
        Nets that input or bidirectional ports drive.
    clocked
        Nets that reach a clock or enable pin of a flip-flop, latch, clock
        gate or macro.
    three_state
        Nets that some driver releases.
    driven
        Name of a cell to the nets that it drives.
    """

    drivers: dict[int, list[Pin]] = field(default_factory=dict)
    sinks: dict[int, list[Pin]] = field(default_factory=dict)
    outputs: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    inputs: set[int] = field(default_factory=set)
    clocked: set[int] = field(default_factory=set)
    three_state: set[int] = field(default_factory=set)
    driven: dict[str, list[int]] = field(default_factory=dict)

    def fanout(self, bit: int) -> int:
        """How many pins and output ports read the net."""
        return len(self.sinks.get(bit, ())) + len(self.outputs.get(bit, ()))


def directions(netlist: Netlist, library: CellLibrary, cell: Cell) -> dict[str, str]:
    """Direction of each connected pin; an unknown cell's pins count as inputs."""
    inner = netlist.modules.get(cell.type)
    if inner is not None:
        return {p: inner.ports[p].direction if p in inner.ports else "input" for p in cell.pins}
    known = library.get(cell.type)
    if known is None:
        guess = {"Y": "output", "Q": "output"} if cell.type.startswith("$") else {}
        return {p: guess.get(p, "input") for p in cell.pins}
    found = {}
    for pin in cell.pins:
        info = known.pin(pin)
        found[pin] = info.direction if info else "input"
    return found


_Role = tuple[str, bool, bool, bool, bool]
"""A pin, and whether it drives, reads, releases, clocks."""


def _roles(netlist: Netlist, library: CellLibrary, cell: Cell) -> list[_Role]:
    ways = directions(netlist, library, cell)
    known = library.get(cell.type) if cell.type not in netlist.modules else None
    clocks = known.clocks if known else frozenset()
    return [
        (
            pin,
            way in ("output", "inout"),
            way in ("input", "inout"),
            way == "inout" or bool(known and (info := known.pin(pin)) and info.three_state),
            pin in clocks,
        )
        for pin, way in ways.items()
    ]


@without_collector
def connections(netlist: Netlist, module: Module, library: CellLibrary) -> Connections:  # noqa: PLR0912 - one walk over all pins
    """Return who drives and who reads each net of `module`."""
    result = Connections()
    for port in module.ports.values():
        for index, bit in enumerate(port.bits):
            if not isinstance(bit, int):
                continue
            if port.direction in ("input", "inout"):
                result.inputs.add(bit)
            if port.direction in ("output", "inout"):
                result.outputs.setdefault(bit, []).append((port.name, index))
    # Cells of one type share their pins' roles: look those up once a type.
    memo: dict[tuple[str, tuple[str, ...]], list[_Role]] = {}
    drivers, sinks = result.drivers, result.sinks
    for cell in module.cells.values():
        pins = cell.pins
        key = (cell.type, tuple(pins))
        roles = memo.get(key)
        if roles is None:
            roles = memo[key] = _roles(netlist, library, cell)
        driven: list[int] = []
        for pin, drives, reads, releases, clocks in roles:
            for index, bit in enumerate(pins[pin]):
                if isinstance(bit, str):
                    continue
                if drives:
                    driven.append(bit)
                    _append(drivers, bit, (cell, pin, index))
                    if releases:
                        result.three_state.add(bit)
                if reads:
                    _append(sinks, bit, (cell, pin, index))
                    if clocks:
                        result.clocked.add(bit)
        result.driven[cell.name] = driven
    return result


def _append(table: dict[int, list[Pin]], bit: int, pin: Pin) -> None:
    known = table.get(bit)
    if known is None:
        table[bit] = [pin]
    else:
        known.append(pin)


class Links:
    """Connections of the modules of a netlist, each looked up once.

    It holds as long as nobody changes what is connected to what; who does,
    begins with a new one.
    """

    def __init__(self, netlist: Netlist, library: CellLibrary) -> None:
        self._netlist, self._library = netlist, library
        self._known: dict[str, Connections] = {}

    def of(self, module: Module) -> Connections:
        """Return the connections of one module."""
        known = self._known.get(module.name)
        if known is None:
            known = self._known[module.name] = connections(self._netlist, module, self._library)
        return known
