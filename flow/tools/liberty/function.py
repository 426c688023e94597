"""Boolean functions as Liberty writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["BoolFunction", "parse_function"]

_TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01]|[()!'&*|+^])")
MAX_INPUTS = 10


@dataclass(frozen=True, slots=True)
class BoolFunction:
    """A function as a truth table.

    Attributes
    ----------
    inputs
        Variable names; the first is the least significant bit of the row.
    table
        Bit ``r`` is the value in row ``r``.
    """

    inputs: tuple[str, ...]
    table: int

    def value(self, row: int) -> bool:
        """Return the value in one row."""
        return bool(self.table >> row & 1)


class _Parser:
    """Recursive descent: ``|``/``+`` under ``^`` under ``&``/``*``/blank under ``!``."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        position = 0
        text = text.strip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"function {text!r}: cannot read {text[position:]!r}")
            self.tokens.append(match.group(1))
            position = match.end()
        self.names = sorted({t for t in self.tokens if t[0].isalpha() or t[0] == "_"})
        if len(self.names) > MAX_INPUTS:
            raise ValueError(f"function {text!r}: more than {MAX_INPUTS} inputs")
        self.rows = 1 << len(self.names)
        self.ones = (1 << self.rows) - 1
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def parse(self) -> int:
        value = self.either()
        if self.peek():
            raise ValueError(f"function: unexpected {self.peek()!r}")
        return value

    def either(self) -> int:
        value = self.differ()
        while self.peek() in ("|", "+"):
            self.take()
            value |= self.differ()
        return value

    def differ(self) -> int:
        value = self.both()
        while self.peek() == "^":
            self.take()
            value ^= self.both()
        return value

    def both(self) -> int:
        value = self.unary()
        while True:
            token = self.peek()
            if token in ("&", "*"):
                self.take()
            elif not token or token in ")|+^'":
                return value
            value &= self.unary()

    def unary(self) -> int:
        if self.peek() == "!":
            self.take()
            return self.ones ^ self.unary()
        value = self.atom()
        while self.peek() == "'":
            self.take()
            value ^= self.ones
        return value

    def atom(self) -> int:
        token = self.take()
        if token == "(":
            value = self.either()
            if self.take() != ")":
                raise ValueError("function: a parenthesis is not closed")
            return value
        if token in ("0", "1"):
            return self.ones if token == "1" else 0
        if token not in self.names:
            raise ValueError(f"function: unexpected {token!r}")
        index = self.names.index(token)
        return sum(1 << row for row in range(self.rows) if row >> index & 1)


@lru_cache(maxsize=4096)
def parse_function(text: str) -> BoolFunction:
    """Parse a Liberty function: ``!``, ``'``, ``&``, ``*``, blank, ``|``, ``+``, ``^``, 0 and 1.

    Raises
    ------
    ValueError
        It cannot be read, or has more than ten inputs.

    Source
    ------
    Liberty user guide, function attribute: operators and precedence.
    """
    parser = _Parser(text)
    table = parser.parse()
    return BoolFunction(tuple(parser.names), table)
