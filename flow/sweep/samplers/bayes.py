"""Bayesian search of several objectives: Gaussian processes and expected hypervolume improvement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flow.model.sweep import Objective, SweepSpec
from flow.sweep.pareto import Floats, costs, ranks, reference_point
from flow.sweep.samplers.gaussian import Process, fit
from flow.sweep.samplers.improvement import Belief, expected_improvement, normal_share
from flow.sweep.samplers.latin import LatinSampler
from flow.sweep.samplers.pool import Pool, generator
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial, TrialStatus

__all__ = ["BayesSampler"]

_NEUTRAL = (TrialStatus.INFRA, TrialStatus.CANCELLED)  # they say nothing of the point
_CANDIDATES = 4_000  # points that are weighed against each other
_NEIGHBOURS = 0.25  # share of them near the front, where the space is too large for all
_OBSERVATIONS = 800  # that the processes take
_GROWN = 1.15  # more trials by this factor, and hyperparameters are searched again
_WIDE = 3.0  # ratio of the extremes from which the logarithm of a positive objective is modelled


class BayesSampler:
    """Asks for the points that are expected to add most to the front's hypervolume.

    It begins with a Latin hypercube of ``2 (axes + 1)`` points, a third of
    the budget at most. Then it fits a Gaussian process to each objective, to
    the logarithm of one that is positive and spans more than a factor of
    three, and one to whether points were feasible, and asks for the point
    with the largest expected improvement of the hypervolume, times the cube of
    the probability of being feasible. Points that were asked for and are not
    known yet count as having the value that is expected of them, so that
    points asked for together differ.

    The next point depends on the seed and on what was asked and told before.

    Parameters
    ----------
    spec, space
        The sweep.
    objectives
        What is wanted.
    """

    def __init__(self, spec: SweepSpec, space: Space, objectives: Sequence[Objective]) -> None:
        self._space, self._objectives, self._seed = space, tuple(objectives), spec.seed
        self._pool = Pool(space)
        budget = spec.points or len(self._pool.points or ()) or 10**9
        initial = max(2, min(2 * (len(space.axes) + 1), budget // 3))
        self._initial = LatinSampler(replace(spec, points=initial), space)
        self._start = initial
        self._trials: dict[str, Trial] = {}
        self._out: dict[str, Point] = {}
        self._thetas: dict[str, Floats] = {}
        self._fitted = 0
        self._categorical = np.array([_is_categorical(axis.values) for axis in space.axes])

    def ask(self, count: int) -> list[Point]:
        """Return up to `count` new points."""
        asked: list[Point] = []
        known = len(self._trials) + len(self._out)
        if known < self._start or not self._informed():
            wanted = count if not self._informed() else min(count, self._start - known)
            asked = self._take(self._initial.ask(wanted))
        if len(asked) < count and self._informed():
            asked += self._take(self._search(count - len(asked)))
        return asked

    def tell(self, trial: Trial) -> None:
        """Learn from a trial."""
        self._initial.tell(trial)
        self._pool.take(trial.point)
        self._out.pop(trial.point.id, None)
        if self._space.holds(trial.point):
            self._trials[trial.point.id] = trial

    def _take(self, points: list[Point]) -> list[Point]:
        fresh = [point for point in points if self._pool.take(point)]
        self._out.update((point.id, point) for point in fresh)
        return fresh

    def _informed(self) -> bool:
        """Whether there are trials enough to model: three that are feasible."""
        return sum(trial.feasible for trial in self._trials.values()) > 2

    def _search(self, count: int) -> list[Point]:
        """Return the most promising points of those that are left."""
        random = generator(self._seed, len(self._trials), len(self._out))
        trials = [self._trials[key] for key in sorted(self._trials)]
        if len(trials) >= self._fitted * _GROWN:
            self._thetas, self._fitted = {}, len(trials)
        model = _Model(self._objectives, self._features, self._categorical, trials, self._thetas)
        candidates = self._candidates(random, model.leading)
        if not candidates:
            return []
        out = [self._out[key] for key in sorted(self._out)]
        return [candidates[i] for i in model.choose(self._features(candidates), self._features(out), count)]

    def _features(self, points: Sequence[Point]) -> Floats:
        """Return where points lie on each axis; on a categorical one any two values differ."""
        rows: Floats = np.array([self._space.shares(point) for point in points], dtype=float)
        return rows.reshape(len(points), len(self._space.axes))

    def _candidates(self, random: np.random.Generator, leading: list[Point]) -> list[Point]:
        """Return the points to weigh: all that are left, or many by chance and neighbours of the front."""
        if self._pool.points is not None:
            left = self._pool.left()
            if len(left) <= _CANDIDATES:
                return left
        found: dict[str, Point] = {}
        for point in self._neighbours(random, leading):
            found[point.id] = point
        for point in self._pool.draws(random):
            found[point.id] = point
            if len(found) >= _CANDIDATES:
                break
        return list(found.values())

    def _neighbours(self, random: np.random.Generator, leading: list[Point]) -> list[Point]:
        """Return new points that differ from one of the front on an axis or two."""
        near: list[Point] = []
        axes = len(self._space.axes)
        for _ in range(int(_CANDIDATES * _NEIGHBOURS) if leading else 0):
            shares = self._space.shares(leading[int(random.integers(len(leading)))])
            for axis in random.choice(axes, size=min(axes, int(random.integers(1, 3))), replace=False):
                local = shares[axis] + random.normal(0, 0.1)
                shares[axis] = local if random.random() < 0.5 and 0 <= local <= 1 else random.random()
            point = self._space.at(shares)
            if point is not None and self._pool.has(point):
                near.append(point)
        return near


def _is_categorical(values: Sequence[object]) -> bool:
    """Whether an axis' values have no order: some are text or truth values."""
    return any(isinstance(value, bool | str) for value in values)


