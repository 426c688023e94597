"""The verdict of a run: limits, checks, failures, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flow.model.design import Design, Limit
from flow.model.graph import Graph
from flow.model.metric import REGISTRY, MetricValue, base_name
from flow.model.step import Outcome, Status, Step
from flow.stages.chip import PdkPlan
from flow.tools.cocotb.coverage import merge_coverage, read_coverage

__all__ = ["EXIT_CHECK", "EXIT_GOOD", "EXIT_INPUT", "EXIT_TOOL", "Verdict", "check_limits", "judge"]

EXIT_GOOD = 0
EXIT_CHECK = 1
EXIT_INPUT = 2
EXIT_TOOL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run ended: ``pass``, ``fail``, ``error`` or ``cancelled``, and why."""

    status: str
    exit_code: int
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as the run record has it."""
        return {"status": self.status, "exit_code": self.exit_code, "reasons": list(self.reasons)}


#: Stages that measure a metric, by how its name begins; of any other name, all of them.
_MEASURED_BY = {
    "design__lint": ("lint",),
    "design": ("synthesize",),
    "synthesis": ("synthesize",),
    "sim": ("simulate",),
    "formal": ("formal",),
    "timing": ("timing",),
    "power": ("power",),
    "workload": ("power",),
}
_COMBINE: Mapping[str, Callable[[Iterable[float]], float]] = {"min": min, "max": max, "sum": sum}


def check_limits(
    design: Design,
    pdks: Iterable[PdkPlan],
    graph: Graph,
    outcomes: Mapping[str, Outcome],
    parts: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:
    """Compare metrics with the limits on them.

    A limit of a PDK holds there; one of the design holds on every PDK, and
    on metrics that belong to no PDK, of all tests together. Of several
    corners the main one counts, unless the limit names one
    (``timing__hold__ws__corner:NAME``). A limit that nothing was measured
    for is missed, when the parts of the flow that would have measured it
    ran.

    Parameters
    ----------
    design, pdks, graph, outcomes
        What ran, and what came of it.
    parts
        Parts of the flow that were asked for.
    """
    rows: list[dict[str, Any]] = []
    ran = [(step, outcomes[step.name]) for step in graph if step.name in outcomes]
    plans = {plan.pdk.name: plan for plan in pdks}
    for plan in plans.values():
        target = design.pdks.get(plan.pdk.name)
        for limit in (*(target.limits if target else ()), *design.limits):
            row = _on_pdk(limit, plan, ran)
            if row is not None:
                rows.append(row)
            elif target is not None and limit in target.limits and _should_be_there(limit, ran, parts):
                rows.append(_row(limit, None, plan.pdk.name, None))
    for limit in design.limits:
        values = [
            o.metrics[limit.metric] for s, o in ran if "pdk" not in s.tags and limit.metric in o.metrics
        ]
        if values:
            rows.append(_row(limit, _together(limit.metric, values, ran), None, None))
        elif not any(row["metric"] == limit.metric for row in rows) and _should_be_there(limit, ran, parts):
            rows.append(_row(limit, None, None, None))
    return rows


def _together(metric: str, values: Iterable[MetricValue], ran: Iterable[tuple[Step, Outcome]]) -> MetricValue:
    """Combine what several tests measured, as the registry says; coverage by its bins."""
    if metric == "sim__coverage__functional":
        tables = [o.data["coverage"] for _, o in ran if "coverage" in o.data]
        return merge_coverage(read_coverage(json.dumps(table)) for table in tables).percent
    numbers = [v for v in values if isinstance(v, int | float)]
    known = REGISTRY.get(metric)
    combine = _COMBINE.get(known.aggregate if known else "")
    if not numbers:
        return None
    return combine(numbers) if combine else numbers[-1]


def _should_be_there(limit: Limit, ran: Iterable[tuple[Step, Outcome]], parts: frozenset[str]) -> bool:
    """Whether all parts of the flow were asked for and went well that would have measured the metric."""
    name = base_name(limit.metric)
    kinds = next((k for start, k in _MEASURED_BY.items() if name.startswith(f"{start}_")), tuple(parts))
    return set(kinds) <= parts and all(o.status.ok for s, o in ran if s.kind in kinds)


def _on_pdk(limit: Limit, plan: PdkPlan, ran: Iterable[tuple[Step, Outcome]]) -> dict[str, Any] | None:
    metric, _, modifier = limit.metric.partition("__corner:")
    corner = modifier or plan.corners[0].name
    found: dict[str, Any] | None = None
    for step, outcome in ran:
        if step.tags.get("pdk") != plan.pdk.name or step.tags.get("corner", corner) != corner:
            continue
        if outcome.status.ok and base_name(metric) in outcome.metrics:
            # Annotated power comes after default power in the graph, and is the better number.
            found = _row(limit, outcome.metrics[base_name(metric)], plan.pdk.name, corner)
    return found


def _row(limit: Limit, value: Any, pdk: str | None, corner: str | None) -> dict[str, Any]:  # noqa: ANN401
    low, high = limit.min, limit.max
    passed = (
        isinstance(value, int | float) and (low is None or value >= low) and (high is None or value <= high)
    )
    return {
        "metric": limit.metric,
        "min": low,
        "max": high,
        "value": value,
        "passed": passed,
        "pdk": pdk,
        "corner": corner,
    }


def judge(
    graph: Graph,
    outcomes: Mapping[str, Outcome],
    limits: Iterable[Mapping[str, Any]],
    missing: Iterable[tuple[str, str]],
) -> Verdict:
    """Return the verdict; its reasons are ordered by what to look at first."""
    reasons: list[str] = []
    worst = EXIT_GOOD
    cancelled = False
    for step in graph:
        outcome = outcomes.get(step.name)
        if outcome is None or outcome.status in (Status.SKIPPED, Status.CANCELLED):
            cancelled |= outcome is None or outcome.status is Status.CANCELLED
            continue
        if not outcome.status.ok:
            reasons.append(f"{step.label or step.name}: {_error_text(outcome)}")
            worst = max(worst, _error_code(outcome))
    for step in graph:
        outcome = outcomes.get(step.name)
        for check in outcome.checks if outcome else ():
            if check.failed:
                place = f" ({check.place})" if check.place else ""
                reasons.append(f"{step.label or step.name}: {check.message or check.name}{place}")
                worst = max(worst, EXIT_CHECK)
    for row in limits:
        if not row["passed"]:
            reasons.append(_limit_text(row))
            worst = max(worst, EXIT_CHECK)
    reasons += [f"{name} was left out: {reason}" for name, reason in missing]
    if cancelled:
        return Verdict(status="cancelled", exit_code=130, reasons=("The run was interrupted.", *reasons))
    status = "pass" if worst == EXIT_GOOD else "fail" if worst == EXIT_CHECK else "error"
    return Verdict(status=status, exit_code=worst, reasons=tuple(reasons))


def _error_text(outcome: Outcome) -> str:
    error = outcome.error or {}
    text = str(error.get("what") or "failed")
    if error.get("where"):
        text = f"{error['where']}: {text}"
    if error.get("remedy"):
        text = f"{text.rstrip('.')}. {error['remedy']}"
    if error.get("log"):
        text = f"{text.rstrip('.')}; see {error['log']}"
    return text


def _error_code(outcome: Outcome) -> int:
    return {"ConfigError": EXIT_INPUT, "CheckFailed": EXIT_CHECK}.get(
        str((outcome.error or {}).get("type")), EXIT_TOOL
    )


def _limit_text(row: Mapping[str, Any]) -> str:
    where = " ".join(str(row[k]) for k in ("pdk", "corner") if row[k])
    value = "not measured" if row["value"] is None else f"{row['value']:.4g}"
    bounds = " and ".join(
        f"{word} {row[key]:g}"
        for key, word in (("min", "at least"), ("max", "at most"))
        if row[key] is not None
    )
    return f"{row['metric']} on {where}: {value}, must be {bounds}" if where else (
        f"{row['metric']}: {value}, must be {bounds}"
    )  # fmt: skip
