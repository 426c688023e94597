"""Expected improvement of the hypervolume by points that are known only roughly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flow.sweep.pareto import Floats, crowding

__all__ = ["Belief", "expected_improvement"]

_CELLS = 4096  # of the grid over all objectives but one: more and the front is thinned
_AT_ONCE = 4_000_000  # numbers of an intermediate array

_GRID: Floats = np.linspace(-8.0, 8.0, 16_001)
_TABLE: Floats = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in _GRID.tolist()])


def normal_share(z: Floats) -> Floats:
    """Return the standard normal distribution function, to 1e-7."""
    share: Floats = np.interp(z, _GRID, _TABLE, left=0.0, right=1.0)
    return share


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one objective, as a cost, at many places.

    Attributes
    ----------
    mean, deviation
        Of the cost, or of the logarithm of its size: shape (m,) each.
    log
        Whether it is the logarithm.
    negative
        Whether the cost is the negated size: an objective to maximise.
    """

    mean: Floats
    deviation: Floats
    log: bool = False
    negative: bool = False

    def expected(self) -> Floats:
        """Return the median cost at each place."""
        if not self.log:
            return self.mean
        size: Floats = np.exp(self.mean)
        return -size if self.negative else size

    def below(self, levels: Floats) -> Floats:
        """Return by how much the cost is below each level, on average: shape (m, levels)."""
        mean, deviation = self.mean[:, None], np.maximum(self.deviation, 1e-12)[:, None]
        if not self.log:
            z = (levels[None, :] - mean) / deviation
            density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
            gain: Floats = deviation * (z * normal_share(z) + density)
            return np.maximum(gain, 0.0)
        sizes = -levels if self.negative else levels
        positive = sizes > 0
        z = (np.log(np.where(positive, sizes, 1.0))[None, :] - mean) / deviation
        average = np.exp(mean + 0.5 * deviation**2)
        if self.negative:
            gain = average * normal_share(deviation - z) - sizes * normal_share(-z)
            return np.maximum(np.where(positive[None, :], gain, average - sizes), 0.0)
        gain = levels * normal_share(z) - average * normal_share(z - deviation)
        return np.where(positive[None, :], np.maximum(gain, 0.0), 0.0)


def expected_improvement(front: Floats, reference: Floats, beliefs: list[Belief]) -> Floats:
    """Return by how much each place is expected to add to the hypervolume of a front: shape (m,).

    Parameters
    ----------
    front
        Costs that do not dominate each other: shape (n, objectives).
    reference
        Where the hypervolume ends.
    beliefs
        Of each objective, taken as independent.

    Notes
    -----
    The values of the front cut all objectives but the last into cells; in
    each cell a point improves on the front where its last objective is below
    the least of those that dominate the cell. The expectation is exact: a
    sum over the cells of products of expected lengths. With three
    objectives, cells over 4096 are avoided by thinning the front to its
    loneliest points, with two the limit is never met in practice.
    """
    front = front[(front < reference).all(axis=1)]
    front = _thinned(front, len(reference))
    *others, last = range(len(reference))
    levels = [np.unique(front[:, axis]) for axis in others]
    bound: Floats = np.full([len(own) + 1 for own in levels], reference[last])
    for row in front:
        covered = tuple(
            slice(int(np.searchsorted(own, row[axis])) + 1, None)
            for axis, own in zip(others, levels, strict=True)
        )
        bound[covered] = np.minimum(bound[covered], row[last])
    depths, which = np.unique(bound, return_inverse=True)
    lengths = [
        np.diff(beliefs[axis].below(np.append(own, reference[axis])), axis=1, prepend=0.0)
        for axis, own in zip(others, levels, strict=True)
    ]
    depth = beliefs[last].below(depths)
    result: Floats = np.empty(len(depth))
    step = max(1, _AT_ONCE // bound.size)
    for start in range(0, len(depth), step):
        rows = slice(start, start + step)
        cells = depth[rows][:, which.reshape(-1)].reshape(-1, *bound.shape)
        for own in reversed(lengths):
            cells = np.einsum("m...i,mi->m...", cells, own[rows])
        result[rows] = cells
    return result


def _thinned(front: Floats, objectives: int) -> Floats:
    """Return the loneliest points of a front, few enough for the grid."""
    allowed = len(front) if objectives < 3 else int(_CELLS ** (1 / (objectives - 1))) - 1
    while len(front) > allowed:
        front = np.delete(front, int(np.argmin(crowding(front))), axis=0)
    return front
