"""Ranking: the runs that are enough for the coverage of a whole regression, the most useful first."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.model.design import Design, TestSpec
from flow.model.errors import ConfigError
from flow.regress.coverage import Collector, Key, Merged, Point
from flow.stages.chip import TestRun

if TYPE_CHECKING:
    from flow.regress.codecov.collector import CodeCollector

__all__ = ["RANKED", "Ranked", "rank", "ranked_record", "ranked_runs", "read_ranked"]

#: Name of the record beside that of the regression.
RANKED = "ranked.json"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A run that is kept: how long it took, and how many points it is the first to complete."""

    key: Key
    time_s: float
    adds: int


@dataclass(slots=True)
class _Reach:
    """What one run reaches: bits of points that one hit completes, and hits of those that need more."""

    once: int
    often: dict[int, int]


def rank(
    collector: Collector,
    times: Mapping[Key, float],
    merged: Merged | None = None,
    code: CodeCollector | None = None,
) -> list[Ranked]:
    """Return a small set of runs that covers every point which all of them cover.

    Greedy: always the run that adds most, of equals the shorter one; a
    run's gain is only computed again when it could still be the largest, since
    gains never grow. In the end runs are dropped, the longest first, that
    those chosen later made needless. The set is not always the smallest: to
    find that takes exponential time.

    Parameters
    ----------
    collector
        What the runs reached.
    times
        How long each took, in seconds; a run that is not there counts as 0.
    merged
        What `collector` has of all runs, where that is known already.
    code
        What the runs hit of the code; each of its points is to be hit once.
    """
    merged = merged or collector.merged()
    goals = {point: found.goal for point, found in merged.points.items() if found.enough}
    place = {point: number for number, (point, goal) in enumerate(goals.items()) if goal > 0}
    needs = {place[point]: goal for point, goal in goals.items() if goal > 1}
    reaches = _reaches(collector, place, needs)
    wanted = sum(1 << n for n in place.values() if n not in needs)
    for key, bits in code.reaches() if code is not None else ():
        reach = reaches.setdefault(key, _Reach(0, {}))
        reach.once |= bits << len(place)
        wanted |= bits << len(place)
    chosen = _greedy(reaches, times, wanted, needs)
    chosen = _needed(chosen, reaches, times, needs)
    return _credited(chosen, reaches, times, needs)


