"""Suites: which tests a regression takes, by name or by an expression of tags."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from flow.model.coverage import check_kinds

__all__ = ["IMPLICIT_SUITES", "REGRESS_COMMANDS", "SuiteSpec", "TagExpression"]

#: Suites that every design has: the tests with that tag.
IMPLICIT_SUITES = ("smoke", "nightly", "weekly")

#: What else may follow ``suzuri regress``: no suite can be called so.
REGRESS_COMMANDS = ("list", "show", "diff", "note", "coverage")

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
_TOKEN = re.compile(r"\s*(?:([()])|([\w.:/+-]+))")
_WORDS = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class TagExpression:
    """Tags joined by ``and``, ``or``, ``not`` and parentheses: ``"smoke and not slow"``.

    ``not`` binds closest, then ``and``, then ``or``.

    Raises
    ------
    ValueError
        The text is no such expression; the message says where.
    """

    text: str
    _postfix: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_postfix", tuple(_Parser(self.text).parse()))

    @property
    def tags(self) -> frozenset[str]:
        """The tags that it names."""
        return frozenset(word[1:] for word in self._postfix if word.startswith("#"))

    def matches(self, tags: Collection[str]) -> bool:
        """Whether something with these tags is meant."""
        stack: list[bool] = []
        for word in self._postfix:
            if word == "not":
                stack.append(not stack.pop())
            elif word in _WORDS:
                right, left = stack.pop(), stack.pop()
                stack.append(left and right if word == "and" else left or right)
            else:
                stack.append(word[1:] in tags)
        return stack[0]


class _Parser:
    """Puts an expression into postfix order; a tag is told from an operator by its ``#``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._at = 0

    def _split(self) -> list[str]:
        found: list[str] = []
        end = 0
        rest = self._text.rstrip()
        while end < len(rest):
            match = _TOKEN.match(rest, end)
            if match is None:
                raise ValueError(f"tags {self._text!r}: {rest[end:].strip()[0]!r} is not understood")
            found.append(match[1] or match[2])
            end = match.end()
        return found

    def parse(self) -> list[str]:
        if not self._tokens:
            raise ValueError("tags: an expression names at least one tag")
        found = self._either()
        if self._at < len(self._tokens):
            raise ValueError(f"tags {self._text!r}: {self._tokens[self._at]!r} is not expected there")
        return found

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _either(self) -> list[str]:
        found = self._both()
        while self._next() == "or":
            self._take()
            found += [*self._both(), "or"]
        return found

    def _both(self) -> list[str]:
        found = self._one()
        while self._next() == "and":
            self._take()
            found += [*self._one(), "and"]
        return found

    def _one(self) -> list[str]:
        negated = False
        while self._next() == "not":
            self._take()
            negated = not negated
        word = self._next()
        if word == "(":
            self._take()
            found = self._either()
            if self._next() != ")":
                raise ValueError(f"tags {self._text!r}: a ')' is missing")
            self._take()
        elif not word or word in (*_WORDS, ")"):
            raise ValueError(
                f"tags {self._text!r}: a tag is missing {f'before {word!r}' if word else 'at its end'}"
            )
        else:
            found = [f"#{self._take()}"]
        return [*found, "not"] if negated else found


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteSpec:
    """A choice of tests that is run as one regression.

    Attributes
    ----------
    name
        Unique among the design's suites.
    tags
        Takes the tests whose tags it matches; ``None`` for none that way.
    tests
        Takes these tests. Without ``tags`` and ``tests``, all.
    seeds
        How many seeds each test has here, instead of its own number.
    runs
        How many runs all tests share here, by their weights, instead.
    timeout_factor
        Multiplies the tests' limits.
    description
        One sentence.
    coverage
        Kinds of code coverage that it collects; ``None`` for what the design says.
    """

    name: str
    tags: TagExpression | None = None
    tests: tuple[str, ...] = ()
    seeds: int | None = None
    runs: int | None = None
    timeout_factor: float = 1.0
    description: str = ""
    coverage: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_kinds(self.coverage or ())
        if not _NAME.match(self.name):
            raise ValueError(f"suite {self.name!r}: a name has letters, digits, '_' and '-'")
        if self.name in REGRESS_COMMANDS:
            raise ValueError(
                f"suite {self.name}: `suzuri regress {self.name}` is a command; choose another name"
            )
        if self.seeds is not None and self.runs is not None:
            raise ValueError(f"suite {self.name}: give seeds, a number for each test, or runs, one for all")
        for key in ("seeds", "runs"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ValueError(f"suite {self.name}: {key} must be at least 1, not {value}")
        if not 0 < self.timeout_factor < math.inf:
            raise ValueError(f"suite {self.name}: timeout_factor must be positive, not {self.timeout_factor}")
