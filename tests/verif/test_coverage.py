"""Functional coverage: bins, crosses, goals, files that add up; and seeds."""

import json
from pathlib import Path

import pytest

from verif.coverage import Coverage, CoverageError, Coverpoint, derive_seed, merge_files


def test_hits_goals_and_ratio() -> None:
    point = Coverpoint("p", {"a": 1, "b": 3})
    point.hit("a")
    point.hit("b", 2)
    assert point.missing == ("b",)
    assert point.ratio == 0.5
    point.hit("b")
    assert point.missing == ()
    assert point.ratio == 1.0


def test_illegal_bin_raises_and_counts_as_missing() -> None:
    point = Coverpoint("p", ["a"], illegal=["bad"])
    point.hit("bad", 0)
    with pytest.raises(CoverageError, match="coverpoint p: illegal bin 'bad' was hit"):
        point.hit("bad")
    point.hit("a")
    assert point.missing == ("bad",)


@pytest.mark.parametrize(
    ("bins", "message"),
    [
        ([], "coverpoint p: no bins"),
        (["a", "a"], "coverpoint p: a bin's name comes twice"),
        ({"a": 0}, "coverpoint p: goal of bin 'a' must be at least 1, not 0"),
    ],
)
def test_refused_bins(bins: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Coverpoint("p", bins)


def test_unknown_bin_and_negative_count() -> None:
    point = Coverpoint("p", ["a"])
    with pytest.raises(CoverageError, match="coverpoint p: no bin 'b'"):
        point.hit("b")
    with pytest.raises(ValueError, match="count must not be negative, not -1"):
        point.hit("a", -1)


def test_cross_has_every_combination_but_the_ignored() -> None:
    coverage = Coverage()
    cross = coverage.cross("x", ["a", "b"], ["1", "2"], ignore=[("b", "2")])
    assert list(cross.goals) == ["a*1", "a*2", "b*1"]
    with pytest.raises(ValueError, match="coverpoint x is defined twice"):
        coverage.add("x", ["a"])


def test_document_is_the_contract() -> None:
    coverage = Coverage()
    coverage.add("mac_tile.activation_class", ["min"]).hit("min", 3)
    assert coverage.to_json() == {
        "version": 1,
        "coverpoints": [
            {"name": "mac_tile.activation_class", "bins": [{"name": "min", "hits": 3, "goal": 1}]}
        ],
    }


def test_files_accumulate_and_merge(tmp_path: Path) -> None:
    def sample(item: str) -> Coverage:
        coverage = Coverage()
        coverage.add("p", ["a", "b"], illegal=["bad"]).hit(item)
        return coverage

    sample("a").accumulate(tmp_path / "one.json")
    sample("a").accumulate(tmp_path / "one.json")
    sample("b").accumulate(tmp_path / "two.json")
    total = merge_files([tmp_path / "one.json", tmp_path / "two.json"])
    assert total.points["p"].hits == {"a": 2, "b": 1, "bad": 0}
    assert total.missing == ()
    assert total.ratio == 1.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "two.json"]
    assert Coverage.from_json(json.loads(json.dumps(total.to_json()))).to_json() == total.to_json()


def test_merge_refuses_other_goals_and_versions() -> None:
    one, two = Coverage(), Coverage()
    one.add("p", {"a": 1})
    two.add("p", {"a": 2})
    with pytest.raises(ValueError, match="coverpoint p: bin 'a' has goals 1 and 2"):
        one.merge(two)
    with pytest.raises(ValueError, match="version must be 1, not 2"):
        Coverage.from_json({"version": 2, "coverpoints": []})


def test_nothing_covered_is_zero() -> None:
    assert Coverage().ratio == 0.0


def test_seeds_depend_on_names_and_not_on_order() -> None:
    assert derive_seed(1, "a", "b") == derive_seed(1, "a", "b")
    seeds = {
        derive_seed(seed, *names) for seed in (1, 2, 11) for names in (("a",), ("b",), ("a", "b"), ("ab",))
    }
    assert len(seeds) == 12
