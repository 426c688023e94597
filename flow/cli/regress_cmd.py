"""``suzuri regress``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.cli.options import command_line
from flow.cli.output import discard, flush
from flow.cli.regress_options import campaign_options, request_of, stages

if TYPE_CHECKING:
    from flow.regress.campaign import Finished

__all__ = ["regress"]


@click.command()
@click.argument("suite", default="")
@campaign_options
@click.option(
    "--test", "tests", multiple=True, metavar="NAME", help="Only this test of the suite. Repeatable."
)
@click.option(
    "--tag",
    "tags",
    default="",
    metavar="EXPR",
    help='Only the tests whose tags match, such as "smoke and not slow".',
)
@click.option(
    "--master-seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Every test's seeds derive from it.",
)
@click.option(
    "--seeds",
    "--reseed",
    "seeds",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Run each test with N seeds.",
)
@click.option(
    "--fixed-seed",
    type=click.IntRange(0, (1 << 64) - 1),
    metavar="N",
    help="Run each test with this one seed.",
)
@click.option("--no-reruns", is_flag=True, help="Do not repeat what failed, nor record its waves.")
@click.option("--json", "as_json", is_flag=True, help="Print the regression as JSON instead of a summary.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict and the report's path.")
def regress(suite: str, as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Run the tests of SUITE with their seeds, and sort out what failed.

    SUITE is one of the manifest's, or smoke, nightly or weekly: the tests
    with that tag; all tests without it. What failed is repeated alone, then
    grouped into buckets and compared with the regressions before.

    Exit codes: 0 good, 1 a test failed, 2 your input, 3 a tool or machine.
    """
    from flow.model.errors import ConfigError
    from flow.regress.campaign import Campaign, Order
    from flow.regress.select import Choice

    fixed, seeds = options.pop("fixed_seed"), options.pop("seeds")
    if fixed is not None and seeds is not None:
        raise ConfigError("--fixed-seed is one seed, --seeds a number of them", None, "Give one of them.")
    if suite and (Path(suite) / "suzuri.toml").is_file():
        raise ConfigError(f"{suite} is a folder, not a suite", None, f"suzuri regress --design {suite}")
    choice = Choice(suite=suite, tags=options.pop("tags"), tests=options.pop("tests"), seeds=seeds)
    again = not options.pop("no_reruns")
    order = Order(choice=choice, fixed_seed=fixed, reruns=again, waves=again)
    campaign = Campaign(request_of(**options), order, command_line())
    with stages(quiet=quiet or as_json) as stage:
        finished = campaign.run(stage)
    try:
        _show(finished, as_json=as_json, quiet=quiet)
    except BrokenPipeError:
        discard()  # the exit code still tells what came of it
    sys.exit(finished.exit_code)


def _show(finished: Finished, *, as_json: bool, quiet: bool) -> None:
    regression, report = finished.regression, finished.folder / "report.html"
    for note in finished.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        click.echo((finished.folder / "regression.json").read_text())
    elif quiet:
        click.echo(f"{'pass' if finished.exit_code == 0 else 'fail'}  {_near(report)}")
    else:
        from flow.cli.output import console
        from flow.report.regress.terminal import summary

        shown = console(highlight=False, soft_wrap=True)
        for renderable in summary(regression, str(_near(report))):
            shown.print(renderable)
    flush()


def _near(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
