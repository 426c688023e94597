"""Outcomes as JSON, with a checksum, and back."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from flow.engine.hashing import canonical_json
from flow.model.check import Check, Severity
from flow.model.step import Outcome, Status
from flow.model.view import View

__all__ = ["dump_sealed", "load_sealed", "outcome_from_json", "outcome_to_json"]


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return `outcome` as JSON-serialisable data, without machine paths of views."""
    data = {name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}
    data["status"] = str(outcome.status)
    data["outputs"] = {
        name: {"name": v.name, "digest": v.digest, "size": v.size} for name, v in outcome.outputs.items()
    }
    data["checks"] = [asdict(c) | {"severity": str(c.severity)} for c in outcome.checks]
    data["metrics"] = dict(outcome.metrics)
    data["data"] = dict(outcome.data)
    data["reads"] = dict(outcome.reads)
    data["commands"] = list(outcome.commands)
    data["error"] = None if outcome.error is None else dict(outcome.error)
    return data


def outcome_from_json(data: dict[str, Any]) -> Outcome:
    """Return the outcome that :func:`outcome_to_json` wrote."""
    values = dict(data)
    values["status"] = Status(values["status"])
    values["outputs"] = {name: View(**v) for name, v in values["outputs"].items()}
    values["checks"] = tuple(Check(**(c | {"severity": Severity(c["severity"])})) for c in values["checks"])
    values["commands"] = tuple(values["commands"])
    return Outcome(**values)


def dump_sealed(data: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return `data` as one line of digest and one of JSON."""
    body = canonical_json(data).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def load_sealed(raw: bytes) -> Any | None:  # noqa: ANN401 - any JSON value
    """Return what :func:`dump_sealed` wrote, or ``None`` when a byte of it changed."""
    import json  # noqa: PLC0415

    seal, _, body = raw.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != seal:
        return None
    return json.loads(body)
