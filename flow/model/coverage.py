"""Code coverage as a manifest asks for it: which kinds are collected, and what is left out with a reason."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["KINDS", "CoverageSpec", "CoverageWaiver", "check_kinds", "kinds_of"]

#: Kinds of code coverage, by the names that users know.
KINDS = ("line", "toggle", "branch", "expression")
_OTHER_NAMES = {"expr": "expression", "statement": "line", "condition": "expression", "lines": "line"}


def check_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """Return kinds of code coverage in their usual order, each once.

    Raises
    ------
    ValueError
        One is not known; the message suggests the nearest.
    """
    for name in names:
        if name not in KINDS:
            near = _OTHER_NAMES.get(name) or next(iter(difflib.get_close_matches(name, KINDS, n=1)), None)
            hint = f"; did you mean {near!r}?" if near else f": it is one of {', '.join(KINDS)}"
            raise ValueError(f"there is no kind of coverage {name!r}{hint}")
    return tuple(kind for kind in KINDS if kind in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageWaiver:
    """Code that need not be covered, and why.

    Attributes
    ----------
    reason
        Why it cannot be reached or need not be; required.
    file
        Shell pattern on the source file as reports name it.
    lines
        First and last line, or ``None`` for the whole file.
    hierarchy
        Shell pattern on the instance; where several instances of a module
        count as one, their path has a ``*`` for what differs.
    kinds
        Kinds of coverage; empty for all.
    match
        Shell pattern on what a report calls the point, such as ``data[7]:*``.
    """

    reason: str
    file: str = "*"
    lines: tuple[int, int] | None = None
    hierarchy: str = "*"
    kinds: tuple[str, ...] = ()
    match: str = "*"

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("coverage waiver: a reason is required")
        check_kinds(self.kinds)
        if self.lines is not None and not 1 <= self.lines[0] <= self.lines[1]:
            raise ValueError(f"coverage waiver: lines {list(self.lines)} are no range of lines")
        if not self.kinds and (self.file, self.lines, self.hierarchy, self.match) == ("*", None, "*", "*"):
            raise ValueError(f"coverage waiver {self.reason!r} says of nothing what it waives: name a file")

    def covers(self, kind: str, file: str, line: int, hierarchy: str, name: str) -> bool:
        """Whether it is about a point."""
        return (
            (not self.kinds or kind in self.kinds)
            and (self.lines is None or self.lines[0] <= line <= self.lines[1])
            and (self.file == "*" or fnmatchcase(file, self.file))
            and (self.hierarchy == "*" or fnmatchcase(hierarchy, self.hierarchy))
            and (self.match == "*" or _matches(name, self.match))
        )


def _matches(name: str, pattern: str) -> bool:
    """Match a name whose brackets are brackets: bits of a signal, not sets of characters."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSpec:
    """What regressions of a design collect.

    Attributes
    ----------
    kinds
        Kinds of code coverage; empty for none.
    waivers
        What need not be covered.
    """

    kinds: tuple[str, ...] = ()
    waivers: tuple[CoverageWaiver, ...] = ()

    def __post_init__(self) -> None:
        check_kinds(self.kinds)


def kinds_of(
    test: Collection[str] | None, suite: Collection[str] | None, design: Collection[str]
) -> tuple[str, ...]:
    """Return what a test collects: as it says itself, or its suite, or its design."""
    said = test if test is not None else suite if suite is not None else design
    return check_kinds(tuple(said))
