"""Who drives a net and who reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.tools.liberty import Library
from flow.tools.netlist.model import Cell, Module, Netlist

__all__ = ["Connections", "connections"]

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
    """

    drivers: dict[int, list[Pin]] = field(default_factory=dict)
    sinks: dict[int, list[Pin]] = field(default_factory=dict)
    outputs: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    inputs: set[int] = field(default_factory=set)
    clocked: set[int] = field(default_factory=set)
    three_state: set[int] = field(default_factory=set)

    def fanout(self, bit: int) -> int:
        """How many pins and output ports read the net."""
        return len(self.sinks.get(bit, ())) + len(self.outputs.get(bit, ()))


def directions(netlist: Netlist, library: Library, cell: Cell) -> dict[str, str]:
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
        info = known.pins.get(pin) or known.pins.get(f"{pin}[0]")
        found[pin] = info.direction if info else "input"
    return found


def connections(netlist: Netlist, module: Module, library: Library) -> Connections:  # noqa: PLR0912 - one walk over all pins
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
    # Cells of one type share their pins' directions: look those up once a type.
    memo: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
    for cell in module.cells.values():
        key = (cell.type, tuple(cell.pins))
        ways = memo.get(key)
        if ways is None:
            ways = memo[key] = directions(netlist, library, cell)
        known = library.get(cell.type) if cell.type not in netlist.modules else None
        clocks = known.clocks if known else frozenset()
        for pin, bits in cell.pins.items():
            way = ways[pin]
            released = bool(known and pin in known.pins and known.pins[pin].three_state)
            for index, bit in enumerate(bits):
                if not isinstance(bit, int):
                    continue
                if way in ("output", "inout"):
                    result.drivers.setdefault(bit, []).append((cell, pin, index))
                    if released or way == "inout":
                        result.three_state.add(bit)
                if way in ("input", "inout"):
                    result.sinks.setdefault(bit, []).append((cell, pin, index))
                    if pin in clocks:
                        result.clocked.add(bit)
    return result
