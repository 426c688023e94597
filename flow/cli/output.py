"""Standard output as it may be: a terminal, a narrow encoding, a pipe whose reader has gone."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "discard", "flush", "make_printable", "settle"]


def make_printable() -> None:
    """Let characters that the output cannot encode come out as question marks, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def console(**options: Any) -> Console:  # noqa: ANN401 - rich's own options
    """Return a console that leaves a pipe without a reader to its caller, where rich would exit."""
    from rich.console import Console

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return _Console(**options)


def flush() -> None:
    """Print what is still held back, while an error can be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard(descriptor: int = 1) -> None:
    """Drop whatever else is printed there, by default on standard output: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def settle() -> None:
    """Print what is still held back, or drop it: at its own end Python would exit with 120 over it."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            discard(descriptor)
