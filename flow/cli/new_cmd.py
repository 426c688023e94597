"""``suzuri new``: a small design that passes, to start one's own from."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["new"]


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "kind",
    type=click.Choice(["amaranth", "verilog"]),
    default="amaranth",
    show_default=True,
    help="The language of its source.",
)
def new(name: Path, kind: str) -> None:
    """Write a small design in the folder NAME: manifest, source, tests, README.

    It passes `suzuri run NAME` as it is; change it from there. The last part
    of NAME becomes a Python package and a Verilog module.
    """
    from flow.scaffold import create

    for path in create(name, kind):
        click.echo(f"wrote {path}")
    click.echo(f"next: suzuri run {name}")
