"""Options that plan and run share, and the request they make."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from flow.model.design import Recipe
from flow.model.errors import ConfigError
from flow.project.request import PARTS, Request, parse_assignment

__all__ = ["FORCE", "SET", "WHERE", "command_line", "request_from", "request_options", "with_options"]

F = TypeVar("F", bound=Callable[..., Any])

#: Overrides of parameters, and steps to execute again.
SET = click.option(
    "--set", "parameters", multiple=True, metavar="NAME=VALUE", help="Override a parameter. Repeatable."
)
FORCE = click.option(
    "--force", multiple=True, metavar="STEP", help="Execute this step or kind of step although cached."
)

#: Where steps run, and where what comes of them is kept.
WHERE = (
    click.option("--jobs", "-j", type=click.IntRange(min=1), help="Cores to use; all by default."),
    click.option("--scheduler", metavar="ADDRESS",
                 help="Dask scheduler (tcp://HOST:PORT) instead of this machine."),
    click.option("--store", metavar="URL", envvar="SUZURI_STORE",
                 help="Shared folder or object store for workers on other machines (an fsspec URL)."),
    click.option("--build", type=click.Path(path_type=Path, file_okay=False), help="Folder for results."),
    click.option("--database", metavar="URL", envvar="SUZURI_DATABASE",
                 help="Run database; SQLite in the build folder by default."),
)  # fmt: skip

_OPTIONS = (
    click.argument("design", default=".", type=click.Path(path_type=Path)),
    click.option("--pdk", "pdks", multiple=True, metavar="NAME", help="PDK to map to, or 'all'. Repeatable."),
    click.option("--corner", "corners", multiple=True, metavar="NAME",
                 help="Timing corner; the first is the main one. Repeatable."),
    click.option("--recipe", type=click.Choice(Recipe.NAMES), metavar="NAME",
                 help="Synthesis recipe: area, balanced, speed, or another of docs/ppa.md."),
    click.option("--hierarchy", type=click.Choice(["flatten", "keep"]), help="Dissolve or keep modules."),
    click.option("--clock", "clock_period_ns", type=float, metavar="NS", help="Clock period on every PDK."),
    SET,
    click.option("--test", "tests", multiple=True, metavar="NAME", help="Run only this test. Repeatable."),
    click.option("--seeds", type=click.IntRange(1, 100_000), help="Number of seeds of each test."),
    click.option("--master-seed", type=click.IntRange(min=0), default=1, show_default=True,
                 help="Every test's seeds derive from it."),
    click.option("--seed", type=click.IntRange(min=0),
                 help="One exact seed for every test, to repeat a failure."),
    click.option("--formal", "formal", multiple=True, metavar="NAME",
                 help="Only the proofs of this name or tag, or 'all'; without it, all but the nightly ones. "
                 "Repeatable."),
    click.option("--until", type=click.Choice(PARTS), help="Stop after this part of the flow."),
    click.option("--only", "only", type=click.Choice(PARTS), multiple=True,
                 help="Only these parts (and what they need). Repeatable."),
    click.option("--waves", is_flag=True, help="Record waves of every test."),
    FORCE,
    click.option("--skip-missing", is_flag=True,
                 help="Leave out what needs a tool or PDK that is not installed."),
    click.option("--locked", is_flag=True, help="Refuse tools and PDKs that differ from tools.lock."),
    *WHERE,
)  # fmt: skip


def with_options(function: F, options: Iterable[Callable[[F], F]]) -> F:
    """Give a command options, in their order."""
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def request_options(function: F) -> F:
    """Give a command the options of a request."""
    return with_options(function, _OPTIONS)


def request_from(**values: Any) -> Request:  # noqa: ANN401 - as click passes them
    """Return the request that the options make.

    Raises
    ------
    ConfigError
        Options contradict each other.
    """
    until, only = values.pop("until"), values.pop("only")
    if until and only:
        raise ConfigError("--until and --only exclude each other", None, "Give one of them.")
    parts: tuple[str, ...] = PARTS
    if until:
        parts = PARTS[: PARTS.index(until) + 1]
    elif only:
        parts = tuple(only)
        if {"timing", "power"} & set(parts):
            parts = (*parts, "synthesize")
        parts = (*parts, "elaborate")
    if values["clock_period_ns"] is not None and values["clock_period_ns"] <= 0:
        raise ConfigError(f"must be positive, not {values['clock_period_ns']:g}", "--clock")
    if values["seed"] is not None and values["seeds"] is not None:
        raise ConfigError("--seed is one exact seed, --seeds a number of them", None, "Give one of them.")
    return Request(
        path=values.pop("design"),
        parameters=dict(map(parse_assignment, values.pop("parameters"))),
        parts=frozenset(parts),
        force=frozenset(values.pop("force")),
        **values,
    )


def command_line() -> str:
    """Return the command line of this process, ready to paste but for passwords."""
    from flow.engine.provenance import without_password

    return shlex.join(["suzuri", *map(without_password, sys.argv[1:])])
