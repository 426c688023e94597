"""Which points go on to the next level of fidelity: those that may still be on the front.

A cheap level is off by factors that depend on what it leaves aside: the recipe,
the clock, the PDK. They are learned from the points that were evaluated at both
levels, by least squares over the axes, and what is left is how uncertain the
correction is. A point goes on while its corrected figures, seen favourably, are
not dominated by what was measured at the higher level.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from flow.model.sweep import Axis, Objective
from flow.sweep.space import Space
from flow.sweep.trial import Trial

__all__ = ["Ladder"]

_FIRST = 8  # points that corrections are learned from at first, where half of the budget allows it
_RIDGE = 1e-2  # holds effects at zero that few points speak of
_SIGMAS = 2.0  # how favourably a point is seen
_SHARE_AT_ONCE = 0.25  # of the budget: later choices know more

Matrix: TypeAlias = npt.NDArray[np.float64]


class Ladder:
    """Chooses points for one level from what the level below says.

    Parameters
    ----------
    space
        The sweep's.
    objectives
        With their directions.
    below
        Trials of the level below, of which only feasible ones may go on.
    budget
        How many may, at most.
    """

    def __init__(
        self, space: Space, objectives: Sequence[Objective], below: Sequence[Trial], budget: int
    ) -> None:
        self._below = [trial for trial in below if trial.feasible]
        self._signs = np.array([-1.0 if o.maximise else 1.0 for o in objectives])
        self._names = [o.name for o in objectives]
        self._budget = min(budget, len(self._below))
        self._features = _features(space.axes, self._below)
        raw = np.array([[_value(t.objectives, n) for n in self._names] for t in self._below])
        self._logs = [bool(len(raw)) and bool((raw[:, i] > 0).all()) for i in range(len(self._names))]
        self._low = self._transform(raw) if len(raw) else np.zeros((0, len(self._names)))
        self._index = {trial.point.id: i for i, trial in enumerate(self._below)}
        self._high: dict[int, Matrix | None] = {}
        self._asked: set[int] = set()

    def _transform(self, values: Matrix) -> Matrix:
        """Make smaller better, and what is positive everywhere logarithmic."""
        columns = [
            np.log(np.maximum(values[:, i], 1e-300)) if log else values[:, i]
            for i, log in enumerate(self._logs)
        ]
        return np.stack(columns, axis=1) * self._signs

    def tell(self, trial: Trial) -> None:
        """Take what the higher level says of a point; one that failed there is out of the race."""
        index = self._index.get(trial.point.id)
        if index is None:
            return
        self._asked.add(index)
        if not trial.feasible:
            self._high[index] = None
            return
        values = np.array([[_value(trial.objectives, n) for n in self._names]])
        self._high[index] = self._transform(values)[0]

    def ask(self) -> list[Trial]:
        """Return the trials whose points go on now.

        None when no other can be on the front, or the budget is used.
        """
        left = self._budget - len(self._asked)
        open_points = [i for i in range(len(self._below)) if i not in self._asked]
        if left <= 0 or not open_points:
            return []
        at_once = max(2, math.ceil(self._budget * _SHARE_AT_ONCE))
        if not self._asked:
            chosen = self._first(min(left, max(at_once, min(_FIRST, math.ceil(self._budget / 2)))))
        else:
            chosen = self._hopeful(open_points)[: min(left, at_once)]
        self._asked.update(chosen)
        return [self._below[i] for i in chosen]

    def _first(self, count: int) -> list[int]:
        """Choose half by rank, and half far apart from each other, from which corrections are learned."""
        order = _by_rank(self._low)
        chosen = order[: max(1, count // 2)]
        features = self._features
        while len(chosen) < min(count, len(self._below)):
            distance = np.min(
                ((features[:, None, :] - features[chosen][None, :, :]) ** 2).sum(axis=2), axis=1
            )
            distance[chosen] = -1.0
            chosen.append(int(np.argmax(distance)))
        return chosen

    def _hopeful(self, open_points: Sequence[int]) -> list[int]:
        """Return the open points that may be on the front, the most promising first."""
        known = {i: high for i, high in self._high.items() if high is not None}
        if not known:
            return [i for i in _by_rank(self._low) if i in set(open_points)]
        front = np.array(list(known.values()))
        predicted, spread = self._corrected(known)
        best = predicted[open_points] - _SIGMAS * spread
        # Dominated at its most favourable: no measurement can bring it back.
        dominated = (front[None, :, :] <= best[:, None, :]).all(axis=2).any(axis=1)
        hopeful = [i for i, out in zip(open_points, dominated, strict=True) if not out]
        order = _by_rank(predicted[hopeful]) if hopeful else []
        return [hopeful[i] for i in order]

    def _corrected(self, known: Mapping[int, Matrix]) -> tuple[Matrix, Matrix]:
        """Return what the higher level may say of each point, and by how much it may differ, by objective."""
        rows = list(known)
        difference = np.array([known[i] - self._low[i] for i in rows])
        features = self._features[rows]
        mean = difference.mean(axis=0)
        gram = features.T @ features + _RIDGE * len(rows) * np.eye(features.shape[1])
        inverse = np.linalg.inv(gram)
        effects = inverse @ features.T @ (difference - mean)
        # Left-one-out residuals: what a point says of itself is no evidence.
        hat = np.einsum("ij,jk,ik->i", features, inverse, features)
        residual = (difference - mean - features @ effects) / np.maximum(1.0 - hat, 0.2)[:, None]
        spread = np.sqrt((residual**2).mean(axis=0)) + 1e-9
        return self._low + mean + self._features @ effects, spread


def _value(objectives: Mapping[str, float | None], name: str) -> float:
    value = objectives.get(name)
    return math.nan if value is None else value


def _features(axes: Sequence[Axis], trials: Sequence[Trial]) -> Matrix:
    """Describe points in numbers, centred: one column for each level of text, two for a number."""
    columns: list[list[float]] = []
    for axis in axes:
        values = [trial.point.values[axis.name] for trial in trials]
        if any(isinstance(v, str | bool) for v in values):
            columns += [[float(v == level) for v in values] for level in sorted(set(values), key=str)]
        else:
            shares = [axis.share(v) for v in values]
            columns += [shares, [s * s for s in shares]]
    matrix = np.array(columns, dtype=float).T if columns and trials else np.zeros((len(trials), 0))
    return matrix - matrix.mean(axis=0) if len(matrix) else matrix


def _by_rank(values: Matrix) -> list[int]:
    """Return indices by the number of points that dominate each, ties by the sum of scaled values."""
    if not len(values):
        return []
    no_worse = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    better = (values[:, None, :] < values[None, :, :]).any(axis=2)
    dominated_by = (no_worse & better).sum(axis=0)
    span = np.ptp(values, axis=0)
    scaled = (values - values.min(axis=0)) / np.where(span > 0, span, 1.0)
    return [int(i) for i in np.lexsort((scaled.sum(axis=1), dominated_by))]
