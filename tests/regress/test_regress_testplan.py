"""The test plan: from the manifest to the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from regress_sample import regression

from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.model.testplan import TestplanEntry, matches
from flow.regress.coverage import FUNCTIONAL, Covered, Merged, Point
from flow.regress.model import Result, Verdict
from flow.regress.testplan import plan_rows, unmatched
from flow.report.regress.page import render

MANIFEST = """\
[design]
name = "d"
top = "d"
sources = ["d.v"]

[[test]]
name = "mixed"
module = "bench"

[[testplan]]
name = "order"
requirement = "Words stay in order."
tests = ["mixed"]
bins = ["level", "offer.taken*"]
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "d.v").write_text("module d; endmodule\n")

    def load(text):
        (tmp_path / "suzuri.toml").write_text(text)
        return load_design(tmp_path)

    return load


def test_manifest_has_entries(load):
    assert load(MANIFEST).testplan == (
        TestplanEntry(
            name="order",
            requirement="Words stay in order.",
            tests=("mixed",),
            bins=("level", "offer.taken*"),
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('tests = ["mixed"]\n', 'tests = ["mixd"]\n', "no test 'mixd'; did you mean 'mixed'"),
        ('tests = ["mixed"]\nbins = ["level", "offer.taken*"]\n', "", "give tests, bins or code"),
        ('name = "order"\n', "", "'name' is missing"),
        ("bins =", "bin =", "bin"),
        ("[[testplan]]", '[[testplan]]\nname = "order"\ntests = ["mixed"]\n[[testplan]]', "defined twice"),
    ],
)
def test_manifest_is_wrong(load, old, new, said):
    assert old in MANIFEST
    with pytest.raises(ConfigError, match=said):
        load(MANIFEST.replace(old, new))


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [("level", True), ("level.full", True), ("lev*", True), ("level.e*", False), ("full", False)],
)
def test_pattern_means_a_coverpoint_or_a_bin(pattern, meant):
    assert matches(pattern, "level", "full") == meant


MERGED = Merged(
    points={
        Point(FUNCTIONAL, "level", "full"): Covered(0),
        Point(FUNCTIONAL, "level", "empty"): Covered(3),
        Point("line", "level", "7"): Covered(0),
    },
    runs=1,
)
RESULTS = [
    Result(test="a", testcase="t", seed=1, verdict=Verdict.PASS),
    Result(test="a", testcase="t", seed=2, verdict=Verdict.FAIL),
    Result(test="b", testcase="t", seed=1, verdict=Verdict.SKIPPED),
]


def entry(**values):
    return TestplanEntry(name="e", **values)


def test_row_counts_results_and_bins_and_lists_holes():
    (row,) = plan_rows([entry(tests=("a", "b", "c"), bins=("level", "none*"))], RESULTS, MERGED)
    assert (row["passed"], row["failed"], row["not_run"]) == (1, 1, ["b", "c"])
    assert (row["covered"], row["total"], row["holes"]) == (1, 2, [["level", "full", 0, 1]])
    assert row["unmatched"] == ["none*"]


def test_pattern_without_bins_is_warned_of_once_the_tests_ran():
    ran, not_run = (plan_rows([entry(tests=(t,), bins=("none*",))], RESULTS, MERGED) for t in "ab")
    assert unmatched(ran) == ["testplan e: nothing matches 'none*'"]
    assert unmatched(not_run) == []


def test_page_has_the_worst_entry_first():
    plan = [
        TestplanEntry(name="covered", bins=("level.empty",)),
        TestplanEntry(name="holed", bins=("level",)),
        TestplanEntry(name="unrun", tests=("c",)),
        TestplanEntry(name="broken", requirement="<never>", tests=("a",)),
    ]
    page = render(replace(regression(), coverage={"testplan": plan_rows(plan, RESULTS, MERGED)}))
    page = page[page.index('id="testplan"') :]
    places = [page.index(f">{name}<") for name in ("broken", "unrun", "holed", "covered")]
    assert places == sorted(places)
    assert "level.full" in page and "&lt;never&gt;" in page and "1 of 4 requirements" in page
