"""Turns a point into steps of the flow, and their outcomes into figures."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flow.engine.hashing import digest_value
from flow.engine.seeds import derive_seed
from flow.model.design import Design, TestSpec
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.model.metric import REGISTRY, base_name
from flow.model.pdk import Corner, Pdk
from flow.model.step import Outcome, OutputRef, Status, Step
from flow.model.sweep import Fidelity, SweepSpec, Value
from flow.model.view import Tree, View
from flow.stages.chip import ChipFlow, PdkPlan, TestRun
from flow.sweep.trial import Point, TrialStatus

__all__ = ["ESTIMATE_RECIPE", "Evaluation", "Evaluator", "Found", "combined_metrics"]

#: Recipe that an estimate is synthesised with, whatever the point's own is.
ESTIMATE_RECIPE = "quick"

_COMBINE: Mapping[str, Callable[[Iterable[float]], float]] = {"min": min, "max": max, "sum": sum}
_TIMING = frozenset({"elaborate", "synthesize", "timing"})
_PARTS: Mapping[Fidelity, frozenset[str]] = {
    Fidelity.ESTIMATE: _TIMING,
    Fidelity.TIMING: _TIMING,
    Fidelity.POWER: _TIMING | {"power", "simulate"},
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The steps that evaluate a point at a level.

    Attributes
    ----------
    point, fidelity
        What, and how closely.
    steps
        By unique names, so that points which share a step share its name; in
        the order of the flow's graph.
    flow, graph
        The flow of this point alone, and its graph, whose steps have the
        names that they have in a run.
    """

    point: Point
    fidelity: Fidelity
    steps: Mapping[str, Step]
    flow: ChipFlow
    graph: Graph


@dataclass(frozen=True, slots=True)
class Found:
    """What the steps of an evaluation came to.

    Attributes
    ----------
    status, reason
        How it ended, and why, where it is not ``done``.
    metrics
        As :attr:`flow.sweep.trial.Trial.metrics` has them.
    tool_s, wall_s
        Seconds in tools, and altogether.
    cached
        Whether nothing had to run.
    """

    status: TrialStatus
    reason: str
    metrics: Mapping[str, float | None]
    tool_s: float
    wall_s: float
    cached: bool


