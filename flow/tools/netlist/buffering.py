"""Buffer trees for nets that logic synthesis left with too many readers, and drives for flip-flops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flow.formats.liberty import CellLibrary, LibertyCell
from flow.tools.netlist.connect import Connections, Links, Pin
from flow.tools.netlist.model import Module, Netlist

__all__ = ["EASY_LOAD", "Fanout", "buffer_fanout", "capacitance", "resize_flops"]

# A driver is large enough when its load is below this share of what it may drive.
EASY_LOAD = 1 / 3


@dataclass(frozen=True, kw_only=True)
class Fanout:
    """The rule: at most `limit` readers, else buffers of these cells, weakest first."""

    limit: int
    buffers: tuple[LibertyCell, ...]

    @cached_property
    def by_drive(self) -> tuple[LibertyCell, ...]:
        """Buffers by what they may drive, where the library says so."""
        return tuple(sorted(self.buffers, key=lambda c: (c.outputs[0].max_capacitance_pf or 0.0, c.area_um2)))

    def choose(self, load_pf: float) -> LibertyCell:
        """Return the smallest buffer that drives `load_pf` with ease."""
        for cell in self.by_drive:
            limit = cell.outputs[0].max_capacitance_pf
            if limit is not None and load_pf <= limit * EASY_LOAD:
                return cell
        limited = self.by_drive[-1].outputs[0].max_capacitance_pf is not None
        return self.by_drive[-1] if limited else self.by_drive[len(self.by_drive) // 2]


def capacitance(library: CellLibrary, pin: Pin) -> float:
    """Return the input capacitance of a pin in pF; 0 where nobody says."""
    known = library.get(pin[0].type)
    info = known.pin(pin[1]) if known else None
    return (info.capacitance_pf or 0.0) if info else 0.0


def buffer_fanout(netlist: Netlist, library: CellLibrary, rule: Fanout, links: Links | None = None) -> int:
    """Bound the fanout of every net that is not a clock; returns how many buffers that took.

    A net that clocks something stays whole, since clock trees are built in
    layout and timing treats clocks as ideal until then; only its data
    readers are moved behind buffers.
    """
    if not rule.buffers:
        return 0
    links = links or Links(netlist, library)
    added = 0
    for module in netlist.modules.values():
        joined = links.of(module)
        for bit in list(joined.sinks):
            if joined.fanout(bit) > rule.limit and bit not in joined.three_state:
                added += _tree(module, library, joined, bit, rule)
    return added


def _tree(module: Module, library: CellLibrary, links: Connections, bit: int, rule: Fanout) -> int:
    sinks = links.sinks[bit]
    if bit in links.clocked:
        clocks = [s for s in sinks if _clocks(library, s)]
        sinks = [s for s in sinks if not _clocks(library, s)]
        room = rule.limit if clocks else rule.limit - len(links.outputs.get(bit, ()))
    else:
        room = rule.limit - len(links.outputs.get(bit, ()))
    room = max(room, 1)
    # Readers next to each other in the design stay next to each other.
    sinks = sorted(sinks, key=lambda s: (s[0].name, s[1], s[2]))
    added = 0
    while len(sinks) > room:
        groups = -(-len(sinks) // rule.limit)
        size, extra = divmod(len(sinks), groups)
        above: list[Pin] = []
        position = 0
        for index in range(groups):
            end = position + size + (index < extra)
            group = sinks[position:end]
            position = end
            buffer = rule.choose(sum(capacitance(library, s) for s in group))
            net = module.new_net()
            source, sink = buffer.outputs[0].name, buffer.inputs[0].name
            cell = module.new_cell("fanout_buf", buffer.name, {sink: bit, source: net})
            for reader, pin, place in group:
                reader.pins[pin][place] = net
            above.append((cell, sink, 0))
            added += 1
        sinks = above
    return added


def _clocks(library: CellLibrary, pin: Pin) -> bool:
    known = library.get(pin[0].type)
    return known is not None and pin[1] in known.clocks


def _families(library: CellLibrary, usable: list[str]) -> dict[tuple[object, ...], list[LibertyCell]]:
    """Flip-flops and latches that differ in nothing but their drive, weakest first."""
    families: dict[tuple[object, ...], list[LibertyCell]] = {}
    for name in usable:
        if not library.is_sequential(name):
            continue
        cell = library.get(name)
        if cell and cell.register:
            families.setdefault(_signature(cell), []).append(cell)
    for members in families.values():
        members.sort(key=lambda c: c.area_um2)
    return families


def _signature(cell: LibertyCell) -> tuple[object, ...]:
    pins = sorted((p.name, p.direction, p.function or "") for p in cell.pins)
    return cell.kind, cell.state, tuple(pins)


def resize_flops(
    netlist: Netlist, library: CellLibrary, usable: list[str], load_pf: float, links: Links | None = None
) -> int:
    """Give each flip-flop the smallest drive that its load needs; returns how many changed.

    Parameters
    ----------
    load_pf
        Load of an output port.
    """
    links = links or Links(netlist, library)
    families = _families(library, usable)
    changed = 0
    for module in netlist.modules.values():
        joined = links.of(module)
        for cell in module.cells.values():
            known = library.get(cell.type)
            if known is None or not known.register:
                continue
            members = families.get(_signature(known), [])
            if len(members) < 2:
                continue
            better = _suited(joined, library, members, cell.pins, load_pf)
            if better.name != cell.type:
                cell.type = better.name
                changed += 1
    return changed


def _suited(
    links: Connections,
    library: CellLibrary,
    members: list[LibertyCell],
    pins: dict[str, list[int | str]],
    load_pf: float,
) -> LibertyCell:
    for member in members:
        easy = True
        for out in member.outputs:
            bit = pins.get(out.name, ["x"])[0]
            if isinstance(bit, int) and out.max_capacitance_pf is not None:
                load = sum(capacitance(library, s) for s in links.sinks.get(bit, ()))
                load += load_pf * len(links.outputs.get(bit, ()))
                easy = easy and load <= out.max_capacitance_pf * EASY_LOAD
        if easy:
            return member
    return members[-1]
