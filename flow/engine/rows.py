"""A run's outcomes as rows of database tables: plain data, for the journal and the store alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flow.engine.hashing import canonical_json
from flow.model.step import Outcome, Step

__all__ = ["now", "outcome_rows"]

Rows = dict[str, list[dict[str, Any]]]


def now() -> str:
    """Return the time as the tables have it: ISO, UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat()


def outcome_rows(run_id: str, step: Step, outcome: Outcome) -> Rows:
    """Return the rows that `outcome` of `step` makes, by table."""
    at = {"run": run_id, "step": step.name}
    rows: Rows = {"steps": [_step_row(run_id, step, outcome)]}
    if outcome.metrics:
        rows["metrics"] = [
            {
                **at,
                "name": name,
                "value": float(value) if isinstance(value, int | float) else None,
                "text": value if isinstance(value, str) else None,
            }
            for name, value in outcome.metrics.items()
        ]
    if outcome.checks:
        rows["checks"] = [
            {
                **at,
                "name": c.name,
                "passed": c.passed,
                "severity": str(c.severity),
                "message": c.message,
                "place": c.place,
            }
            for c in outcome.checks
        ]
    tests = outcome.data.get("tests") or ()
    if tests:
        rows["tests"] = list({(t["name"], t.get("seed")): _test_row(at, step, t) for t in tests}.values())
    points = (outcome.data.get("coverage") or {}).get("coverpoints") or ()
    bins = [
        {**at, "point": p["name"], "bin": b["name"], "hits": b["hits"], "goal": b.get("goal", 1)}
        for p in points
        for b in p["bins"]
    ]
    if bins:
        rows["coverage"] = bins
    return rows


def _step_row(run_id: str, step: Step, outcome: Outcome) -> dict[str, Any]:
    return {
        "run": run_id,
        "name": step.name,
        "kind": step.kind,
        "key": outcome.key,
        "status": str(outcome.status),
        "finished": now(),
        "wall_s": outcome.wall_s,
        "tool_s": outcome.tool_s,
        "cpu_s": outcome.cpu_s,
        "peak_mb": outcome.peak_mb,
        "attempts": outcome.attempts,
        "host": outcome.host,
        "tags": canonical_json(dict(step.tags)),
        "error": None if outcome.error is None else canonical_json(dict(outcome.error)),
    }


def _test_row(at: Mapping[str, str], step: Step, case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **at,
        "testcase": case["name"],
        "test": step.tags.get("test", step.name),
        "seed": str(case.get("seed", step.tags.get("seed", ""))),
        "status": case.get("status"),
        "time_s": case.get("time_s", case.get("time")),
        "message": case.get("message"),
    }
