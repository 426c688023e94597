"""What a run tells while it goes: frozen events to whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flow.model.step import Outcome, Step

__all__ = ["Event", "Listener", "Note", "RunFinished", "RunStarted", "StepFinished", "StepStarted"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The graph is planned and its first steps are about to start."""

    run_id: str
    steps: int


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step went to a worker."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step has an outcome: it ran, was cached, failed, or was skipped."""

    step: Step
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line, for example a damaged cache entry."""

    text: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Every step has an outcome."""

    run_id: str
    cancelled: bool


Event = RunStarted | StepStarted | StepFinished | Note | RunFinished
Listener = Callable[[Event], None]
