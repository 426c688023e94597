"""``suzuri pdk``: list, check, install."""

from __future__ import annotations

import sys
from typing import Any

import click

from flow.model.errors import ConfigError

__all__ = ["pdk"]


@click.group()
def pdk() -> None:
    """List, check and install PDKs."""


@pdk.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_pdks(as_json: bool) -> None:
    """List the PDKs that an adapter knows, and whether they are installed."""
    from pdk_adapters import registry

    rows = registry.known()
    if as_json:
        from flow.cli.main import echo_json

        echo_json([_as_json(row) for row in rows])
        return
    from rich.table import Table
    from rich.text import Text

    from flow.cli.output import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("PDK", "Library", "", "Where, or how to get it"):
        table.add_column(column)
    for row in rows:
        state = Text("installed", style="green") if row.installed else Text("not installed", style="dim")
        where = str(row.root) if row.installed else row.install
        table.add_row(Text(row.name), Text(row.library), state, Text(where, overflow="fold"))
    console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
    for problem in registry.problems():
        click.echo(f"Note: {problem}", err=True)


def _as_json(info: Any) -> dict[str, Any]:  # noqa: ANN401 - imported late
    from dataclasses import asdict

    return asdict(info)


@pdk.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "everything", is_flag=True, help="Check every installed PDK.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Check that a PDK's views and its adapter hold together.

    Its views parse, its cells have the roles that the adapter gives them,
    and a small design is mapped, timed, powered, and simulated equal to its
    RTL with cell models made from the Liberty functions.

    Exit codes: 0 good, 1 a check failed, 2 your input, 3 a tool or machine.
    """
    from flow.project.conformance import check_pdk
    from pdk_adapters import registry

    if everything:
        names = tuple(p.name for p in registry.installed())
    if not names:
        raise ConfigError("name a PDK", "suzuri pdk check", "For example: suzuri pdk check osu018; or --all.")
    found = {name: check_pdk(registry.find(name), _note) for name in names}
    worst = max((r.exit_code for r in found.values()), default=0)
    if as_json:
        from flow.cli.main import echo_json

        echo_json({name: result.as_json() for name, result in found.items()})
        sys.exit(worst)
    for name, result in found.items():
        for row in result.checks:
            mark = "ok  " if row.passed else "FAIL" if row.failed else "note"
            place = f" ({row.place})" if row.place and not row.passed else ""
            click.echo(f"{mark}  {name}  {row.name}: {row.message}{place}")
            if not row.passed and row.remedy:
                click.echo(f"      {row.remedy}")
        verdict = "conforms" if result.exit_code == 0 else "does not conform"
        passed = sum(row.passed for row in result.checks)
        click.echo(f"{name} {verdict}: {passed} of {len(result.checks)} checks passed")
    sys.exit(worst)


def _note(text: str) -> None:
    click.echo(text, err=True)


@pdk.command()
@click.argument("name")
@click.option("--version", help="Version instead of the pinned one.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def install(name: str, version: str | None, dry_run: bool, yes: bool) -> None:
    """Install the PDK NAME with the tool that its users have: ciel, apt or git."""
    import os
    import shutil

    from flow.engine.runner import run_attended
    from pdk_adapters.install import describe, plan_install, read_failure
    from pdk_adapters.registry import info

    plan = plan_install(name, version)
    click.echo(describe(plan))
    if dry_run:
        return
    if info(name).installed and version is None:
        click.echo(f"{name} is installed already: {info(name).root}")
        return
    if not yes and sys.stdin.isatty():
        click.confirm("Go on?", abort=True)
    root = plan.needs_root and os.geteuid() != 0
    for command in plan.commands:
        argv = ("sudo", "-n", *command) if root and shutil.which("sudo") else command
        click.echo(f"$ {' '.join(argv)}")
        code, output = run_attended(argv, lambda text: click.echo(text, nl=False))
        error = read_failure(plan, command, code, output)
        if error is not None:
            raise error
    place = info(name)
    if not place.installed:
        what = f"{name} was installed, but its views were not found"
        raise ConfigError(what, plan.destination, place.reason)
    click.echo(f"{name} is ready: {place.root}. Check it: suzuri pdk check {name}")
