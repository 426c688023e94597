"""Progress of a run in the terminal: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

import click

from flow.engine.events import Event, Note, StepFinished, StepStarted
from flow.model.graph import Graph
from flow.model.step import Status

__all__ = ["Progress"]

_MARKS = {
    Status.DONE: ("done", "green"),
    Status.CACHED: ("cached", "blue"),
    Status.FAILED: ("FAILED", "red"),
    Status.INFRA: ("FAILED", "red"),
    Status.SKIPPED: ("skipped", "yellow"),
    Status.CANCELLED: ("stopped", "yellow"),
}


class Progress:
    """Shows what runs, what is done, cached or failed, and how long it takes.

    Parameters
    ----------
    graph
        What is going to run.
    quiet
        Show nothing but notes.
    """

    def __init__(self, graph: Graph, *, quiet: bool = False) -> None:
        self._total = len(graph)
        self._quiet = quiet
        self._started = time.monotonic()
        self._running: dict[str, tuple[str, float]] = {}
        self._counts = dict.fromkeys(Status, 0)
        self._live: Any = None
        self._bar: Any = None
        self._rich = not quiet and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, event: Event) -> None:
        """Take an event of the run."""
        if isinstance(event, Note):
            self._line(f"Note: {event.text}")
        elif isinstance(event, StepStarted):
            self._running[event.step.name] = (event.step.label or event.step.name, time.monotonic())
            self._start_live()
        elif isinstance(event, StepFinished):
            self._running.pop(event.step.name, None)
            self._counts[event.outcome.status] += 1
            if event.outcome.status is not Status.CACHED:
                self._report(event)
        if self._live is not None:
            self._live.update(self._render())

    def _report(self, event: StepFinished) -> None:
        word, colour = _MARKS.get(event.outcome.status, (str(event.outcome.status), "white"))
        label = event.step.label or event.step.name
        seconds = f"{event.outcome.wall_s:6.1f} s" if event.outcome.wall_s else " " * 8
        if not self._quiet:
            self._line(f"{word:>7} {seconds}  {label}", word, colour)

    def _line(self, text: str, word: str = "", colour: str = "white") -> None:
        if self._live is not None:
            from rich.text import Text

            shown = Text(text)
            if word:
                shown.highlight_words([word], colour)
            self._live.console.print(shown)
        else:
            click.echo(text, err=True)

    def _start_live(self) -> None:
        """Bring up the bars with the first step that really runs: a cached run needs none."""
        if self._live is not None or not self._rich:
            return
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=True,
                          get_renderable=self._render)  # fmt: skip
        self._live.start()

    def _render(self) -> Any:  # noqa: ANN401 - a rich renderable
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        finished = sum(self._counts.values())
        failed = self._counts[Status.FAILED] + self._counts[Status.INFRA]
        grid = Table.grid(padding=(0, 1))
        summary = Text.assemble(
            (f"{finished}/{self._total} steps", "bold"),
            f"  {self._counts[Status.DONE]} done  {self._counts[Status.CACHED]} cached  ",
            (f"{failed} failed", "red" if failed else "dim"),
            f"  {_clock(time.monotonic() - self._started)}",
        )
        grid.add_row(ProgressBar(total=max(1, self._total), completed=finished, width=24), summary)
        now = time.monotonic()
        for label, since in list(self._running.values())[:8]:
            grid.add_row(ProgressBar(width=24, pulse=True), Text(f"{label}  {_clock(now - since)}"))
        if len(self._running) > 8:
            grid.add_row("", Text(f"and {len(self._running) - 8} more", style="dim"))
        return grid


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
