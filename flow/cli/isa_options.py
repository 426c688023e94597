"""Options that the commands below ``suzuri isa`` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow.model.errors import ConfigError

if TYPE_CHECKING:
    from flow.isa.elf import Program
    from flow.isa.image import MemoryMap

__all__ = [
    "WATCHDOG", "core_options", "load", "program_options", "run_options", "run_settings", "writable",
]  # fmt: skip

#: Cycles without an instruction after which a core counts as stuck.
WATCHDOG = 100_000


class _Number(click.ParamType):  # type: ignore[type-arg]
    """A number, decimal or with a prefix such as ``0x``."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        try:
            return value if isinstance(value, int) else int(value, 0)
        except ValueError:
            self.fail(f"{value!r} is no number, such as 0x80000000", param, ctx)


class _Symbol(click.ParamType):  # type: ignore[type-arg]
    """A name and its address."""

    name = "symbol"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click passes it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        name, equal, number = value.partition("=")
        try:
            address = int(number, 0)
        except ValueError:
            address = -1
        if not name or not equal or not 0 <= address < 1 << 32:
            self.fail(f"{value!r} is not of the form NAME=ADDRESS, such as tohost=0x80001000", param, ctx)
        return name, address


_CORE = (
    click.option("--core", default="small", show_default=True, metavar="NAME|MANIFEST",
                 help="A preset, or the path of a core's manifest."),
    click.option("--set", "parameters", multiple=True, metavar="NAME=VALUE",
                 help="Override a parameter of the core. Repeatable."),
)  # fmt: skip
_PROGRAM = (
    click.option("--memory", "regions", multiple=True, metavar="ADDRESS:SIZE",
                 help="Memory, such as 0x80000000:4M. Repeatable; by default 4M where each part begins."),
    click.option("--format", "form", type=click.Choice(["auto", "elf", "ihex", "verilog", "binary"]),
                 default="auto", show_default=True, help="What kind of file the program is."),
    click.option("--load-address", type=_Number(), help="Where a raw binary goes."),
    click.option("--entry", type=_Number(),
                 help="Address of the first instruction, instead of the file's."),
    click.option("--symbol", "symbols", type=_Symbol(), multiple=True, metavar="NAME=ADDRESS",
                 help="A symbol that the file lacks, such as tohost=0x80001000. Repeatable."),
)  # fmt: skip
_RUN = (
    click.option("--limit", type=click.IntRange(min=0), default=1_000_000_000, show_default=True,
                 metavar="CYCLES", help="Most clock cycles; 0 for no limit."),
    click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
                 help="Of the delays and interrupts below."),
    click.option("--stall-grant", type=click.IntRange(0, 100), default=0, metavar="PERCENT",
                 help="Chance that a bus grants nothing in a cycle."),
    click.option("--stall-response", type=click.IntRange(0, 100), default=0, metavar="PERCENT",
                 help="Chance that a bus answers nothing in a cycle."),
    click.option("--interrupt-rate", type=click.IntRange(0, 65536), default=0, metavar="N",
                 help="Chance in 65536 that an interrupt line rises in a cycle."),
)  # fmt: skip
_SETTINGS = ("limit", "seed", "stall_grant", "stall_response", "interrupt_rate")


def _with(options: tuple[Callable[..., Any], ...], function: Any) -> Any:  # noqa: ANN401 - a decorated command
    for option in reversed(options):
        function = option(function)
    return function


def core_options(function: Any) -> Any:  # noqa: ANN401 - a decorated command
    """Add what says which core."""
    return _with(_CORE, function)


def program_options(function: Any) -> Any:  # noqa: ANN401 - a decorated command
    """Add what says how the program's file is read, and where memory lies."""
    return _with(_PROGRAM, function)


def load(path: Path, options: Mapping[str, Any]) -> tuple[Program, MemoryMap]:
    """Return the program and the memory that :func:`program_options` tell of.

    Raises
    ------
    ConfigError
        The file cannot be read, or does not fit into the memory.
    """
    from flow.isa.files import read_program
    from flow.isa.image import MemoryMap, parse_region

    program = read_program(
        path, form=options["form"], load_address=options["load_address"], entry=options["entry"],
        symbols=dict(options["symbols"]),
    )  # fmt: skip
    regions = tuple(map(parse_region, options["regions"]))
    memory = MemoryMap(regions) if regions else MemoryMap.for_program(program)
    memory.check(program)
    return program, memory


def writable(path: Path | None, option: str) -> Path | None:
    """Return the absolute path of a file that is to be written, once it can be.

    Raises
    ------
    ConfigError
        It cannot.
    """
    if path is None:
        return None
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent}", option, "Make it, or name another file")
    try:
        path.open("ab").close()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror})", option, "Name another file"
        ) from None
    return path.absolute()


def run_options(function: Any) -> Any:  # noqa: ANN401 - a decorated command
    """Add what says how long a program runs, and what disturbs it."""
    return _with(_RUN, function)


def run_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what :func:`run_options` added, as fields of ``flow.isa.simulation.RunOptions``."""
    return {name: options[name] for name in _SETTINGS}
