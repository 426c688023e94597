"""Suites choose tests, seeds are shared out, and history orders them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.cli.regress_cmd import regress
from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.model.suite import TagExpression
from flow.regress.history import TestPast
from flow.regress.limits import arrange, limit_s
from flow.regress.seeds import runs_of
from flow.regress.select import Choice, select, share_out

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["counter.v"]

[[test]]
name = "a"
module = "bench"
seeds = 3
tags = ["smoke", "nightly"]

[[test]]
name = "b"
module = "bench"
weight = 3
tags = ["nightly", "slow"]
timeout_s = 50
xfail = "the counter saturates"

[[test]]
name = "c"
module = "bench"
quarantine = "being looked at"
owner = "verification"

[[suite]]
name = "quick"
tags = "nightly and not slow"
tests = ["c"]
seeds = 7
timeout_factor = 2

[[suite]]
name = "shared"
runs = 100
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "counter.v").write_text("module counter; endmodule\n")

    def load(text=MANIFEST):
        (tmp_path / "suzuri.toml").write_text(text)
        return load_design(tmp_path)

    return load


def names(tests):
    return [test.name for test in tests]


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("smoke", {"smoke"}, True),
        ("smoke and not slow", {"smoke"}, True),
        ("smoke and not slow", {"smoke", "slow"}, False),
        ("not not smoke", {"smoke"}, True),
        ("a or b and c", {"a"}, True),
        ("(a or b) and c", {"a"}, False),
        ("not (a or b)", {"c"}, True),
        ("not a or b", {"a", "b"}, True),
        ("gate-level", {"gate-level"}, True),
    ],
)
def test_expression(text, tags, expected):
    assert TagExpression(text).matches(tags) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one tag"),
        ("a and", "a tag is missing at its end"),
        ("and a", "a tag is missing before 'and'"),
        ("(a or b", "a '\\)' is missing"),
        ("a b", "'b' is not expected there"),
        ("a & b", "'&' is not understood"),
        ("a)", "'\\)' is not expected"),
    ],
)
def test_malformed_expression(text, said):
    with pytest.raises(ValueError, match=said):
        TagExpression(text)


def test_suites(load):
    design = load()
    assert names(select(design, Choice())) == ["a", "b", "c"]
    assert names(select(design, Choice(suite="smoke"))) == ["a"]
    assert names(select(design, Choice(suite="nightly", tags="not slow"))) == ["a"]
    assert names(select(design, Choice(suite="nightly", tests=("b",)))) == ["b"]
    quick = select(design, Choice(suite="quick"))
    assert [(t.name, t.seeds, t.timeout_s) for t in quick] == [("a", 7, 600), ("c", 7, 600)]
    assert {t.seeds for t in select(design, Choice(suite="quick", seeds=9))} == {9}
    assert [t.seeds for t in select(design, Choice(suite="shared"))] == [20, 60, 20]
    assert [t.seeds for t in select(design, Choice())] == [3, 1, 1]


def test_manifest_tells_what_is_expected(load):
    _, b, c = load().tests
    assert (b.xfail, b.quarantine) == ("the counter saturates", "")
    assert (c.quarantine, c.owner) == ("being looked at", "verification")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(suite="nightli"), "Did you mean 'nightly'"),
        (Choice(suite="weekly"), "no test is chosen"),
        (Choice(tests=("d",)), "there is no test 'd'"),
        (Choice(tags="a or"), "a tag is missing"),
    ],
)
def test_nothing_to_choose(load, choice, said):
    with pytest.raises(ConfigError, match=said):
        select(load(), choice)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('xfail = "the counter saturates"', 'xfail = ""', "a reason is required"),
        ('tests = ["c"]', 'tests = ["cc"]', "there is no test 'cc'"),
        ("nightly and not slow", "nightly and", "a tag is missing"),
        ("runs = 100", "runs = 100\nseeds = 4", "give seeds"),
        ('name = "shared"', 'name = "quick"', "defined twice"),
        ("weight = 3", "weight = 0", "weight must be positive"),
        ("runs = 100", "rnus = 100", "Did you mean 'runs'"),
    ],
)
def test_manifest_is_wrong(load, old, new, said):
    assert old in MANIFEST
    with pytest.raises(ConfigError, match=said):
        load(MANIFEST.replace(old, new))


def test_sharing_out_gives_each_one_and_loses_none():
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]
    assert share_out(10, [1, 0.001]) == [9, 1]
    assert share_out(2, [1, 1, 1]) == [1, 1, 1]


def test_seeds_depend_on_the_test_and_its_index_alone(load):
    tests = select(load(), Choice(seeds=50))
    whole = {(run.test.name, run.index): run.seed for run in runs_of(tests, 1)}
    alone = {(run.test.name, run.index): run.seed for run in runs_of(tests[1:2], 1)}
    assert len(set(whole.values())) == 150, "two tests share a seed"
    assert alone.items() <= whole.items()
    assert not {run.seed for run in runs_of(tests, 2)} & set(whole.values())
    assert all(0 <= seed < 1 << 64 for seed in whole.values())
    assert [run.seed for run in runs_of(tests, 1, fixed_seed=5)] == [5, 5, 5]


def test_likely_failures_first_then_new_ones_then_the_longest(load):
    runs = runs_of(load().tests, 1)
    past = {
        "a": TestPast(runs=10, failed=0, slowest_s=3.0),
        "b": TestPast(runs=10, failed=1, slowest_s=1.0),
    }
    assert list(dict.fromkeys(run.test.name for run in arrange(runs, past))) == ["b", "c", "a"]
    past |= {"a": TestPast(runs=10, failed=9), "c": TestPast(runs=4, slowest_s=9.0)}
    assert list(dict.fromkeys(run.test.name for run in arrange(runs, past))) == ["a", "b", "c"]
    assert [run.index for run in arrange(runs, past) if run.test.name == "a"] == [0, 1, 2]


def test_changed_tests_come_before_clean_ones(load):
    past = {name: TestPast(runs=1, slowest_s=1.0) for name in "abc"}
    assert arrange(runs_of(load().tests, 1), past, changed={"c"})[0].test.name == "c"


def test_limits_follow_the_slowest_run_within_the_tests_own():
    assert limit_s(None, 300) == 300
    assert limit_s(TestPast(runs=3, failed=3), 300) == 300
    assert limit_s(TestPast(slowest_s=0.1), 300) == 20
    assert limit_s(TestPast(slowest_s=0.1), 7) == 7
    assert limit_s(TestPast(slowest_s=10.0), 300) == 50
    assert limit_s(TestPast(slowest_s=10.0, cases=4), 300) == 200
    assert limit_s(TestPast(slowest_s=100.0), 300) == 300


def test_many_short_runs_share_more_of_a_process(load):
    tests = select(load(), Choice(tests=("a",), seeds=200))
    runs = runs_of(tests, 1)
    assert {run.group for run in arrange(runs, {})} == {50}
    assert {run.group for run in arrange(runs, {"a": TestPast(runs=1, slowest_s=30.0)})} == {None}
    assert {run.group for run in arrange(runs[:199], {})} == {50}, "a subset leaves the groups as they are"


def test_a_folder_in_the_place_of_a_suite_is_told_how_to_say_it() -> None:
    folder = Path(__file__).parents[2] / "examples" / "fifo"
    with pytest.raises(ConfigError, match="is a folder, not a suite") as caught:
        regress.main([str(folder)], standalone_mode=False)
    assert caught.value.remedy == f"suzuri regress --design {folder}"
