"""``suzuri isa lockstep`` and ``suzuri isa random``: a core against Spike."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.cli.isa_options import (
    WATCHDOG,
    core_options,
    load,
    program_options,
    run_options,
    run_settings,
    writable,
)
from flow.model.errors import CheckFailed

if TYPE_CHECKING:
    from flow.engine.events import Event
    from flow.isa.elf import Program
    from flow.isa.simulation import Result
    from flow.project.isa import Core
    from flow.project.lockstep import Campaign

__all__ = ["lockstep", "random"]

_PATH = click.Path(path_type=Path, dir_okay=False)
_UNITS = {"k": 1000, "M": 1_000_000, "G": 1_000_000_000}
_SHOWN_HOLES = 8


class _Count(click.ParamType):  # type: ignore[type-arg]
    """A number, with ``k``, ``M`` or ``G`` behind it."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        if isinstance(value, int):
            return value
        number, factor = (value[:-1], _UNITS[value[-1]]) if value[-1:] in _UNITS else (value, 1)
        try:
            count = round(float(number) * factor)
        except (ValueError, OverflowError):
            count = 0
        if count < 1:
            self.fail(f"{value!r} is no number of instructions, such as 20M", param, ctx)
        return count


def _core_options(function: Any) -> Any:  # noqa: ANN401 - a decorated command
    for option in (
        click.option("--jobs", "-j", type=click.IntRange(min=1), help="Cores to work with; all by default."),
        click.option("--coverage", type=_PATH, metavar="FILE", help="Write functional coverage (JSON)."),
    ):
        function = option(function)
    return core_options(function)


