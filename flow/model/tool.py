"""What a tool adapter deals in: identities, commands, and readings of logs.

An adapter plans (configuration to command and files) and reads (log to
metrics and findings). It never starts a process and never touches the disk
in between, so its tests need no tool, only real logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from flow.model.check import Severity

__all__ = ["Command", "Message", "Reading", "ToolAdapter", "ToolIdentity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolIdentity:
    """Which tool, exactly: part of every cache key that used it.

    Attributes
    ----------
    name
        The adapter's name: ``verilator``, ``icarus``, ``yosys``, ``opensta``.
    flavour
        How it is provided: ``wheel``, ``path``, ``pyosys``, ``yowasp``.
    version
        Dotted version as the tool reports it.
    digest
        SHA-256 of what runs (executable, or shared library of a wheel).
    path
        What is executed. Not part of a cache key.
    licence
        SPDX identifier.
    """

    name: str
    flavour: str
    version: str
    digest: str
    path: str
    licence: str

    @property
    def key(self) -> str:
        """The part that decides results: everything but the location."""
        return f"{self.name}/{self.flavour}/{self.version}/{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start, as data.

    Attributes
    ----------
    argv
        Program and arguments; relative paths are relative to the step's
        directory.
    env
        Added to the clean environment that every step gets.
    files
        Text files to write in the step's directory before starting: name to
        content.
    log
        Name of the file that receives both output streams.
    wall_s
        Wall-clock limit in seconds, or ``None`` for the step's own limit.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    log: str = "tool.log"
    wall_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of a log that means something.

    Attributes
    ----------
    severity
        ``ERROR``, ``WARNING`` or ``INFO``.
    code
        The tool's own rule or code (``WIDTHEXPAND``), or a stable slug.
    text
        The message itself.
    file, line, column
        Where in the user's source, when the tool says so; 1-based.
    """

    severity: Severity
    code: str
    text: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> str:
        """``file:line``, ``file``, or an empty string."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a log said: metrics by METRICS2.1 name, messages, and detail data.

    ``data`` holds JSON-serialisable tables (paths, areas by module, ...).
    """

    metrics: Mapping[str, float | int | str | None] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Message, ...]:
        """The messages that are errors."""
        return tuple(m for m in self.messages if m.severity is Severity.ERROR)


@runtime_checkable
class ToolAdapter(Protocol):
    """What every tool module registers under the ``suzuri.tools`` entry point."""

    name: str
    minimum_version: tuple[int, ...]

    def detect(self) -> ToolIdentity:
        """Find the tool.

        Raises
        ------
        ConfigError
            The tool is missing or older than ``minimum_version``; the message
            gives the command that installs it.
        """
        ...
