"""Points by chance, without repetition."""

from __future__ import annotations

from itertools import islice

from flow.model.sweep import SweepSpec
from flow.sweep.samplers.pool import Pool, generator
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial

__all__ = ["UniformSampler"]


class UniformSampler:
    """Asks for points in an order that depends on the seed alone, each equally likely to be next.

    Parameters
    ----------
    spec, space
        The sweep.
    """

    def __init__(self, spec: SweepSpec, space: Space) -> None:
        self._pool = Pool(space)
        self._draws = self._pool.draws(generator(spec.seed))

    def ask(self, count: int) -> list[Point]:
        """Return up to `count` new points."""
        return [point for point in islice(self._draws, count) if self._pool.take(point)]

    def tell(self, trial: Trial) -> None:
        """Leave the trial's point out from now on."""
        self._pool.take(trial.point)