@click.command()
@click.argument("program", type=_PATH)
@_core_options
@program_options
@run_options
def lockstep(program: Path, **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Run PROGRAM, and compare each instruction with Spike.

    Compared are pc, instruction, register, memory access, next pc, mode,
    traps and CSRs. Ends at the first difference with exit code 1, and shows
    it with what came before. The program's own exit code is told, and is not
    this command's.
    """
    from flow.isa.simulation import RunOptions
    from flow.project.lockstep import Lockstep

    loaded, memory = load(program, options)
    coverage = writable(options["coverage"], "--coverage")
    core = _core(options)
    boot = core.boot(loaded, memory)
    session = Lockstep(core, jobs=options["jobs"], listener=_tell)
    built = core.build(boot.memory, boot, jobs=options["jobs"], listener=_tell)
    session.comparator()
    settings = RunOptions(watchdog=WATCHDOG, **run_settings(options))
    counters = coverage.with_name(f".{coverage.name}.counters") if coverage else None
    report, result = session.check(loaded, built, boot, settings, show=_show, counters=counters)
    if counters is not None and coverage is not None:
        _write_coverage(session.reference, counters, coverage)
    click.echo(_sum(report))
    if report["status"] == "mismatch":
        found = report["mismatch"]
        raise CheckFailed(
            f"{found['field']} differs from Spike's at cycle {found['cycle']}", str(program),
            "The report above shows the instructions before it",
        )  # fmt: skip
    if report["status"] != "match":
        raise CheckFailed(f"the trace is {report['status']}", str(program), "See what was printed above")
    if result is not None:
        _tell_ending(result, loaded, built.isa, options["limit"])


def _tell_ending(result: Result, program: Program, isa: str, limit: int) -> None:
    """Say how a program ended that Spike executed alike; a core that is stuck has failed."""
    from flow.isa.explain import complaint
    from flow.isa.simulation import Ending

    if result.ending is Ending.EXIT:
        click.echo(f"exit code {result.code}")
        return
    what, remedy = complaint(result, program, isa, limit)
    if result.ending is Ending.STUCK:
        raise CheckFailed(what, program.name, remedy)
    click.echo(f"Note: {what}", err=True)


@click.command()
@_core_options
@click.option("--instructions", "-n", type=_Count(), help="How many to compare, such as 20M.")
@click.option("--programs", type=click.IntRange(min=1), help="How many programs, instead.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
              help="Of the first program; the others follow.")  # fmt: skip
@click.option("--check-coverage", is_flag=True, help="Fail unless the coverage goals are met.")
def random(**options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Run random programs in lockstep with Spike.

    They use every instruction and CSR of the core, with traps, interrupts
    and changes of mode; four of seven with delays on the buses or
    interrupts at any time. Each needs nothing but its seed. Steps that are done come
    from the cache.
    """
    from flow.project.lockstep import Lockstep

    if options["programs"] and options["instructions"]:
        raise click.UsageError("Say --instructions or --programs, not both.")
    coverage = writable(options["coverage"], "--coverage")
    core = _core(options)
    session = Lockstep(core, jobs=options["jobs"], listener=_tell)
    instructions = None if options["programs"] else options["instructions"] or 1_000_000
    campaign = session.random(
        options["seed"], programs=options["programs"], instructions=instructions, progress=_progress
    )
    _show_coverage(campaign)
    if coverage and campaign.file:
        shutil.copyfile(campaign.file, coverage)
    if campaign.failed:
        _fail(campaign, options)
    if options["check_coverage"] and campaign.percent != 100:
        holes = _show_holes(campaign, session.reference)
        raise CheckFailed(
            f"the coverage goals are not met, bins that are short of them: {holes}",
            "isa random",
            f"Go on with '{_again(options)} --seed {options['seed'] + len(campaign.rows)}', whose programs "
            "aim at all of them within ten seeds; a bin that stays empty is out of this core's reach",
        )


def _core(options: dict[str, Any]) -> Core:
    from flow.project.isa import Core
    from flow.project.request import parse_assignment

    return Core(options["core"], parameters=dict(map(parse_assignment, options["parameters"])))


def _show(text: str) -> None:
    click.echo(text, nl=False)
    sys.stdout.flush()


def _tell(event: Event) -> None:
    """Say what is done, once it takes time."""
    from flow.engine.events import StepStarted

    if isinstance(event, StepStarted):
        click.echo(f"{event.step.label or event.step.name} ...", err=True)


def _sum(report: dict[str, Any]) -> str:
    word = "as Spike" if report["status"] == "match" else report["status"]
    return (
        f"{word}: {report['instructions']} instructions in {report['cycles']} cycles, "
        f"{report['traps']} exceptions, {report['interrupts']} interrupts"
    )


def _progress(campaign: Campaign) -> None:
    rows = campaign.rows
    cycles = sum(int(row["cycles"]) for row in rows)
    traps, interrupts = (sum(int(row[key]) for row in rows) for key in ("traps", "interrupts"))
    click.echo(
        f"{len(rows)} programs, {campaign.instructions} instructions, {cycles} cycles, "
        f"{traps} exceptions, {interrupts} interrupts"
    )


def _show_coverage(campaign: Campaign) -> None:
    if campaign.percent is None:
        return
    click.echo(f"coverage {campaign.percent:.2f} %")
    for row in campaign.coverage:
        holes = row["holes"]
        more = f" and {len(holes) - _SHOWN_HOLES} more" if len(holes) > _SHOWN_HOLES else ""
        text = f": not {', '.join(holes[:_SHOWN_HOLES])}{more}" if holes else ""
        click.echo(f"  {row['name']:16} {row['covered']:5} of {row['bins']}{text}")


def _show_holes(campaign: Campaign, reference: Any) -> int:  # noqa: ANN401 - a plugin's
    """Name every bin that is short of its goal, and say what it wants; return how many there are."""
    assert campaign.file is not None
    points = json.loads(campaign.file.read_text())["coverpoints"]
    found = [(p["name"], b) for p in points for b in p["bins"] if b["hits"] < b["goal"]]
    for point, entry in found:
        name = entry["name"]
        click.echo(
            f"hole {point} {name}, {entry['hits']} of {entry['goal']}: {reference.explain(point, name)}"
        )
    return len(found)


def _again(options: dict[str, Any]) -> str:
    """Return the beginning of a command for the same core."""
    sets = "".join(f" --set {assignment}" for assignment in options["parameters"])
    return f"suzuri isa random --core {options['core']}{sets}"


def _write_coverage(reference: Any, counters: Path, target: Path) -> None:  # noqa: ANN401 - a plugin's
    from flow.stages.lockstep import against_goals

    if not counters.is_file() or reference is None:
        return
    total = against_goals(json.loads(counters.read_text()), reference.goals)
    counters.unlink()
    target.write_text(json.dumps(total.to_json()))


def _fail(campaign: Campaign, options: dict[str, Any]) -> None:
    failed = campaign.failed
    assert failed is not None
    differs = failed["status"] == "mismatch"
    text = failed["mismatch"]["text"] if differs else f"it ended by {failed['status']}"
    click.echo(f"\nThe program of seed {failed['seed']}: {text}", err=True)
    raise CheckFailed(
        f"{'the core and Spike differ' if differs else 'the core gets stuck'} "
        f"in the program of seed {failed['seed']}",
        options["core"],
        f"Repeat it with '{_again(options)} --programs 1 --seed {failed['seed']}'",
    )
