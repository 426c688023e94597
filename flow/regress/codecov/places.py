"""Where code is for its user: a line of the Verilog that was written, or of the Python that made it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

__all__ = ["Origin", "Rtl", "python_places", "read_source"]

_SRC = re.compile(r'\(\*\s*src\s*=\s*"([^"]+?):([0-9]+)[^"]*"\s*\*\)')
_ATTRIBUTE = re.compile(r"\s*\(\*.*\*\)\s*$")
_DECLARATION = re.compile(r"\s*(?:wire|reg|input|output)\s+(?:\[[^\]]*\]\s*)?(\\\S+|\w+)")
_ASSIGNED = re.compile(r"\s*(\\\S+|\w+)\s*(?:\[[^\]]*\]\s*)?(<?)=(?!=)\s*(\\\S+|\w+)?")
_SRC_PREFIX = "in/src/"
_LIBRARY = "amaranth/"

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in the user's source; of generated code also the line there."""

    file: str
    line: int
    generated: str = ""


@dataclass(frozen=True)
class Rtl:
    """The RTL of one model.

    Attributes
    ----------
    elaborated
        Name and text of the Verilog that Amaranth wrote; empty where there is none.
    base
        Folder of the Verilog that its user wrote, as seen from the design; ``.`` for its own.
    """

    elaborated: tuple[str, str] = ("", "")
    base: str = "."

    @cached_property
    def _places(self) -> Sequence[Place | None]:
        return python_places(self.elaborated[1])

    def origin(self, file: str, line: int) -> Origin:
        """Return where a line of what Verilator read is for its user."""
        name = PurePosixPath(file).name
        if self.elaborated[0] and name == self.elaborated[0] and not file.startswith(_SRC_PREFIX):
            place = self._places[line - 1] if 0 < line <= len(self._places) else None
            if place is not None:
                return Origin(*place, f"{name}:{line}")
            return Origin(name, line)
        if file.startswith(_SRC_PREFIX):
            return Origin(_joined(self.base, file.removeprefix(_SRC_PREFIX)), line)
        return Origin(file, line)

    @cached_property
    def _lines(self) -> list[str]:
        return self.elaborated[1].splitlines()

    def generated_text(self, line: int) -> str:
        """Return a line of the generated Verilog, without what Amaranth adds for itself."""
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return re.sub(r"\\(\S+) ", r"\1 ", re.sub(r"\(\*.*?\*\)\s*", "", text)).strip()


def _joined(base: str, name: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(base, name).parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def read_source(roots: Sequence[Path], file: str) -> list[str]:
    """Return the lines of a source file below one of `roots`; none where it is in no of them."""
    for root in roots:
        path = root / file
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace").splitlines()
    return []


def python_places(text: str) -> list[Place | None]:
    """Return for each line of Amaranth's Verilog the Python file and line that it comes from.

    A statement has the place of its own ``src`` attribute. What a process
    computes has none: it counts to the signal that the process drives, for a
    register the one that takes the value at the clock.
    """
    lines = text.splitlines()
    found: list[Place | None] = [None] * len(lines)
    start = 0
    pending: Place | None = None
    for number, line in enumerate(lines):
        if line.startswith("module "):
            start, top = number, pending
            pending = None
        elif line.startswith("endmodule"):
            _module(lines, found, start, number, top)
            pending = None
        elif match := _SRC.search(line):
            pending = match[1], int(match[2])
    return found


def _module(lines: Sequence[str], found: list[Place | None], start: int, end: int, top: Place | None) -> None:
    """Find the places of one module, whose own is `top`."""
    of: dict[str, Place] = {}
    taken: dict[str, str] = {}  # from a value that is computed to the register that takes it
    pending: Place | None = None
    processes: list[tuple[int, int]] = []
    number = start
    while number < end:
        line = lines[number]
        own = _SRC.search(line)
        if own and _ATTRIBUTE.match(line):
            pending = own[1], int(own[2])
        elif match := _DECLARATION.match(line):
            if pending is not None:
                of.setdefault(match[1], pending)
            found[number], pending = of.get(match[1]), None
        elif line.strip() == "always @* begin":
            last = next((n for n in range(number, end) if lines[n] == "  end"), end - 1)
            processes.append((number, last))
            number, pending = last, None
        elif not _ATTRIBUTE.match(line):
            found[number] = (own[1], int(own[2])) if own else pending or found[number - 1]
            match = _ASSIGNED.match(line)
            if match and match[2] and match[3]:
                taken[match[3]] = match[1]
            if not line.lstrip().startswith("always"):
                pending = None
        number += 1
    for first, last in processes:
        place = _driven(lines[first : last + 1], of, taken) or top
        found[first : last + 1] = [place] * (last + 1 - first)
    for number in range(start, end):  # what Amaranth's own library made counts to who used it
        at = found[number]
        if at is not None and at[0].startswith(_LIBRARY) and top is not None:
            found[number] = top


def _driven(process: Sequence[str], of: dict[str, Place], taken: dict[str, str]) -> Place | None:
    for line in process:
        match = _ASSIGNED.match(line)
        if match:
            return of.get(taken.get(match[1], match[1]))
    return None
