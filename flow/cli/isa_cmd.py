"""``suzuri isa``: programs on RISC-V cores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.cli.isa_lockstep_cmd import lockstep, random
from flow.cli.isa_options import (
    WATCHDOG,
    core_options,
    load,
    program_options,
    run_options,
    run_settings,
    writable,
)
from flow.model.errors import CheckFailed, ConfigError

if TYPE_CHECKING:
    from flow.engine.events import Event
    from flow.isa.elf import Program
    from flow.isa.image import MemoryMap
    from flow.isa.simulation import Result

__all__ = ["isa"]

_DEVICES = """\b
Where no memory lies, the program finds:
  0x02000000  CLINT: msip +0, mtimecmp +0x4000, mtime +0xBFF8
  0x10000000  write: print a character
  0x10000004  write: end, with this exit code
  0x10000008  read: clock cycles, 64 bits
  0x10000010  write: interrupt lines, by their bits in mip
Elsewhere it gets bus errors.
"""
_PATH = click.Path(path_type=Path, dir_okay=False)


@click.group()
def isa() -> None:
    """Build programs for RISC-V cores, and run them."""


@isa.command(epilog=_DEVICES)
@click.argument("program", type=_PATH)
@core_options
@program_options
@run_options
@click.option(
    "--sim",
    "simulator",
    type=click.Choice(["verilator", "icarus"]),
    default="verilator",
    show_default=True,
    help="Simulator.",
)
@click.option(
    "--watchdog",
    type=click.IntRange(min=0),
    default=WATCHDOG,
    show_default=True,
    metavar="CYCLES",
    help="Most cycles without an instruction, but for WFI; 0 for no limit.",
)
@click.option(
    "--signature",
    type=_PATH,
    metavar="FILE",
    help="Write memory from begin_signature to end_signature, as the architecture tests have it.",
)
@click.option(
    "--signature-granularity",
    type=click.Choice(["4", "8", "16"]),
    default="4",
    show_default=True,
    help="Bytes a line of the signature.",
)
@click.option("--trace", type=_PATH, metavar="FILE", help="Write every instruction, with what it changed.")
@click.option("--waves", type=_PATH, metavar="FILE", help="Record waves (FST; VCD by Icarus).")
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Cores to build with; all by default.")
@click.option("--quiet", "-q", is_flag=True, help="Print the program's output and nothing else.")
def run(program: Path, **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Run PROGRAM on a core: an ELF file, or a hex or binary file.

    Prints its output as it comes, then cycles, instructions and where the
    cycles went. The program ends by the exit device or by HTIF (a store to
    tohost), and its exit code becomes this command's. A program that does not end
    itself gives 1, wrong input 2, a broken tool 3.
    """
    result = _run(*load(program, options), options)
    code = result.code & 0xFF
    sys.exit(code if code or not result.code else 1)


def _run(program: Program, memory: MemoryMap, options: dict[str, Any]) -> Result:
    from flow.isa.simulation import Ending, RunOptions
    from flow.project.isa import Core, Files, simulate
    from flow.project.request import parse_assignment

    quiet = options["quiet"]
    trace, signature, waves = (writable(options[n], f"--{n}") for n in ("trace", "signature", "waves"))
    for device in memory.hidden():
        _note(f"memory lies over the {device}, which the program then cannot reach", quiet)
    core = Core(
        options["core"], parameters=dict(map(parse_assignment, options["parameters"])),
        simulator=options["simulator"],
    )  # fmt: skip
    boot = core.boot(program, memory)
    built = core.build(
        boot.memory, boot, waves=waves is not None, jobs=options["jobs"],
        listener=lambda event: _tell(event, quiet),
    )  # fmt: skip
    _warn(program, built.isa, quiet)
    raw = trace.with_name(f".{trace.name}.raw") if trace else None
    files = Files(trace=raw, waves=waves, signature=signature)
    settings = RunOptions(watchdog=options["watchdog"], **run_settings(options))
    words = int(options["signature_granularity"]) // 4
    try:
        result = simulate(
            built, program, boot, settings, files, show=_show, more=(f"signature_words={words}",)
        )
        if raw is not None and trace is not None:
            _write_trace(raw, trace, program)
    finally:
        if raw is not None:
            raw.unlink(missing_ok=True)
    _report(result, quiet)
    if result.ending is not Ending.EXIT:
        _fail(result, program, built.isa, options["limit"])
    if result.code:
        _hint(result, program, built.isa, quiet)
    return result


