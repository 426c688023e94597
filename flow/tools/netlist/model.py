"""A netlist as data: modules of ports, cells and nets, one bit at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flow.tools._collector import without_collector

__all__ = ["Bit", "Cell", "Module", "Netlist", "NetlistError", "Port", "read_yosys_json"]

Bit = int | str
"""A net by number, or a constant: ``"0"``, ``"1"``, ``"x"``, ``"z"``."""


class NetlistError(ValueError):
    """A netlist cannot be understood; the message says where."""


@dataclass(slots=True, kw_only=True)
class Port:
    """A port: its bits from least to most significant, as declared ``[msb:lsb]``."""

    name: str
    direction: str
    bits: list[Bit]
    offset: int = 0
    upto: bool = False
    vector: bool = False

    def bit_name(self, index: int) -> str:
        """Return the name of one bit, as a simulator would write it."""
        if not self.vector:
            return self.name
        place = len(self.bits) - 1 - index if self.upto else index
        return f"{self.name}[{self.offset + place}]"


@dataclass(slots=True, kw_only=True)
class Cell:
    """An instance: its type and what each pin (or bit of a pin) connects to."""

    name: str
    type: str
    pins: dict[str, list[Bit]]
    src: str = ""


@dataclass(slots=True, kw_only=True)
class Module:
    """One module.

    Attributes
    ----------
    names
        Net number to its name, where it has one.
    aliases
        Net number to all its public names.
    """

    name: str
    ports: dict[str, Port] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    aliases: dict[int, list[str]] = field(default_factory=dict)
    top_bit: int = 1

    def new_net(self) -> int:
        """Return a net that nothing uses yet."""
        self.top_bit += 1
        return self.top_bit

    def new_cell(self, stem: str, cell_type: str, pins: Mapping[str, Bit]) -> Cell:
        """Add an instance under a name that is free."""
        name, count = stem, 0
        while name in self.cells:
            count += 1
            name = f"{stem}_{count}"
        cell = Cell(name=name, type=cell_type, pins={pin: [bit] for pin, bit in pins.items()})
        self.cells[name] = cell
        return cell

    def net_name(self, bit: int) -> str:
        """Return the name of a net, made up where it has none."""
        return self.names.get(bit) or f"_n{bit}_"


@dataclass(slots=True, kw_only=True)
class Netlist:
    """Modules by name, of which ``top`` is the outermost."""

    top: str
    modules: dict[str, Module]

    def counts(self) -> dict[str, int]:
        """How many times each module occurs below the top."""
        counts: dict[str, int] = {self.top: 1}
        for name in self.order():
            for cell in self.modules[name].cells.values():
                if cell.type in self.modules:
                    counts[cell.type] = counts.get(cell.type, 0) + counts.get(name, 0)
        return counts

    def order(self) -> list[str]:
        """Modules below the top, parents before children.

        Raises
        ------
        NetlistError
            A module contains itself.
        """
        done: dict[str, bool] = {}
        order: list[str] = []

        def visit(name: str) -> None:
            if name in done:
                if not done[name]:
                    raise NetlistError(f"module {name} contains itself")
                return
            done[name] = False
            for child in {c.type for c in self.modules[name].cells.values() if c.type in self.modules}:
                visit(child)
            done[name] = True
            order.append(name)

        visit(self.top)
        return order[::-1]


@without_collector
def read_yosys_json(text: str, top: str) -> Netlist:
    """Read what ``write_json`` wrote; blackbox modules are left out.

    Raises
    ------
    NetlistError
        The text is no netlist, or `top` is not in it.
    """
    try:
        raw = json.loads(text)["modules"]
    except (ValueError, KeyError, TypeError) as error:
        raise NetlistError(f"not a Yosys JSON netlist: {error}") from error
    modules = {}
    for name, content in raw.items():
        flags = content.get("attributes", {})
        # An empty top counts as a black box for Yosys.
        if name != top and any(int(str(flags.get(key, "0")), 2) for key in ("blackbox", "whitebox")):
            continue
        modules[name] = _module(name, content)
    if top not in modules:
        raise NetlistError(f"module {top} is not in the netlist")
    netlist = Netlist(top=top, modules=modules)
    kept = set(netlist.order())
    return Netlist(top=top, modules={k: v for k, v in modules.items() if k in kept})


def _module(name: str, content: Mapping[str, Any]) -> Module:
    module = Module(name=name)
    for port, value in content.get("ports", {}).items():
        module.ports[port] = Port(
            name=port,
            direction=value["direction"],
            bits=list(value["bits"]),
            offset=int(value.get("offset", 0)),
            upto=bool(value.get("upto", 0)),
            vector=len(value["bits"]) > 1 or "offset" in value,
        )
    for cell, value in content.get("cells", {}).items():
        module.cells[cell] = Cell(
            name=cell,
            type=value["type"],
            pins={pin: list(bits) for pin, bits in value.get("connections", {}).items()},
            src=str(value.get("attributes", {}).get("src", "")),
        )
    _name_nets(module, content.get("netnames", {}))
    used = [b for c in module.cells.values() for bits in c.pins.values() for b in bits if isinstance(b, int)]
    used += [b for p in module.ports.values() for b in p.bits if isinstance(b, int)]
    module.top_bit = max([*used, *module.names, 1])
    return module


def _name_nets(module: Module, netnames: Mapping[str, Any]) -> None:
    """Give every net its best name: a port's, else the one nearest to the top."""
    taken: set[str] = set()
    for port in module.ports.values():
        for index, bit in enumerate(port.bits):
            name = port.bit_name(index)
            taken.add(name)
            if isinstance(bit, int):
                module.aliases.setdefault(bit, []).append(name)
                module.names.setdefault(bit, name)
        taken.add(port.name)
    public = [(n, v) for n, v in netnames.items() if not v.get("hide_name") and n not in module.ports]
    for name, value in sorted(public, key=lambda item: (item[0].count("."), len(item[0]), item[0])):
        bits = value["bits"]
        vector = len(bits) > 1 or "offset" in value
        wire = Port(
            name=name,
            direction="",
            bits=bits,
            offset=int(value.get("offset", 0)),
            upto=bool(value.get("upto", 0)),
            vector=vector,
        )
        for index, bit in enumerate(bits):
            if not isinstance(bit, int):
                continue
            bit_name = wire.bit_name(index)
            module.aliases.setdefault(bit, []).append(bit_name)
            if bit not in module.names and bit_name not in taken:
                module.names[bit] = bit_name
                taken.add(bit_name)
