"""Boolean functions as Liberty writes them: parse, evaluate, print as Verilog.

Source
------
Liberty User Guide, "function attribute": ``'`` (postfix) and ``!`` invert,
``^`` is exclusive or, ``*``, ``&`` and a space are and, ``+`` and ``|`` are
or; precedence in that order, from the tightest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

__all__ = ["Function", "parse_function"]

# A tree is ("0",), ("1",), ("var", name), ("not", t), or ("and"|"or"|"xor", t, t, ...).
Tree = tuple[object, ...]

_TOKEN = re.compile(r'\s*(?:([A-Za-z_\\][\w.$]*(?:\[\d+\])?|"[^"]+")|([01])(?![\w])|([!\'^*&+|()]))')
_MAX_DEPTH = 150
_VERILOG = {"and": " & ", "or": " | ", "xor": " ^ "}


@dataclass(frozen=True, slots=True)
class Function:
    """A parsed boolean function.

    Attributes
    ----------
    text
        As it stood in the library.
    tree
        Nested tuples: ``("0",)``, ``("1",)``, ``("var", name)``,
        ``("not", t)``, ``("and", t, ...)``, ``("or", t, ...)``,
        ``("xor", t, ...)``.
    """

    text: str
    tree: Tree

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names that it reads, in order of appearance, without repeats."""
        return tuple(dict.fromkeys(_names(self.tree)))

    def evaluate(self, values: Mapping[str, bool]) -> bool:
        """Return its value where every input has the value in `values`.

        Raises
        ------
        KeyError
            An input has no value.
        """
        return _evaluate(self.tree, values)

    def table(self, order: Sequence[str] | None = None) -> int:
        """Return the truth table as an integer: bit *i* is the value for inputs *i*.

        The first name of `order` (default: ``inputs``) is the least
        significant bit of *i*. Only sensible for up to about 16 inputs.
        """
        names = list(order if order is not None else self.inputs)
        if len(names) > 16:
            raise ValueError(f"{self.text}: a truth table of {len(names)} inputs is too large")
        result = 0
        for index, bits in enumerate(product((False, True), repeat=len(names))):
            if _evaluate(self.tree, dict(zip(reversed(names), bits, strict=True))):
                result |= 1 << index
        return result

    def verilog(self, rename: Callable[[str], str] = str) -> str:
        """Return it as a fully parenthesised Verilog expression, names passed through `rename`."""
        return _verilog(self.tree, rename)

    def same_as(self, other: Function) -> bool:
        """Whether both have the same value for every input."""
        names = tuple(dict.fromkeys((*self.inputs, *other.inputs)))
        return self.table(names) == other.table(names)


def _names(tree: Tree) -> Iterator[str]:
    if tree[0] == "var":
        yield str(tree[1])
    else:
        for child in tree[1:]:
            assert isinstance(child, tuple)
            yield from _names(child)


def _evaluate(tree: Tree, values: Mapping[str, bool]) -> bool:
    kind = tree[0]
    if kind == "var":
        return bool(values[str(tree[1])])
    if kind in ("0", "1"):
        return kind == "1"
    parts = [_evaluate(child, values) for child in tree[1:] if isinstance(child, tuple)]
    if kind == "not":
        return not parts[0]
    if kind == "and":
        return all(parts)
    if kind == "or":
        return any(parts)
    return sum(parts) % 2 == 1


def _verilog(tree: Tree, rename: Callable[[str], str]) -> str:
    kind = str(tree[0])
    if kind == "var":
        return rename(str(tree[1]))
    if kind in ("0", "1"):
        return f"1'b{kind}"
    parts = [_verilog(child, rename) for child in tree[1:] if isinstance(child, tuple)]
    if kind == "not":
        # Verilog does not allow one unary operator right after another.
        return f"~({parts[0]})" if parts[0].startswith("~") else f"~{parts[0]}"
    return "(" + _VERILOG[kind].join(parts) + ")"


@lru_cache(maxsize=8192)
def parse_function(text: str) -> Function:
    """Parse `text`.

    Raises
    ------
    ValueError
        It is not a boolean function; the message says where.
    """
    return Function(text, _Parser(text).parse())


class _Parser:
    """Recursive descent over the tokens; chains are loops, so only parentheses nest."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.index = 0
        self.depth = 0
        position, stripped = 0, text.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if match is None:
                raise self.error(position, f"unexpected {stripped[position:].strip()[:1]!r}")
            name, constant, operator = match.groups()
            kind = "name" if name else "const" if constant else operator
            self.tokens.append((kind, (name or constant or operator).strip('"'), match.start()))
            position = match.end()

    def error(self, position: int, reason: str) -> ValueError:
        return ValueError(f"boolean function {self.text!r}: {reason} at character {position + 1}")

    @property
    def kind(self) -> str:
        return self.tokens[self.index][0] if self.index < len(self.tokens) else ""

    def parse(self) -> Tree:
        if not self.tokens:
            raise ValueError("boolean function: empty")
        tree = self.either()
        if self.kind:
            raise self.error(self.tokens[self.index][2], f"unexpected {self.tokens[self.index][1]!r}")
        return tree

    def either(self) -> Tree:
        parts = [self.both()]
        while self.kind in ("+", "|") and self.kind:
            self.index += 1
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else ("or", *parts)

    def both(self) -> Tree:
        parts = [self.odd()]
        # Two operands side by side are an and: that is what a space means.
        while self.kind in ("*", "&", "name", "const", "!", "("):
            if self.kind in ("*", "&"):
                self.index += 1
            parts.append(self.odd())
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def odd(self) -> Tree:
        parts = [self.inverted()]
        while self.kind == "^":
            self.index += 1
            parts.append(self.inverted())
        return parts[0] if len(parts) == 1 else ("xor", *parts)

    def inverted(self) -> Tree:
        inversions = 0
        while self.kind == "!":
            inversions += 1
            self.index += 1
        tree = self.operand()
        while self.kind == "'":
            inversions += 1
            self.index += 1
        return ("not", tree) if inversions % 2 else tree

    def operand(self) -> Tree:
        if self.index >= len(self.tokens):
            raise self.error(len(self.text), "an operand is missing")
        kind, value, position = self.tokens[self.index]
        self.index += 1
        if kind == "name":
            return ("var", value)
        if kind == "const":
            return (value,)
        if kind != "(":
            raise self.error(position, f"an operand is missing before {value!r}")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error(position, "parentheses nest too deeply")
        tree = self.either()
        if self.kind != ")":
            raise self.error(position, "this parenthesis is never closed")
        self.index += 1
        self.depth -= 1
        return tree
