"""Samplers: which points of a space to evaluate next.

=========  =====================================================================
grid       every point in order; a smaller budget takes a balanced subset
random     points by chance
latin      a Latin hypercube: every part of every axis as often as the others
bayes      Gaussian processes and expected hypervolume improvement
evolve     Optuna's NSGA-II
=========  =====================================================================

None asks for a point twice or for one that a constraint forbids, and each
ends where a space that can be counted has no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flow.model.sweep import Objective, SamplerName, SweepSpec
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial

__all__ = ["Sampler", "make_sampler"]


class Sampler(Protocol):
    """Chooses points.

    The same seed and the same calls give the same points. Where points are
    asked for one at a time, a sampler that is first told the trials of a
    sweep that was stopped goes on as that sweep would have.
    """

    def ask(self, count: int) -> list[Point]:
        """Return up to `count` new points; none when there is nothing new to be had."""

    def tell(self, trial: Trial) -> None:
        """Learn from a trial, also one that was not asked for.

        A trial of a point that is known replaces what is known of it.
        """


def make_sampler(spec: SweepSpec, space: Space, objectives: Sequence[Objective]) -> Sampler:
    """Return the sampler that a sweep names.

    Raises
    ------
    ConfigError
        It needs Optuna, which is not installed, or a grid of a space that
        cannot be counted.
    """
    if spec.sampler is SamplerName.GRID:
        from flow.sweep.samplers.grid import GridSampler  # noqa: PLC0415

        return GridSampler(spec, space)
    if spec.sampler is SamplerName.RANDOM:
        from flow.sweep.samplers.uniform import UniformSampler  # noqa: PLC0415

        return UniformSampler(spec, space)
    if spec.sampler is SamplerName.LATIN:
        from flow.sweep.samplers.latin import LatinSampler  # noqa: PLC0415

        return LatinSampler(spec, space)
    if spec.sampler is SamplerName.BAYES:
        from flow.sweep.samplers.bayes import BayesSampler  # noqa: PLC0415

        return BayesSampler(spec, space, objectives)
    from flow.sweep.samplers.study import StudySampler  # noqa: PLC0415

    return StudySampler(spec, space, objectives)
