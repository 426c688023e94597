"""``suzuri report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from flow.model.errors import ConfigError

__all__ = ["report"]


@click.command()
@click.argument("design", default=".", type=click.Path(path_type=Path))
@click.option("--run", "run_id", metavar="ID", help="This run instead of the latest; see --list.")
@click.option("--list", "listing", is_flag=True, help="List the runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--build", type=click.Path(path_type=Path, file_okay=False), help="Folder of the results.")
@click.option("--database", metavar="URL", envvar="SUZURI_DATABASE", help="Run database.")
def report(
    design: Path, run_id: str | None, listing: bool, as_json: bool, build: Path | None, database: str | None
) -> None:
    """Show the latest run of DESIGN again, or list its runs."""
    from flow.engine.manifest import find_manifest

    folder = (build or find_manifest(design).parent / "build").absolute()
    if listing:
        _list(folder, database, as_json)
        return
    home = folder / "runs" / run_id if run_id else folder
    path = home / "run.json"
    if not path.is_file():
        raise ConfigError(
            f"there is no run {run_id}" if run_id else "there is no run yet",
            home,
            "See: suzuri report --list" if run_id else f"Start one: suzuri run {design}",
        )
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise ConfigError(
            "the run record is damaged", path, "Run the design again: what is cached is kept."
        ) from None
    if as_json:
        from flow.cli.main import echo_json

        echo_json(record)
        return
    from flow.cli.show import show_run

    html = home / "report.html"
    if not html.is_file():
        from flow.report.html import write

        write(record, html)
    show_run(record, html)


def _list(folder: Path, database: str | None, as_json: bool) -> None:
    from flow.engine.journal import take_in
    from flow.engine.store import Store

    where = database or folder / "suzuri.sqlite"
    if isinstance(where, Path) and not where.is_file() and not (folder / "journal").is_dir():
        raise ConfigError("there is no run yet", folder)
    store = Store(where)
    try:
        take_in(folder / "journal", store)
        rows = store.runs()
    finally:
        store.close()
    if as_json:
        from flow.cli.main import echo_json

        echo_json(rows)
        return
    for row in rows:
        ended = "" if row["ended"] is None else f"{(row['ended'] - row['started']).total_seconds():8.1f} s"
        commit = (row["commit"] or "")[:10] + ("+" if row["dirty"] else "")
        started = f"{row['started']:%Y-%m-%d %H:%M:%S}"
        what = f"{row['status']:<9} {ended:>10}  {commit:<11}  {row['design'] or '':<12}"
        click.echo(f"{row['id']}  {started}  {what}  {row['command']}")
