"""What would run, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flow.engine.cache import Cache
from flow.engine.keys import base_key, changes, signature
from flow.engine.schedule import Schedule
from flow.model.graph import Graph
from flow.model.step import Outcome, Status, Step
from flow.model.view import Tree

__all__ = ["PlanRow", "explain", "load_signatures", "save_signatures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One step of a plan.

    ``action`` is ``cached``, ``run``, or ``wait``: it waits for a step that
    runs, and is itself run only if what it gets from that step changed.
    """

    name: str
    label: str
    kind: str
    action: str
    reason: str
    needs: tuple[str, ...]


def explain(graph: Graph, cache: Cache, earlier: Mapping[str, Any], force: frozenset[str]) -> list[PlanRow]:
    """Say of each step whether it would run, and why.

    Parameters
    ----------
    graph
        The plan.
    cache
        Where results may be.
    earlier
        Signatures of the last run, as :func:`load_signatures` returns them.
    force
        Names or kinds of steps that are executed in any case.
    """
    schedule = Schedule(graph)
    rows: dict[str, PlanRow] = {}
    pending = schedule.start()
    while pending:
        step = pending.pop()
        row, outcome = _look(step, cache, earlier.get(step.name), force)
        rows[step.name] = row
        if outcome is not None:
            ready, _ = schedule.done(step.name, outcome)
            pending += ready
    for step in graph:
        if step.name not in rows:
            waits = [n for n in step.needs if n not in rows or rows[n].action != "cached"]
            rows[step.name] = _row(step, "wait", f"waits for {', '.join(waits)}")
    return [rows[step.name] for step in graph]


def _row(step: Step, action: str, reason: str) -> PlanRow:
    return PlanRow(
        name=step.name,
        label=step.label or step.name,
        kind=step.kind,
        action=action,
        reason=reason,
        needs=step.needs,
    )


def _look(
    step: Step, cache: Cache, before: Mapping[str, Any] | None, force: frozenset[str]
) -> tuple[PlanRow, Outcome | None]:
    if {step.name, step.kind} & force:
        return _row(step, "run", "asked for by --force"), None
    base = base_key(step)
    trees = {name: item for name, item in step.inputs.items() if isinstance(item, Tree)}
    found = cache.lookup(base, trees)
    if found is not None:
        return _row(step, "cached", ""), replace(found, status=Status.CACHED)
    return _row(step, "run", _why(step, base, cache, trees, before)), None


def _why(
    step: Step, base: str, cache: Cache, trees: Mapping[str, Tree], before: Mapping[str, Any] | None
) -> str:
    for reads in cache.variants(base):
        edited = []
        for name, digest in reads.items():
            tree, _, relative = name.partition("/")
            view = trees[tree].get(relative)
            if view is None:
                edited.append(f"{relative} is gone")
            elif view.digest != digest:
                edited.append(f"{relative} changed")
        if edited:
            more = f" and {len(edited) - 3} more" if len(edited) > 3 else ""
            return ", ".join(edited[:3]) + more
    if before is None:
        return "never ran here"
    said = changes(before, signature(step))
    return "; ".join(said) if said else "its last result is not in the cache"


def load_signatures(path: Path) -> dict[str, Any]:
    """Return the signatures that :func:`save_signatures` wrote, or none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save_signatures(path: Path, graph: Graph, outcomes: Mapping[str, Outcome]) -> None:
    """Keep the signatures of the steps that succeeded, for explaining the next plan."""
    schedule = Schedule(graph)
    signatures = load_signatures(path)
    pending = schedule.start()
    while pending:
        step = pending.pop()
        outcome = outcomes.get(step.name)
        if outcome is None or not outcome.status.ok:
            continue
        signatures[step.name] = signature(step)
        ready, _ = schedule.done(step.name, outcome)
        pending += ready
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(signatures))
    temporary.replace(path)
