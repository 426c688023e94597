"""``sweep.json``: all of a sweep for the report, the terminal and other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flow.model.metric import REGISTRY
from flow.model.sweep import SweepSpec
from flow.sweep.analysis import correlation, sensitivity
from flow.sweep.campaign import Campaign
from flow.sweep.goals import Goals
from flow.sweep.pareto import front, fronts_by, rank_trials
from flow.sweep.trial import Trial

__all__ = ["document"]

VERSION = 1


def document(
    spec: SweepSpec,
    goals: Goals,
    campaign: Campaign,
    info: Mapping[str, Any],
    *,
    pdks: Sequence[Mapping[str, Any]],
    skipped: Sequence[tuple[str, str]],
    reports: Mapping[str, str],
) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    spec, goals, campaign
        The sweep, and what came of it.
    info
        When, where and by which command it ran.
    pdks
        What the report says of each PDK.
    skipped
        PDKs that were left out, with the reason.
    reports
        Paths of run reports by the id of their point.
    """
    trials = list(campaign.all_trials())
    top = _at_the_top(spec, trials)
    ranks = rank_trials(top, goals.objectives)
    points = []
    for trial in trials:
        rank = ranks.get(trial.point.id)
        points.append({
            **trial.as_json(), "front": rank == 0, "rank": rank, "report": reports.get(trial.point.id),
            "pdk": trial.point.values.get("pdk"),
        })  # fmt: skip
    tool_s = sum(t.tool_s for t in trials)
    wall_s = sum(t.wall_s for t in trials)
    ran = [t for t in trials if not t.cached]
    elapsed = float(info["elapsed_s"])
    names = sorted({name for t in trials for name in t.metrics})
    return {
        "version": VERSION,
        "sweep": {
            **info,
            "name": spec.name,
            "description": spec.description,
            "sampler": str(spec.sampler),
            "seed": spec.seed,
            "fidelity": [str(level) for level in spec.fidelity],
            "promote": spec.promote,
            "points_budget": spec.points,
            "time_budget_s": spec.time_s,
            "status": campaign.ended,
            "tool_s": tool_s,
            "outside_share": (wall_s - tool_s) / wall_s if wall_s > 0 else None,
            "points_per_hour": len(ran) / elapsed * 3600 if elapsed > 0 and ran else None,
        },
        "axes": [_axis(axis) for axis in spec.axes],
        "derived": dict(spec.derived),
        "constraints": list(spec.constraints),
        "objectives": [asdict(o) for o in goals.objectives],
        "limits": [asdict(x) for x in goals.limits],
        "metrics": {name: _metric(name) for name in names},
        "points": points,
        "front": [t.point.id for t in front(top, goals.objectives)],
        "fronts_by_pdk": {
            str(name): [t.point.id for t in own] for name, own in fronts_by(top, goals.objectives).items()
        },
        "sensitivity": sensitivity(spec.axes, top, goals.objectives),
        "correlation": correlation(trials, goals.objectives),
        "noise": {},
        "pdks": {str(p["name"]): {k: v for k, v in p.items() if k != "name"} for p in pdks},
        "skipped": [{"what": name, "reason": reason} for name, reason in skipped],
    }


def _at_the_top(spec: SweepSpec, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials of the highest level that any feasible trial has: levels are not compared."""
    order = list(spec.fidelity)
    reached = [order.index(t.fidelity) for t in trials if t.feasible and t.fidelity in order]
    if not reached:
        return []
    return [t for t in trials if t.feasible and t.fidelity is order[max(reached)]]


def _axis(axis: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the model
    unit = "ns" if axis.name == "clock_period_ns" else ""
    return {
        "name": axis.name, "flow": axis.flow, "values": list(axis.values), "low": axis.low, "high": axis.high,
        "step": axis.step, "log": axis.log, "unit": unit,
    }  # fmt: skip


def _metric(name: str) -> dict[str, Any]:
    known = REGISTRY.get(name)
    return {
        "unit": known.unit if known else "",
        "higher_is_better": known.higher_is_better if known else None,
        "description": known.description if known else "",
    }
