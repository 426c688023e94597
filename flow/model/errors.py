"""The one tree of errors.

``FlowError``
    Everything Suzuri raises on purpose.

    ``ConfigError``
        The user's input is wrong: a manifest, a parameter, a source file, a
        PDK or tool that is not installed. Exit code 2.
    ``CheckFailed``
        The *design* missed a limit. The flow goes on, then fails. Exit code 1.
    ``ToolError``
        A tool broke, was stopped, or printed something that cannot be
        understood. Exit code 3. Never retried.
    ``InfraError``
        A machine failed: a full disk, a lost worker, a killed process.
        Exit code 3. May be retried on another worker.

Every message says what, where, and what to do next. All of them survive
pickling, since they travel between Dask workers and the driver.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["CheckFailed", "ConfigError", "FlowError", "InfraError", "ToolError"]


class FlowError(Exception):
    """Base of every error that Suzuri raises on purpose.

    Parameters
    ----------
    what
        What is wrong, in one sentence.
    where
        The file, key, step or line it concerns.
    remedy
        What the user can do about it.
    """

    exit_code = 3

    def __init__(self, what: str, where: str | Path | None = None, remedy: str | None = None) -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = None if where is None else str(where)
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.what, self.where, self.remedy))

    def __str__(self) -> str:
        text = self.what if self.where is None else f"{self.where}: {self.what}"
        if self.remedy:
            text = f"{text.rstrip('.')}. {self.remedy}"
        return text


class ConfigError(FlowError):
    """The user's input is wrong; the message names file, key and remedy."""

    exit_code = 2


class CheckFailed(FlowError):
    """The design missed a limit. The flow continues and fails at its end."""

    exit_code = 1


class ToolError(FlowError):
    """A tool broke or was stopped.

    Parameters
    ----------
    tool
        Name of the tool, as in ``suzuri doctor``.
    reason
        What happened, in one sentence.
    log
        The log to open; shown in the message.
    remedy
        What the user can do about it.
    """

    def __init__(
        self, tool: str, reason: str, log: str | Path | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(f"{tool}: {reason}", None, remedy)
        self.tool, self.reason = tool, reason
        self.log = None if log is None else str(log)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.tool, self.reason, self.log, self.remedy))

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.log is None else f"{text.rstrip('.')}; see {self.log}"


class InfraError(FlowError):
    """A machine failed, not the design and not the tool. May be retried."""
