"""The grammar of Liberty: text to nested groups, jumping over what is not asked for.

Most of a Liberty file is timing tables. Groups that the caller does not want
are matched as a whole by one compiled expression, which still checks that
their braces balance, so a file that was cut anywhere is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Group", "LibertySyntaxError", "scan"]


class LibertySyntaxError(ValueError):
    """The text is not Liberty.

    Attributes
    ----------
    offset
        Where, in characters from the start.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason, offset)
        self.reason, self.offset = reason, offset


@dataclass(slots=True)
class Group:
    """A group: its kind, its arguments, and what stands between its braces."""

    kind: str
    args: tuple[str, ...]
    offset: int
    attrs: dict[str, str] = field(default_factory=dict)
    complex_attrs: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def all(self, *kinds: str) -> list[Group]:
        """Return the groups of these kinds in it, in order."""
        return [g for g in self.groups if g.kind in kinds]

    def last(self, name: str) -> tuple[str, ...] | None:
        """Return the arguments of the last complex attribute `name`."""
        found = [args for key, args in self.complex_attrs if key == name]
        return found[-1] if found else None


# Repeated groups are held by atomic groups: until Python 3.11.5 the possessive repetition of a group
# that backtracks inside matched wrongly (CPython's issue 106052).
_STRING = r'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"'
_COMMENT = r"/\*(?>(?:[^*]++|\*(?!/))*)\*/|//[^\n]*+"
_FLAT = rf'(?>(?:[^{{}}"/]++|{_STRING}|{_COMMENT}|/(?![/*]))*)'


def _nested(depth: int) -> str:
    body = _FLAT
    for _ in range(depth):
        body = rf"{_FLAT}(?>(?:\{{{body}\}}{_FLAT})*)"
    return body


_SKIP = re.compile(_nested(4) + r"\}", re.DOTALL)
_BRACE = re.compile(_FLAT + r"([{}])", re.DOTALL)
_BLANK = re.compile(rf"(?>(?:[\s;\\]++|{_COMMENT})*)", re.DOTALL)
_STATEMENT = re.compile(
    rf"""([A-Za-z_][\w.]*+)\s*+(?:
        :[ \t]*+(?P<value>{_STRING}|(?>(?:[^;\n"{{}}/\\]++|\\[ \t\r]*+\n?+|/(?![/*]))*))
      | \((?P<args>(?>(?:[^()"]++|{_STRING}|\([^()]*+\))*))\)
        (?P<open>(?>(?:[\s\\]++|{_COMMENT})*)\{{)?
    )""",
    re.VERBOSE | re.DOTALL,
)
_ARG = re.compile(rf"({_STRING})|([^\s,\"]+)", re.DOTALL)
_ESCAPE = re.compile(r"\\\s*\n\s*")


def _text(raw: str) -> str:
    raw = raw.strip()
    if raw[:1] == '"':
        raw = raw[1:-1]
    return _ESCAPE.sub(" ", raw).strip() if "\\" in raw else raw


def _args(raw: str) -> tuple[str, ...]:
    return tuple(_text(m.group(0)) for m in _ARG.finditer(raw))


def scan(text: str, wanted: Mapping[str, frozenset[str]], spans: frozenset[str] = frozenset()) -> Group:
    """Return the ``library`` group of `text`.

    Parameters
    ----------
    text
        A whole Liberty file.
    wanted
        For each kind of group, the kinds of groups to read in it; others are
        jumped over.
    spans
        Kinds whose place is kept although they are jumped over.

    Raises
    ------
    LibertySyntaxError
        It is not Liberty, or was cut.
    """
    start = _BLANK.match(text).end()  # type: ignore[union-attr]
    match = _STATEMENT.match(text, start)
    if match is None or match.group(1) != "library" or not match.group("open"):
        raise LibertySyntaxError("a Liberty file starts with 'library (name) {'", start)
    library = Group("library", _args(match.group("args")), start)
    position = _fill(text, match.end(), library, wanted, spans)
    end = _BLANK.match(text, position).end()  # type: ignore[union-attr]
    if end < len(text):
        raise LibertySyntaxError("text after the end of the library group: a '}' too many before it", end)
    return library


def _fill(
    text: str, position: int, root: Group, wanted: Mapping[str, frozenset[str]], spans: frozenset[str]
) -> int:
    stack = [root]
    blank, statement = _BLANK.match, _STATEMENT.match
    while stack:
        group = stack[-1]
        position = blank(text, position).end()  # type: ignore[union-attr]
        match = statement(text, position)
        if match is None:
            if text.startswith("}", position):
                position += 1
                stack.pop()
                continue
            raise _stuck(text, position, stack)
        name, value, args, opens = match.group(1, "value", "args", "open")
        if opens:
            position = _enter(text, match, stack, wanted, spans)
        elif args is not None:
            group.complex_attrs.append((name, _args(args)))
            position = match.end()
        else:
            group.attrs[name] = _text(value)
            position = match.end()
    return position


def _enter(
    text: str,
    match: re.Match[str],
    stack: list[Group],
    wanted: Mapping[str, frozenset[str]],
    spans: frozenset[str],
) -> int:
    name, group = match.group(1), stack[-1]
    if name in wanted[group.kind]:
        child = Group(name, _args(match.group("args")), match.start())
        group.groups.append(child)
        stack.append(child)
        return match.end()
    if name in ("cell", "library"):
        inside = " ".join((group.kind, *group.args))
        raise LibertySyntaxError(
            f"{name} {match.group('args').strip()} begins inside {inside}: a '}}' is missing before it",
            match.start(),
        )
    end = _skip(text, match.end(), name, match.start())
    if name in spans:
        group.spans.setdefault(name, []).append((match.end(), end))
    return end


def _skip(text: str, position: int, name: str, start: int) -> int:
    match = _SKIP.match(text, position)
    if match is not None:
        return match.end()
    # Deeper than the expression reaches, or cut: count.
    depth = 1
    while depth:
        brace = _BRACE.match(text, position)
        if brace is None:
            raise LibertySyntaxError(f"the file ends inside the group {name!r} that begins here", start)
        depth += 1 if brace.group(1) == "{" else -1
        position = brace.end()
    return position


def _stuck(text: str, position: int, stack: list[Group]) -> LibertySyntaxError:
    group = stack[-1]
    where = " ".join((group.kind, *group.args))
    rest = text[position : position + 40].split("\n", maxsplit=1)[0]
    if position >= len(text) or not text[position:].strip():
        return LibertySyntaxError(f"the file ends inside {where}: it was cut", position)
    tail = text[position:]
    if len(tail) < 200 and "}" not in tail:
        return LibertySyntaxError(f"the file ends in mid-statement inside {where}: it was cut", position)
    return LibertySyntaxError(f"cannot understand {rest!r} inside {where}", position)
