"""Functional coverage as the report shows it: merged over tests and seeds, with its holes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flow.report.rundata import StepRun, mapping, rows, text
from flow.report.units import number

__all__ = ["Bin", "CoverPoint", "Coverage", "coverage"]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin: how often it was hit, and how often it should be."""

    name: str
    hits: int
    goal: int = 1


@dataclass(frozen=True, slots=True)
class CoverPoint:
    """A coverpoint, hits summed over all runs."""

    name: str
    bins: tuple[Bin, ...]

    @property
    def holes(self) -> tuple[str, ...]:
        """Bins that were not hit often enough."""
        return tuple(b.name for b in self.bins if b.hits < b.goal)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All coverpoints; or only totals and holes, where runs say no more.

    Attributes
    ----------
    points
        Coverpoints with their bins; those known by holes alone have only these.
    total, covered
        Bins, and how many of them were hit often enough.
    complete
        Whether `points` has every bin.
    """

    points: tuple[CoverPoint, ...]
    total: int
    covered: int
    complete: bool = True

    @property
    def percent(self) -> float | None:
        """Covered bins in percent, or ``None`` without bins."""
        return 100.0 * self.covered / self.total if self.total else None


def _int(value: object, default: int = 0) -> int:
    found = number(value)
    return default if found is None else int(found)


def _bins(row: Mapping[str, object], item: object) -> list[Bin]:
    goal = _int(row.get("goal") or row.get("at_least"), 1)
    bins = row.get("bins", item)
    if isinstance(bins, Mapping):
        return [Bin(str(k), _int(v), goal) for k, v in bins.items() if number(v) is not None]
    return [
        Bin(
            text(b.get("name") or b.get("bin")),
            _int(b.get("hits", b.get("count"))),
            _int(b.get("goal"), goal),
        )
        for b in rows(bins)
    ]


def _points(value: object) -> Iterator[tuple[str, list[Bin]]]:
    inner = mapping(value)
    if "coverpoints" in inner or "points" in inner:
        yield from _points(inner.get("coverpoints") or inner.get("points"))
        return
    if "holes" in inner:
        return
    pairs = [(str(k), v) for k, v in inner.items()]
    pairs += [(text(r.get("name") or r.get("coverpoint")), r) for r in rows(value)]
    for name, item in pairs:
        bins = _bins(mapping(item), item)
        if bins:
            yield name, bins


def _totals(steps: Iterable[StepRun]) -> Coverage | None:
    """Merge runs that tell totals and holes only: a hole is what every one of them missed.

    Runs are comparable when they count the same bins, so those with the most
    bins are taken.
    """
    found: dict[int, list[set[tuple[str, str]]]] = {}
    for step in steps:
        value = mapping(step.data.get("coverage"))
        total = _int(value.get("total"))
        if total and "holes" in value:
            listed = value.get("holes") or ()
            found.setdefault(total, []).append({(str(h[0]), str(h[1])) for h in listed if len(h) == 2})
    if not found:
        return None
    total = max(found)
    holes = sorted(set.intersection(*found[total]))
    by_point: dict[str, list[Bin]] = {}
    for point, name in holes:
        by_point.setdefault(point, []).append(Bin(name, 0))
    points = tuple(CoverPoint(n, tuple(b)) for n, b in by_point.items())
    return Coverage(points, total, total - len(holes), complete=False)


def coverage(steps: Iterable[StepRun]) -> Coverage:
    """Return the functional coverage of these steps together."""
    listed = list(steps)
    merged: dict[str, dict[str, Bin]] = {}
    for step in listed:
        for key in ("coverage", "functional_coverage", "coverpoints"):
            for name, bins in _points(step.data.get(key)):
                into = merged.setdefault(name, {})
                for one in bins:
                    held = into.get(one.name, Bin(one.name, 0, one.goal))
                    into[one.name] = Bin(one.name, held.hits + one.hits, max(held.goal, one.goal))
    if not merged:
        return _totals(listed) or Coverage((), 0, 0)
    points = tuple(CoverPoint(n, tuple(b.values())) for n, b in merged.items())
    total = sum(len(p.bins) for p in points)
    return Coverage(points, total, total - sum(len(p.holes) for p in points))
