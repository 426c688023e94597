"""A netlist with its hierarchy dissolved: what carries signals, by full name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flow.tools._collector import without_collector
from flow.tools.netlist.model import Bit, Module, Netlist

__all__ = ["FlatCell", "FlatNetlist", "flatten"]


@dataclass(slots=True, kw_only=True)
class FlatCell:
    """A cell of the library: its instance path, type, and nets by pin."""

    path: tuple[str, ...]
    type: str
    pins: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class FlatNetlist:
    """Cells, and for each net all its names (dots between instances).

    ``constants`` maps nets that are constant to their value; ``ports`` the
    bits of the top's ports to their nets.
    """

    cells: list[FlatCell] = field(default_factory=list)
    names: dict[int, list[str]] = field(default_factory=dict)
    constants: dict[int, bool] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    inputs: set[int] = field(default_factory=set)


@without_collector
def flatten(netlist: Netlist) -> FlatNetlist:
    """Dissolve the hierarchy of `netlist`."""
    flat = FlatNetlist()
    parent: dict[int, int] = {}
    count = 0

    def new() -> int:
        nonlocal count
        count += 1
        return count

    def root(net: int) -> int:
        while parent.get(net, net) != net:
            parent[net] = parent.get(parent[net], parent[net])
            net = parent[net]
        return net

    def constant(value: str) -> int:
        net = new()
        flat.constants[net] = value == "1"
        return net

    def visit(module: Module, path: tuple[str, ...], bound: dict[Bit, int]) -> None:
        local = dict(bound)

        def net(bit: Bit) -> int:
            if isinstance(bit, str):
                return constant(bit)
            if bit not in local:
                local[bit] = new()
            return local[bit]

        prefix = "".join(f"{part}." for part in path)
        for cell in module.cells.values():
            if cell.type == "$assign":
                a, y = root(net(cell.pins["A"][0])), root(net(cell.pins["Y"][0]))
                parent[y] = a
            elif cell.type in netlist.modules:
                inner = netlist.modules[cell.type]
                ends: dict[Bit, int] = {}
                for pin, bits in cell.pins.items():
                    port = inner.ports.get(pin)
                    for inside, outside in zip(port.bits if port else (), bits, strict=False):
                        ends[inside] = net(outside)
                visit(inner, (*path, cell.name), ends)
            else:
                pins = {}
                for pin, bits in cell.pins.items():
                    if len(bits) == 1:
                        bit = bits[0]
                        pins[pin] = (None if isinstance(bit, str) else local.get(bit)) or net(bit)
                        continue
                    for index, bit in enumerate(bits):
                        pins[f"{pin}[{index}]"] = net(bit)
                flat.cells.append(FlatCell(path=(*path, cell.name), type=cell.type, pins=pins))
        aliases, names = module.aliases, flat.names
        for bit, number in local.items():
            known = aliases.get(bit) if isinstance(bit, int) else None
            if known:
                names.setdefault(number, []).extend([prefix + name for name in known] if prefix else known)

    top = netlist.modules[netlist.top]
    ends: dict[Bit, int] = {}
    for port in top.ports.values():
        for index, bit in enumerate(port.bits):
            if bit not in ends:
                ends[bit] = constant(bit) if isinstance(bit, str) else new()
            flat.ports[port.bit_name(index)] = ends[bit]
            if port.direction != "output":
                flat.inputs.add(ends[bit])
    visit(top, (), ends)
    return _joined(flat, root) if parent else flat


def _joined(flat: FlatNetlist, root: Callable[[int], int]) -> FlatNetlist:
    """Replace nets that assignments join by one of them."""
    names: dict[int, list[str]] = {}
    for net, known in flat.names.items():
        names.setdefault(root(net), []).extend(known)
    for cell in flat.cells:
        cell.pins = {pin: root(net) for pin, net in cell.pins.items()}
    return FlatNetlist(
        cells=flat.cells,
        names=names,
        constants={root(net): value for net, value in flat.constants.items()},
        ports={name: root(net) for name, net in flat.ports.items()},
        inputs={root(net) for net in flat.inputs},
    )
