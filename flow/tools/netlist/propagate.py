"""Carry switching rates through gates, many gates at once."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from flow.tools.liberty import LibertyCell, parse_function
from flow.tools.netlist.flat import FlatCell, FlatNetlist

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Gates", "Rate"]

Rate = tuple[float, float]
"""Toggles a cycle, and share of the time high."""
_NONE = 0  # the number of no net: an input that is not connected, and never toggles
_LARGEST = 1 << 20  # numbers held at once while a group of gates is evaluated


class Gates:
    """The combinational gates of a netlist, drivers before readers; loops in any order.

    Parameters
    ----------
    flat, cells
        The netlist, and its types.
    fixed
        Nets whose rate is known and stays.
    rates
        Rates to begin with.

    Notes
    -----
    Gates of the same depth and as many inputs are evaluated together. numpy
    is imported here and not before, since only this needs it.
    """

    def __init__(
        self,
        flat: FlatNetlist,
        cells: Mapping[str, LibertyCell | None],
        fixed: Container[int],
        rates: Mapping[int, Rate],
    ) -> None:
        import numpy  # noqa: PLC0415 - heavy, and only needed here

        self._np = numpy
        top = max((max(cell.pins.values(), default=0) for cell in flat.cells), default=0)
        top = max(top, max(rates, default=0), max(flat.ports.values(), default=0))
        self._toggles = numpy.zeros(top + 1)
        self._high = numpy.zeros(top + 1)
        self._present: NDArray[np.bool_] = numpy.zeros(top + 1, dtype=bool)
        if rates:
            nets = numpy.fromiter(rates, dtype=numpy.int64, count=len(rates))
            self._toggles[nets], self._high[nets] = numpy.array(list(rates.values())).T
            self._present[nets] = True
        self._groups = self._grouped(flat, cells, fixed)

    def _grouped(
        self, flat: FlatNetlist, cells: Mapping[str, LibertyCell | None], fixed: Container[int]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:
        """Return ``(outputs, inputs, tables)`` of each group, in the order of evaluation."""
        functions = {name: _functions(cell) for name, cell in cells.items()}
        known: dict[tuple[int, int], tuple[list[int], list[list[int]], list[int]]] = {}
        for cell, depth in _depths(flat, functions):
            pins = cell.pins
            for out, names, table in functions[cell.type]:
                net = pins.get(out)
                if net is None or net in fixed or table is None:
                    continue
                group = known.setdefault((depth, len(names)), ([], [], []))
                group[0].append(net)
                group[1].append([pins.get(name, _NONE) for name in names])
                group[2].append(table)
        numpy = self._np
        groups = []
        for (_, inputs), (outs, nets, tables) in sorted(known.items(), key=lambda item: item[0]):
            rows = {t: [bool(t >> row & 1) for row in range(1 << inputs)] for t in set(tables)}
            size = max(1, _LARGEST >> 2 * inputs)
            for start in range(0, len(outs), size):
                part = slice(start, start + size)
                groups.append(
                    (
                        numpy.array(outs[part]),
                        numpy.array(nets[part], dtype=numpy.int64).T,
                        numpy.array([rows[t] for t in tables[part]]).T,
                    )
                )
        return groups

    def propagate(self) -> None:
        """Evaluate every gate once.

        Inputs are taken as independent of each other, and to change at most
        once a cycle.
        """
        for outs, inputs, tables in self._groups:
            self._toggles[outs], self._high[outs] = self._through(inputs, tables)
            self._present[outs] = True

    def _through(
        self, inputs: NDArray[np.int64], tables: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        numpy = self._np
        count = tables.shape[1]
        # Joint chances of (row now, row next) of each gate, one input more at a time.
        joint = numpy.ones((1, 1, count))
        for nets in inputs:
            high = self._high[nets]
            low = 1 - high
            # Chance of 0->0, 0->1, 1->0, 1->1 from one cycle to the next; rises equal falls.
            change = numpy.minimum(numpy.minimum(self._toggles[nets], 2 * high), 2 * low) / 2
            rows = len(joint)
            wider = numpy.empty((2 * rows, 2 * rows, count))
            wider[:rows, :rows] = joint * numpy.maximum(0.0, low - change)
            wider[:rows, rows:] = wider[rows:, :rows] = joint * change
            wider[rows:, rows:] = joint * numpy.maximum(0.0, high - change)
            joint = wider
        probability = (joint.sum(axis=1) * tables).sum(axis=0)
        differ = tables[:, None, :] != tables[None, :, :]
        return (joint * differ).sum(axis=1).sum(axis=0), probability

    def get(self, net: int, default: Rate) -> Rate:
        """Return a net's rate, or `default` where it has none."""
        if not self._present[net]:
            return default
        return float(self._toggles[net]), float(self._high[net])

    def set(self, net: int, rate: Rate) -> None:
        """Give a net a rate."""
        self._toggles[net], self._high[net] = rate
        self._present[net] = True

    def rates(self) -> dict[int, Rate]:
        """Return every net's rate."""
        nets: list[int] = self._np.flatnonzero(self._present).tolist()
        toggles: list[float] = self._toggles[nets].tolist()
        high: list[float] = self._high[nets].tolist()
        return dict(zip(nets, zip(toggles, high, strict=True), strict=True))


def _functions(cell: LibertyCell | None) -> list[tuple[str, tuple[str, ...], int | None]]:
    """Return ``(output, inputs, truth table)`` of a gate; no table where no function can be read."""
    found: list[tuple[str, tuple[str, ...], int | None]] = []
    for out in cell.outputs if cell is not None and cell.kind == "comb" else ():
        try:
            function = parse_function(out.function or "")
        except ValueError:
            found.append((out.name, (), None))
        else:
            found.append((out.name, function.inputs, function.table if out.function else None))
    return found


def _depths(flat: FlatNetlist, functions: Mapping[str, list[Any]]) -> list[tuple[FlatCell, int]]:
    """Return combinational cells, drivers before readers, with one more than their drivers' depth."""
    driver: dict[int, FlatCell] = {}
    for cell in flat.cells:
        for out, _, _ in functions[cell.type]:
            if out in cell.pins:
                driver[cell.pins[out]] = cell
    entered: set[int] = set()
    depth: dict[int, int] = {}
    order: list[tuple[FlatCell, int]] = []
    drives = driver.get
    for start in driver.values():
        if id(start) in depth:
            continue
        stack = [start]
        while stack:
            cell = stack[-1]
            number = id(cell)
            if number not in entered:
                entered.add(number)
                feeds = [f for net in cell.pins.values() if (f := drives(net)) and id(f) not in entered]
                if feeds:
                    stack += feeds
                    continue
            stack.pop()
            if number not in depth:
                feeds = [f for net in cell.pins.values() if (f := drives(net))]
                depth[number] = 1 + max((depth.get(id(f), 0) for f in feeds), default=0)
                order.append((cell, depth[number]))
    return order
