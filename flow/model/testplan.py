"""The test plan: what a design is required to do, and which tests and bins show it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["TestplanEntry", "check_testplan", "matches", "matches_code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestplanEntry:
    """One requirement.

    Attributes
    ----------
    name
        Unique in the plan.
    requirement
        What the design is to do, in a sentence or some.
    tests
        Names of the tests that show it.
    bins
        Shell patterns on coverpoints, for all of their bins, or on
        ``COVERPOINT.BIN``.
    code
        Shell patterns on source files, or ``FILE:FIRST-LAST`` for some of the
        lines, whose code coverage shows it.
    """

    __test__ = False

    name: str
    requirement: str = ""
    tests: tuple[str, ...] = ()
    bins: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("testplan: an entry has a name")
        if not self.tests and not self.bins and not self.code:
            raise ValueError(f"testplan {self.name}: give tests, bins or code: nothing would show it")


def check_testplan(entries: Sequence[TestplanEntry], tests: Collection[str]) -> None:
    """Check that names are unique and tests are there.

    Raises
    ------
    ValueError
        They are not.
    """
    names: set[str] = set()
    for entry in entries:
        if entry.name in names:
            raise ValueError(f"testplan {entry.name!r} is defined twice")
        names.add(entry.name)
        for unknown in (name for name in entry.tests if name not in tests):
            near = difflib.get_close_matches(unknown, tests, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"testplan {entry.name}: there is no test {unknown!r}{hint}")


def matches(pattern: str, group: str, name: str) -> bool:
    """Whether a pattern of :attr:`TestplanEntry.bins` means a bin of a coverpoint."""
    return fnmatchcase(group, pattern) or fnmatchcase(f"{group}.{name}", pattern)


def matches_code(pattern: str, file: str, line: int) -> bool:
    """Whether a pattern of :attr:`TestplanEntry.code` means a line of a file."""
    found = re.fullmatch(r"(.+):(\d+)(?:-(\d+))?", pattern)
    if found is None:
        return fnmatchcase(file, pattern)
    first = int(found[2])
    return first <= line <= int(found[3] or first) and fnmatchcase(file, found[1])
