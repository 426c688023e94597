"""``suzuri regress coverage``: what a regression covered, and what it missed."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click

from flow.cli.regress_kept import find, kept_options
from flow.model.errors import ConfigError

__all__ = ["coverage"]


@click.command()
@click.argument("regression", metavar="[ID]", default="latest")
@click.option(
    "--file", "pattern", metavar="FILE", help="List the holes of this source file; a pattern will do."
)
@kept_options
def coverage(
    regression: str, pattern: str | None, path: Path, build: Path | None, database: str | None, as_json: bool
) -> None:
    """Show what a regression covered, by file; the latest without ID.

    With --file every hole of the files is listed at its line of the source.
    """
    kept, _ = find(regression, path, build, database)
    found = kept.regression.coverage
    if not found.get("kinds"):
        raise ConfigError(
            f"{kept.regression.id} has no coverage", None, "Collect it: suzuri regress --coverage all"
        )
    if as_json:
        from flow.cli.main import echo_json

        echo_json(found)
        return
    files = found.get("code", {}).get("files", [])
    if pattern is None:
        _totals(found, files)
        return
    chosen = [row for row in files if fnmatch(row["file"], pattern) or row["file"].endswith(f"/{pattern}")]
    if not chosen:
        names = ", ".join(row["file"] for row in files[:5]) or "none"
        raise ConfigError(f"there is no coverage of a file {pattern!r}", None, f"There are: {names}")
    for row in chosen:
        _holes(row)


def _totals(found: Mapping[str, Any], files: list[dict[str, Any]]) -> None:
    from flow.report.regress.coverage import percent

    for kind, (covered, total) in found["kinds"].items():
        click.echo(f"{kind:<11}{percent(covered, total):>9}  {covered} of {total}")
    kinds = list(found.get("code", {}).get("kinds", {}))
    width = max((len(row["file"]) for row in files), default=0)
    if files:
        click.echo(f"\n{'File':<{width}}" + "".join(f"{kind:>12}" for kind in kinds))
    for row in files:
        cells = [percent(*row["kinds"][kind]) if kind in row["kinds"] else "—" for kind in kinds]
        click.echo(f"{row['file']:<{width}}" + "".join(f"{cell:>12}" for cell in cells))
    for row in found.get("code", {}).get("waived", []):
        hit = f", {row['hit']} of them hit all the same" if row["hit"] else ""
        click.echo(f"waived      {row['points']} points: {row['what']} ({row['reason']}){hit}")


def _holes(row: dict[str, Any]) -> None:
    for line, text, _, said in row["lines"]:
        if said:
            click.echo(f"{row['file']}:{line}: {text.strip()}")
        for kind, what, place, generated in said:
            click.echo(f"    {kind:<11}{what}" + (f"  [{place}] {generated}" if place else ""))
    if row["more"]:
        click.echo(f"    and {row['more']} more lines with holes")
    if not any(said for *_, said in row["lines"]):
        click.echo(f"{row['file']} is covered.")
