"""``suzuri test``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from flow.cli.options import command_line
from flow.cli.output import discard, flush
from flow.cli.regress_options import campaign_options, request_of, stages

if TYPE_CHECKING:
    from flow.regress.campaign import Finished
    from flow.regress.model import Result

__all__ = ["test"]


@click.command()
@click.argument("name")
@campaign_options
@click.option(
    "--seed",
    type=click.IntRange(0, (1 << 64) - 1),
    metavar="N",
    help="The seed; by default the first of a regression.",
)
@click.option("--waves", is_flag=True, help="Record waves.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def test(name: str, seed: int | None, waves: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Run the test NAME of the manifest once, with one seed.

    It runs alone in its process, and nothing is repeated; a result that is
    known is served from the cache.

    Exit codes: 0 good, 1 the test failed, 2 your input, 3 a tool or machine.
    """
    from flow.regress.campaign import Campaign, Order
    from flow.regress.select import Choice

    choice = Choice(tests=(name,), seeds=1)
    asked = options.pop("coverage")
    order = Order(choice=choice, fixed_seed=seed, reruns=False, waves=waves, keep=False, coverage=asked)
    campaign = Campaign(request_of(**options), order, command_line())
    with stages(quiet=as_json) as stage:
        finished = campaign.run(stage)
    try:
        _show(finished, as_json=as_json)
    except BrokenPipeError:
        discard()  # the exit code still tells what came of it
    sys.exit(finished.exit_code)


def _show(finished: Finished, *, as_json: bool) -> None:
    for note in finished.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        click.echo((finished.folder / "regression.json").read_text())
    else:
        for result in finished.regression.results:
            _show_result(result)
        for name, reason in finished.regression.missing:
            click.echo(f"no result  {name}: {reason}")
        files = {(kind, path) for r in finished.regression.results
                 for kind, path in (("Log", r.log), ("Waves", r.waves)) if path}  # fmt: skip
        for kind, path in sorted(files):
            click.echo(f"{kind}: {finished.folder / path}")
    flush()


def _show_result(result: Result) -> None:
    took = "" if result.time_s is None else f"  {result.time_s:.2f} s"
    click.echo(f"{result.verdict:>7}  {result.testcase or result.test}  seed {result.seed}{took}")
    if result.message:
        click.echo(f"         {result.message}" + (f" ({result.place})" if result.place else ""))
    if result.traceback and result.verdict.bad:
        click.echo("\n".join(f"         {line}" for line in result.traceback.splitlines()))
