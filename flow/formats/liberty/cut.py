"""Cut a Liberty file into cells, and read cells on demand."""

from __future__ import annotations

import fnmatch
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

from flow.formats.kept import Kept
from flow.formats.liberty.cell import SPANS, WANTED, LibertyCell, cell_from_group
from flow.formats.liberty.scan import LibertySyntaxError, scan
from flow.model.errors import ConfigError

__all__ = ["CellLibrary", "Liberty", "LibertyError", "read_liberty"]

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A leading \b would keep the expression from being searched for by its first letters.
_CELL = re.compile(r"cell\s*\(\s*\"?([^\s\"()]+)\"?\s*\)\s*\{")
_TEMPLATE = re.compile(r"\b(\w*template\w*)\s*\(\s*\"?([^\s\"()]+)\"?\s*\)\s*\{")
_STATE_GROUPS = ("ff", "ff_bank", "latch", "latch_bank", "statetable")
_POWER_GROUPS = ("internal_power", "leakage_power", "leakage_current")
_GROUP_BODY = re.compile(r"\s*\([^()]*\)\s*\{")
_TRUE = re.compile(r"\s*:\s*\"?\s*true", re.IGNORECASE)
_CAP_UNIT = re.compile(r"\bcapacitive_load_unit\s*\(\s*\"?([\d.eE+-]+)\"?\s*,\s*\"?([a-zA-Z]+)")
_NAND2 = re.compile(r"nand2(?!\d)|nd2(?!\d)", re.IGNORECASE)
_SI = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


class LibertyError(ValueError):
    """A Liberty file cannot be used; the message says why."""


def read_liberty(path: Path) -> Liberty:
    """Read a Liberty file, plain or gzip.

    It is kept for the next who asks, under whatever name: each step sees its
    own link to the same file.

    Raises
    ------
    LibertyError
        It is no Liberty file, or it was cut short.
    """
    try:
        return _LIBERTIES.get(path, _load)
    except OSError as error:
        raise LibertyError(f"cannot be read: {error}") from error


def _load(path: Path) -> Liberty:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise LibertyError(f"cannot be read: {error}") from error
    return Liberty(data.decode("utf-8", errors="replace"))


