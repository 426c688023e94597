"""``suzuri lock``: write tools.lock, or say how this machine differs from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flow.model.pdk import Pdk
    from flow.model.tool import ToolIdentity

__all__ = ["lock"]


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when something differs.")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The lock; else the nearest tools.lock here or above, else ./tools.lock.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def lock(ctx: click.Context, check: bool, path: Path | None, as_json: bool) -> None:
    """Pin the tools, PDKs and Python packages of this machine in tools.lock.

    What the lock says of tools, PDKs and platforms that are not here is kept.
    What is not installed here is no difference.

    Exit code: 0, or with --check 1 when something here differs from the lock.
    """
    from flow.lock import FILE, absent, compare, current, find_lock, merge, read_lock, write_lock

    path = path or find_lock(Path.cwd()) or Path(FILE)
    tools, pdks = _installed()
    here = current(tools, pdks)
    if not check:
        old = read_lock(path) if path.is_file() else None
        changed = write_lock(path, here if old is None else merge(old, here))
        names = [*here.tools, *here.pdks]
        if as_json:
            click.echo(json.dumps({"file": str(path), "changed": changed, "pinned": names}, indent=2))
        else:
            click.echo(f"{path}: {'written' if changed else 'unchanged'}; pins {', '.join(names)}")
        return
    locked = read_lock(path)
    differences = compare(locked, tools, pdks)
    missing = absent(locked, here)
    if as_json:
        found = [
            {"kind": d.kind, "name": d.name, "what": d.what, "locked": d.locked, "found": d.found}
            for d in differences
        ]
        click.echo(json.dumps({"file": str(path), "differences": found, "absent": missing}, indent=2))
    else:
        for difference in differences:
            click.echo(str(difference))
        if missing:
            click.echo(f"not installed here, so not compared: {', '.join(missing)}")
        if differences:
            click.echo(
                f"{len(differences)} differ from {path}; install what it names, or accept with: suzuri lock"
            )
        else:
            click.echo(f"{path}: nothing differs")
    if differences:
        ctx.exit(1)


def _installed() -> tuple[list[ToolIdentity], list[Pdk]]:
    """Detect every tool and PDK that is on this machine."""
    import contextlib
    from importlib import import_module

    from flow.model.errors import ConfigError
    from flow.tools.registry import adapters

    tools: list[ToolIdentity] = []
    pdks: list[Pdk] = []
    registry = import_module("pdk_adapters.registry")
    for adapter in adapters().values():
        with contextlib.suppress(ConfigError):
            tools.append(adapter.detect())
    for info in registry.known():
        if info.installed:
            with contextlib.suppress(ConfigError):
                pdks.append(registry.find(info.name))
    return tools, pdks
