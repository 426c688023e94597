"""What the commands of tests and regressions share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from flow.cli.options import FORCE, SET, WHERE, with_options
from flow.engine.events import Listener
from flow.model.coverage import KINDS, check_kinds
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.project.request import Request, parse_assignment

__all__ = ["campaign_options", "request_of", "stages"]

F = TypeVar("F", bound=Callable[..., Any])


def _kinds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Read kinds of code coverage; None where nothing is said."""
    if value is None:
        return None
    if value in ("all", "none"):
        return KINDS if value == "all" else ()
    try:
        return check_kinds([word.strip() for word in value.split(",") if word.strip()])
    except ValueError as error:
        raise ConfigError(str(error), "--coverage", "For example: --coverage line,toggle") from None


_OPTIONS = (
    click.option("--design", "path", default=".", type=click.Path(path_type=Path), metavar="FOLDER",
                 help="Folder with the suzuri.toml; the current one by default."),
    SET,
    click.option("--coverage", metavar="KINDS", callback=_kinds,
                 help="Code coverage to collect: all, none, or some of line,toggle,branch,expression."),
    FORCE,
    click.option("--skip-missing", is_flag=True, help="Leave out what needs a tool that is not installed."),
    *WHERE,
)  # fmt: skip


def campaign_options(function: F) -> F:
    """Give a command the options of where and how tests run."""
    return with_options(function, _OPTIONS)


def request_of(**values: Any) -> Request:  # noqa: ANN401 - as click passes them
    """Return the request that the options make."""
    return Request(
        parameters=dict(map(parse_assignment, values.pop("parameters"))),
        force=frozenset(values.pop("force")),
        **values,
    )


@contextlib.contextmanager
def stages(*, quiet: bool) -> Iterator[Callable[[str, Graph], Listener]]:
    """Give what shows the progress of one graph after the other."""
    from flow.cli.progress import Progress

    with contextlib.ExitStack() as stack:

        def start(heading: str, graph: Graph) -> Listener:
            stack.close()
            if heading and not quiet:
                click.echo(f"{heading}.", err=True)
            return stack.enter_context(Progress(graph, quiet=quiet)).tell

        yield start
