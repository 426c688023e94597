"""What a netlist amounts to: cells, areas, fanout, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from flow.formats.liberty import CellLibrary, LibertyCell
from flow.tools.netlist.connect import Connections, Links
from flow.tools.netlist.model import Module, Netlist
from flow.tools.netlist.outside import OUTSIDE

__all__ = ["Measures", "area_by_module", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Numbers of a whole netlist, every instance of a module counted.

    Attributes
    ----------
    types
        CellLibrary cell to ``(count, area of all)``.
    unmapped
        ``(instance, type, source)`` of cells that neither the library nor the
        netlist defines.
    undriven, multidriven
        Names of nets that are read without a driver, or have several.
    """

    cells: int = 0
    area: float = 0.0
    stdcells: int = 0
    sequential: int = 0
    sequential_area: float = 0.0
    macros: int = 0
    macro_area: float = 0.0
    buffers: int = 0
    inverters: int = 0
    io: int = 0
    max_fanout: int = 0
    max_fanout_net: str = ""
    types: dict[str, tuple[int, float]] = field(default_factory=dict)
    unmapped: list[tuple[str, str, str]] = field(default_factory=list)
    undriven: list[str] = field(default_factory=list)
    multidriven: list[str] = field(default_factory=list)


def measure(
    netlist: Netlist,
    library: CellLibrary,
    macros: frozenset[str] = frozenset(),
    *,
    links: Links | None = None,
) -> Measures:
    """Measure `netlist`; cells named in `macros` count as macros whatever Liberty calls them."""
    links = links or Links(netlist, library)
    counts = netlist.counts()
    types: Counter[str] = Counter()
    unmapped: list[tuple[str, str, str]] = []
    undriven: list[str] = []
    multidriven: list[str] = []
    worst, worst_net = 0, ""
    for name in netlist.order():
        module = netlist.modules[name]
        prefix = "" if name == netlist.top else f"{name}."
        for cell in module.cells.values():
            if cell.type in netlist.modules:
                continue
            if library.get(cell.type) is None:
                unmapped.append((prefix + cell.name, cell.type, cell.src))
            types[cell.type] += counts[name]
        joined = links.of(module)
        for bit in joined.sinks.keys() | joined.outputs.keys():
            fanout = joined.fanout(bit)
            if bit not in joined.drivers and bit not in joined.inputs:
                undriven.append(prefix + module.net_name(bit))
            elif bit not in joined.clocked and fanout > worst:
                worst, worst_net = fanout, prefix + module.net_name(bit)
        multidriven += [
            prefix + module.net_name(bit)
            for bit, drivers in joined.drivers.items()
            if len(drivers) + (bit in joined.inputs) > 1 and bit not in joined.three_state
        ]
    return _totals(
        netlist, library, macros, types, worst, worst_net, unmapped, sorted(undriven), sorted(multidriven)
    )


def _totals(
    netlist: Netlist,
    library: CellLibrary,
    macros: frozenset[str],
    types: Counter[str],
    worst: int,
    worst_net: str,
    unmapped: list[tuple[str, str, str]],
    undriven: list[str],
    multidriven: list[str],
) -> Measures:
    groups: dict[str, list[float]] = {k: [0, 0.0] for k in ("all", "seq", "macro", "buf", "inv")}
    table: dict[str, tuple[int, float]] = {}
    for name, count in types.items():
        known = library.get(name)
        area = count * known.area_um2 if known else 0.0
        table[name] = (count, area)
        for group in _groups(known, name in macros):
            groups[group][0] += count
            groups[group][1] += area
    return Measures(
        cells=int(groups["all"][0]),
        area=groups["all"][1],
        stdcells=int(groups["all"][0] - groups["macro"][0]),
        sequential=int(groups["seq"][0]),
        sequential_area=groups["seq"][1],
        macros=int(groups["macro"][0]),
        macro_area=groups["macro"][1],
        buffers=int(groups["buf"][0]),
        inverters=int(groups["inv"][0]),
        io=sum(
            len(port.bits)
            for port in netlist.modules[netlist.top].ports.values()
            if not port.name.startswith(OUTSIDE)
        ),
        max_fanout=worst,
        max_fanout_net=worst_net,
        types=dict(sorted(table.items(), key=lambda item: (-item[1][1], item[0]))),
        unmapped=unmapped,
        undriven=undriven,
        multidriven=multidriven,
    )


