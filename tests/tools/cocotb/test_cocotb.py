from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from flow.model.errors import ConfigError, ToolError
from flow.tools.cocotb import (
    Bin,
    CaseStatus,
    Coverage,
    SimRun,
    merge_coverage,
    merge_junit,
    place_in_bench,
    read_coverage,
    read_coverage_xml,
    read_junit,
    read_record,
)

DATA = Path(__file__).parents[2] / "data" / "cocotb" / "2.1.0"


def xml(name: str) -> str:
    return (DATA / f"{name}.xml").read_text()


def test_good_results():
    (case,) = read_junit(xml("good"))
    assert (case.module, case.name, case.status, case.seed) == ("bench", "good", CaseStatus.PASSED, 7)
    assert case.sim_time_ns == 10.0 and not case.failed


def test_failing_results_say_why_and_where():
    cases = {case.name: case for case in read_junit(xml("mixed"))}
    assert {name: case.status.value for name, case in cases.items()} == {
        "good": "passed", "wrong": "failed", "raises": "failed",
        "skipped": "skipped", "known": "passed", "unexpected": "failed",
    }  # fmt: skip
    assert cases["wrong"].message == "AssertionError: the answer\nassert 41 == 42"
    assert place_in_bench(cases["wrong"], "/home/user/design") == "bench.py:10"
    assert cases["raises"].message == "KeyError: 'nothing'"
    assert place_in_bench(cases["unexpected"], "/home/user/design/") == "bench.py:21"  # of the test itself
    assert cases["unexpected"].message == "passed but we expected an error"


def test_no_tests_are_no_cases():
    assert read_junit(xml("zero")) == ()


@pytest.mark.parametrize("text", ["", xml("truncated"), "<html></html>", "not xml", b"\x00\x01"])
def test_what_is_not_a_result_is_an_error(text):
    with pytest.raises(ToolError, match="results file"):
        read_junit(text)


def test_merging_adds_up_and_labels():
    merged = ElementTree.fromstring(
        merge_junit(
            [({"seed": "1"}, xml("good")), ({"seed": "2"}, xml("mixed")), ({"seed": "3"}, "")]
        ).encode()
    )
    assert {n: merged.get(n) for n in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7", "failures": "3", "errors": "0", "skipped": "1",
    }  # fmt: skip
    seeds = [p.get("value") for p in merged.iter("property") if p.get("name") == "seed"]
    assert seeds == ["1"] + 6 * ["2"]


def test_coverage_is_merged_by_bin():
    bins = [{"name": "a", "hits": 1, "goal": 2}, {"name": "b", "hits": 0}]
    one = read_coverage(json.dumps({"version": 1, "coverpoints": [{"name": "p", "bins": bins}]}))
    two = Coverage(points={"p": {"a": Bin(hits=1, goal=2)}, "q": {"c": Bin(hits=5)}})
    merged = merge_coverage([one, two])
    assert (merged.covered, merged.total, merged.holes) == (2, 3, (("p", "b"),))
    assert merged.percent == pytest.approx(200 / 3)
    assert read_coverage(json.dumps(merged.to_json())) == merged
    assert merge_coverage([]).percent is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"version": 2, "coverpoints": []}', '{"version": 1}',
     '{"version": 1, "coverpoints": [{"name": "p", "bins": [{"name": "a", "hits": -1}]}]}'],
)  # fmt: skip
def test_coverage_in_another_form_is_the_users_input(text):
    with pytest.raises(ConfigError, match=r"functional coverage .* cannot be read"):
        read_coverage(text)


def test_cocotb_coverage_xml():
    text = (
        '<top abs_name="top" size="3"><p abs_name="top.p" at_least="2" size="2">'
        '<bin0 bin="1" hits="2"/><bin1 bin="2" hits="1"/></p></top>'
    )
    assert read_coverage_xml(text).points == {"top.p": {"1": Bin(hits=2, goal=2), "2": Bin(hits=1, goal=2)}}
    with pytest.raises(ConfigError, match="cannot be read"):
        read_coverage_xml("<")


def test_the_record_survives_being_cut_off():
    lines = [
        {"event": "start", "pid": 1},
        {"event": "read", "file": "a.py"},
        {"event": "tests", "names": ["m.t"]},
        {"event": "fork", "index": 0, "seed": 5, "returncode": -6, "timed_out": False, "wall_s": 0.5},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n{"event": "rea'
    record = read_record(text)
    assert record.reads == {"a.py"} and record.tests == ("m.t",)
    assert record.forks[0].returncode == -6
    assert read_record("").reads is None
    assert read_record(text + '\n{"event": "unknown", "reason": "os.system"}').reads is None


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_has_64_bits(seed):
    with pytest.raises(ValueError, match="64-bit"):
        SimRun(modules=("m",), top="t", bench_root=Path(), seeds=(seed,))