@dataclass(frozen=True, slots=True)
class _Output:
    """One objective's process, and how its costs are made of what it predicts."""

    process: Process
    log: bool
    negative: bool

    def belief(self, mean: Floats, deviation: Floats) -> Belief:
        sign = -1.0 if self.negative and not self.log else 1.0
        return Belief(sign * mean, deviation, self.log, self.negative)


class _Model:
    """What trials say of the objectives of all points.

    Parameters
    ----------
    objectives
        What is wanted.
    features
        What gives the places of points.
    categorical
        Which of the axes are.
    trials
        At least one that is feasible.
    thetas
        Hyperparameters by name, where they are known; others are added.

    Attributes
    ----------
    leading
        Points of the front so far.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        features: Callable[[Sequence[Point]], Floats],
        categorical: NDArray[np.bool_],
        trials: list[Trial],
        thetas: dict[str, Floats],
    ) -> None:
        places = features([trial.point for trial in trials])
        table = costs(trials, objectives)
        good = np.isfinite(table).all(axis=1)
        rows = _spread(int(good.sum()), _OBSERVATIONS)
        self._outputs = [
            _output(places[good][rows], table[good][rows, column], objective, categorical, thetas)
            for column, objective in enumerate(objectives)
        ]
        telling = np.array([trial.status not in _NEUTRAL for trial in trials])
        self._allowed: Process | None = None
        if not good[telling].all():
            few = _spread(int(telling.sum()), _OBSERVATIONS)
            known = good[telling][few].astype(float)
            self._allowed = fit(places[telling][few], known, categorical, thetas.get(""))
            thetas[""] = self._allowed.theta
        best = np.flatnonzero(ranks(table) == 0)
        self._front = np.unique(table[best], axis=0)
        self._reference = reference_point(table)
        self.leading = [trials[int(i)].point for i in best]

    def choose(self, candidates: Floats, out: Floats, count: int) -> list[int]:
        """Return the indices of the candidates to ask for, the best first.

        Points that are out, and those that are chosen here, are taken to have
        their expected costs: their surroundings are less uncertain for it.
        """
        places = np.vstack([candidates, out])
        last = len(candidates)
        predictions = [_Prediction(output, places) for output in self._outputs]
        allowed = self._share_allowed(candidates)
        front = self._front
        for index in range(last, len(places)):
            front = self._with(front, predictions, index)
        chosen: list[int] = []
        while len(chosen) < min(count, last):
            beliefs = [p.output.belief(p.means[:last], p.deviations()[:last]) for p in predictions]
            score = expected_improvement(front, self._reference, beliefs) * allowed
            if not np.isfinite(score).any() or score.max() <= 0:
                # Nothing is expected to improve anything: look where least is known.
                score = np.sum([np.log(p.deviations()[:last]) for p in predictions], axis=0)
                score = score + np.log(allowed)
            score[chosen] = -np.inf
            index = int(np.argmax(score))
            chosen.append(index)
            front = self._with(front, predictions, index)
        return chosen

    def _with(self, front: Floats, predictions: list[_Prediction], index: int) -> Floats:
        """Return the front with the expected costs of one place, which is no longer uncertain."""
        expected = [float(p.output.belief(p.means, p.means).expected()[index]) for p in predictions]
        for prediction in predictions:
            prediction.settle(index)
        table = np.vstack([front, expected])
        return np.unique(table[ranks(table) == 0], axis=0)

    def _share_allowed(self, candidates: Floats) -> Floats:
        """Return the weight of each candidate: the cube of the probability that it is feasible.

        The cube, since where everything fails the processes of the objectives
        know nothing and promise much.
        """
        if self._allowed is None:
            return np.ones(len(candidates))
        means, projected = self._allowed.project(candidates)
        deviation = np.sqrt(self._allowed.variances(projected))
        share = normal_share((means - 0.5) / np.maximum(deviation, 0.05))
        return np.clip(share, 1e-3, 1.0) ** 3


class _Prediction:
    """What one process says of many places, as more and more of them count as known."""

    def __init__(self, output: _Output, places: Floats) -> None:
        self.output, self._places = output, places
        self.means, self._projected = output.process.project(places)
        self._variances = output.process.variances(self._projected)
        self._known: list[Floats] = []

    def deviations(self) -> Floats:
        """Return the standard deviations."""
        return np.sqrt(self._variances)

    def settle(self, index: int) -> None:
        """Take the value at one place as known, as its mean: means stay, and variances fall."""
        process = self.output.process
        cross = process.cross(self._places, self._places[index : index + 1])[:, 0]
        covariance = process.variance * (cross - self._projected.T @ self._projected[:, index])
        for known in self._known:
            covariance = covariance - known * known[index]
        left = max(float(covariance[index]), 1e-12) + process.variance * process.noise
        self._known.append(covariance / np.sqrt(left))
        self._variances = np.maximum(self._variances - self._known[-1] ** 2, 1e-12 * process.variance)


def _output(
    x: Floats,
    cost: Floats,
    objective: Objective,
    categorical: NDArray[np.bool_],
    thetas: dict[str, Floats],
) -> _Output:
    value = -cost if objective.maximise else cost
    log = bool((value > 0).all()) and float(value.max()) > _WIDE * float(value.min())
    key = f"{objective.name}, {'log' if log else 'plain'}"
    process = fit(x, np.log(value) if log else value, categorical, thetas.get(key))
    thetas[key] = process.theta
    return _Output(process, log, objective.maximise)


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """Return up to `most` of `count` indices, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
