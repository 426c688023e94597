"""``suzuri plan``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from flow.cli.options import request_from, request_options

__all__ = ["plan"]


@click.command()
@request_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--dot", is_flag=True, help="Print the graph in Graphviz's language.")
def plan(as_json: bool, dot: bool, **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Say what `suzuri run` would run, and why, without running anything."""
    from flow.project.session import Session

    session = Session(request_from(**options))
    if dot:
        click.echo(session.graph.to_dot(), nl=False)
        return
    rows = session.plan()
    if as_json:
        from flow.cli.main import echo_json

        echo_json({"steps": [asdict(row) for row in rows], "skipped_pdks": session.skipped_pdks})
        return
    from rich.table import Table
    from rich.text import Text

    from flow.cli.output import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Step", "", "Why"):
        table.add_column(column)
    styles = {"run": "bold yellow", "cached": "green", "wait": "dim"}
    for row in rows:
        table.add_row(Text(row.name), Text(row.action, style=styles[row.action]), Text(row.reason))
    shown = console(highlight=False)
    shown.print(table)
    for name, reason in session.skipped_pdks:
        shown.print(Text(f"{name} is left out: {reason}"))
    counts = {action: sum(r.action == action for r in rows) for action in styles}
    shown.print(Text(f"{counts['run']} to run, {counts['wait']} waiting for them, {counts['cached']} cached"))
