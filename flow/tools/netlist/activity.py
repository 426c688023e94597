"""Switching activity of every net: from simulation where known, else from what drives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flow.formats.liberty import CellLibrary, LibertyCell
from flow.tools._collector import without_collector
from flow.tools.netlist.flat import FlatCell, FlatNetlist
from flow.tools.netlist.propagate import Gates, Rate

__all__ = ["Annotation", "annotate"]

_PASSES = 3


@dataclass(slots=True, kw_only=True)
class Annotation:
    """Activity of nets.

    Attributes
    ----------
    rates
        Each net's ``(toggles a cycle, share of the time high)``.
    known
        Nets whose rate came from simulation.
    clocks
        Nets of the clock network, which timing knows.
    nets, registers, ports
        How many there are (without clocks and constants), and how many of
        them are `known`, as ``(known, all)``.
    """

    rates: dict[int, Rate] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    clocks: set[int] = field(default_factory=set)
    nets: tuple[int, int] = (0, 0)
    registers: tuple[int, int] = (0, 0)
    ports: tuple[int, int] = (0, 0)


class _Simulated:
    """Rates by the names under which a simulator may know a net: ``a[0]`` may be called ``a``."""

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._rates = rates
        self._stems = {name[:-3]: rate for name, rate in rates.items() if name.endswith("[0]")}

    def get(self, name: str) -> Rate | None:
        rate = self._rates.get(name)
        if rate is None:
            rate = self._rates.get(name[:-3]) if name.endswith("[0]") else self._stems.get(name)
        return rate


@without_collector
def annotate(
    flat: FlatNetlist,
    library: CellLibrary,
    simulated: Mapping[str, Rate],
    clock_ports: frozenset[str],
    *,
    default: Rate = (0.1, 0.5),
) -> Annotation:
    """Give every net of `flat` a rate.

    Parameters
    ----------
    simulated
        Names below the top (dots between instances) to rates.
    clock_ports
        Bits of ports that are clocks.
    default
        Rate of inputs and registers that simulation did not see.

    Notes
    -----
    A gate's rate follows from those of its inputs, taken as independent of
    each other and as changing together at most once a cycle, so glitches are
    not counted. A register that was not seen takes over what its data input
    does, in a few passes.
    """
    cells = {name: library.get(name) for name in {cell.type for cell in flat.cells}}
    result = Annotation(clocks=_clock_nets(flat, cells, clock_ports))
    for net, value in flat.constants.items():
        result.rates[net] = (0.0, float(value))
    seen = _Simulated(simulated)
    for net, names in flat.names.items():
        for name in names:
            rate = seen.get(name)
            if rate is not None and net not in result.clocks:
                result.rates[net] = rate
                result.known.add(net)
                break
    registers = _registers(flat, cells, seen, result)
    for net in flat.inputs - result.clocks:
        result.rates.setdefault(net, default)
    guessed = [(cell, pin, net) for cell, pin, net in registers if net not in result.rates]
    for _, _, net in guessed:
        result.rates[net] = default
    gates = Gates(flat, cells, result.known | result.clocks, result.rates)
    for index in range(_PASSES if guessed else 1):
        gates.propagate()
        if index < _PASSES - 1:
            for cell, _, net in guessed:
                gates.set(net, _data_rate(cell, cells[cell.type], gates, default))
    result.rates = gates.rates()
    _count(flat, registers, result)
    return result


def _clock_nets(
    flat: FlatNetlist, cells: Mapping[str, LibertyCell | None], clock_ports: frozenset[str]
) -> set[int]:
    """Follow clocks from their ports through buffers, inverters and gates to registers."""
    readers: dict[int, list[FlatCell]] = {}
    through = {
        name: [pin.name for pin in cell.inputs]
        for name, cell in cells.items()
        if cell is not None and (cell.kind == "gate" or cell.buffer or cell.inverter)
    }
    for cell in flat.cells:
        for pin in through.get(cell.type, ()):
            if pin in cell.pins:
                readers.setdefault(cell.pins[pin], []).append(cell)
    nets: set[int] = set()
    todo = [flat.ports[name] for name in clock_ports if name in flat.ports]
    while todo:
        net = todo.pop()
        if net in nets:
            continue
        nets.add(net)
        for cell in readers.get(net, ()):
            known = cells[cell.type]
            if known:
                todo += [cell.pins[p.name] for p in known.outputs if p.name in cell.pins]
    return nets


def _registers(
    flat: FlatNetlist,
    cells: Mapping[str, LibertyCell | None],
    simulated: _Simulated,
    result: Annotation,
) -> list[tuple[FlatCell, str, int]]:
    """Return register outputs; a register also goes by its own name, less ``_reg``."""
    found = []
    types = {name: cell for name, cell in cells.items() if cell is not None and cell.register}
    for cell in flat.cells:
        known = types.get(cell.type)
        if known is None:
            continue
        own = simulated.get(".".join(cell.path).removesuffix("_reg"))
        for pin in known.outputs:
            net = cell.pins.get(pin.name)
            if net is None:
                continue
            found.append((cell, pin.name, net))
            if own is not None and net not in result.rates:
                inverse = known.sequential[0].inverted if known.sequential else ""
                inverted = bool(inverse) and (pin.function or "").strip("() ") == inverse
                result.rates[net] = (own[0], 1.0 - own[1] if inverted else own[1])
                result.known.add(net)
    return found


def _data_rate(cell: FlatCell, known: LibertyCell | None, gates: Gates, default: Rate) -> Rate:
    if known is None:
        return default
    data = [p.name for p in known.inputs if p.name not in known.clocks and p.name in ("D", "DATA", "d")]
    net = cell.pins.get(data[0]) if data else None
    toggles, high = default if net is None else gates.get(net, default)
    return min(toggles, 1.0), high


def _count(flat: FlatNetlist, registers: list[tuple[FlatCell, str, int]], result: Annotation) -> None:
    used: set[int] = set()
    used.update(*(cell.pins.values() for cell in flat.cells))
    used -= result.clocks
    used -= flat.constants.keys()
    result.nets = (len(used & result.known), len(used))
    held = {net for _, _, net in registers}
    result.registers = (len(held & result.known), len(held))
    ports = {net for net in flat.ports.values() if net not in result.clocks and net not in flat.constants}
    result.ports = (len(ports & result.known), len(ports))
