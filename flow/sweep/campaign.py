"""Runs a sweep: asks a sampler, evaluates points at one level after the other, keeps what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flow.engine.driver import Options, run_graph
from flow.engine.events import Event, Listener, StepFinished
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.model.step import Outcome, Status, Step
from flow.model.sweep import Fidelity
from flow.project.workplace import Workplace
from flow.sweep.evaluate import Evaluation, Evaluator, Found
from flow.sweep.fmax import Aim, ClockSearch, Tried
from flow.sweep.goals import Goals
from flow.sweep.ladder import Ladder
from flow.sweep.samplers import Sampler
from flow.sweep.space import Space
from flow.sweep.trial import Point, Trial, TrialStatus
from flow.sweep.tries import fixed_recipes

__all__ = ["Campaign", "Told"]

#: Told of each trial as it ends, and of every event of the run below it.
Told = Callable[[Trial], None]

_AHEAD = 2  # points that are prepared beyond those that can run at once
_TIMING_METRICS = ("timing__fmax", "timing__setup__ws", "timing__setup__tns")


@dataclass(slots=True)
class _Search:
    """The search for the clock of one point."""

    clock: ClockSearch
    aim: Aim | None = None
    clock_ns: float | None = None
    tool_s: float = 0.0
    wall_s: float = 0.0

    def take(self, found: Found) -> None:
        """Take what became of a try."""
        assert self.aim is not None
        fmax = found.metrics.get("timing__fmax")
        self.tool_s += found.tool_s
        self.wall_s += found.wall_s
        self.clock.tell(
            Tried(
                aim=self.aim,
                period_ns=1000.0 / fmax if fmax else None,
                metrics=found.metrics,
                reason=found.reason,
            )
        )


class Campaign:
    """A sweep in progress.

    Parameters
    ----------
    space, goals, evaluator, sampler
        The sweep's parts.
    earlier
        Points that an earlier run of the sweep evaluated: they come first,
        and are served from the cache while nothing changed.
    design
        The design as commands name it.
    told
        Told of each trial as it ends.

    Attributes
    ----------
    trials
        By the id of their point, in the order in which they ended.
    outcomes
        Of every step so far.
    evaluations
        The last evaluation of each point.
    ended
        ``done``, ``out of points``, ``out of time`` or ``interrupted``.
    """

    def __init__(
        self,
        *,
        space: Space,
        goals: Goals,
        evaluator: Evaluator,
        sampler: Sampler,
        earlier: Sequence[Point] = (),
        design: str = ".",
        told: Told = lambda trial: None,
    ) -> None:
        self._space, self._goals, self._evaluator, self._sampler = space, goals, evaluator, sampler
        self._spec = space.spec
        self._design, self._told = design, told
        self._earlier = list(dict.fromkeys(point.id for point in earlier))
        self._points = {point.id: point for point in earlier}
        self._active: dict[str, tuple[Evaluation, set[str]]] = {}
        self._waiting: dict[str, set[str]] = {}
        self._graph = Graph(())
        self._steps: dict[str, Step] = {}
        self._searches: dict[str, _Search] = {}
        self._level = 0
        self._ladder: Ladder | None = None
        self._queue: list[Point] = []
        self._count = 0
        self._deadline: float | None = None
        self.trials: dict[str, Trial] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.evaluations: dict[str, Evaluation] = {}
        self.ended = "done"

    # -- running ----------------------------------------------------------

    def run(self, place: Workplace, options: Options, listener: Listener = lambda event: None) -> None:
        """Run it to its end, or until it is interrupted.

        Raises
        ------
        FlowError
            The cluster cannot be reached, or the cache not be written.
        ConfigError
            An expression cannot be computed.
        """
        if self._spec.time_s is not None:
            self._deadline = time.monotonic() + self._spec.time_s

        def hear(event: Event) -> None:
            if isinstance(event, StepFinished):
                self._heard(event.step, event.outcome)
            listener(event)

        outcomes = run_graph(self._graph, place.cache, options, hear, self._feed)
        if any(outcome.status is Status.CANCELLED for outcome in outcomes.values()) or self._active:
            self.ended = "interrupted"

    @property
    def active(self) -> int:
        """How many points are being evaluated."""
        return len(self._active)

    def _feed(self, slots: int) -> Iterable[Step]:
        """Return the steps of as many new points as keep every slot busy."""
        while len(self._active) < slots + _AHEAD:
            point = self._next(slots)
            if point is None:
                break
            self._start(point, self._spec.fidelity[self._level])
        steps, self._steps = self._steps, {}
        return list(steps.values())

    def _start(self, point: Point, fidelity: Fidelity) -> None:
        """Begin the evaluation of a point, or the search for its clock."""
        try:
            if self._spec.search_clock and fidelity is not Fidelity.ESTIMATE:
                self._searches[point.id] = search = self._search(point)
                self._try(point, search, fidelity)
            else:
                self._begin(self._evaluator.plan(point, fidelity))
        except ConfigError as error:
            self._searches.pop(point.id, None)
            self._finish(self._refused(point, fidelity, str(error)))

    def _search(self, point: Point) -> _Search:
        recipe = self._evaluator.recipe(point)
        start_ns = self._evaluator.pdk(point).clock_period_ns
        return _Search(ClockSearch(recipe, start_ns, fixed=bool(fixed_recipes([recipe]))))

    def _try(self, point: Point, search: _Search, fidelity: Fidelity) -> bool:
        """Try the next clock of a search, else evaluate at the best; False where no clock is any good."""
        aims = search.clock.ask(1)
        if aims:
            search.aim = aims[0]
            self._begin(self._evaluator.plan(point, Fidelity.TIMING, aims[0].target_ns))
            return True
        best = search.clock.best
        if best is None:
            return False
        search.aim, search.clock_ns = None, best.aim.target_ns
        self._begin(self._evaluator.plan(point, fidelity, search.clock_ns))
        return True

    def _begin(self, evaluation: Evaluation) -> None:
        steps, key = self._steps, evaluation.point.id
        self.evaluations[key] = evaluation
        left = {name for name in evaluation.steps if name not in self.outcomes}
        for name in left:
            self._waiting.setdefault(name, set()).add(key)
            if name not in self._graph:
                steps[name] = evaluation.steps[name]
        self._active[key] = (evaluation, left)
        if not left:
            self._complete(key)

    def _heard(self, step: Step, outcome: Outcome) -> None:
        self.outcomes[step.name] = outcome
        for key in self._waiting.pop(step.name, ()):
            _, left = self._active[key]
            left.discard(step.name)
            if not left:
                self._complete(key)

    # -- choosing ---------------------------------------------------------

    def _next(self, slots: int) -> Point | None:
        """Return the next point, ``None`` where there is none now or ever."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.ended = "out of time"
            return None
        if self._level == 0:
            point = self._new_point(slots)
            if point is not None or self._active:
                return point
            if not self._climb():
                return None
        return self._promoted()

    def _new_point(self, slots: int) -> Point | None:
        """Return a point of an earlier run, or a new one of the sampler's, within the budget."""
        budget = self._spec.points
        while self._earlier:
            if budget is not None and self._count >= budget:
                break
            self._count += 1
            return self._points[self._earlier.pop(0)]
        if not self._queue:
            room = slots + _AHEAD - len(self._active)
            if budget is not None:
                room = min(room, budget - self._count)
                if room <= 0:
                    self.ended = "out of points"
                    return None
            asked = self._sampler.ask(max(1, room))
            self._queue = [p for p in asked if p.id not in self.trials and p.id not in self._active]
            if asked and not self._queue:
                return self._new_point(slots)
        if not self._queue:
            return None
        self._count += 1
        return self._queue.pop(0)

    def _climb(self) -> bool:
        """Go to the next level, if there is one; every point of this one has ended."""
        if self._level + 1 >= len(self._spec.fidelity):
            return False
        here = self._spec.fidelity[self._level]
        below = [trial for trial in self.trials.values() if trial.fidelity is here]
        self._level += 1
        budget = max(1, round(self._spec.promote * len(below)))
        self._ladder = Ladder(self._space, self._goals.objectives, below, budget)
        self._queue = []
        return True

    def _promoted(self) -> Point | None:
        while True:
            if self._queue:
                return self._queue.pop(0)
            if self._active or self._ladder is None:
                return None  # what runs decides what is worth running
            self._queue = [trial.point for trial in self._ladder.ask()]
            if not self._queue and not self._climb():
                return None

    # -- ending -----------------------------------------------------------

    def _complete(self, key: str) -> None:
        evaluation, _ = self._active.pop(key)
        point, fidelity = evaluation.point, evaluation.fidelity
        found = self._evaluator.found(evaluation, self.outcomes)
        if found.status is TrialStatus.CANCELLED:
            self._active[key] = (evaluation, set())  # it has not ended
            return
        search = self._searches.get(key)
        if search is not None:
            fidelity = self._spec.fidelity[self._level]
            if search.aim is not None:
                search.take(found)
                if self._try(point, search, fidelity):
                    return
            else:
                found = replace(
                    found, tool_s=search.tool_s + found.tool_s, wall_s=search.wall_s + found.wall_s
                )
            del self._searches[key]
        objectives: dict[str, float | None] = {}
        missed: tuple[str, ...] = ()
        if found.status is TrialStatus.DONE:
            objectives, missed = self._goals.judge(point, found.metrics)
            if fidelity is not Fidelity.ESTIMATE:
                missed = (*self._clock(found.metrics), *missed)
        before = self.trials.get(key)
        self._finish(
            Trial(
                point=point,
                status=found.status,
                fidelity=fidelity,
                reason=found.reason,
                metrics=found.metrics,
                objectives=objectives,
                levels={**(before.levels if before else {}), str(fidelity): objectives},
                missed=missed,
                tool_s=found.tool_s + (before.tool_s if before else 0.0),
                wall_s=found.wall_s + (before.wall_s if before else 0.0),
                cached=found.cached and (before is None or before.cached),
                command=self._evaluator.command(
                    point, fidelity, self._design, search.clock_ns if search else None
                ),
            )
        )

    def _clock(self, metrics: Mapping[str, float | None]) -> tuple[str, ...]:
        """Say that a point misses its clock, unless the sweep looks at the frequency or slack itself."""
        if set(_TIMING_METRICS) & set(self._goals.metrics):
            return ()
        slack = metrics.get("timing__setup__ws")
        return (f"the clock is missed by {-slack:.3g} ns",) if slack is not None and slack < -1e-9 else ()

    def _refused(self, point: Point, fidelity: Fidelity, reason: str) -> Trial:
        return Trial(point=point, status=TrialStatus.REFUSED, fidelity=fidelity, reason=reason)

    def _finish(self, trial: Trial) -> None:
        key = trial.point.id
        self.trials.pop(key, None)
        self.trials[key] = trial
        if self._level == 0:
            self._sampler.tell(trial)
        elif self._ladder is not None:
            self._ladder.tell(trial)
        self._told(trial)

    def all_trials(self) -> Iterator[Trial]:
        """Yield every trial, and those that an interruption left as cancelled."""
        yield from self.trials.values()
        for key, (evaluation, _) in self._active.items():
            if key not in self.trials:
                yield Trial(
                    point=evaluation.point,
                    status=TrialStatus.CANCELLED,
                    fidelity=evaluation.fidelity,
                    reason="the sweep ended first",
                )
