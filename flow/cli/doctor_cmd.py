"""``suzuri doctor``: what is installed, what is missing, how to get it."""

from __future__ import annotations

import json
import sys

import click

__all__ = ["doctor"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say which tools, PDKs and packages are here, and what is blocked without the others.

    Each thing that is missing comes with the command that installs it.

    Exit code: 0 when all is here that the basic flow needs (RTL to verified
    power, performance and area on one PDK), 3 otherwise.
    """
    from flow.doctor import diagnose, table, to_json

    diagnosis = diagnose()
    if as_json:
        click.echo(json.dumps(to_json(diagnosis), indent=2))
    else:
        from flow.cli.output import console

        # A pipe or a file is not 80 columns wide.
        shown = console(file=sys.stdout, width=None if sys.stdout.isatty() else 160)
        shown.print(table(diagnosis))
        shown.print()
        if diagnosis.ok:
            shown.print("All is here that the basic flow needs.")
        else:
            lacking = [f.name for f in diagnosis.findings if f.needed and not f.usable]
            shown.print(f"The basic flow still needs: {', '.join(lacking)}.")
    if not diagnosis.ok:
        ctx.exit(3)
