"""The JUnit file of a regression: what Jenkins and GitLab accept, with the right colours."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from flow.regress.junit import write
from flow.regress.model import Regression, Result, Verdict

# What both servers take: children in this order, and no other attribute.
SHAPE = {
    "testsuites": (["testsuite"], {"name", "tests", "failures", "errors", "skipped", "time"}),
    "testsuite": (
        ["properties", "testcase"],
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    ),
    "properties": (["property"], set()),
    "property": ([], {"name", "value"}),
    "testcase": (["skipped", "error", "failure", "system-out"], {"name", "classname", "time"}),
    "skipped": ([], {"message"}),
    "error": ([], {"message", "type"}),
    "failure": ([], {"message", "type"}),
    "system-out": ([], set()),
}


def check_shape(element: ET.Element) -> None:
    children, attributes = SHAPE[element.tag]
    assert set(element.attrib) <= attributes, element.tag
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order), element.tag
    if element.tag in ("testsuite", "testsuites"):
        cases = list(element.iter("testcase"))
        assert int(element.attrib["tests"]) == len(cases)
        for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[kind]) == sum(case.find(tag) is not None for case in cases), kind
    for child in element:
        check_shape(child)


def result(verdict: Verdict, seed: int = 1, **other: object) -> Result:
    return Result(**{"test": "fifo", "testcase": "fills", "seed": seed, "verdict": verdict, **other})  # type: ignore[arg-type]


def read(regression: Regression, folder: Path) -> ET.Element:
    root = ET.parse(write(regression, folder / "deep" / "junit.xml")).getroot()
    check_shape(root)
    assert [p.name for p in (folder / "deep").iterdir()] == ["junit.xml"]
    return root


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.PASS, None),
        (Verdict.FAIL, "failure"),
        (Verdict.XPASS, "failure"),
        (Verdict.TIMEOUT, "error"),
        (Verdict.CRASH, "error"),
        (Verdict.INFRA, "error"),
        (Verdict.SKIPPED, "skipped"),
        (Verdict.XFAIL, "skipped"),
    ],
)
def test_every_verdict_has_its_element(tmp_path: Path, verdict: Verdict, kind: str | None) -> None:
    root = read(Regression(id="r", design="d", results=[result(verdict, message="why")]), tmp_path)
    (case,) = root.iter("testcase")
    assert [child.tag for child in case if child.tag != "system-out"] == ([kind] if kind else [])
    if kind:
        assert "why" in case[0].attrib["message"]


def test_red_exactly_when_the_regression_fails(tmp_path: Path) -> None:
    kept = Regression(
        id="r",
        design="d",
        results=[result(Verdict.PASS), result(Verdict.FAIL, 2, quarantined=True, message="late")],
    )
    root = read(kept, tmp_path)
    assert kept.passed and root.attrib["failures"] == root.attrib["errors"] == "0"
    assert root.find(".//skipped").attrib["message"] == "quarantined, fail: late"  # type: ignore[union-attr]


def test_a_missing_test_is_an_error(tmp_path: Path) -> None:
    root = read(Regression(id="r", design="d", missing=[("slow", "it has no result file")]), tmp_path)
    assert root.attrib["tests"] == root.attrib["errors"] == "1"
    assert root.find(".//error").attrib == {"message": "it has no result file", "type": "missing"}  # type: ignore[union-attr]


def test_names_tell_seeds_apart_and_the_command_is_there(tmp_path: Path) -> None:
    big = (1 << 64) - 1
    rows = [
        result(Verdict.FAIL, seed, command=f"suzuri test fifo --seed {seed}", waves="waves/a.fst")
        for seed in (1, big)
    ]
    root = read(
        Regression(
            id="r",
            design="d",
            suite="nightly",
            commit="abc",
            started="2026-11-23T01:02:03+00:00",
            results=rows,
        ),
        tmp_path,
    )
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert names == ["fills [seed 1]", f"fills [seed {big}]"]
    said = [out.text or "" for out in root.iter("system-out")]
    assert f"suzuri test fifo --seed {big}" in said[1] and "[[ATTACHMENT|waves/a.fst]]" in said[1]
    assert root[0].attrib["timestamp"] == "2026-11-23T01:02:03"
    values = {p.attrib["name"]: p.attrib["value"] for p in root[0].iter("property")}
    assert values["commit"] == "abc" and values["suite"] == "nightly" and values["master_seed"] == "1"


def test_what_xml_refuses_does_not_break_it(tmp_path: Path) -> None:
    nasty = "a\x00b\x1b[31m<&>\"']]>\ud800\ufffe\nend"
    root = read(
        Regression(
            id="r", design=nasty, results=[result(Verdict.FAIL, test=nasty, message=nasty, traceback=nasty)]
        ),
        tmp_path,
    )
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.attrib["message"] == failure.text == "a\ufffdb\ufffd[31m<&>\"']]>\ufffd\ufffd\nend"


def test_details_are_limited_and_keep_their_end(tmp_path: Path) -> None:
    long = "x" * 20_000 + "the end"
    rows = [result(Verdict.CRASH, seed, traceback=long, command=long) for seed in range(1500)]
    path = write(Regression(id="r", design="d", results=rows), tmp_path / "junit.xml")
    assert path.stat().st_size < 12_000_000
    root = ET.parse(path).getroot()
    check_shape(root)
    details = [error.text or "" for error in root.iter("error")]
    assert details[0].endswith("the end") and len(details[0]) < 8_100
    assert details[-1] == ""
