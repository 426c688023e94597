"""Options that the commands below ``suzuri isa`` share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

__all__ = ["WATCHDOG", "core_options", "run_options", "run_settings"]

#: Cycles without an instruction after which a core counts as stuck.
WATCHDOG = 100_000

_CORE = (
    click.option("--core", default="small", show_default=True, metavar="NAME|MANIFEST",
                 help="A preset, or the path of a core's manifest."),
    click.option("--set", "parameters", multiple=True, metavar="NAME=VALUE",
                 help="Override a parameter of the core. Repeatable."),
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


def run_options(function: Any) -> Any:  # noqa: ANN401 - a decorated command
    """Add what says how long a program runs, and what disturbs it."""
    return _with(_RUN, function)


def run_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what :func:`run_options` added, as fields of ``flow.isa.simulation.RunOptions``."""
    return {name: options[name] for name in _SETTINGS}
