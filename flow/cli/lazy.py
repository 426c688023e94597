"""Groups of commands that are imported when they are called, so that help imports none of them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

__all__ = ["LazyGroup", "write_commands"]


def write_commands(formatter: click.HelpFormatter, commands: Mapping[str, tuple[str, str]]) -> None:
    """Write the section of a help text that lists `commands`, as :class:`LazyGroup` has them."""
    with formatter.section("Commands"):
        formatter.write_dl([(name, text) for name, (_, text) in commands.items()])


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Attributes
    ----------
    lazy
        Where each command lives, as ``module:attribute``, and its one line of help.
    """

    lazy: Mapping[str, tuple[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in order."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of that name."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name, or say which is near."""
        import difflib

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.lazy, n=1)
            if near:
                what = f"{error.message.rstrip('.')}. Did you mean {near[0]!r}?"
                raise click.UsageError(what, ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        write_commands(formatter, self.lazy)
