"""Coverage merged over runs: each test and seed once."""

from __future__ import annotations

from flow.regress.coverage import FUNCTIONAL, Collector, Covered, Point, summary


def data(bins, runs=None, point="level", goal=1):
    """Return what a step says: bins by name with their hits, and the hits of each seed."""
    entries = [{"name": name, "hits": hits, "goal": goal} for name, hits in bins.items()]
    said = {"version": 1, "coverpoints": [{"name": point, "bins": entries}]}
    return {"coverage": said | ({"runs": runs} if runs is not None else {})}


def at(name, point="level"):
    return Point(FUNCTIONAL, point, name)


def test_hits_of_runs_and_of_seeds_in_one_process_add_up():
    collector = Collector()
    collector.take([("a", 1)], data({"empty": 2, "full": 0}))
    collector.take([("b", 5), ("b", 6)], data({"empty": 3, "full": 4}, [[5, [1, 4]], [6, [2, 0]]]))
    merged = collector.merged()
    assert merged.points == {at("empty"): Covered(5), at("full"): Covered(4)}
    assert merged.runs == 3


def test_a_run_that_is_taken_in_again_replaces_what_it_was():
    collector = Collector()
    collector.take([("a", 1)], data({"empty": 2, "full": 1}))
    collector.take([("a", 1)], data({"empty": 3, "full": 0}))
    assert collector.merged().points == {at("empty"): Covered(3), at("full"): Covered(0)}
    assert len(collector) == 1


def test_a_repetition_without_coverage_leaves_what_the_run_had():
    collector = Collector()
    collector.take([("a", 1)], data({"empty": 2}))
    collector.take([("a", 1)], {})
    assert collector.merged().points == {at("empty"): Covered(2)}


def test_a_seed_that_left_none_beside_others_counts_nothing():
    collector = Collector()
    collector.take([("b", 5), ("b", 6)], data({"empty": 3}, [[6, [3]]]))
    assert [key for key, _, _ in collector.runs()] == [("b", 6)]


def test_benches_with_other_bins_merge_by_name_and_the_highest_goal_counts():
    collector = Collector()
    collector.take([("a", 1)], data({"x": 2, "y": 1}))
    collector.take([("b", 1)], data({"y": 1, "z": 0}, goal=3))
    assert collector.merged().points == {at("x"): Covered(2), at("y"): Covered(2, 3), at("z"): Covered(0, 3)}


def test_summary_counts_bins_by_kind_and_coverpoint_and_lists_holes():
    collector = Collector()
    collector.take([("a", 1)], data({"x": 2, "y": 1}, goal=2))
    collector.take([("b", 1)], data({"p": 1}, point="other"))
    found = summary(collector.merged())
    assert found["kinds"] == {FUNCTIONAL: [2, 3]} and found["runs"] == 2
    assert found["groups"] == [
        {"name": "level", "covered": 1, "total": 2, "holes": [["y", 1, 2]], "more": 0},
        {"name": "other", "covered": 1, "total": 1, "holes": [], "more": 0},
    ]


def test_many_holes_are_counted_beyond_those_listed():
    collector = Collector()
    collector.take([("a", 1)], data({f"bin{i}": 0 for i in range(1000)}))
    (row,) = summary(collector.merged())["groups"]
    assert len(row["holes"]) + row["more"] == 1000 and row["more"] > 0


def test_without_coverage_nothing_is_said():
    assert summary(Collector().merged()) == {}
