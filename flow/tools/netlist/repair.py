"""Constants, feedthroughs, three-state drivers and names: what other tools trip over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flow.formats.liberty import CellLibrary, LibertyCell
from flow.tools.netlist.connect import Connections, Links, directions
from flow.tools.netlist.model import Bit, Cell, Module, Netlist

__all__ = ["Ties", "repair"]

_FLOP = re.compile(r"^(?P<net>.+)\$_(?:S?DFF|A?LDFF|DFFSR|DLATCH|FF|SR)[A-Z0-9_]*_$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """Cells that give constants, as ``(cell, pin)``, and a plain buffer."""

    high: tuple[str, str] | None = None
    low: tuple[str, str] | None = None
    buffer: LibertyCell | None = None
    limit: int = 16


def repair(netlist: Netlist, library: CellLibrary, ties: Ties, usable: Iterable[str]) -> Links:
    """Make the netlist one that timing and layout tools read without a remark.

    Names are given to cells, three-state drivers are mapped, outputs that
    nobody reads are left open, constants come from tie cells, and each output
    port has a driver of its own.

    Returns
    -------
    Links
        Who reads each net now; drivers of nets that nobody reads are still
        in it.
    """
    links = Links(netlist, library)
    names = list(usable)
    for module in netlist.modules.values():
        _rename(module, netlist)
        _map_three_state(module, library, names)
        _feedthroughs(module, ties)
        _constants(netlist, module, library, ties)
        _open_unread(netlist, module, library, links.of(module))
    return links


def _rename(module: Module, netlist: Netlist) -> None:
    """Name flip-flops after what they hold, anonymous cells by number."""
    renamed: dict[str, Cell] = {}
    taken = set(module.ports) | {bit for names in module.aliases.values() for bit in names}
    count = 0
    for cell in module.cells.values():
        match = _FLOP.match(cell.name)
        if match:
            stem = f"{match['net']}_reg"
        elif cell.name.startswith("$"):
            count += 1
            stem = f"g{count}" if cell.type not in netlist.modules else f"u{count}"
        else:
            stem = cell.name
        name, again = stem, 0
        while name in renamed or name in taken:
            again += 1
            name = f"{stem}_{again}"
        cell.name = name
        renamed[name] = cell
    module.cells = renamed


def _three_state_cell(library: CellLibrary, usable: Iterable[str]) -> LibertyCell | None:
    """Return the smallest plain three-state buffer or inverter."""
    found = []
    for name in usable:
        if library.is_sequential(name):
            continue
        cell = library.get(name)
        if cell and len(cell.outputs) == 1 and len(cell.inputs) == 2 and cell.outputs[0].three_state:
            out = cell.outputs[0]
            pins = {p.name for p in cell.inputs}
            data = re.sub(r"[\s()!']", "", out.function or "")
            if data in pins and re.sub(r"[\s()!']", "", out.three_state or "") in pins - {data}:
                found.append(cell)
    return min(found, key=lambda c: c.area_um2, default=None)


def _map_three_state(module: Module, library: CellLibrary, usable: list[str]) -> None:
    generic = [c for c in module.cells.values() if c.type == "$_TBUF_"]
    if not generic:
        return
    target = _three_state_cell(library, usable)
    invs = [c for n in usable if not library.is_sequential(n) and (c := library.get(n)) and c.inverter]
    inverter = min(invs, key=lambda c: c.area_um2, default=None)
    if target is None or inverter is None:
        return
    out = target.outputs[0]
    data = re.sub(r"[\s()!']", "", out.function or "")
    enable = re.sub(r"[\s()!']", "", out.three_state or "")
    inverting = bool(re.search(r"[!']", out.function or ""))
    active_low = not re.search(r"[!']", out.three_state or "")

    def invert(bit: Bit) -> Bit:
        net = module.new_net()
        module.new_cell(
            "tri_inv", inverter.name, {inverter.inputs[0].name: bit, inverter.outputs[0].name: net}
        )
        return net

    for cell in generic:
        a, e, y = (cell.pins[p][0] for p in ("A", "E", "Y"))
        cell.type = target.name
        cell.pins = {
            data: [invert(a) if inverting else a],
            enable: [invert(e) if active_low else e],
            out.name: [y],
        }


def _feedthroughs(module: Module, ties: Ties) -> None:
    """Give each output port a net of its own."""
    seen = {b for p in module.ports.values() if p.direction != "output" for b in p.bits if isinstance(b, int)}
    for port in module.ports.values():
        if port.direction != "output":
            continue
        for index, bit in enumerate(port.bits):
            if not isinstance(bit, int):
                continue
            if bit in seen and ties.buffer is not None:
                net = module.new_net()
                out, pin = ties.buffer.outputs[0].name, ties.buffer.inputs[0].name
                module.new_cell("port_buf", ties.buffer.name, {pin: bit, out: net})
                port.bits[index] = net
                module.names[net] = port.bit_name(index)
                if module.names.get(bit) == port.bit_name(index):
                    del module.names[bit]
                seen.add(net)
            seen.add(bit)


class _TieCells:
    """Hands out constant nets, a new tie cell after every `limit` readers."""

    def __init__(self, module: Module, ties: Ties) -> None:
        self.module, self.ties = module, ties
        self.nets: dict[str, int] = {}
        self.used: dict[str, int] = {}

    def net(self, value: str, fresh: bool = False) -> Bit:
        value = "1" if value == "1" else "0"
        cell = self.ties.high if value == "1" else self.ties.low
        if cell is None:
            return value
        if fresh or value not in self.nets or self.used[value] >= self.ties.limit:
            net = self.module.new_net()
            self.module.new_cell(f"tie{value}", cell[0], {cell[1]: net})
            if fresh:
                return net
            self.nets[value], self.used[value] = net, 0
        self.used[value] += 1
        return self.nets[value]


def _constants(netlist: Netlist, module: Module, library: CellLibrary, ties: Ties) -> None:
    cells = _TieCells(module, ties)
    for cell in list(module.cells.values()):
        for bits in cell.pins.values():
            if len(bits) != 1 or isinstance(bits[0], str):
                break
        else:
            continue  # nearly always
        ways = directions(netlist, library, cell)
        for pin, bits in cell.pins.items():
            for index, bit in enumerate(bits):
                if isinstance(bit, str):
                    # An output that the RTL leaves open is shown as x: it stays open.
                    bits[index] = cells.net(bit) if ways[pin] == "input" else module.new_net()
    for port in module.ports.values():
        if port.direction != "output":
            continue
        for index, bit in enumerate(port.bits):
            if isinstance(bit, str) and bit != "z":
                port.bits[index] = _constant_port(module, ties, cells, bit)
                driver = port.bits[index]
                if isinstance(driver, int):
                    module.names[driver] = port.bit_name(index)


def _constant_port(module: Module, ties: Ties, cells: _TieCells, value: str) -> Bit:
    net = cells.net(value, fresh=True)
    if isinstance(net, int) or ties.buffer is None:
        return net
    # No tie cell in this library: a buffer whose input is constant.
    driven = module.new_net()
    pins: dict[str, Bit] = {ties.buffer.inputs[0].name: net, ties.buffer.outputs[0].name: driven}
    module.new_cell("const_buf", ties.buffer.name, pins)
    return driven


def _open_unread(netlist: Netlist, module: Module, library: CellLibrary, links: Connections) -> None:
    """Leave outputs open that nobody reads, so that no net without reader remains."""
    for bit, drivers in links.drivers.items():
        if links.fanout(bit) == 0 and bit not in links.inputs:
            for cell, pin, _ in drivers:
                known = library.get(cell.type) if cell.type not in netlist.modules else None
                if known is not None and len(cell.pins[pin]) == 1 and len(cell.pins) > 1:
                    del cell.pins[pin]