class Evaluator:
    """Plans points of one design.

    Parameters
    ----------
    spec
        The sweep.
    flow
        The design's own flow, whose sources and tools all points share.
    plans
        PDKs by name, with the corners and the clock that the manifest has.
    corner_of
        Returns a corner of a PDK by its name.
    master_seed
        The seeds of simulated tests derive from it.
    """

    def __init__(
        self,
        spec: SweepSpec,
        flow: ChipFlow,
        plans: Mapping[str, PdkPlan],
        corner_of: Callable[[Pdk, str], Corner],
        master_seed: int = 1,
    ) -> None:
        self._spec, self._flow, self._plans, self._corner_of = spec, flow, plans, corner_of
        self._master_seed = master_seed
        self._runs = self._workloads()

    def _workloads(self) -> tuple[TestRun, ...]:
        """Return what is simulated where activity is wanted."""
        tests = {test.name: test for test in self._flow.design.tests}
        chosen: list[TestSpec] = []
        for name in self._spec.workloads:
            if name not in tests:
                raise ConfigError(
                    f"there is no test or workload {name!r}", f"sweep {self._spec.name}.workloads",
                    f"There are: {', '.join(tests) or 'none'}.",
                )  # fmt: skip
            if not tests[name].activity and Fidelity.POWER in self._spec.fidelity:
                raise ConfigError(
                    f"test {name!r} records no activity", f"sweep {self._spec.name}.workloads",
                    "Give the test activity = true.",
                )  # fmt: skip
            chosen.append(tests[name])
        if not chosen and Fidelity.POWER in self._spec.fidelity:
            chosen = [test for test in tests.values() if test.activity and not test.workload][:1]
        return tuple(TestRun(test=t, index=0, seed=derive_seed(self._master_seed, t.name, 0)) for t in chosen)

    def plan(self, point: Point, fidelity: Fidelity, clock_ns: float | None = None) -> Evaluation:
        """Return the steps that evaluate `point`, perhaps at another clock than its own.

        Raises
        ------
        ConfigError
            The flow does not take what the point asks for: a corner that the
            PDK does not have, a clock with a negative slack for its margins.
        """
        if fidelity is Fidelity.LAYOUT:
            raise ConfigError(
                "no place-and-route engine is installed", f"sweep {self._spec.name}.fidelity",
                "Leave 'layout' out.",
            )  # fmt: skip
        try:
            flow = replace(
                self._flow,
                design=self._design(point, fidelity),
                pdks=(self.pdk(point, clock_ns),),
                parts=_PARTS[fidelity],
                runs=self._runs if fidelity is Fidelity.POWER else (),
            )
            graph = flow.graph()
            if self._spec.model:
                tests = [run.test for run in self._runs]
                graph = Graph([flow.performance(self._spec.model, tests), *graph])
        except ValueError as error:
            raise ConfigError(str(error), f"sweep {self._spec.name}") from None
        return Evaluation(point, fidelity, self._unique(graph), flow, graph)

    def _design(self, point: Point, fidelity: Fidelity) -> Design:
        design = self._flow.design
        recipe = point.values.get("recipe") if self._is_flow("recipe") else None
        if fidelity is Fidelity.ESTIMATE:
            recipe = ESTIMATE_RECIPE
        hierarchy = point.values.get("hierarchy") if self._is_flow("hierarchy") else None
        fanout = point.values.get("max_fanout") if self._is_flow("max_fanout") else None
        synthesis = replace(
            design.synthesis,
            recipe=str(recipe or design.synthesis.recipe),
            hierarchy=str(hierarchy) if hierarchy else design.synthesis.hierarchy,
        )
        constraints = design.constraints
        if fanout:
            constraints = replace(constraints, max_fanout=int(fanout))
        parameters = merged(design.parameters, self.parameters(point))
        return replace(design, synthesis=synthesis, constraints=constraints, parameters=parameters)

    def parameters(self, point: Point) -> dict[str, Value]:
        """Return the axes of a point that are parameters of the design."""
        flow = {axis.name for axis in self._spec.axes if axis.flow}
        return {name: value for name, value in point.values.items() if name not in flow}

    def _is_flow(self, name: str) -> bool:
        return any(axis.name == name and axis.flow for axis in self._spec.axes)

    def recipe(self, point: Point) -> str:
        """Return the recipe that a point is synthesised with."""
        own = point.values.get("recipe") if self._is_flow("recipe") else None
        return str(own or self._flow.design.synthesis.recipe)

    def pdk(self, point: Point, clock_ns: float | None = None) -> PdkPlan:
        """Return the PDK of a point, with its corners and its clock, or another one."""
        plan = self._plans[str(point.values["pdk"])]
        if self._is_flow("corner"):
            plan = replace(plan, corners=(self._corner_of(plan.pdk, str(point.values["corner"])),))
        if clock_ns is not None:
            plan = replace(plan, clock_period_ns=clock_ns)
        elif self._is_flow("clock_period_ns"):
            plan = replace(plan, clock_period_ns=float(point.values["clock_period_ns"]))
        elif self._is_flow("clock_scale"):
            # Rounded to what a step's parameters show: a picosecond is less than any flow resolves.
            period = round(plan.clock_period_ns * float(point.values["clock_scale"]), 4)
            plan = replace(plan, clock_period_ns=period)
        return plan

    def _unique(self, graph: Graph) -> dict[str, Step]:
        """Name each step by what it is, so that the points of a sweep share what they have in common."""
        limit = self._spec.point_timeout_s
        named: dict[str, str] = {}
        steps: dict[str, Step] = {}
        for step in graph:
            inputs = {
                name: replace_ref(item, named) if isinstance(item, OutputRef) else item
                for name, item in step.inputs.items()
            }
            after = tuple(named[name] for name in step.after)
            name = f"{step.name[:80]}~{_identity(step, inputs, after)}"
            named[step.name] = name
            resources = step.resources
            if limit is not None and limit < resources.wall_s:
                resources = replace(resources, wall_s=limit)
            steps[name] = replace(step, name=name, inputs=inputs, after=after, resources=resources)
        return steps

    # -- results ----------------------------------------------------------

    def found(self, evaluation: Evaluation, outcomes: Mapping[str, Outcome]) -> Found:
        """Return what the outcomes of all steps of an evaluation come to."""
        ran = [(step, outcomes[name]) for name, step in evaluation.steps.items()]
        status, reason = _status(ran)
        metrics = combined_metrics(ran) if status is TrialStatus.DONE else {}
        return Found(
            status=status,
            reason=reason,
            metrics=metrics,
            tool_s=sum(o.tool_s for _, o in ran),
            wall_s=sum(o.wall_s for _, o in ran),
            cached=all(o.status is Status.CACHED for _, o in ran),
        )

    def command(self, point: Point, fidelity: Fidelity, design: str, clock_ns: float | None = None) -> str:
        """Return the command that repeats an evaluation, to be pasted."""
        plan = self.pdk(point, clock_ns)
        made = self._design(point, fidelity)
        words = ["suzuri", "run", design, "--pdk", plan.pdk.name]
        if self._is_flow("corner"):
            words += ["--corner", plan.corners[0].name]
        words += ["--recipe", made.synthesis.recipe]
        if self._is_flow("hierarchy") and made.synthesis.hierarchy:
            words += ["--hierarchy", made.synthesis.hierarchy]
        words += ["--clock", f"{plan.clock_period_ns:g}"]
        for name in dict.fromkeys(name.partition(".")[0] for name in self.parameters(point)):
            words += ["--set", f"{name}={json.dumps(made.parameters[name])}"]
        if fidelity is Fidelity.POWER:
            for run in self._runs:
                words += ["--test", run.test.name]
            words += ["--only", "simulate", "--only", "power", "--only", "timing"]
        else:
            words += ["--only", "timing"]
        return shlex.join(words)


