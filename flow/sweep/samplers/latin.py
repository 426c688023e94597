"""Latin hypercubes: as many points in each part of each axis."""

from __future__ import annotations

from collections import deque

import numpy as np

from flow.model.sweep import SweepSpec
from flow.sweep.pareto import Floats
from flow.sweep.samplers.pool import Pool, generator
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial

__all__ = ["LatinSampler", "discrepancy"]

_DESIGNS = 8  # hypercubes of which the most even one is taken
_COMPARED = 400  # points up to which designs are compared, since that takes the square of them
_TRIES = 8  # places in a cell that are tried before its coordinates are exchanged
_EXCHANGES = 40  # partners that an impossible cell is offered
_UNBOUNDED = 64  # points of a hypercube where the sweep has no budget in points


def discrepancy(shares: Floats) -> float:
    """Return the centred L2 discrepancy of points in the unit cube: 0 is perfectly even.

    Source
    ------
    Hickernell, "A generalized discrepancy and quadrature error bound",
    Math. Comp. 67(221), 1998, equation (5.1c).
    """
    off = np.abs(shares - 0.5)
    axes = shares.shape[1]
    single = np.prod(1 + 0.5 * off - 0.5 * off**2, axis=1).mean()
    pairs = np.ones((len(shares), len(shares)))
    for axis in range(axes):
        own = off[:, axis]
        apart = np.abs(shares[:, None, axis] - shares[None, :, axis])
        pairs *= 1 + 0.5 * own[:, None] + 0.5 * own[None, :] - 0.5 * apart
    return float(np.sqrt(max((13 / 12) ** axes - 2 * single + pairs.mean(), 0.0)))


class LatinSampler:
    """Asks for the points of a Latin hypercube with as many points as the budget.

    Each axis is cut into that many parts, and each part has one point; a
    value of an axis with fewer values than that comes in as many parts as
    the others, give or take one. Of several such designs the one with the
    least discrepancy is taken. Where a constraint forbids a point, other
    places in its cell are tried, then it exchanges a coordinate with another
    point, which keeps the design Latin; only where that fails too does a
    random point take its place. Without a budget in points, and when a
    budget is overdrawn, hypercubes follow each other.

    Parameters
    ----------
    spec, space
        The sweep.
    """

    def __init__(self, spec: SweepSpec, space: Space) -> None:
        self._space, self._seed = space, spec.seed
        self._pool = Pool(space)
        listed = self._pool.points
        self._size = spec.points or min(_UNBOUNDED, len(listed) if listed is not None else _UNBOUNDED)
        self._designs = 0
        # Now, before any trial is told, so that a sweep that goes on has the same design.
        self._waiting: deque[Point] = deque(self._design())

    def ask(self, count: int) -> list[Point]:
        """Return up to `count` new points."""
        asked: list[Point] = []
        while len(asked) < count:
            if not self._waiting:
                self._waiting.extend(self._design())
                if not self._waiting:
                    break
            point = self._waiting.popleft()
            if self._pool.take(point):
                asked.append(point)
        return asked

    def tell(self, trial: Trial) -> None:
        """Leave the trial's point out from now on."""
        self._pool.take(trial.point)

    def _design(self) -> list[Point]:
        """Return another hypercube; after the first, without points that were taken."""
        random = generator(self._seed, self._designs)
        first = self._designs == 0
        self._designs += 1
        size, axes = self._size, len(self._space.axes)
        best: Floats | None = None
        least = np.inf
        for _ in range(_DESIGNS if size <= _COMPARED else 1):
            cells = np.array([random.permutation(size) for _ in range(axes)]).T
            shares = (cells + random.random((size, axes))) / size
            found = discrepancy(shares) if size <= _COMPARED else 0.0
            if found < least:
                best, least = cells, found
        assert best is not None
        return self._settle(best, random, first=first)

    def _settle(self, cells: Floats, random: np.random.Generator, *, first: bool) -> list[Point]:
        """Return a point for each cell, all different."""
        own: set[str] = set()  # the points of this design

        def place(row: int) -> Point | None:
            for _ in range(_TRIES):
                shares = (cells[row] + random.random(cells.shape[1])) / len(cells)
                point = self._space.at(shares.tolist())
                if point is not None and point.id not in own and (first or self._pool.has(point)):
                    own.add(point.id)
                    return point
            return None

        points: list[Point | None] = [place(row) for row in range(len(cells))]
        for row in [row for row, point in enumerate(points) if point is None]:
            for _ in range(_EXCHANGES):
                other, axis = int(random.integers(len(cells))), int(random.integers(cells.shape[1]))
                held = points[other]
                if other == row or held is None:
                    continue
                own.discard(held.id)
                cells[[row, other], axis] = cells[[other, row], axis]
                mine = place(row)
                theirs = place(other) if mine is not None else None
                if mine is not None and theirs is not None:
                    points[row], points[other] = mine, theirs
                    break
                if mine is not None:
                    own.discard(mine.id)
                cells[[row, other], axis] = cells[[other, row], axis]
                own.add(held.id)
        spare = self._pool.draws(random)
        settled: list[Point] = []
        for point in points:
            chosen = point or next((p for p in spare if p.id not in own), None)
            if chosen is not None:
                own.add(chosen.id)
                settled.append(chosen)
        return settled
