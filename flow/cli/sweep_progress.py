"""Progress of a sweep: points rather than steps."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from flow.engine.events import Event, Note, StepFinished

if TYPE_CHECKING:
    from flow.sweep.sweep import Sweep

__all__ = ["SweepProgress"]

_EVERY_S = 10.0  # between lines where there is no terminal


class SweepProgress:
    """Shows how many points are done, how many can win, how many failed, and how long it may take.

    Parameters
    ----------
    sweep
        What is going to run.
    quiet
        Show nothing but notes.
    """

    def __init__(self, sweep: Sweep, *, quiet: bool = False) -> None:
        self._sweep, self._quiet = sweep, quiet
        self._started = self._said = time.monotonic()
        self._terminal = not quiet and sys.stderr.isatty()
        self._open = False
        self._steps = 0

    def __enter__(self) -> SweepProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal and self._open:
            click.echo("", err=True)
        elif not self._quiet and self._steps:
            self._say()

    def tell(self, event: Event) -> None:
        """Take an event of the run."""
        if isinstance(event, Note):
            click.echo(f"Note: {event.text}", err=True)
        if self._quiet or not isinstance(event, StepFinished):
            return
        self._steps += 1
        now = time.monotonic()
        if now - self._said >= (0.2 if self._terminal else _EVERY_S):
            self._said = now
            self._say()

    def _say(self) -> None:
        campaign = self._sweep.campaign
        trials = list(campaign.trials.values())
        done = len(trials)
        good = sum(trial.feasible for trial in trials)
        bad = sum(not trial.objectives for trial in trials)
        elapsed = time.monotonic() - self._started
        budget = self._sweep.budget
        parts = [f"{done} of {budget} points" if budget else f"{done} points", f"{good} candidates"]
        if bad:
            parts.append(f"{bad} without result")
        parts.append(f"{campaign.active} at work")
        fresh = sum(not trial.cached for trial in trials)
        if budget and fresh and len(self._sweep.spec.fidelity) == 1 and done < budget:
            parts.append(f"about {_time((budget - done) * elapsed / done)} to go")
        text = ", ".join(parts)
        if self._terminal:
            click.echo(f"\r\x1b[K{text}", err=True, nl=False)
            self._open = True
        else:
            click.echo(f"{_time(elapsed):>8}  {text}", err=True)


def _time(seconds: Any) -> str:  # noqa: ANN401 - a number
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
