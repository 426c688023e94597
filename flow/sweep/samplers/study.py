"""Samplers of Optuna: its tree-structured Parzen estimator, and NSGA-II."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flow.model.errors import ConfigError
from flow.model.sweep import Axis, Objective, SamplerName, SweepSpec, Value
from flow.sweep.samplers.pool import Pool, generator
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial

if TYPE_CHECKING:
    import optuna

__all__ = ["StudySampler"]

_TRIES = 50  # proposals in a row that are known or forbidden, before a point is taken by chance
_VIOLATED = "violated"


class StudySampler:
    """Asks a study of Optuna.

    A proposal that was evaluated before is answered from what is known of it,
    one that a constraint of the space forbids as failed; neither is asked
    for. When a study proposes nothing new for long, a point is taken by
    chance, so that a space that can be counted is exhausted in the end.
    What misses a limit is told as infeasible, by Optuna's own means.

    Parameters
    ----------
    spec, space
        The sweep.
    objectives
        What is wanted.

    Raises
    ------
    ConfigError
        Optuna is not installed.
    """

    def __init__(self, spec: SweepSpec, space: Space, objectives: Sequence[Objective]) -> None:
        try:
            import optuna  # noqa: PLC0415 - half a second, which no other sampler needs
        except ImportError:
            raise ConfigError(
                f"sampler {str(spec.sampler)!r} needs Optuna, which is not installed", f"sweep {spec.name}",
                "Install it: pip install 'optuna>=4'; or take sampler = 'latin'.",
            ) from None  # fmt: skip
        logging.getLogger("optuna").setLevel(logging.ERROR)
        self._optuna: Any = optuna
        self._space, self._objectives = space, tuple(objectives)
        self._pool = Pool(space)
        self._random = generator(spec.seed)
        self._distributions = {axis.name: self._distribution(axis) for axis in space.axes}
        self._running: dict[str, optuna.trial.Trial] = {}
        self._known: dict[str, Trial] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._study = optuna.create_study(
                directions=["maximize" if o.maximise else "minimize" for o in objectives],
                sampler=self._sampler(spec),
            )

    def _sampler(self, spec: SweepSpec) -> Any:  # noqa: ANN401 - untyped here
        samplers = self._optuna.samplers

        def violations(trial: Any) -> tuple[float]:  # noqa: ANN401
            return (float(trial.user_attrs.get(_VIOLATED, 0.0)),)

        if spec.sampler is SamplerName.EVOLVE:
            # A population that leaves a budget room for some generations.
            budget = spec.points or 200
            size = max(8, min(50, budget // 6))
            return samplers.NSGAIISampler(seed=spec.seed, population_size=size, constraints_func=violations)
        return samplers.TPESampler(
            seed=spec.seed, multivariate=True, group=False, constant_liar=True, constraints_func=violations,
            n_startup_trials=max(5, min(20, (spec.points or 100) // 5)),
        )  # fmt: skip

    def _distribution(self, axis: Axis) -> Any:  # noqa: ANN401
        made = self._optuna.distributions
        if axis.values and any(isinstance(v, bool | str) for v in axis.values):
            return made.CategoricalDistribution(list(axis.values))
        size = axis.size
        if size is None:
            return made.FloatDistribution(axis.low, axis.high, log=axis.log)
        return made.IntDistribution(0, size - 1)  # which of its values

    def _point(self, parameters: dict[str, Any]) -> Point | None:
        values: dict[str, Value] = {}
        for axis in self._space.axes:
            found = parameters[axis.name]
            kind = type(self._distributions[axis.name]).__name__
            values[axis.name] = axis.levels()[found] if kind == "IntDistribution" else found
        return self._space.make(values)

    def _parameters(self, point: Point) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for axis in self._space.axes:
            value = point.values[axis.name]
            kind = type(self._distributions[axis.name]).__name__
            found[axis.name] = axis.levels().index(value) if kind == "IntDistribution" else value
        return found

    def ask(self, count: int) -> list[Point]:
        """Return up to `count` new points."""
        asked: list[Point] = []
        while len(asked) < count:
            point = self._propose() or self._by_chance()
            if point is None:
                break
            asked.append(point)
        return asked

    def _propose(self) -> Point | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Optuna calls experimental
            for _ in range(_TRIES):
                trial = self._study.ask(self._distributions)
                point = self._point(trial.params)
                if point is not None and self._pool.take(point):
                    self._running[point.id] = trial
                    return point
                known = self._known.get(point.id) if point is not None else None
                if known is not None and known.status == "done":
                    self._answer(trial, known)
                else:
                    self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return None

    def _by_chance(self) -> Point | None:
        """Return a new point that the study did not propose; none when there is no other."""
        if self._pool.points is not None:
            left = self._pool.left()
            if not left:
                return None
            point = left[int(self._random.integers(len(left)))]
        else:
            found = next(iter(self._pool.draws(self._random)), None)
            if found is None:
                return None
            point = found
        return point if self._pool.take(point) else None

    def tell(self, trial: Trial) -> None:
        """Learn from a trial."""
        key = trial.point.id
        again = key in self._known
        self._known[key] = trial
        self._pool.take(trial.point)
        own = self._running.pop(key, None)
        if not self._space.holds(trial.point):
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if own is not None:
                self._answer(own, trial)
            elif not again:
                self._add(trial)

    def _answer(self, own: Any, trial: Trial) -> None:  # noqa: ANN401
        values = self._values(trial)
        if values is None:
            self._study.tell(own, state=self._optuna.trial.TrialState.FAIL)
            return
        own.set_user_attr(_VIOLATED, float(bool(trial.missed)))
        self._study.tell(own, values)

    def _add(self, trial: Trial) -> None:
        """Take in a trial that the study did not ask for."""
        values = self._values(trial)
        if values is None:
            return
        self._study.add_trial(
            self._optuna.trial.create_trial(
                params=self._parameters(trial.point),
                distributions=self._distributions,
                values=values,
                user_attrs={_VIOLATED: float(bool(trial.missed))},
                system_attrs={"constraints": (float(bool(trial.missed)),)},
            )
        )

    def _values(self, trial: Trial) -> list[float] | None:
        """Return the objectives of a trial, ``None`` where it has none."""
        if trial.status != "done":
            return None
        found = [trial.objectives.get(objective.name) for objective in self._objectives]
        return None if None in found else [float(v) for v in found if v is not None]
