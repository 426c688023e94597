"""The run report of each point of a sweep, as `suzuri run` would have written it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow.engine.provenance import Commit
from flow.project.session import Session
from flow.project.verdict import judge
from flow.report.html import write as write_html
from flow.sweep.campaign import Campaign
from flow.sweep.trial import Trial

__all__ = ["write_point_reports"]

#: Reports are for people: of more points, the first by rank have one.
MOST = 500


def write_point_reports(
    session: Session, campaign: Campaign, folder: Path, info: Mapping[str, Any]
) -> dict[str, str]:
    """Write ``points/ID/report.html`` below `folder`; return the paths, relative to it, by point.

    A point that was refused before anything ran has none.
    """
    written: dict[str, str] = {}
    trials = [t for t in campaign.trials.values() if t.point.id in campaign.evaluations]
    trials.sort(key=lambda t: not t.feasible)
    for trial in trials[:MOST]:
        path = Path("points") / trial.point.id / "report.html"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_html(_record(session, campaign, trial, info), folder / path)
        written[trial.point.id] = str(path)
    return written


def _record(session: Session, campaign: Campaign, trial: Trial, info: Mapping[str, Any]) -> dict[str, Any]:
    evaluation = campaign.evaluations[trial.point.id]
    own = session.variant(evaluation.flow, evaluation.graph)
    # The steps of a sweep are named by what they are; a report says what they do.
    outcomes = {
        step.name: campaign.outcomes[name]
        for step, name in zip(own.graph, evaluation.steps, strict=True)
        if name in campaign.outcomes
    }
    facts = {
        "id": f"{info['id']}, point {trial.point.id}",
        "started": info["started"],
        "elapsed_s": trial.wall_s,
    }
    commit = Commit(digest=info["commit"], dirty=info["dirty"])
    verdict = judge(own.graph, outcomes, [], [])
    record = own.record(facts, commit, outcomes, [], verdict)
    record["run"]["command"] = record["run"]["reproduce"] = trial.command
    for step in record["steps"]:
        step["log"] = None  # logs stay in the cache
    return record
