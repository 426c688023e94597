"""Runs aims: synthesis and timing of one design on one PDK, as many at once as there are workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flow.engine.driver import Options, run_graph
from flow.engine.events import Event, Listener, RunFinished, StepFinished
from flow.engine.provenance import new_run_id
from flow.model.graph import Graph
from flow.model.step import Outcome, Status, Step
from flow.model.sweep import Axis, Fidelity, Objective, SamplerName, SweepSpec
from flow.stages.chip import PdkPlan
from flow.sweep.evaluate import Evaluation, Evaluator, combined_metrics
from flow.sweep.fmax import Aim, Search, Tried
from flow.sweep.trial import Point
from flow.tools.yosys import RECIPES

if TYPE_CHECKING:
    from flow.project.session import Session

__all__ = ["Interrupted", "Tries", "fixed_recipes"]


class Interrupted(KeyboardInterrupt):
    """It was interrupted; what was tried is kept."""


def fixed_recipes(names: Iterable[str]) -> list[str]:
    """Return those recipes that do the same for every target."""
    from flow.tools.yosys import recipe  # noqa: PLC0415

    return [name for name in names if recipe(name).relax == 0]


@dataclass(frozen=True, slots=True)
class _Trial:
    aim: Aim
    index: int
    evaluation: Evaluation


class Tries:
    """Plans and runs aims of one design on one PDK, at one corner.

    Parameters
    ----------
    session
        The design; its flow has synthesis and timing among its parts.
    plan
        The PDK. Its first corner is the one that is synthesised for and timed.

    Attributes
    ----------
    plan
        With that corner alone.
    """

    def __init__(self, session: Session, plan: PdkPlan) -> None:
        self._session = session
        self.plan = replace(plan, corners=plan.corners[:1])
        pdk, corner = plan.pdk.name, plan.corners[0].name
        self._spec = SweepSpec(
            name="tries",
            axes=(
                Axis(name="pdk", flow=True, values=(pdk,)),
                Axis(name="corner", flow=True, values=(corner,)),
                Axis(name="recipe", flow=True, values=RECIPES),
                Axis(name="clock_period_ns", flow=True, low=1e-6, high=1e6, log=True),
            ),
            objectives=(Objective(name="fmax", expression="timing__fmax", maximise=True),),
            sampler=SamplerName.RANDOM,
        )
        self._fixed = {"pdk": pdk, "corner": corner}
        self._evaluators: dict[int, Evaluator] = {}

    def _evaluator(self, perturbation: int) -> Evaluator:
        if perturbation not in self._evaluators:
            flow = replace(self._session.flow, perturbation=perturbation)
            plans = {self.plan.pdk.name: self.plan}
            self._evaluators[perturbation] = Evaluator(
                self._spec, flow, plans, lambda pdk, name: pdk.corner(name)
            )
        return self._evaluators[perturbation]

    def _point(self, aim: Aim) -> Point:
        return Point({**self._fixed, "recipe": aim.recipe, "clock_period_ns": aim.target_ns})

    def steps(self, aim: Aim, perturbation: int = 0) -> Mapping[str, Step]:
        """Return the steps that an aim consists of, by name."""
        return self._evaluator(perturbation).plan(self._point(aim), Fidelity.TIMING).steps

    def command(self, aim: Aim, design: str) -> str:
        """Return the command that repeats an aim, to be pasted."""
        words = self._evaluator(0).command(self._point(aim), Fidelity.TIMING, design)
        request = self._session.request
        # What the request changes of the manifest is no axis here.
        changed = [f"--set {name}={_toml(value)}" for name, value in request.parameters.items()]
        if request.hierarchy:
            changed.append(f"--hierarchy {request.hierarchy}")
        return " ".join([words, *changed])

    # -- running ----------------------------------------------------------

    def search(
        self,
        search: Search,
        listener: Listener = lambda event: None,
        told: Callable[[Tried], None] = lambda tried: None,
    ) -> list[Tried]:
        """Run what `search` asks for until it asks for nothing more; return every try as it came.

        Raises
        ------
        FlowError
            A tool or PDK is missing, or the machines failed.
        Interrupted
            Ctrl-C; what was tried is kept in the cache.
        """
        found: list[Tried] = []

        def done(trial: _Trial, tried: Tried) -> None:
            search.tell(tried)
            found.append(tried)
            told(tried)

        self._run(lambda count: [(aim, 0) for aim in search.ask(count)], done, listener)
        return found

    def replicate(
        self, aim: Aim, indices: Sequence[int], listener: Listener = lambda event: None
    ) -> dict[int, Tried]:
        """Run one aim with each of the perturbations `indices`; 0 is the unperturbed one.

        Raises
        ------
        FlowError, Interrupted
            As of :meth:`search`.
        """
        found: dict[int, Tried] = {}
        left = list(dict.fromkeys(indices))

        def ask(count: int) -> list[tuple[Aim, int]]:
            now, left[:] = left[:count], left[count:]
            return [(aim, index) for index in now]

        self._run(ask, lambda trial, tried: found.update({trial.index: tried}), listener)
        return {index: found[index] for index in dict.fromkeys(indices) if index in found}

    def _run(
        self,
        ask: Callable[[int], list[tuple[Aim, int]]],
        done: Callable[[_Trial, Tried], None],
        listener: Listener,
    ) -> None:
        graph = Graph([])
        outcomes: dict[str, Outcome] = {}
        open_trials: list[_Trial] = []
        interrupted = False

        def settle() -> None:
            for trial in list(open_trials):
                if all(name in outcomes for name in trial.evaluation.steps):
                    open_trials.remove(trial)
                    done(trial, _tried(trial, outcomes))

        def tell(event: Event) -> None:
            nonlocal interrupted
            if isinstance(event, StepFinished):
                outcomes[event.step.name] = event.outcome
            elif isinstance(event, RunFinished):
                interrupted = event.cancelled
            listener(event)

        def feed(slots: int) -> list[Step]:
            settle()
            new: dict[str, Step] = {}
            while len(open_trials) < slots:
                wanted = ask(slots - len(open_trials))
                if not wanted:
                    break
                for aim, index in wanted:
                    evaluation = self._evaluator(index).plan(self._point(aim), Fidelity.TIMING)
                    open_trials.append(_Trial(aim, index, evaluation))
                    new |= {n: s for n, s in evaluation.steps.items() if n not in graph and n not in new}
                settle()  # one that has all its steps from others is done already
            return list(new.values())

        session = self._session
        options = Options(
            run_id=new_run_id(),
            keep=session.build / "failed",
            jobs=session.request.jobs,
            scheduler=session.request.scheduler,
            force=session.request.force,
        )
        try:
            run_graph(graph, session.cache, options, tell, feed)
        finally:
            session.save()
        if interrupted:
            raise Interrupted


def _tried(trial: _Trial, outcomes: Mapping[str, Outcome]) -> Tried:
    ran = [(step, outcomes[name]) for name, step in trial.evaluation.steps.items()]
    metrics = combined_metrics(ran)
    fmax = metrics.get("timing__fmax")
    return Tried(
        aim=trial.aim,
        # A netlist that misses its target is as good as another: its period is what counts.
        period_ns=1000.0 / fmax if fmax else None,
        metrics=metrics,
        reason=_reason(ran) if not fmax else "",
        tool_s=sum(outcome.tool_s for _, outcome in ran),
        cached=all(outcome.status is Status.CACHED for _, outcome in ran),
    )


def _reason(ran: Iterable[tuple[Step, Outcome]]) -> str:
    for step, outcome in ran:
        if outcome.error:
            return f"{step.kind}: {outcome.error.get('what') or 'failed'}"
        bad = [check for check in outcome.checks if check.failed]
        if bad:
            return f"{step.kind}: {bad[0].message or bad[0].name}"
    return "it was not timed"


def _toml(value: object) -> str:
    import json  # noqa: PLC0415
    import shlex  # noqa: PLC0415

    return shlex.quote(json.dumps(value))
