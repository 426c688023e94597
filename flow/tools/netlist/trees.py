"""Balanced trees in place of the chains of buffers that technology mapping leaves.

ABC hangs the readers of a large net on buffers one after another: the last of
them waits for a dozen buffers, where a tree of the same fanout has two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.formats.liberty import CellLibrary
from flow.tools.netlist.buffering import EASY_LOAD, Fanout, capacitance
from flow.tools.netlist.connect import Connections, Links, Pin
from flow.tools.netlist.model import Cell, Module, Netlist

__all__ = ["balance_buffers"]

# A tree may be so much deeper than it need be: ABC keeps readers that must be early near the root, and
# rebuilding trees that are but a little unbalanced was measured to cost more than it gains.
_SLACK = 5


@dataclass(slots=True)
class _Tree:
    """Buffers below one net, and what they serve.

    Attributes
    ----------
    buffers
        Names of its buffers.
    leaves
        Readers, and how many buffers lead to each.
    """

    buffers: list[str] = field(default_factory=list)
    leaves: list[tuple[int, Pin]] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """Most buffers in a row."""
        return max((depth for depth, _ in self.leaves), default=0)


def balance_buffers(netlist: Netlist, library: CellLibrary, rule: Fanout, links: Links | None = None) -> int:
    """Rebuild trees of buffers that are much deeper than they need be; returns how many.

    Where it returns more than none, `links` no longer hold.
    """
    if not rule.buffers:
        return 0
    links = links or Links(netlist, library)
    kinds = {cell.name: (cell.inputs[0].name, cell.outputs[0].name) for cell in rule.buffers}
    for module in netlist.modules.values():
        for cell in module.cells.values():
            known = library.get(cell.type) if cell.type not in kinds else None
            if known is not None and known.buffer and len(known.inputs) == len(known.outputs) == 1:
                kinds[cell.type] = (known.inputs[0].name, known.outputs[0].name)
    return sum(_module(module, library, rule, links.of(module), kinds) for module in netlist.modules.values())


def _module(
    module: Module,
    library: CellLibrary,
    rule: Fanout,
    links: Connections,
    kinds: dict[str, tuple[str, str]],
) -> int:
    inner = {
        bit
        for cell in module.cells.values()
        if cell.type in kinds
        for bit in (cell.pins.get(kinds[cell.type][1]) or ["x"])[:1]
        if isinstance(bit, int) and _plain(links, bit)
    }
    changed = 0
    for bit in list(links.sinks):
        if bit in inner or not _plain(links, bit):
            continue
        tree = _collect(links, bit, kinds, inner)
        if tree.depth > _needed(len(tree.leaves), rule.limit) + _SLACK:
            _rebuild(module, library, links, bit, tree, rule)
            changed += 1
    return changed


def _plain(links: Connections, bit: int) -> bool:
    """Whether a net is a signal with one driver that is no clock."""
    return (
        bit not in links.clocked
        and bit not in links.three_state
        and bit not in links.outputs
        and len(links.drivers.get(bit, ())) + (bit in links.inputs) == 1
    )


def _needed(leaves: int, limit: int) -> int:
    """Return how many buffers in a row a balanced tree has."""
    depth, reach = 0, limit
    while reach < leaves:
        depth, reach = depth + 1, reach * limit
    return depth


def _collect(links: Connections, root: int, kinds: dict[str, tuple[str, str]], inner: set[int]) -> _Tree:
    tree = _Tree()
    todo = [(root, 0)]
    while todo:
        bit, depth = todo.pop()
        for pin in links.sinks.get(bit, ()):
            cell = pin[0]
            names = kinds.get(cell.type)
            out = (cell.pins.get(names[1]) or ["x"])[0] if names else "x"
            if names and isinstance(out, int) and out in inner:
                tree.buffers.append(cell.name)
                todo.append((out, depth + 1))
            else:
                tree.leaves.append((depth, pin))
    return tree


def _rebuild(
    module: Module, library: CellLibrary, links: Connections, root: int, tree: _Tree, rule: Fanout
) -> None:
    """Hang all readers of a tree on a balanced one."""
    for name in tree.buffers:
        del module.cells[name]
    # Readers that were near the root are those that had to be early: they stay near each other.
    level = [pin for _, pin in sorted(tree.leaves, key=lambda item: (item[0], item[1][0].name, item[1][1]))]
    while len(level) > rule.limit:
        level = _layer(module, library, root, level, rule)
    drive = _drive(library, links, root)
    if drive is not None and sum(capacitance(library, pin) for pin in level) > drive * EASY_LOAD:
        level = _layer(module, library, root, level, rule)
    for reader, name, place in level:
        reader.pins[name][place] = root


def _layer(module: Module, library: CellLibrary, root: int, level: list[Pin], rule: Fanout) -> list[Pin]:
    """Put buffers before `level`, as few as the fanout allows; return their inputs."""
    groups = -(-len(level) // rule.limit)
    size, extra = divmod(len(level), groups)
    above: list[Pin] = []
    position = 0
    for index in range(groups):
        end = position + size + (index < extra)
        group = level[position:end]
        position = end
        buffer = rule.choose(sum(capacitance(library, pin) for pin in group))
        net = module.new_net()
        source, sink = buffer.outputs[0].name, buffer.inputs[0].name
        cell: Cell = module.new_cell("tree_buf", buffer.name, {sink: root, source: net})
        for reader, name, place in group:
            reader.pins[name][place] = net
        above.append((cell, sink, 0))
    return above


def _drive(library: CellLibrary, links: Connections, bit: int) -> float | None:
    """Return what the driver of a net may drive, in pF; ``None`` where nobody says."""
    for cell, name, _ in links.drivers.get(bit, ()):
        known = library.get(cell.type)
        pin = known.pin(name) if known else None
        if pin is not None:
            return pin.max_capacitance_pf
    return None
