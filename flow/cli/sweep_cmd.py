"""``suzuri sweep``: explore a space of parameters, flow options and PDKs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from flow.cli.lazy import LazyGroup, write_commands
from flow.cli.options import FORCE, WHERE, command_line, with_options
from flow.cli.output import discard, flush
from flow.model.sweep import Fidelity, SamplerName

if TYPE_CHECKING:
    from flow.sweep.sweep import Finished

__all__ = ["sweep"]

#: Commands, where they live, and their one line of help.
_COMMANDS = {
    "list": ("flow.cli.sweep_kept:listing", "List the sweeps of a design."),
    "show": ("flow.cli.sweep_kept:show", "Show a sweep again."),
    "export": ("flow.cli.sweep_kept:export", "Write the points of a sweep as CSV or Parquet."),
}
_HELP = {"help_option_names": ["-h", "--help"]}


class _RunCommand(click.Command):
    """What runs a sweep; its help shows the other commands too."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [DESIGN] [NAME]")
        others = f"{{{'|'.join(_COMMANDS)}}} [OPTIONS] ..."
        formatter.write_usage(ctx.command_path, others, prefix=" " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        write_commands(formatter, _COMMANDS)


class _Sweep(LazyGroup):
    """Runs a sweep, unless its first word is one of its commands."""

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


def _names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a sweep's name."""
    import tomllib

    path = Path(ctx.params.get("design") or ".")
    try:
        manifest = path / "suzuri.toml" if path.is_dir() else path
        entries = tomllib.loads(manifest.read_text()).get("sweep", [])
        names = [str(entry["name"]) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []  # what is wrong there is said when it runs
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_OPTIONS = (
    click.argument("design", default=".", type=click.Path(path_type=Path)),
    click.argument("name", default="", shell_complete=_names),
    click.option("--points", type=click.IntRange(min=1), help="Budget in points."),
    click.option("--time", "time_s", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
                 help="Budget in time: no new point starts after it."),
    click.option("--sampler", type=click.Choice([str(s) for s in SamplerName]),
                 help="How points are chosen."),
    click.option("--sampler-seed", "seed", type=click.IntRange(min=0), help="Seed of the sampler."),
    click.option("--fidelity", type=click.Choice([str(f) for f in Fidelity]), multiple=True,
                 help="Levels that points are evaluated at, the cheapest first. Repeatable."),
    click.option("--promote", type=click.FloatRange(0, 1, min_open=True), metavar="SHARE",
                 help="Share of a level's points that the next one evaluates, at most."),
    click.option("--pdk", "pdks", multiple=True, metavar="NAME", help="Only this PDK. Repeatable."),
    click.option("--fresh", is_flag=True, help="Leave aside the points of earlier runs of the sweep."),
    click.option("--skip-missing", is_flag=True,
                 help="Leave out PDKs that are not installed."),
    click.option("--locked", is_flag=True, help="Refuse tools and PDKs that differ from tools.lock."),
    FORCE,
    *WHERE,
    click.option("--json", "as_json", is_flag=True, help="Print the sweep as JSON instead of a summary."),
    click.option("--quiet", "-q", is_flag=True, help="Print only the verdict and the report's path."),
)  # fmt: skip


def _explore(as_json: bool, quiet: bool, **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Explore the space of a sweep of DESIGN's manifest.

    NAME is that of a [[sweep]] in suzuri.toml, and may be left out where there
    is one only. What was evaluated before is served from the cache, also after
    Ctrl-C; more points or wider axes go on from there.

    Exit codes: 0 good, 1 no point is a candidate, 2 your input, 3 a tool or machine.
    """
    from flow.cli.sweep_progress import SweepProgress
    from flow.project.locked import check_lock
    from flow.project.request import Request
    from flow.sweep.sweep import Changes, Sweep

    changes = Changes(
        sampler=SamplerName(options["sampler"]) if options["sampler"] else None,
        points=options["points"],
        time_s=options["time_s"],
        seed=options["seed"],
        fidelity=tuple(Fidelity(level) for level in options["fidelity"]),
        promote=options["promote"],
        fresh=options["fresh"],
    )
    names = ("pdks", "skip_missing", "locked", "jobs", "scheduler", "store", "build", "database")
    request = Request(
        path=options["design"], force=frozenset(options["force"]), **{name: options[name] for name in names}
    )
    chosen = Sweep(request, options["name"], changes, command_line())
    for line in check_lock(chosen.session, refuse=options["locked"]):
        click.echo(f"Note: {line}", err=True)
    with SweepProgress(chosen, quiet=quiet or as_json) as progress:
        finished = chosen.run(progress.tell)
    try:
        _show(finished, as_json=as_json, quiet=quiet)
    except BrokenPipeError:
        discard()  # the exit code still tells what came of it
    sys.exit(finished.exit_code)


_run: click.Command = click.command("sweep", cls=_RunCommand, context_settings=_HELP)(
    with_options(_explore, _OPTIONS)
)


def _show(finished: Finished, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        from flow.cli.main import echo_json

        echo_json(finished.document)
    else:
        from flow.cli.sweep_kept import show_document

        show_document(finished.document, finished.report, quiet=quiet, notes=finished.notes)
    flush()


sweep = _Sweep("sweep", context_settings=_HELP, help="Explore a space of parameters, flow options and PDKs.")