class Liberty:
    """One Liberty file, cut into header and cells.

    Parameters
    ----------
    text
        Its content.

    Raises
    ------
    LibertyError
        It is no Liberty file, or it ends in the middle.
    """

    def __init__(self, text: str) -> None:
        if "/*" in text:
            text = _COMMENT.sub(" ", text)
        self.text = text
        head = re.search(r"\blibrary\s*\(\s*\"?([^\s\"()]*)\"?\s*\)\s*\{", text)
        if head is None:
            raise LibertyError("has no library group: this is not a Liberty file")
        self.name = head.group(1)
        self._body = head.end()
        self._spans: dict[str, tuple[int, int]] = {}
        self._cells: dict[str, LibertyCell] = {}
        self._sequential: dict[str, bool] = {}
        self._cut()

    def _cut(self) -> None:
        """Find where each cell begins and ends."""
        text = self.text
        starts = [m for m in _CELL.finditer(text, self._body) if not _in_word(text, m.start())]
        limits = [m.start() for m in starts[1:]] + [len(text)]
        for match, limit in zip(starts, limits, strict=True):
            end = _group_end(text, match.end(), limit)
            if end is None:
                raise LibertyError(f"ends inside cell {match.group(1)}: the file was cut short")
            self._spans.setdefault(match.group(1), (match.start(), end))
        tail = max((end for _, end in self._spans.values()), default=self._body)
        first = min((start for start, _ in self._spans.values()), default=len(text))
        balance = _balance(text, self._body, first) + (_balance(text, tail, len(text)) if starts else 0)
        if balance >= 0:
            raise LibertyError("ends before its library group does: the file was cut short")
        if not starts:
            raise LibertyError("has no cells")

    def __iter__(self) -> Iterator[str]:
        return iter(self._spans)

    def __contains__(self, name: object) -> bool:
        return name in self._spans

    def cell_text(self, name: str) -> str:
        """Return the text of one cell."""
        start, end = self._spans[name]
        return self.text[start:end]

    def cell(self, name: str) -> LibertyCell:
        """Return one cell; ``KeyError`` when the library has none of that name.

        Raises
        ------
        ConfigError
            Something in it is not what Liberty says.
        """
        found = self._cells.get(name)
        if found is None:
            found = self._cells[name] = self._read(name)
        return found

    def _read(self, name: str) -> LibertyCell:
        text = f"library (l) {{ {self.cell_text(name)} }}"
        try:
            root = scan(text, WANTED, SPANS)
            return cell_from_group(text, root.groups[0], self.cap_unit_pf, 1.0, self._widths)
        except (LibertySyntaxError, ValueError) as error:
            said = error.reason if isinstance(error, LibertySyntaxError) else error
            raise ConfigError(
                f"Liberty library {self.name}, cell {name}: {said}", None, "Install the PDK again."
            ) from error

    @cached_property
    def _widths(self) -> dict[str, int]:
        """Bit width of each bus type."""
        root = scan(f"library (l) {{ {self.header} }}", {**WANTED, "library": frozenset({"type"})})
        return {g.args[0]: int(g.attrs.get("bit_width") or 1) for g in root.all("type") if g.args}

    def is_sequential(self, name: str) -> bool:
        """Whether the cell has a state group, without parsing it."""
        known = self._sequential.get(name)
        if known is None:
            start, end = self._spans[name]
            known = any(_find(self.text, word, _GROUP_BODY, start, end) for word in _STATE_GROUPS)
            self._sequential[name] = known
        return known

    def marked_dont_use(self, name: str) -> bool:
        """Whether the library itself says that synthesis must not use the cell."""
        return _find(self.text, "dont_use", _TRUE, *self._spans[name]) is not None

    @cached_property
    def header(self) -> str:
        """Everything that is not a cell, without the closing brace."""
        pieces, position = [], self._body
        for start, end in sorted(self._spans.values()):
            pieces.append(self.text[position:start])
            position = end
        pieces.append(self.text[position : self.text.rindex("}")])
        return "\n".join(piece.strip() for piece in pieces if piece.strip())

    @cached_property
    def cap_unit_pf(self) -> float:
        """Picofarads in one unit of capacitance."""
        match = _CAP_UNIT.search(self.header)
        if match is None:
            return 1.0
        return float(match.group(1)) * _SI.get(match.group(2).lower().removesuffix("f"), 1e-12) * 1e12

    @cached_property
    def time_unit_ns(self) -> float:
        """Nanoseconds in one unit of time."""
        match = re.search(r"\btime_unit\s*:\s*\"?\s*([\d.eE+-]+)\s*([a-z]?)s", self.header)
        if match is None:
            return 1.0
        return float(match.group(1)) * _SI.get(match.group(2), 1e-9) * 1e9

    @cached_property
    def default_wire_load(self) -> str | None:
        """The wire load model that the library applies when nobody asks."""
        match = re.search(r"\bdefault_wire_load(?:_selection)?\s*:\s*\"?([^\s\";]+)", self.header)
        return None if match is None else match.group(1)


_LIBERTIES: Kept[Liberty] = Kept(64 << 20)