def _groups(known: LibertyCell | None, macro: bool) -> list[str]:
    groups = ["all"]
    if known is None:
        return groups
    if macro or known.kind == "macro":
        groups.append("macro")
    elif known.register:
        groups.append("seq")
    elif known.buffer:
        groups.append("buf")
    elif known.inverter:
        groups.append("inv")
    return groups


def area_by_module(
    netlist: Netlist, library: CellLibrary, *, links: Links | None = None
) -> list[dict[str, object]]:
    """Cells and area below each instance path.

    In a flattened netlist gates have lost their place: each is counted where
    most of what reads it lies, so those rows are marked ``estimated``.

    Returns
    -------
    list of dict
        ``path`` (``""`` is the top itself), ``cells``, ``area``,
        ``sequential_area``, ``estimated``, each without what lies deeper.
    """
    links = links or Links(netlist, library)
    rows: dict[str, list[float]] = {}
    guessed: set[str] = set()

    def visit(module: Module, path: str) -> None:
        places = _places(module, library, links.of(module))
        for cell in module.cells.values():
            if cell.type in netlist.modules:
                visit(netlist.modules[cell.type], f"{path}{cell.name}.")
                continue
            inner, sure = places[cell.name]
            where = (path + inner).rstrip(".")
            known = library.get(cell.type)
            row = rows.setdefault(where, [0, 0.0, 0.0])
            row[0] += 1
            if known is not None:
                row[1] += known.area_um2
                row[2] += known.area_um2 if known.register else 0.0
            if not sure:
                guessed.add(where)

    visit(netlist.modules[netlist.top], "")
    return [
        {
            "path": path,
            "cells": int(row[0]),
            "area": round(row[1], 6),
            "sequential_area": round(row[2], 6),
            "estimated": path in guessed,
        }
        for path, row in sorted(rows.items())
    ]


def _scope(name: str) -> str:
    """Return the instance path in a hierarchical name, dots outside brackets."""
    return name.rpartition(".")[0]


def _places(module: Module, library: CellLibrary, links: Connections) -> dict[str, tuple[str, bool]]:
    """Where each cell belongs, and whether its own name says so."""
    places: dict[str, tuple[str, bool]] = {}
    flat = any("." in cell.name for cell in module.cells.values())
    for cell in module.cells.values():
        known = library.get(cell.type)
        anonymous = known is not None and not known.register and known.kind != "macro"
        if not anonymous or not flat:
            places[cell.name] = (_scope(cell.name), True)
    read_by: dict[str, list[str]] = {}
    for start in module.cells:
        stack = [start]
        while stack:
            name = stack[-1]
            if name in places:
                stack.pop()
                continue
            readers = read_by.get(name)
            if readers is None:
                sinks = (links.sinks.get(net, ()) for net in links.driven[name])
                readers = read_by[name] = [pin[0].name for pins in sinks for pin in pins]
                todo = [r for r in readers if r not in places and r not in read_by]
                if todo:
                    stack += todo
                    continue
            stack.pop()
            places[name] = (_elected(module, links.driven[name], readers, places), False)
    return places


def _elected(module: Module, nets: list[int], readers: list[str], places: dict[str, tuple[str, bool]]) -> str:
    """Return the place that most of a cell's readers, and the names of what it drives, speak for."""
    votes: dict[str, int] = {}
    for reader in readers:
        place = places.get(reader)
        if place is not None:
            votes[place[0]] = votes.get(place[0], 0) + 1
    for net in nets:
        scope = _scope(module.names.get(net, ""))
        if scope:
            votes[scope] = votes.get(scope, 0) + 1
    return max(votes, key=votes.__getitem__, default="")
