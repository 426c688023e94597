"""The points that a sampler may still ask for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flow.sweep.space import Space
from flow.sweep.trial import Point

__all__ = ["LISTED", "Pool", "generator"]

#: Spaces with up to so many combinations are listed as a whole.
LISTED = 20_000

_TRIES = 2_000  # draws without a new point before a space is looked through


def generator(*seeds: int) -> np.random.Generator:
    """Return random numbers that depend on `seeds` alone."""
    return np.random.default_rng([seed % 2**63 for seed in seeds])


class Pool:
    """Points of a space, without those that were taken.

    Parameters
    ----------
    space
        The space.

    Attributes
    ----------
    points
        All points that the constraints allow, where the space is small
        enough to be listed, else ``None``.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.points: list[Point] | None = None
        self._taken: set[str] = set()
        if space.size is not None and space.size <= LISTED:
            self.points = list(space.points())

    def take(self, point: Point) -> bool:
        """Take a point; whether it was still there."""
        if point.id in self._taken:
            return False
        self._taken.add(point.id)
        return True

    def has(self, point: Point) -> bool:
        """Whether a point was not taken yet."""
        return point.id not in self._taken

    def left(self) -> list[Point]:
        """Return the points of a listed space that were not taken.

        Raises
        ------
        ValueError
            The space is too large to be listed.
        """
        if self.points is None:
            raise ValueError("the space is too large to be listed")
        return [point for point in self.points if point.id not in self._taken]

    def draws(self, random: np.random.Generator) -> Iterator[Point]:
        """Yield points by chance, none of them taken when it comes, until there are no more.

        A space that is too large to be listed is drawn from, evenly over the
        axes' shares. Where that finds nothing new, because the constraints
        leave little or because little is left, a space that can be counted
        is looked through in order; one that cannot be counted ends.
        """
        if self.points is not None:
            for index in random.permutation(len(self.points)):
                if self.has(self.points[index]):
                    yield self.points[index]
            return
        tries = 0
        while tries < _TRIES:
            tries += 1
            point = self.space.at(random.random(len(self.space.axes)).tolist())
            if point is not None and self.has(point):
                tries = 0
                yield point
        if self.space.size is not None:
            yield from (point for point in self.space.points() if self.has(point))
