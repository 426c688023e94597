"""Points of a space, and what became of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from flow.model.sweep import Fidelity, Value

__all__ = ["Point", "Trial", "TrialStatus", "trial_from_json"]


class TrialStatus(StrEnum):
    """What became of a point."""

    DONE = "done"  # evaluated; perhaps no candidate, when a limit is missed
    REFUSED = "refused"  # the design does not take these parameters
    FAILED = "failed"  # a tool or a check failed
    TIMEOUT = "timeout"  # it ran into a wall-clock limit
    INFRA = "infra"  # the machines failed
    CANCELLED = "cancelled"  # the sweep ended first


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a space: a value on each axis.

    Attributes
    ----------
    values
        By axis, in the order of the axes.
    derived
        By name.
    """

    values: Mapping[str, Value]
    derived: Mapping[str, Value] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on the values alone."""
        text = json.dumps(dict(sorted(self.values.items())), separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of a point.

    Attributes
    ----------
    point
        The point.
    status, reason
        How it ended, and why, where it is not ``done``.
    fidelity
        Highest level that was evaluated.
    metrics
        At that level, by METRICS2.1 name without modifiers, in the
        registry's units; ``None`` where one could not be measured.
    objectives
        At that level, by name, in the objective's unit; ``None`` where it
        cannot be had. A trial that is not ``done`` has none.
    levels
        Objectives by level, of every level that was evaluated.
    missed
        Limits that are not kept, in words.
    tool_s, wall_s
        Seconds of its steps in tools and altogether, cached ones as they took.
    cached
        Whether no step had to run.
    command
        What repeats it, to be pasted.
    """

    point: Point
    status: TrialStatus
    fidelity: Fidelity
    reason: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    objectives: Mapping[str, float | None] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    tool_s: float = 0.0
    wall_s: float = 0.0
    cached: bool = False
    command: str = ""

    @property
    def feasible(self) -> bool:
        """Whether it can win: done, all objectives known, all limits kept."""
        known = bool(self.objectives) and None not in self.objectives.values()
        return self.status is TrialStatus.DONE and known and not self.missed

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        data = asdict(replace(self, point=Point({})))
        data["point"] = {"values": dict(self.point.values), "derived": dict(self.point.derived)}
        return {"id": self.point.id, **data, "feasible": self.feasible}


def trial_from_json(data: Mapping[str, Any]) -> Trial:
    """Return the trial that :meth:`Trial.as_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        It did not.
    """
    values = {k: v for k, v in data.items() if k in Trial.__dataclass_fields__}
    values["point"] = Point(dict(data["point"]["values"]), dict(data["point"]["derived"]))
    values["status"] = TrialStatus(data["status"])
    values["fidelity"] = Fidelity(data["fidelity"])
    values["missed"] = tuple(data["missed"])
    return Trial(**values)
