"""``suzuri regress``: a suite, or a command about the regressions before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from flow.cli.lazy import LazyGroup, write_commands
from flow.cli.options import command_line
from flow.cli.output import discard, flush
from flow.cli.regress_kept import near
from flow.cli.regress_options import campaign_options, request_of, stages

if TYPE_CHECKING:
    from flow.regress.campaign import Finished

__all__ = ["regress"]

#: Commands, where they live, and their one line of help. No suite can be called so; see `flow.model.suite`.
_COMMANDS = {
    "list": ("flow.cli.regress_kept:listing", "List the recorded regressions, newest first."),
    "show": ("flow.cli.regress_kept:show", "Show a regression again."),
    "diff": ("flow.cli.regress_kept:diff", "Compare two regressions."),
    "note": ("flow.cli.regress_kept:note", "Say whose a bucket is, and what is known of it."),
    "coverage": ("flow.cli.regress_coverage:coverage", "Show what a regression covered, by file."),
}
#: As of `suzuri` itself, for whoever calls this command without it.
_HELP = {"help_option_names": ["-h", "--help"]}


class _SuiteCommand(click.Command):
    """What runs a suite; its help shows the other commands too."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [SUITE]")
        others = f"{{{'|'.join(_COMMANDS)}}} [OPTIONS] ..."
        formatter.write_usage(ctx.command_path, others, prefix=" " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        write_commands(formatter, _COMMANDS)


class _Regress(LazyGroup):
    """Runs a suite, unless its first word is one of its commands."""

    lazy = _COMMANDS

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - as click passes them
    ) -> click.Context:
        if args and args[0] in _COMMANDS:
            return super().make_context(info_name, args, parent, **extra)
        return _run.make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


def _suites(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a suite's name, or a command's."""
    import tomllib

    from flow.model.suite import IMPLICIT_SUITES

    path = Path(ctx.params.get("path") or ".")
    names = [*IMPLICIT_SUITES, *_COMMANDS]
    try:
        manifest = path / "suzuri.toml" if path.is_dir() else path
        entries = tomllib.loads(manifest.read_text()).get("suite", [])
        names = [*(str(entry["name"]) for entry in entries), *names]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass  # what is wrong there is said when it runs
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


@click.command("regress", cls=_SuiteCommand, context_settings=_HELP)
@click.argument("suite", default="", shell_complete=_suites)
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
@click.option(
    "--ranked",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[ID]",
    help="Run only the runs that keep the coverage of the latest regression, or of the one named.",
)
@click.option("--no-reruns", is_flag=True, help="Do not repeat what failed, nor record its waves.")
@click.option("--json", "as_json", is_flag=True, help="Print the regression as JSON instead of a summary.")
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict and the report's path.")
def _run(suite: str, as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - as click passes them
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
    ranked = options.pop("ranked")
    if ranked is not None and (fixed is not None or seeds is not None):
        raise ConfigError("--ranked has its seeds", None, "Leave --seeds and --fixed-seed out.")
    if suite and (Path(suite) / "suzuri.toml").is_file():
        raise ConfigError(f"{suite} is a folder, not a suite", None, f"suzuri regress --design {suite}")
    choice = Choice(suite=suite, tags=options.pop("tags"), tests=options.pop("tests"), seeds=seeds)
    again = not options.pop("no_reruns")
    asked = options.pop("coverage")
    order = Order(choice=choice, fixed_seed=fixed, ranked=ranked, reruns=again, waves=again, coverage=asked)
    campaign = Campaign(request_of(**options), order, command_line())
    with stages(quiet=quiet or as_json) as stage:
        finished = campaign.run(stage)
    try:
        _show(finished, as_json=as_json, quiet=quiet)
    except BrokenPipeError:
        discard()  # the exit code still tells what came of it
    sys.exit(finished.exit_code)


regress = _Regress("regress", help=_run.help, context_settings=_HELP)


def _show(finished: Finished, *, as_json: bool, quiet: bool) -> None:
    regression, report = finished.regression, finished.folder / "report.html"
    for note in finished.notes:
        click.echo(f"Note: {note}", err=True)
    if as_json:
        click.echo((finished.folder / "regression.json").read_text())
    elif quiet:
        click.echo(f"{'pass' if finished.exit_code == 0 else 'fail'}  {near(report)}")
    else:
        from flow.cli.output import console
        from flow.report.regress.terminal import summary

        shown = console(highlight=False, soft_wrap=True)
        for renderable in summary(regression, str(near(report))):
            shown.print(renderable)
    flush()
