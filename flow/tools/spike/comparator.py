"""The program that compares a core's trace with Spike: building it, running it, reading it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from flow.model.check import Severity
from flow.model.tool import Command, Message, Reading, ToolIdentity
from flow.tools.spike.adapter import library_flags

__all__ = ["COMPARATOR", "build_command", "compare_command", "read_build_log", "read_report"]

#: Name of the executable.
COMPARATOR = "lockstep"
_ERROR = re.compile(
    r"^(?P<file>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?:fatal )?error: (?P<text>.*)$", re.MULTILINE
)


def build_command(compiler: ToolIdentity, spike: ToolIdentity, sources: Sequence[str]) -> Command:
    """Return the command that builds the comparator in the step's directory.

    Parameters
    ----------
    compiler, spike
        Tools.
    sources
        C++ files.
    """
    flags, libraries = library_flags(spike)
    argv = (compiler.path, "-std=c++20", "-O2", *flags, *sources, "-o", COMPARATOR, *libraries)
    return Command(argv=argv, log="compile.log")


def read_build_log(text: str) -> Reading:
    """Return the errors of a compilation."""
    messages = [
        Message(
            severity=Severity.ERROR,
            code="cxx",
            text=match["text"],
            file=match["file"],
            line=int(match["line"]),
        )
        for match in _ERROR.finditer(text)
    ]
    if not messages:
        linker = [
            line for line in text.splitlines() if "undefined reference" in line or "cannot find" in line
        ]
        messages = [Message(severity=Severity.ERROR, code="link", text=line) for line in linker[:5]]
    return Reading(messages=tuple(messages))


def compare_command(
    comparator: str,
    image: str,
    options: Sequence[str],
    simulator: Sequence[str],
    *,
    log: str = "lockstep.log",
    wall_s: float | None = None,
) -> Command:
    """Return the command that starts a simulator and compares what it does.

    Parameters
    ----------
    comparator, image
        The executable and the program.
    options
        Which core it is, and which files are written.
    simulator
        Program and arguments.
    log, wall_s
        As for a command.
    """
    return Command(argv=(comparator, image, *options, "--", *simulator), log=log, wall_s=wall_s)


def read_report(text: str) -> dict[str, Any]:
    """Return what the comparator wrote of a run.

    Returns
    -------
    dict
        ``status`` (``match``, ``mismatch``, ``empty``, ``torn``,
        ``broken``), ``instructions``, ``cycles``, ``traps``, ``interrupts``;
        of a mismatch ``mismatch`` with ``field``, ``expected``, ``actual``,
        ``cycle``, ``text``.

    Raises
    ------
    ValueError
        It is not complete.
    """
    try:
        report = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the comparator left no complete report ({error})") from None
    if not isinstance(report, dict) or "status" not in report:
        raise ValueError("the comparator left no complete report")
    return report
