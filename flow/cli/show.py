"""Shows a run in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

__all__ = ["show_run"]

_MOST_WAVES = 5


def show_run(record: Mapping[str, Any], report: Path, *, quiet: bool = False) -> None:
    """Print the summary of a run, or its verdict alone."""
    if quiet:
        verdict = record["verdict"]
        for reason in verdict["reasons"]:
            click.echo(reason)
        click.echo(f"{verdict['status']}  {report}")
        return
    from flow.cli.output import console
    from flow.report.terminal import summary

    shown = console(highlight=False, soft_wrap=True)
    for renderable in summary(record):
        shown.print(renderable)
    click.echo(f"Report: {report}")
    waves = [
        report.parent / "steps" / step["name"] / view["name"]
        for step in record["steps"]
        for name, view in step["outputs"].items()
        if name == "waves"
    ]
    for path in waves[:_MOST_WAVES]:
        click.echo(f"Waves: {path}")
    if len(waves) > _MOST_WAVES:
        click.echo(f"and {len(waves) - _MOST_WAVES} more there")
