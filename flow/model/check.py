"""Checks: yes-or-no findings about a design, each with a place and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "Severity"]


class Severity(StrEnum):
    """How much a failed check matters: an ``ERROR`` fails the run."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding about the design.

    Attributes
    ----------
    name
        Stable dotted name, for example ``synthesize.latches`` or
        ``lint.WIDTHEXPAND``; waivers and trends refer to it.
    passed
        Whether the design met it.
    severity
        What a failure means for the verdict.
    message
        What was found, in one sentence.
    place
        ``file:line`` in the user's source, or a cell, net or path name.
    remedy
        What to do about it.
    """

    name: str
    passed: bool
    severity: Severity = Severity.ERROR
    message: str = ""
    place: str = ""
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether this finding alone fails the run."""
        return not self.passed and self.severity is Severity.ERROR