class CellLibrary:
    """Several Liberty files that together are one library.

    Parameters
    ----------
    parts
        At least one; the first gives the units.
    """

    def __init__(self, parts: Iterable[Liberty]) -> None:
        self.parts = tuple(parts)
        self._found: dict[str, LibertyCell | None] = {}
        if not self.parts:
            raise LibertyError("no Liberty file was given")

    def _part(self, name: str) -> Liberty | None:
        return next((part for part in self.parts if name in part), None)

    def __contains__(self, name: object) -> bool:
        return any(name in part for part in self.parts)

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for part in self.parts:
            for name in part:
                if name not in seen:
                    seen.add(name)
                    yield name

    def get(self, name: str) -> LibertyCell | None:
        """Return a cell, or ``None``."""
        if name not in self._found:
            part = self._part(name)
            self._found[name] = None if part is None else part.cell(name)
        return self._found[name]

    def is_sequential(self, name: str) -> bool:
        """Whether the cell holds state."""
        part = self._part(name)
        return part is not None and part.is_sequential(name)

    def usable(self, dont_use: Iterable[str]) -> list[str]:
        """Cells that neither `dont_use` (shell patterns) nor the library forbids."""
        patterns = [re.compile(fnmatch.translate(p)) for p in dont_use]
        return [
            name
            for part in self.parts
            for name in part
            if not any(p.match(name) for p in patterns) and not part.marked_dont_use(name)
        ]

    def excerpt(self, keep: Callable[[str], bool], *, power: bool = False) -> str:
        """Return one Liberty text with only some of the cells.

        Templates of all parts are kept; tables of power and leakage only when
        `power` says so, since logic synthesis does not look at them.
        """
        first = self.parts[0]
        pieces = [f"library ({first.name or 'excerpt'}) {{", first.header]
        known = {m.group(2) for m in _TEMPLATE.finditer(first.header)}
        for part in self.parts[1:]:
            for match in _TEMPLATE.finditer(part.header):
                end = _group_end(part.header, match.end(), len(part.header))
                if match.group(2) not in known and end is not None:
                    known.add(match.group(2))
                    pieces.append(part.header[match.start() : end])
        seen: set[str] = set()
        for part in self.parts:
            for name in part:
                if name not in seen and keep(name):
                    seen.add(name)
                    text = part.cell_text(name)
                    pieces.append(text if power else _without(text, _POWER_GROUPS))
        return "\n".join([*pieces, "}\n"])

    def smallest_nand2(self) -> float | None:
        """Area of the smallest two-input NAND, or ``None`` when no cell is one."""
        areas = []
        for name in self:
            if _NAND2.search(name) is None:
                continue
            cell = self.get(name)
            if cell and cell.area_um2 > 0 and cell.kind == "comb" and len(cell.inputs) == 2:
                areas.append(cell.area_um2)
        return min(areas, default=None)


def _in_word(text: str, position: int) -> bool:
    before = text[position - 1]
    return before.isalnum() or before == "_"


def _balance(text: str, start: int, end: int) -> int:
    return text.count("{", start, end) - text.count("}", start, end)


def _group_end(text: str, position: int, limit: int) -> int | None:
    """Return the end of the group whose body starts at `position`, or ``None``."""
    # The usual case costs two counts: everything up to the next cell is this cell's.
    tail = text.rfind("}", position, limit)
    if tail >= 0 and _balance(text, position, tail) == 0 and limit != len(text):
        return tail + 1
    depth = 1
    for match in re.compile(r"\"[^\"]*\"|[{}]").finditer(text, position, limit):
        token = match.group()
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def _find(text: str, word: str, then: re.Pattern[str], start: int, end: int) -> tuple[int, int] | None:
    """Return where `word` as a whole, followed by `then`, lies; much faster than one regular expression."""
    position = text.find(word, start, end)
    while position >= 0:
        after = position + len(word)
        before = text[position - 1] if position else " "
        if not (before.isalnum() or before == "_"):
            match = then.match(text, after)
            if match is not None:
                return position, match.end()
        position = text.find(word, after, end)
    return None


def _without(text: str, groups: Iterable[str]) -> str:
    """Return `text` without the groups of these names."""
    for word in groups:
        pieces, position = [], 0
        while found := _find(text, word, _GROUP_BODY, position, len(text)):
            start, end = found
            depth = 1
            while depth and end < len(text):
                close = text.find("}", end)
                if close < 0:
                    return text
                depth += text.count("{", end, close) - 1
                end = close + 1
            pieces.append(text[position:start])
            position = end
        text = "".join([*pieces, text[position:]])
    return text
