"""Memories that are no part of a netlist: what leads to them become ports of its top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flow.tools.netlist.model import Bit, Cell, Module, Netlist, Port

__all__ = ["OUTSIDE", "Outside", "move_outside"]

#: How the names of such ports begin.
OUTSIDE = "outside__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A memory whose place a cell of the type `cell_type` holds, with the pins of Yosys's ``$mem_v2``.

    Attributes
    ----------
    name
        Of the memory.
    reads, writes
        How many ports it has.
    address_bits, width
        Of each.
    """

    cell_type: str
    name: str
    reads: int
    writes: int
    address_bits: int
    width: int


def move_outside(netlist: Netlist, memories: Iterable[Outside]) -> None:
    """Replace the cells of `memories` in the top by ports ``outside__MEMORY__rd0_addr`` and so on.

    Enables of writes that are the same bit are given once, an address that a
    write shares with a read is the read's, and what is constant has no port.
    A memory's clock stays inside: the clock is a port of the top already.
    """
    kinds = {memory.cell_type: memory for memory in memories}
    module = netlist.modules[netlist.top]
    for cell in [cell for cell in module.cells.values() if cell.type in kinds]:
        del module.cells[cell.name]
        _ports(module, cell, kinds[cell.type])


def _ports(module: Module, cell: Cell, memory: Outside) -> None:
    stem = OUTSIDE + re.sub(r"\W+", "_", memory.name)
    pins = _Pins(cell.pins, memory)
    addresses: list[list[Bit]] = []
    for index in range(memory.reads):
        for name, bits in pins.read(index).items():
            _add(module, f"{stem}__rd{index}_{name}", "input" if name == "data" else "output", bits)
        addresses.append(pins.read(index)["addr"])
    for index in range(memory.writes):
        for name, bits in pins.write(index).items():
            if name != "addr" or bits not in addresses:
                _add(module, f"{stem}__wr{index}_{name}", "output", bits)


class _Pins:
    """The pins of one cell, port by port."""

    def __init__(self, pins: Mapping[str, list[Bit]], memory: Outside) -> None:
        self._pins, self._memory = pins, memory

    def _slice(self, pin: str, index: int, size: int) -> list[Bit]:
        return self._pins.get(pin, [])[index * size : (index + 1) * size]

    def read(self, index: int) -> dict[str, list[Bit]]:
        memory = self._memory
        return {
            "addr": self._slice("RD_ADDR", index, memory.address_bits),
            "en": self._slice("RD_EN", index, 1),
            "clear": self._slice("RD_SRST", index, 1) + self._slice("RD_ARST", index, 1),
            "data": self._slice("RD_DATA", index, memory.width),
        }

    def write(self, index: int) -> dict[str, list[Bit]]:
        memory = self._memory
        return {
            "addr": self._slice("WR_ADDR", index, memory.address_bits),
            "en": list(dict.fromkeys(self._slice("WR_EN", index, memory.width))),
            "data": self._slice("WR_DATA", index, memory.width),
        }


def _add(module: Module, name: str, direction: str, bits: list[Bit]) -> None:
    nets: list[Bit] = [bit for bit in bits if isinstance(bit, int)]
    if not nets:
        return
    stem, count = name, 0
    while name in module.ports:
        count += 1
        name = f"{stem}_{count}"
    port = Port(name=name, direction=direction, bits=nets, vector=len(nets) > 1)
    module.ports[name] = port
    if direction == "input":
        for index, net in enumerate(nets):
            if isinstance(net, int):
                module.names[net] = port.bit_name(index)
                module.aliases.setdefault(net, []).append(port.bit_name(index))
