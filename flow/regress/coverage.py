"""Coverage of a regression: what each run reached, merged without counting a run twice."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["FUNCTIONAL", "Collector", "Covered", "Key", "Merged", "Point", "summary"]

#: Kind of the bins that benches count.
FUNCTIONAL = "functional"
_MOST_HOLES = 200  # of one group in the record
_MOST_HITS = (1 << 32) - 1

#: A run: test and seed.
Key = tuple[str, int]


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Something to cover: its kind, the coverpoint that it is a bin of, and its name there."""

    kind: str
    group: str
    name: str


@dataclass(frozen=True, slots=True)
class Covered:
    """How often a point was hit, and how often it should be."""

    hits: int
    goal: int = 1

    @property
    def enough(self) -> bool:
        """Whether it was hit often enough."""
        return self.hits >= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What all runs together reached, and of how many runs that is."""

    points: Mapping[Point, Covered]
    runs: int


class Collector:
    """Takes in what each run reached.

    Runs are told apart by test and seed: one that is taken in again replaces
    what it was before, so that repetitions never add up.
    """

    def __init__(self) -> None:
        self._layouts: dict[tuple[Point, ...], int] = {}
        self._names: list[tuple[Point, ...]] = []
        self._goals: dict[Point, int] = {}
        self._runs: dict[Key, tuple[int, array[int]]] = {}

    def take(self, keys: Sequence[Key], data: Mapping[str, Any]) -> None:
        """Take in what one step's runs reached.

        Parameters
        ----------
        keys
            The step's runs.
        data
            What the step said: ``coverage``, its coverpoints, and in
            ``runs`` the hits of each seed where there are several.
        """
        coverage = data.get("coverage")
        if not coverage:
            return
        points: list[Point] = []
        hits: list[int] = []
        for coverpoint in coverage.get("coverpoints", ()):
            for entry in coverpoint["bins"]:
                point = Point(FUNCTIONAL, coverpoint["name"], entry["name"])
                goal = int(entry.get("goal", 1))
                if goal > self._goals.get(point, -1):  # the highest that any run asks for
                    self._goals[point] = goal
                points.append(point)
                hits.append(entry["hits"])
        layout = self._layout(tuple(points))
        own = dict(coverage.get("runs", ()))
        for key in keys:
            counts = own.get(key[1]) if own else hits if len(keys) == 1 else None
            if counts is not None:
                self._runs[key] = layout, array("I", [min(count, _MOST_HITS) for count in counts])

    def _layout(self, points: tuple[Point, ...]) -> int:
        """Return the number of a list of points: the runs of a test share it."""
        number = self._layouts.get(points)
        if number is None:
            number = self._layouts[points] = len(self._names)
            self._names.append(points)
        return number

    def __len__(self) -> int:
        return len(self._runs)

    def runs(self) -> Iterator[tuple[Key, tuple[Point, ...], Sequence[int]]]:
        """Give each run, the points that it knows, and how often it hit each."""
        for key, (layout, hits) in self._runs.items():
            yield key, self._names[layout], hits

    def merged(self) -> Merged:
        """Return what all runs together reached."""
        by_layout: dict[int, list[array[int]]] = {}
        for layout, hits in self._runs.values():
            by_layout.setdefault(layout, []).append(hits)
        total: dict[Point, int] = {}
        for layout, listed in by_layout.items():
            for point, count in zip(self._names[layout], map(sum, zip(*listed, strict=True)), strict=True):
                total[point] = total.get(point, 0) + count
        points = {point: Covered(hits, self._goals[point]) for point, hits in total.items()}
        return Merged(points=points, runs=len(self._runs))


def summary(merged: Merged) -> dict[str, Any]:
    """Return what a regression's record has of its coverage; nothing where no run left any.

    Returns
    -------
    dict
        ``runs``, how many left coverage; ``kinds``, covered and total by
        kind; ``groups``, a row for each coverpoint with ``name``,
        ``covered``, ``total``, ``holes`` (bin, hits, goal) and ``more``, how
        many further holes it has.
    """
    if not merged.points:
        return {}
    kinds: dict[str, list[int]] = {}
    groups: dict[str, dict[str, Any]] = {}
    for point, found in merged.points.items():
        row = groups.setdefault(
            point.group, {"name": point.group, "covered": 0, "total": 0, "holes": [], "more": 0}
        )
        count = kinds.setdefault(point.kind, [0, 0])
        count[0] += found.enough
        count[1] += 1
        row["covered"] += found.enough
        row["total"] += 1
        if not found.enough:
            if len(row["holes"]) < _MOST_HOLES:
                row["holes"].append([point.name, found.hits, found.goal])
            else:
                row["more"] += 1
    return {"runs": merged.runs, "kinds": kinds, "groups": list(groups.values())}
