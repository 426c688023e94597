"""Ranking: few runs that keep all that is covered."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import pytest

from flow.model.design import Design, TestSpec
from flow.model.errors import ConfigError
from flow.regress.coverage import Collector
from flow.regress.rank import RANKED, rank, ranked_record, ranked_runs, read_ranked


def collected(runs, goals=None):
    """Return runs of test t by seed, each with its hits by bin."""
    collector = Collector()
    names = sorted({name for hits in runs.values() for name in hits} | set(goals or ()))
    for seed, hits in runs.items():
        bins = [
            {"name": name, "hits": hits.get(name, 0), "goal": (goals or {}).get(name, 1)} for name in names
        ]
        collector.take([("t", seed)], {"coverage": {"coverpoints": [{"name": "p", "bins": bins}]}})
    return collector


def sets(*members):
    return {seed: dict.fromkeys(bins, 1) for seed, bins in enumerate(members)}


def seeds(ranked):
    return [found.key[1] for found in ranked]


def covered(runs, chosen, goals=None):
    names = {name for hits in runs.values() for name in hits}
    return {n for n in names if sum(runs[s].get(n, 0) for s in chosen) >= (goals or {}).get(n, 1)}


def test_the_run_that_adds_most_comes_first_and_the_shorter_of_equals():
    runs = sets("ab", "abc", "d", "d")
    ranked = rank(collected(runs), {("t", 2): 5.0, ("t", 3): 1.0})
    assert [(found.key[1], found.adds) for found in ranked] == [(1, 3), (3, 1)]


def test_a_run_that_later_ones_make_needless_is_dropped():
    runs = sets("cdef", "abcd", "efgh")  # greedy takes the first of equals, then needs the two others
    ranked = rank(collected(runs), {("t", 1): 1.0, ("t", 2): 1.0})
    assert seeds(ranked) == [1, 2]


def test_goals_of_many_hits_keep_as_many_runs_as_they_need():
    runs = {1: {"a": 2}, 2: {"a": 2}, 3: {"a": 1}, 4: {"b": 1}}
    goals = {"a": 4, "b": 9}  # b is never covered, so that nothing is run for it
    assert sorted(seeds(rank(collected(runs, goals), {}))) == [1, 2]


def test_illegal_bins_want_no_run():
    assert rank(collected({1: {"bad": 0}}, {"bad": 0}), {}) == []


@pytest.mark.parametrize("trial", range(20))
def test_random_sets_keep_all_coverage_without_a_run_too_many(trial):
    draw = random.Random(trial)
    bins = "abcdefghijkl"
    runs = {
        seed: {name: draw.randint(1, 3) for name in draw.sample(bins, draw.randint(1, 5))}
        for seed in range(9)
    }
    goals = {name: draw.choice([1, 1, 2, 4]) for name in bins}
    ranked = rank(collected(runs, goals), {("t", seed): draw.random() for seed in runs})
    chosen, every = seeds(ranked), covered(runs, runs, goals)
    assert covered(runs, chosen, goals) == every
    assert all(covered(runs, set(chosen) - {one}, goals) != every for one in chosen)
    assert sum(found.adds for found in ranked) == len(every)
    best = next(
        size for size in range(10) if any(covered(runs, c, goals) == every for c in combinations(runs, size))
    )
    assert len(chosen) <= best + 2


def write(build: Path, identity: str, runs=(("t", 1 << 63),)) -> None:
    folder = build / "regress" / identity
    folder.mkdir(parents=True)
    rows = [{"test": test, "seed": str(seed)} for test, seed in runs]
    (folder / RANKED).write_text(json.dumps({"version": 1, "regression": identity, "runs": rows}))


def test_the_latest_ranking_is_found_or_that_of_an_id(tmp_path):
    for identity in ("20260101-a", "20260102-b"):
        write(tmp_path, identity)
    assert read_ranked(tmp_path) == ("20260102-b", [("t", 1 << 63)])
    assert read_ranked(tmp_path, "20260101")[0] == "20260101-a"
    with pytest.raises(ConfigError, match="several regressions begin"):
        read_ranked(tmp_path, "2026010")
    with pytest.raises(ConfigError, match="no regression 'x'"):
        read_ranked(tmp_path, "x")


def test_a_damaged_ranking_is_said_to_be(tmp_path):
    write(tmp_path, "one")
    (tmp_path / "regress" / "one" / RANKED).write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_ranked(tmp_path)


def test_what_is_written_is_read_back(tmp_path):
    collector = collected(sets("ab", "c"))
    record = ranked_record("one", rank(collector, {}), len(collector))
    assert record["of"] == 2
    write(tmp_path, "one")
    (tmp_path / "regress" / "one" / RANKED).write_text(json.dumps(record))
    assert read_ranked(tmp_path) == ("one", [("t", 0), ("t", 1)])


def test_runs_have_the_ranking_s_seeds_and_only_chosen_tests():
    tests = tuple(TestSpec(name=name, module="bench") for name in ("a", "b"))
    design = Design(name="d", top="d", language="verilog", root=Path(), manifest=Path("m"), tests=tests)
    keys = [("b", 7), ("a", 9), ("b", 3)]
    assert [(r.test.name, r.index, r.seed) for r in ranked_runs(design, tests[1:], keys)] == [
        ("b", 0, 7),
        ("b", 1, 3),
    ]
    with pytest.raises(ConfigError, match="no longer there: gone"):
        ranked_runs(design, tests, [("gone", 1)])
    with pytest.raises(ConfigError, match="none of the chosen"):
        ranked_runs(design, tests[:1], [("b", 1)])