def merged(parameters: Mapping[str, Any], changes: Mapping[str, Value]) -> dict[str, Any]:
    """Return `parameters` with `changes`, whose names may lead into tables: ``config.rows``."""
    result = dict(parameters)
    for name, value in changes.items():
        first, dot, rest = name.partition(".")
        if dot:
            inner = result.get(first, {})
            result[first] = merged(inner if isinstance(inner, Mapping) else {}, {rest: value})
        else:
            result[first] = value
    return result


def replace_ref(ref: OutputRef, named: Mapping[str, str]) -> OutputRef:
    """Return `ref` with its step's new name."""
    return OutputRef(named[ref.step], ref.name)


def _identity(step: Step, inputs: Mapping[str, View | Tree | OutputRef], after: tuple[str, ...]) -> str:
    """Return eight digits that tell steps apart which do not do the same."""
    described: dict[str, Any] = {}
    for name, item in inputs.items():
        if isinstance(item, View):
            described[name] = [item.name, item.digest]
        elif isinstance(item, OutputRef):
            described[name] = [item.step, item.name]
        else:
            described[name] = "tree"
    what = [step.kind, step.version, dict(step.params), described, list(after), list(step.outputs)]
    return digest_value(what)[:10]


def _status(ran: Iterable[tuple[Step, Outcome]]) -> tuple[TrialStatus, str]:
    """Return how an evaluation ended, and the reason that its user wants to know."""
    worst = TrialStatus.DONE
    reason = ""
    for step, outcome in ran:
        if outcome.status.ok:
            # A clock that is missed is a figure like others: a limit, and no failure.
            bad = [c for c in outcome.checks if c.failed and c.name != "timing.setup"]
            if bad and not reason:
                worst, reason = TrialStatus.FAILED, f"{step.kind}: {bad[0].message or bad[0].name}"
            continue
        if outcome.status is Status.SKIPPED:
            continue
        if outcome.status is Status.CANCELLED:
            return TrialStatus.CANCELLED, "the sweep ended first"
        if worst is TrialStatus.DONE:
            worst, reason = _failure(step, outcome)
    return worst, reason


def _failure(step: Step, outcome: Outcome) -> tuple[TrialStatus, str]:
    error = outcome.error or {}
    what = str(error.get("what") or "failed")
    if error.get("where") and error.get("type") == "ConfigError":
        what = f"{error['where']}: {what}"
    if outcome.status is Status.INFRA:
        return TrialStatus.INFRA, what
    if "of wall-clock time" in what:
        return TrialStatus.TIMEOUT, f"{step.kind} {what}"
    if error.get("type") == "ConfigError":
        return TrialStatus.REFUSED, what
    return TrialStatus.FAILED, f"{step.kind}: {what}"


def combined_metrics(ran: Iterable[tuple[Step, Outcome]]) -> dict[str, float | None]:
    """Return the metrics of one point: those of several corners or tests as the registry combines them.

    Each is there by its plain name, and with ``__corner:NAME`` where corners
    have their own. Power with the activity of a simulation takes the place
    of power without.
    """
    ran = list(ran)
    simulated = any(s.kind == "power" and s.tags.get("activity") == "simulated" for s, _ in ran)
    measured = {base_name(str(n)) for s, o in ran if s.kind != "performance" for n in o.metrics}
    groups: dict[str, list[float]] = {}
    found: dict[str, float | None] = {}
    for step, outcome in ran:
        if simulated and step.kind == "power" and step.tags.get("activity") == "default":
            continue
        for name, value in outcome.metrics.items():
            plain = base_name(str(name))
            if step.kind == "performance" and plain in measured:
                continue  # what was simulated is no longer guessed
            if isinstance(value, bool) or not isinstance(value, int | float):
                found.setdefault(plain, None)
                continue
            groups.setdefault(plain, []).append(float(value))
            if step.kind == "timing" and step.tags.get("corner"):
                found[f"{plain}__corner:{step.tags['corner']}"] = float(value)
    for name, values in groups.items():
        known = REGISTRY.get(name)
        combine = _COMBINE.get(known.aggregate) if known else None
        found[name] = combine(values) if combine else values[-1]
    return dict(sorted(found.items()))
