"""Functional coverage: named bins, crosses, goals, and files that add up.

The file is JSON: ``{"version": 1, "coverpoints": [{"name": ..., "bins":
[{"name": ..., "hits": ..., "goal": ...}]}]}``. A bin whose goal is 0 is
illegal: it is covered by never being hit.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

__all__ = ["Coverage", "CoverageError", "Coverpoint", "derive_seed", "merge_files"]

VERSION = 1


class CoverageError(Exception):
    """An illegal bin was hit, or a value fits no bin."""


def derive_seed(seed: int, *names: str) -> int:
    """Return a seed of its own for each name, whatever order they are asked in.

    Parameters
    ----------
    seed
        The seed of the test.
    names
        What the random numbers are for, for example ``"driver", "gaps"``.

    Returns
    -------
    int
        64 bits of SHA-256.
    """
    text = "\0".join((str(seed), *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class Coverpoint:
    """Counters of one property of the stimulus or of the design's behaviour.

    Parameters
    ----------
    name
        Dotted name, unique in a collector.
    bins
        Names, or names with goals (hits needed; 1 by default).
    illegal
        Names of bins that must never be hit.

    Raises
    ------
    ValueError
        There is no bin, a name comes twice, or a goal is less than 1.
    """

    def __init__(
        self, name: str, bins: Iterable[str] | Mapping[str, int], illegal: Iterable[str] = ()
    ) -> None:
        legal = list(bins.items()) if isinstance(bins, Mapping) else [(item, 1) for item in bins]
        for item, goal in legal:
            if goal < 1:
                raise ValueError(f"coverpoint {name}: goal of bin {item!r} must be at least 1, not {goal}")
        pairs = legal + [(item, 0) for item in illegal]
        if not pairs:
            raise ValueError(f"coverpoint {name}: no bins")
        self.name = name
        self.goals = dict(pairs)
        if len(self.goals) != len(pairs):
            raise ValueError(f"coverpoint {name}: a bin's name comes twice")
        self.hits = dict.fromkeys(self.goals, 0)

    def hit(self, item: str, count: int = 1) -> None:
        """Count hits of a bin.

        Raises
        ------
        CoverageError
            There is no such bin, or it is illegal.
        """
        if count < 0:
            raise ValueError(f"coverpoint {self.name}: count must not be negative, not {count}")
        if item not in self.hits:
            raise CoverageError(f"coverpoint {self.name}: no bin {item!r}")
        self.hits[item] += int(count)
        if count and self.goals[item] == 0:
            raise CoverageError(f"coverpoint {self.name}: illegal bin {item!r} was hit")

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the bins below their goals, and of illegal bins that were hit."""
        return tuple(
            item for item, goal in self.goals.items() if (self.hits[item] < goal if goal else self.hits[item])
        )

    @property
    def ratio(self) -> float:
        """Share of bins that meet their goals, 0 to 1."""
        return 1.0 - len(self.missing) / len(self.goals)


class Coverage:
    """A set of coverpoints that is written to, read from and added up in files.

    Attributes
    ----------
    points
        Coverpoints by name, in order of definition.
    """

    def __init__(self) -> None:
        self.points: dict[str, Coverpoint] = {}

    def add(
        self, name: str, bins: Iterable[str] | Mapping[str, int], illegal: Iterable[str] = ()
    ) -> Coverpoint:
        """Define a coverpoint and return it.

        Raises
        ------
        ValueError
            The name is taken.
        """
        if name in self.points:
            raise ValueError(f"coverpoint {name} is defined twice")
        self.points[name] = point = Coverpoint(name, bins, illegal)
        return point

    def cross(self, name: str, *axes: Iterable[str], ignore: Iterable[tuple[str, ...]] = ()) -> Coverpoint:
        """Define a coverpoint with a bin for every combination, named ``a*b``.

        Parameters
        ----------
        name
            As for :meth:`add`.
        axes
            Names along each axis.
        ignore
            Combinations that get no bin.
        """
        left_out = set(ignore)
        return self.add(name, ["*".join(bins) for bins in product(*axes) if bins not in left_out])

    @property
    def missing(self) -> tuple[str, ...]:
        """``point: bin`` of everything that is short of its goal."""
        return tuple(f"{name}: {item}" for name, point in self.points.items() for item in point.missing)

    @property
    def ratio(self) -> float:
        """Mean of the coverpoints' ratios, 0 to 1; 0 without coverpoints."""
        return sum(point.ratio for point in self.points.values()) / max(len(self.points), 1)

    def merge(self, other: "Coverage") -> None:
        """Add another's hits; bins and points unknown here are taken over.

        Raises
        ------
        ValueError
            A bin has different goals in the two.
        """
        for name, theirs in other.points.items():
            mine = self.points.get(name)
            if mine is None:
                mine = self.points[name] = Coverpoint.__new__(Coverpoint)
                mine.name, mine.goals, mine.hits = name, {}, {}
            for item, goal in theirs.goals.items():
                if mine.goals.setdefault(item, goal) != goal:
                    raise ValueError(
                        f"coverpoint {name}: bin {item!r} has goals {mine.goals[item]} and {goal}"
                    )
                mine.hits[item] = mine.hits.get(item, 0) + theirs.hits[item]

    def to_json(self) -> dict[str, Any]:
        """Return the file's contents."""
        return {
            "version": VERSION,
            "coverpoints": [
                {
                    "name": name,
                    "bins": [
                        {"name": item, "hits": point.hits[item], "goal": goal}
                        for item, goal in point.goals.items()
                    ],
                }
                for name, point in self.points.items()
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Coverage":
        """Rebuild from a file's contents.

        Raises
        ------
        ValueError
            It is of another version.
        """
        if document.get("version") != VERSION:
            raise ValueError(f"coverage file: version must be {VERSION}, not {document.get('version')!r}")
        coverage = cls()
        for entry in document["coverpoints"]:
            goals = {item["name"]: item["goal"] for item in entry["bins"]}
            point = coverage.add(
                entry["name"],
                {item: goal for item, goal in goals.items() if goal},
                [item for item, goal in goals.items() if not goal],
            )
            for item in entry["bins"]:
                point.hits[item["name"]] = item["hits"]
        return coverage

    def accumulate(self, path: Path) -> None:
        """Add this to the file at `path`, which need not exist; whole or not at all."""
        total = Coverage()
        if path.exists():
            total.merge(Coverage.from_json(json.loads(path.read_text())))
        total.merge(self)
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(total.to_json(), indent=1) + "\n")
        scratch.replace(path)


def merge_files(paths: Iterable[Path]) -> Coverage:
    """Return the sum of coverage files."""
    total = Coverage()
    for path in paths:
        total.merge(Coverage.from_json(json.loads(Path(path).read_text())))
    return total
