"""Functional coverage: what a bench wrote, merged over tests and seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from flow.model.errors import ConfigError

__all__ = ["Bin", "Coverage", "merge_coverage", "read_coverage", "read_coverage_xml"]

_REMEDY = 'It must be {"version": 1, "coverpoints": [{"name", "bins": [{"name", "hits", "goal"}]}]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bin of a coverpoint: how often it was hit, and how often it should be."""

    hits: int
    goal: int = 1

    @property
    def covered(self) -> bool:
        """Whether it was hit often enough."""
        return self.hits >= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Coverpoints by name, each with its bins by name."""

    points: Mapping[str, Mapping[str, Bin]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many bins there are."""
        return sum(len(bins) for bins in self.points.values())

    @property
    def covered(self) -> int:
        """How many bins are covered."""
        return sum(b.covered for bins in self.points.values() for b in bins.values())

    @property
    def percent(self) -> float | None:
        """Covered bins in percent; ``None`` where there are no bins."""
        return 100.0 * self.covered / self.total if self.total else None

    @property
    def holes(self) -> tuple[tuple[str, str], ...]:
        """Coverpoint and bin of what is not covered."""
        return tuple(
            (point, name)
            for point, bins in self.points.items()
            for name, entry in bins.items()
            if not entry.covered
        )

    def to_json(self) -> dict[str, Any]:
        """Return it in the form that benches write."""
        return {
            "version": 1,
            "coverpoints": [
                {
                    "name": point,
                    "bins": [{"name": n, "hits": b.hits, "goal": b.goal} for n, b in bins.items()],
                }
                for point, bins in self.points.items()
            ],
        }


def read_coverage(text: str) -> Coverage:
    """Read the file that a bench wrote to ``SUZURI_COVERAGE_FILE``.

    Raises
    ------
    ConfigError
        It is not in that form.
    """
    try:
        stored = json.loads(text)
        if stored["version"] != 1:
            raise ValueError(f"version {stored['version']!r} is not known")
        points: dict[str, dict[str, Bin]] = {}
        for point in stored["coverpoints"]:
            bins = points.setdefault(str(point["name"]), {})
            for entry in point["bins"]:
                _put(bins, str(entry["name"]), hits=int(entry["hits"]), goal=int(entry.get("goal", 1)))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ConfigError(
            f"the functional coverage that the bench wrote cannot be read: {reason}", None, _REMEDY
        ) from None
    return Coverage(points=points)


def _put(bins: dict[str, Bin], name: str, *, hits: int, goal: int) -> None:
    if hits < 0 or goal < 0:
        raise ValueError(f"bin {name!r} has a negative count")
    known = bins.get(name)
    bins[name] = Bin(hits=hits + (known.hits if known else 0), goal=max(goal, known.goal if known else 0))


def read_coverage_xml(text: str) -> Coverage:
    """Read the XML that cocotb-coverage exports.

    Raises
    ------
    ConfigError
        It is not valid XML, or a count in it is no number.
    """
    try:
        points = _points(ElementTree.fromstring(text))
    except (ElementTree.ParseError, ValueError) as error:
        raise ConfigError(f"the coverage XML that the bench wrote cannot be read: {error}") from None
    return Coverage(points=points)


def _points(root: ElementTree.Element) -> dict[str, dict[str, Bin]]:
    points: dict[str, dict[str, Bin]] = {}
    for element in root.iter():
        bins = [child for child in element if child.get("bin") is not None]
        if not bins:
            continue
        held = points.setdefault(element.get("abs_name") or element.tag, {})
        goal = int(element.get("at_least") or 1)
        for child in bins:
            _put(held, child.get("bin", ""), hits=int(child.get("hits") or 0), goal=goal)
    return points


def merge_coverage(parts: Iterable[Coverage]) -> Coverage:
    """Add up the hits of several runs; a bin's goal is the highest that any asks for."""
    points: dict[str, dict[str, Bin]] = {}
    for part in parts:
        for point, bins in part.points.items():
            held = points.setdefault(point, {})
            for name, entry in bins.items():
                _put(held, name, hits=entry.hits, goal=entry.goal)
    return Coverage(points=points)
