"""``suzuri sweep list``, ``show`` and ``export``: sweeps that were run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["export", "listing", "show", "show_document"]

_DESIGN = click.argument("design", default=".", type=click.Path(path_type=Path))
_NAME = click.argument("name", default="")
_BUILD = click.option("--build", type=click.Path(path_type=Path, file_okay=False), help="Folder of results.")


def show_document(
    data: Mapping[str, Any], report: Path | None, *, quiet: bool = False, notes: Sequence[str] = ()
) -> None:
    """Print a sweep: what is best, its front, what failed, and where the report is."""
    from flow.cli.output import console

    shown = console(highlight=False)
    if not quiet:
        from flow.report.sweep import render

        render(data, shown)
    else:
        feasible = sum(bool(p["feasible"]) for p in data["points"])
        click.echo(f"{data['sweep']['name']}: {len(data['points'])} points, {feasible} candidates")
    for note in notes:
        click.echo(f"Note: {note}")
    if report is not None and report.exists():
        click.echo(f"Report: {report}")


def _folder(design: Path, build: Path | None) -> Path:
    from flow.engine.manifest import find_manifest

    return (build or find_manifest(design).parent / "build") / "sweeps"


def _read(design: Path, name: str, build: Path | None) -> tuple[dict[str, Any], Path]:
    """Return a sweep's document and its folder; the latest where the name is empty."""
    import difflib

    from flow.model.errors import ConfigError

    folder = _folder(design, build)
    known = {path.parent.name: path for path in sorted(folder.glob("*/sweep.json"), key=_age)}
    if not known:
        raise ConfigError("no sweep was run here", folder, f"Run one: suzuri sweep {design}")
    if name and name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
        raise ConfigError(f"no sweep {name!r} was run here", folder, remedy)
    path = known[name] if name else list(known.values())[-1]
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != 1:
            raise ConfigError(
                f"it is of version {data['version']}, which is not known", path, "Run it again."
            )
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            "it cannot be read", path, "Run the sweep again: what is cached costs nothing."
        ) from None
    return data, path.parent


def _age(path: Path) -> float:
    return path.stat().st_mtime


@click.command("list")
@_DESIGN
@_BUILD
def listing(design: Path, build: Path | None) -> None:
    """List the sweeps of DESIGN's manifest, and what became of each."""
    from rich.table import Table
    from rich.text import Text

    from flow.cli.output import console
    from flow.engine.manifest import load_design

    found = load_design(design)
    folder = _folder(design, build)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Sweep", "Axes", "Points", "Last run", "Candidates"):
        table.add_column(column)
    for spec in found.sweeps:
        size = 1
        for axis in spec.axes:
            size = size * axis.size if size and axis.size else 0
        row = [
            spec.name,
            ", ".join(axis.name for axis in spec.axes),
            str(size) if size else "continuous",
            "",
            "",
        ]
        try:
            data = json.loads((folder / spec.name / "sweep.json").read_text(encoding="utf-8"))
            row[3] = f"{data['sweep']['started'].replace('T', ' ')[:16]}, {data['sweep']['status']}"
            row[4] = f"{sum(bool(p['feasible']) for p in data['points'])} of {len(data['points'])}"
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        table.add_row(*map(Text, row))
    console(highlight=False).print(table if found.sweeps else "The manifest has no [[sweep]].")


@click.command("show")
@_DESIGN
@_NAME
@_BUILD
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(design: Path, name: str, build: Path | None, as_json: bool) -> None:
    """Show the sweep NAME of DESIGN again, the latest where no name is given."""
    data, folder = _read(design, name, build)
    if as_json:
        from flow.cli.main import echo_json

        echo_json(data)
        return
    show_document(data, folder / "report.html")


@click.command("export")
@_DESIGN
@_NAME
@_BUILD
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="File to write; .csv or .parquet says what.")  # fmt: skip
def export(design: Path, name: str, build: Path | None, output: Path) -> None:
    """Write the points of the sweep NAME of DESIGN to a file."""
    from flow.sweep.export import write_export

    data, _ = _read(design, name, build)
    write_export(data, output)
    click.echo(f"{len(data['points'])} points in {output}")
