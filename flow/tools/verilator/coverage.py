r"""Read what Verilator's models write of code coverage: ``coverage.dat``.

One line a point: ``C '`` and its keys and values, each key after ``\x01``
and its value after ``\x02``, then ``' `` and how often it was hit. All
points of a model are in each file, hit or not, sorted by their text: the
files of two runs of one model differ in the counts only.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from itertools import starmap

__all__ = ["CoveragePoint", "coverage_kind", "read_counts", "read_points"]

_HEADER = b"# SystemC::Coverage-3\n"
# What is not printable is quoted by Verilator, so that such bytes are damage.
_LINE = re.compile(rb"C '([\x01\x02\x20-\x7e]*)' ([0-9]+)\n")
_AROUND = len("C '' \n")
_MOST_COUNT = (1 << 64) - 1
_QUOTED = re.compile(r"%([0-9A-F]{2})")
_ENCODED = re.compile(r"__0([0-9A-Fa-f]{2})")
# Arms of case, and of if where it goes on with else if, which Verilator has among the lines.
_ARMS = frozenset(("if", "elsif", "else", "case"))
_KINDS = {"line": "line", "toggle": "toggle", "branch": "branch", "expr": "expression"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePoint:
    """One point of a model.

    Attributes
    ----------
    kind
        ``line``, ``toggle``, ``branch`` or ``expression``; others, such as
        ``user``, as Verilator calls them. The arms of ``case`` and of
        ``else if`` are branches, also where Verilator has them among the lines.
    file, line, column
        Where it is, as Verilator was given the file.
    module, hierarchy
        The module, and the instance; Verilator counts the instances of a
        module as one, and writes ``*`` for what differs in their paths.
    name
        What is to happen: ``if``, ``data[3]:0->1``, ``(a==1 && b==0) => 0``.
    lines
        The source lines that it executes.
    """

    kind: str
    file: str
    line: int
    column: int = 0
    module: str = ""
    hierarchy: str = ""
    name: str = ""
    lines: tuple[int, ...] = ()


def read_counts(data: bytes) -> tuple[bytes, array[int]]:
    """Return the points of a file as one text, by which models are told apart, and their counts.

    Parameters
    ----------
    data
        The whole file.

    Returns
    -------
    bytes
        A line for each point, for :func:`read_points`.
    array
        How often each was hit, in the same order.

    Raises
    ------
    ValueError
        It is no such file, or it is cut short or damaged; the message has the line.
    """
    if not data.startswith(_HEADER):
        raise ValueError("it does not begin as Verilator's coverage files do")
    found = _LINE.findall(data, len(_HEADER))
    if sum(_AROUND + len(name) + len(count) for name, count in found) != len(data) - len(_HEADER):
        raise ValueError(_damage(data))
    try:
        counts = array("Q", [int(count) for _, count in found])
    except OverflowError:
        raise ValueError("a count in it has more than 64 bits") from None
    return b"\n".join(name for name, _ in found), counts


def _damage(data: bytes) -> str:
    """Say what is wrong with a file that has something besides points."""
    lines = data.split(b"\n")
    for number, line in enumerate(lines[1:], 2):
        if not _LINE.fullmatch(line + b"\n") and (line or number < len(lines)):
            if number == len(lines):
                return f"it is cut short in line {number}"
            return f"line {number} is no point with a count"
    return "it is cut short"


def read_points(text: bytes) -> tuple[CoveragePoint, ...]:
    """Return the points of a text that :func:`read_counts` returned.

    Raises
    ------
    ValueError
        A point has no file, line or kind, or is there twice.
    """
    if not text:
        return ()
    rows = text.decode("utf-8", "replace").split("\n")
    if len(set(rows)) != len(rows):
        raise ValueError("a point is there twice")
    return tuple(starmap(_point, enumerate(rows, 2)))


def _point(number: int, row: str) -> CoveragePoint:
    values: dict[str, str] = {}
    for part in row.split("\x01")[1:]:
        key, _, value = part.partition("\x02")
        values[key] = _QUOTED.sub(lambda match: chr(int(match[1], 16)), value) if "%" in value else value
    try:
        kind = values["t"] if "t" in values else values["page"].partition("/")[0].removeprefix("v_")
        if kind == "line" and values.get("o") in _ARMS:
            kind = "branch"
        return CoveragePoint(
            kind=coverage_kind(kind),
            file=values["f"],
            line=int(values["l"]),
            column=int(values.get("n", 0)),
            module=_plain(values.get("page", "").partition("/")[2]),
            hierarchy=_plain(values.get("h", "")),
            name=_plain(values.get("o", "")),
            lines=_lines(values.get("S", "")),
        )
    except (KeyError, ValueError) as error:
        what = f"has no {error}" if isinstance(error, KeyError) else f"is malformed ({error})"
        raise ValueError(f"the point in line {number} {what}") from None


def coverage_kind(kind: str) -> str:
    """Return the name that users know for one of Verilator's kinds."""
    return _KINDS.get(kind, kind)


def _plain(name: str) -> str:
    """Undo Verilator's coding of characters that C++ has not in names."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), name) if "__0" in name else name


def _lines(text: str) -> tuple[int, ...]:
    """Return the lines of ``3-5,8``."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)