@isa.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    short_help="Build a program for a core.",
)
@click.argument(
    "words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="SOURCES... [-o FILE] [GCC OPTIONS]..."
)
@core_options
@click.option("--memory", "region", metavar="ADDRESS:SIZE", help="Memory that the program is linked for.")
@click.option("--htif", is_flag=True, help="Print and exit by HTIF, so that it runs on Spike too.")
@click.option("--bare", is_flag=True, help="Link the sources alone, without start-up code and runtime.")
def build(words: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 - as click passes them
    """Compile and link SOURCES for a core, with start-up code and a small runtime.

    Any further options are the compiler's: suzuri isa build main.c -O3
    -DITERATIONS=10 -o main.elf --core small. Without -O it is -O2.
    """
    from flow.isa.image import parse_region
    from flow.project.isa import Core, isa_folder
    from flow.project.isa_program import build_program, sort_words
    from flow.project.request import parse_assignment

    sources = sort_words(words)
    core = Core(options["core"], parameters=dict(map(parse_assignment, options["parameters"])))
    isa = core.isa(lambda event: _tell(event, False))
    if not isa and not any(flag.startswith("-march=") for flag in sources.flags):
        raise ConfigError(
            "the core does not say which instructions it has", f"{core.design.manifest}: isa.arch",
            'Add arch = "rv32..." there, or give -march and -mabi',
        )  # fmt: skip
    build_program(
        sources,
        isa,
        runtime=None if options["bare"] else isa_folder("runtime", core.design),
        region=parse_region(options["region"]) if options["region"] else None,
        htif=options["htif"],
        show=lambda text: click.echo(text, nl=False, err=True),
    )


def _show(text: str) -> None:
    click.echo(text, nl=False)
    sys.stdout.flush()


def _note(text: str, quiet: bool) -> None:
    if not quiet:
        click.echo(f"Note: {text}", err=True)


def _warn(program: Program, isa: str, quiet: bool) -> None:
    from flow.isa.explain import foresee

    warning = foresee(program, isa)
    if warning:
        _note(warning, quiet)


def _tell(event: Event, quiet: bool) -> None:
    """Say what is built, once it takes time."""
    from flow.engine.events import StepStarted

    if isinstance(event, StepStarted) and not quiet:
        click.echo(f"{event.step.label or event.step.name} ...", err=True)


def _write_trace(raw: Path, path: Path, program: Program) -> None:
    from flow.isa.trace import read_trace, trace_lines

    with raw.open("rb") as source, path.open("w", encoding="utf-8") as target:
        for line in trace_lines(read_trace(source), program):
            target.write(line + "\n")


def _report(result: Result, quiet: bool) -> None:
    from flow.isa.explain import summary

    if quiet:
        return
    click.echo("")
    for line in summary(result):
        click.echo(line)


def _hint(result: Result, program: Program, isa: str, quiet: bool) -> None:
    """Name the exception that a program's own handler may have ended it for."""
    from flow.isa.explain import illegal_instruction, refused

    found = illegal_instruction(result, program, isa) or refused(result, program)
    if found:
        _note(f"the {found}", quiet)


def _fail(result: Result, program: Program, isa: str, limit: int) -> None:
    from flow.isa.explain import complaint, last_instructions

    click.echo("\nThe last instructions:", err=True)
    for line in last_instructions(result, program):
        click.echo(f"  {line}", err=True)
    what, remedy = complaint(result, program, isa, limit)
    raise CheckFailed(what, program.name, remedy)


isa.add_command(lockstep)
isa.add_command(random)
