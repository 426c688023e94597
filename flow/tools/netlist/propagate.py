"""Carry switching rates through gates, many gates at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from flow.formats.boolean import parse_function
from flow.formats.liberty import LibertyCell
from flow.tools.netlist.flat import FlatNetlist

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Group: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]
    """Outputs, inputs and truth tables."""

__all__ = ["Gates", "Rate"]

Rate = tuple[float, float]
"""Toggles a cycle, and share of the time high."""
_NONE = 0  # the number of no net: an input that is not connected, and never toggles
_MOST_INPUTS = 10  # of a gate whose rate is worked out
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
        fixed: Iterable[int],
        rates: Mapping[int, Rate],
    ) -> None:
        import numpy  # noqa: PLC0415 - heavy, and only needed here

        self._np = numpy
        top = max(chain.from_iterable(cell.pins.values() for cell in flat.cells), default=0)
        top = max(top, max(rates, default=0), max(flat.ports.values(), default=0))
        self._toggles = numpy.zeros(top + 1)
        self._high = numpy.zeros(top + 1)
        self._present: NDArray[np.bool_] = numpy.zeros(top + 1, dtype=bool)
        if rates:
            nets = numpy.fromiter(rates, dtype=numpy.int64, count=len(rates))
            self._toggles[nets], self._high[nets] = numpy.array(list(rates.values())).T
            self._present[nets] = True
        self._groups = self._grouped(_shapes(flat, cells), fixed)

    def _grouped(self, shapes: list[_Shape], fixed: Iterable[int]) -> list[_Group]:
        """Return gates that can be evaluated together, in the order of evaluation."""
        numpy = self._np
        held = numpy.zeros(len(self._present), dtype=bool)
        held[list(fixed)] = True
        columns: dict[int, list[tuple[Any, ...]]] = {}
        for shape, depths in zip(shapes, self._depths(shapes), strict=True):
            for out, names, table in shape.outputs:
                if table is None:
                    continue
                free = ~held[shape.nets[:, shape.pins.index(out)]]
                nets = shape.nets[free]
                absent = numpy.full(len(nets), _NONE)
                inputs = [nets[:, shape.pins.index(n)] if n in shape.pins else absent for n in names]
                rows = numpy.array([bool(table >> row & 1) for row in range(1 << len(names))])
                columns.setdefault(len(names), []).append(
                    (
                        depths[free],
                        nets[:, shape.pins.index(out)],
                        numpy.array(inputs, dtype=numpy.int64).reshape(len(names), len(nets)),
                        numpy.repeat(rows[:, None], len(nets), axis=1),
                    )
                )
        groups = []
        for count, parts in columns.items():
            depth, outs, inputs, tables = (numpy.concatenate(x, axis=-1) for x in zip(*parts, strict=True))
            order = numpy.argsort(depth, kind="stable")
            depth, outs, inputs, tables = depth[order], outs[order], inputs[:, order], tables[:, order]
            size = max(1, _LARGEST >> 2 * count)
            edges = [0, *(numpy.flatnonzero(numpy.diff(depth)) + 1).tolist(), len(depth)]
            for low, high in pairwise(edges):
                for start in range(low, high, size):
                    part = slice(start, min(high, start + size))
                    group = (outs[part], inputs[:, part], numpy.ascontiguousarray(tables[:, part]))
                    groups.append((int(depth[low]), count, group))
        return [group for _, _, group in sorted(groups, key=lambda item: item[:2])]

    def _depths(self, shapes: list[_Shape]) -> list[NDArray[np.int64]]:
        """Return of each gate how many gates lie before it; of a loop, one is taken as the first."""
        numpy = self._np
        sizes = [len(shape.nets) for shape in shapes]
        bounds = numpy.cumsum([0, *sizes])
        count = int(bounds[-1])
        numbers = [numpy.arange(low, high) for low, high in pairwise(bounds.tolist())]
        driver = numpy.full(len(self._present), -1)
        for shape, own in zip(shapes, numbers, strict=True):
            for out, _, _ in shape.outputs:
                driver[shape.nets[:, shape.pins.index(out)]] = own
        sources, targets = [numpy.zeros(0, dtype=numpy.int64)], [numpy.zeros(0, dtype=numpy.int64)]
        for shape, own in zip(shapes, numbers, strict=True):
            outs = {out for out, _, _ in shape.outputs}
            for column, pin in enumerate(shape.pins):
                before = driver[shape.nets[:, column]]
                wired = before >= 0
                if pin not in outs:
                    sources.append(before[wired])
                    targets.append(own[wired])
        source, target = numpy.concatenate(sources), numpy.concatenate(targets)
        waits = numpy.bincount(target, minlength=count)
        target = target[numpy.argsort(source, kind="stable")]
        fanout = numpy.bincount(source, minlength=count)
        first = numpy.cumsum(fanout) - fanout
        depth = numpy.zeros(count, dtype=numpy.int64)
        ready = numpy.flatnonzero(waits == 0)
        level, done = 0, 0
        while done < count:
            if not len(ready):
                ready = numpy.flatnonzero(waits > 0)[:1]
                waits[ready] = 0
            level, done = level + 1, done + len(ready)
            depth[ready] = level
            reach = fanout[ready]
            # Places of all that `ready` drives: each one's first, and what comes after it.
            steps = numpy.arange(reach.sum()) - numpy.repeat(numpy.cumsum(reach) - reach, reach)
            reached, times = numpy.unique(
                target[numpy.repeat(first[ready], reach) + steps], return_counts=True
            )
            waiting = waits[reached] > 0  # a loop's first gate waits no more
            reached, times = reached[waiting], times[waiting]
            waits[reached] -= times
            ready = reached[waits[reached] == 0]
        return [depth[low:high] for low, high in pairwise(bounds.tolist())]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Gates of one type with the same pins connected: a row of nets each."""

    pins: tuple[str, ...]
    outputs: list[tuple[str, tuple[str, ...], int | None]]
    nets: NDArray[np.int64]


def _shapes(flat: FlatNetlist, cells: Mapping[str, LibertyCell | None]) -> list[_Shape]:
    import numpy  # noqa: PLC0415 - heavy

    functions = {name: found for name, cell in cells.items() if (found := _functions(cell))}
    alike: dict[tuple[str, tuple[str, ...]], list[dict[str, int]]] = {}
    for cell in flat.cells:
        if cell.type in functions:
            alike.setdefault((cell.type, tuple(cell.pins)), []).append(cell.pins)
    shapes = []
    for (name, pins), rows in alike.items():
        outputs = [found for found in functions[name] if found[0] in pins]
        if outputs:
            every = chain.from_iterable(row.values() for row in rows)
            nets = numpy.fromiter(every, dtype=numpy.int64, count=len(rows) * len(pins))
            shapes.append(_Shape(pins=pins, outputs=outputs, nets=nets.reshape(len(rows), len(pins))))
    return shapes


def _functions(cell: LibertyCell | None) -> list[tuple[str, tuple[str, ...], int | None]]:
    """Return ``(output, inputs, truth table)`` of a gate; no table where no function can be read."""
    found: list[tuple[str, tuple[str, ...], int | None]] = []
    for out in cell.outputs if cell is not None and cell.kind == "comb" else ():
        try:
            function = parse_function(out.function or "")
        except ValueError:
            found.append((out.name, (), None))
        else:
            inputs = tuple(sorted(function.inputs))
            table = function.table(inputs) if len(inputs) <= _MOST_INPUTS else None
            found.append((out.name, inputs, table))
    return found
