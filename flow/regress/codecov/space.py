"""The points of all models of a regression in one space: instances and variants of a module share theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flow.model.coverage import KINDS, CoverageWaiver
from flow.regress.codecov.places import Rtl
from flow.tools.verilator import CoveragePoint

__all__ = ["CodePoint", "Space", "shares"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePoint:
    """Something of the source that is to happen.

    Attributes
    ----------
    kind
        ``line``, ``toggle``, ``branch`` or ``expression``.
    file, line
        Where it is in the user's source.
    name
        What is to happen; empty for a line.
    generated
        The line of the generated Verilog, and its text; empty without one.
    hierarchy
        The first instance that has it.
    """

    kind: str
    file: str
    line: int
    name: str = ""
    generated: str = ""
    text: str = ""
    hierarchy: str = ""


class Space:
    """Numbers the points of models.

    The instances of a Verilog module have the same points, however they are
    parametrised. Amaranth writes a module for each instance: there the n-th
    point of a module that comes from one line of Python, and is called the
    same, is the same in all of them.

    Parameters
    ----------
    waivers
        What need not be covered.
    """

    def __init__(self, waivers: Sequence[CoverageWaiver] = ()) -> None:
        self.points: list[CodePoint] = []
        #: For each point the number of the waiver that is about all of its instances, or -1.
        self.waived: list[int] = []
        self._waivers = tuple(waivers)
        self._numbers: dict[tuple[Any, ...], int] = {}

    def add(self, points: Sequence[CoveragePoint], rtl: Rtl, kinds: Sequence[str]) -> tuple[Any, Any]:
        """Give the points of a model their numbers.

        Parameters
        ----------
        points
            As Verilator has them.
        rtl
            What they are points of.
        kinds
            Kinds that are wanted.

        Returns
        -------
        tuple of numpy.ndarray
            Places in `points`, and the number of each in the space: a point
            has several where it executes several lines.
        """
        import numpy as np  # noqa: PLC0415

        order = sorted(range(len(points)), key=lambda n: (points[n].line, points[n].column, points[n].name))
        seen: Counter[tuple[Any, ...]] = Counter()
        lines: dict[tuple[str, str, int], int] = {}
        raw: list[int] = []
        numbers: list[int] = []
        for place in order:
            point = points[place]
            if point.kind in KINDS and point.kind in kinds and point.kind != "line":
                raw.append(place)
                numbers.append(self._number(point, point.kind, point.line, point.name, rtl, seen))
            if "line" not in kinds:
                continue
            for line in point.lines:
                key = point.module, point.file, line
                if key not in lines:
                    lines[key] = self._number(point, "line", line, "", rtl, seen)
                raw.append(place)
                numbers.append(lines[key])
        return np.array(raw, dtype=np.int64), np.array(numbers, dtype=np.int64)

    def _number(
        self, point: CoveragePoint, kind: str, line: int, name: str, rtl: Rtl, seen: Counter[tuple[Any, ...]]
    ) -> int:
        origin = rtl.origin(point.file, line)
        key: tuple[Any, ...] = kind, origin.file, origin.line, name
        if origin.generated:
            seen[(*key, point.module)] += 1
            key = (*key, seen[(*key, point.module)])
        elif kind != "line":
            key = (*key, point.column)
        waiver = self._waiver(kind, origin.file, origin.line, point.hierarchy, name)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.points)
            text = rtl.generated_text(line) if origin.generated else ""
            self.points.append(
                CodePoint(
                    kind=kind, file=origin.file, line=origin.line, name=name,
                    generated=origin.generated, text=text, hierarchy=point.hierarchy,
                )
            )  # fmt: skip
            self.waived.append(waiver)
        elif waiver < 0:
            self.waived[number] = -1
        return number

    def _waiver(self, kind: str, file: str, line: int, hierarchy: str, name: str) -> int:
        return next(
            (n for n, w in enumerate(self._waivers) if w.covers(kind, file, line, hierarchy, name)), -1
        )


def shares(
    points: Sequence[CodePoint], waived: Sequence[int], hits: Sequence[int]
) -> Mapping[str, list[int]]:
    """Return covered and total by kind, of what is not waived."""
    found: dict[str, list[int]] = {}
    for point, waiver, count in zip(points, waived, hits, strict=True):
        if waiver < 0:
            own = found.setdefault(point.kind, [0, 0])
            own[0] += count > 0
            own[1] += 1
    return {kind: found[kind] for kind in KINDS if kind in found}
