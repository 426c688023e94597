"""All points in order, or a balanced subset of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from flow.model.errors import ConfigError
from flow.model.sweep import SweepSpec
from flow.sweep.samplers.latin import LatinSampler
from flow.sweep.samplers.pool import Pool
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial

__all__ = ["GridSampler"]


class GridSampler:
    """Asks for every point, the last axis changing fastest.

    With a budget smaller than the space it takes a subset in which each
    axis' values, and each pair of values of two axes, come as equally often
    as they can, also in the order of the grid. It depends on the space and
    the budget alone, not on the seed. Of a space with more than
    :data:`~flow.sweep.samplers.pool.LISTED` combinations the subset is a
    Latin hypercube.

    Parameters
    ----------
    spec, space
        The sweep.

    Raises
    ------
    ConfigError
        The space cannot be counted.
    """

    def __init__(self, spec: SweepSpec, space: Space) -> None:
        if space.size is None:
            raise ConfigError(
                "a grid needs a space that can be counted", f"sweep {spec.name}",
                "Give every axis values or a step, or choose another sampler.",
            )  # fmt: skip
        self._pool = Pool(space)
        self._points = self._order(spec, space)

    def _order(self, spec: SweepSpec, space: Space) -> Iterator[Point]:
        points = self._pool.points
        if points is None:
            if spec.points is not None and spec.points < (space.size or 0):
                return iter(LatinSampler(spec, space).ask(spec.points))
            return space.points()
        if spec.points is None or spec.points >= len(points):
            return iter(points)
        return iter([points[index] for index in _balanced(_levels(points), spec.points)])

    def ask(self, count: int) -> list[Point]:
        """Return up to `count` new points."""
        fresh = (point for point in self._points if self._pool.take(point))
        return list(islice(fresh, count))

    def tell(self, trial: Trial) -> None:
        """Leave the trial's point out from now on."""
        self._pool.take(trial.point)


def _levels(points: list[Point]) -> NDArray[np.int64]:
    """Return which of an axis' values each point has: shape (points, axes)."""
    columns = []
    for name in points[0].values:
        values = [repr(point.values[name]) for point in points]
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        columns.append([numbers[value] for value in values])
    return np.array(columns, dtype=np.int64).T


def _balanced(levels: NDArray[np.int64], count: int) -> list[int]:
    """Return `count` row numbers, ascending, whose levels and pairs of levels are balanced.

    Each step takes the row whose levels were taken least so far, single
    levels counting as much as pairs, and among equals the one that is
    farthest along a sequence that skips evenly through the rows.
    """
    rows, axes = levels.shape
    sizes = levels.max(axis=0) + 1
    groups = [levels[:, axis] for axis in range(axes)]
    groups += [levels[:, a] * sizes[b] + levels[:, b] for a in range(axes) for b in range(a)]
    taken = [np.zeros(group.max() + 1) for group in groups]
    load: NDArray[np.float64] = np.zeros(rows)
    golden = (np.arange(rows) * 0.6180339887498949) % 1.0 * 1e-6  # decides between equals alone
    chosen: list[int] = []
    for _ in range(count):
        index = int(np.argmin(load + golden))
        chosen.append(index)
        load[index] = np.inf
        for group, counts in zip(groups, taken, strict=True):
            own = group[index]
            # Taking it makes all that share the level costlier, in inverse proportion to its share of rows.
            load[group == own] += len(counts) / rows
            counts[own] += 1
    return sorted(chosen)
