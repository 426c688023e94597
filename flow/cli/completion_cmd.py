"""``suzuri completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    For bash, put this into ~/.bashrc: eval "$(suzuri completion bash)"
    """
    from flow.cli.main import suzuri

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(found(suzuri, {}, "suzuri", "_SUZURI_COMPLETE").source())
