"""``suzuri run``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from flow.cli.options import command_line, request_from, request_options
from flow.cli.output import discard, flush

if TYPE_CHECKING:
    from flow.project.session import RunResult

__all__ = ["run"]


@click.command()
@request_options
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON instead of a summary.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict and the report's path.")
def run(as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Verify DESIGN and measure its power, performance and area.

    DESIGN is a folder with a suzuri.toml; the current one by default. What
    did not change since the last run is served from the cache.

    Exit codes: 0 good, 1 a check failed, 2 your input, 3 a tool or machine.
    """
    from flow.cli.progress import Progress
    from flow.project.session import Session

    session = Session(request_from(**options), command_line())
    _say_locked(session, options["locked"])
    with Progress(session.graph, quiet=quiet or as_json) as progress:
        result = session.run(progress.tell)
    try:
        _show(result, as_json=as_json, quiet=quiet)
    except BrokenPipeError:
        discard()  # the exit code still tells what came of the run
    sys.exit(result.verdict.exit_code)


def _show(result: RunResult, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        from flow.cli.main import echo_json

        echo_json(result.record)
    else:
        from flow.cli.show import show_run

        show_run(result.record, result.report, quiet=quiet)
    flush()


def _say_locked(session: Any, locked: bool) -> None:  # noqa: ANN401 - imported late
    """Compare with tools.lock: refuse under ``--locked``, otherwise say it."""
    from flow.project.locked import check_lock

    for line in check_lock(session, refuse=locked):
        click.echo(f"Note: {line}", err=True)