def _reaches(collector: Collector, place: Mapping[Point, int], needs: Mapping[int, int]) -> dict[Key, _Reach]:
    found: dict[Key, _Reach] = {}
    for key, points, hits in collector.runs():
        bits = bytearray(len(place) // 8 + 1)
        often: dict[int, int] = {}
        for point, count in zip(points, hits, strict=True):
            number = place.get(point) if count else None
            if number is None:
                continue
            if number in needs:
                often[number] = often.get(number, 0) + count
            else:
                bits[number >> 3] |= 1 << (number & 7)
        found[key] = _Reach(int.from_bytes(bits, "little"), often)
    return found


def _gain(reach: _Reach, open_bits: int, left: Mapping[int, int], needs: Mapping[int, int]) -> float:
    """Return what a run would add: points, and of those that need many hits the share that it gives."""
    gain = float((reach.once & open_bits).bit_count())
    for number, count in reach.often.items():
        gain += max(0, min(count, left[number])) / needs[number]
    return gain


def _greedy(
    reaches: Mapping[Key, _Reach], times: Mapping[Key, float], open_bits: int, needs: Mapping[int, int]
) -> list[Key]:
    left = dict(needs)
    heap = [
        (-_gain(reach, open_bits, left, needs), times.get(key, 0.0), key) for key, reach in reaches.items()
    ]
    heapq.heapify(heap)
    chosen: list[Key] = []
    while heap:
        _, time_s, key = heapq.heappop(heap)
        reach = reaches[key]
        now = -_gain(reach, open_bits, left, needs), time_s, key
        if heap and now > heap[0]:
            heapq.heappush(heap, now)
        elif now[0] < 0:
            chosen.append(key)
            open_bits &= ~reach.once
            for number, count in reach.often.items():
                left[number] -= count
        else:
            break  # the best one adds nothing
    return chosen


def _needed(
    chosen: Sequence[Key], reaches: Mapping[Key, _Reach], times: Mapping[Key, float], needs: Mapping[int, int]
) -> list[Key]:
    """Return the chosen runs without those that the others make needless."""
    counts: dict[int, int] = {}  # by bit: how many of the chosen hit it
    total: dict[int, int] = {}
    for key in chosen:
        for bit in _bits(reaches[key].once):
            counts[bit] = counts.get(bit, 0) + 1
        for number, count in reaches[key].often.items():
            total[number] = total.get(number, 0) + count
    dropped: set[Key] = set()
    for key in sorted(chosen, key=lambda key: (-times.get(key, 0.0), key)):
        reach = reaches[key]
        if any(counts[bit] == 1 for bit in _bits(reach.once)):
            continue
        if any(total[n] >= needs[n] > total[n] - count for n, count in reach.often.items()):
            continue
        dropped.add(key)
        for bit in _bits(reach.once):
            counts[bit] -= 1
        for number, count in reach.often.items():
            total[number] -= count
    return [key for key in chosen if key not in dropped]


def _bits(value: int) -> list[int]:
    """Return the places of the bits that are set, of numbers with many thousand bits too."""
    digits = bin(value)[:1:-1]
    return [place for place, digit in enumerate(digits) if digit == "1"]


def _credited(
    chosen: Sequence[Key], reaches: Mapping[Key, _Reach], times: Mapping[Key, float], needs: Mapping[int, int]
) -> list[Ranked]:
    """Return the runs with the points that each is the first to complete."""
    seen, left = 0, dict(needs)
    found: list[Ranked] = []
    for key in chosen:
        reach = reaches[key]
        adds = (reach.once & ~seen).bit_count()
        seen |= reach.once
        for number, count in reach.often.items():
            adds += 0 < left[number] <= count
            left[number] -= count
        found.append(Ranked(key, times.get(key, 0.0), adds))
    return found


def ranked_record(regression: str, ranked: Sequence[Ranked], of: int) -> dict[str, Any]:
    """Return what is written of a ranking of so many runs; seeds as text, as JavaScript needs them."""
    return {
        "version": 1,
        "regression": regression,
        "of": of,
        "runs": [
            {"test": r.key[0], "seed": str(r.key[1]), "time_s": round(r.time_s, 3), "adds": r.adds}
            for r in ranked
        ],
    }


def read_ranked(build: Path, word: str = "") -> tuple[str, list[Key]]:
    """Return the id of a regression that has a ranking, and the runs in it.

    Parameters
    ----------
    build
        The build folder.
    word
        How its id begins; the latest that has a ranking where it is empty.

    Raises
    ------
    ConfigError
        There is none, several begin so, or its record is damaged.
    """
    found = sorted(
        path for path in (build / "regress").glob(f"*/{RANKED}") if path.parent.name.startswith(word)
    )
    if not found:
        which = f"no regression {word!r} with a ranking" if word else "no regression with a ranking"
        raise ConfigError(
            f"there is {which}",
            build / "regress",
            "Run suzuri regress first, with tests that leave coverage.",
        )
    if word and len(found) > 1:
        names = ", ".join(path.parent.name for path in found[:5])
        raise ConfigError(f"several regressions begin with {word!r}: {names}", build / "regress")
    try:
        record = json.loads(found[-1].read_text())
        if record["version"] != 1:
            raise ValueError(f"version {record['version']!r} is not known")
        return record["regression"], [(row["test"], int(row["seed"])) for row in record["runs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"the ranking cannot be read: {error}", found[-1]) from None


def ranked_runs(design: Design, tests: Sequence[TestSpec], keys: Sequence[Key]) -> list[TestRun]:
    """Return the runs of a ranking, of the tests that are chosen.

    Raises
    ------
    ConfigError
        It has a test that is no longer there, or none of those that are chosen.
    """
    known = {test.name for test in design.tests}
    if gone := sorted({test for test, _ in keys} - known):
        raise ConfigError(
            f"the ranking has tests that are no longer there: {', '.join(gone)}", design.manifest,
            "Run the whole regression again.",
        )  # fmt: skip
    runs: list[TestRun] = []
    for test in tests:
        seeds = [seed for name, seed in keys if name == test.name]
        own = replace(test, seeds=max(1, len(seeds)))
        runs += [TestRun(test=own, index=index, seed=seed) for index, seed in enumerate(seeds)]
    if not runs:
        raise ConfigError("the ranking has none of the chosen tests", design.manifest)
    return runs
