"""Merged coverage as UCIS XML, read back."""

from __future__ import annotations

from xml.etree import ElementTree

from flow.regress.coverage import FUNCTIONAL, Covered, Merged, Point
from flow.regress.coverage_ucis import ucis_xml
from flow.regress.model import Regression, Result, Verdict

REGRESSION = Regression(
    id="20260101T000000-abc",
    design="fifo",
    started="2026-01-01T00:00:00+00:00",
    command='suzuri regress --tag "a & b"',
    results=[Result(test="t", testcase="c", seed=1, verdict=Verdict.PASS)],
)


def merged(*points):
    return Merged(
        points={Point(FUNCTIONAL, group, name): Covered(hits, goal) for group, name, hits, goal in points},
        runs=3,
    )


def read(text):
    """Return each coverpoint with its goal, and its bins with type and hits."""
    found = {}
    for point in ElementTree.fromstring(text).iter("coverpoint"):
        bins = {
            entry.get("name"): (entry.get("type"), int(entry.find("range/contents").get("coverageCount")))
            for entry in point.iter("coverpointBin")
        }
        found[point.get("name")] = int(point.find("options").get("at_least")), bins
    return found


def test_bins_come_back_with_hits_and_goals():
    text = ucis_xml(
        REGRESSION, merged(("level", "full", 0, 2), ("level", "<&\"'>\x01", 7, 2), ("op", "add", 1, 1))
    )
    assert read(text) == {
        "level": (2, {"full": ("bins", 0), "<&\"'>?": ("bins", 7)}),
        "op": (1, {"add": ("bins", 1)}),
    }


def test_a_coverpoint_with_several_goals_is_split_and_illegal_bins_are_said_to_be():
    text = ucis_xml(
        REGRESSION, merged(("p", "a", 1, 1), ("p", "b", 2, 4), ("p", "never", 0, 0), ("q", "no", 0, 0))
    )
    assert read(text) == {
        "p (goal 1)": (1, {"a": ("bins", 1), "never": ("illegal", 0)}),
        "p (goal 4)": (4, {"b": ("bins", 2)}),
        "q": (1, {"no": ("illegal", 0)}),
    }


def test_every_coverpoint_is_in_an_instance_of_the_design_and_ids_are_unique():
    root = ElementTree.fromstring(ucis_xml(REGRESSION, merged(("p", "a", 1, 1), ("q", "b", 2, 1))))
    assert [child.tag for child in root] == ["sourceFiles", "historyNodes", "instanceCoverages"]
    history = root.find("historyNodes")
    assert history.get("testStatus") == "true" and history.get("cmd") == REGRESSION.command
    points = root.findall("instanceCoverages/covergroupCoverage/cgInstance/coverpoint")
    assert [point.get("key") for point in points] == ["0", "1"]
    assert root.find("instanceCoverages").get("moduleName") == "fifo"
