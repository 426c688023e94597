"""Shows a run in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

__all__ = ["show_run"]


def show_run(record: Mapping[str, Any], report: Path, *, quiet: bool = False) -> None:
    """Print the summary of a run, or its verdict alone."""
    if quiet:
        verdict = record["verdict"]
        for reason in verdict["reasons"]:
            click.echo(reason)
        click.echo(f"{verdict['status']}  {report}")
        return
    from rich.console import Console

    from flow.report.terminal import summary

    console = Console(highlight=False, soft_wrap=True)
    for renderable in summary(record):
        console.print(renderable)
    click.echo(f"Report: {report}")
