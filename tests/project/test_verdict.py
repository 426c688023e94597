"""Limits, and the verdict of a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from flow.engine.manifest import load_design
from flow.model.check import Check, Severity
from flow.model.design import Design, Limit, PdkTarget
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.model.step import Outcome, Status, Step
from flow.project.request import PARTS
from flow.project.verdict import check_limits, judge

ALL = frozenset(PARTS)


def step(name, kind, **tags):
    return Step(name=name, kind=kind, stage="none:None", tags=tags)


def outcome(metrics=None, status=Status.DONE, **values):
    return Outcome(status=status, key="k", metrics=metrics or {}, **values)


def design(*limits, pdks=None):
    return Design(name="d", top="t", language="verilog", root=Path(), manifest=Path("suzuri.toml"),
                  limits=limits, pdks=pdks or {})  # fmt: skip


def plan(name="osu018"):
    corner = SimpleNamespace(name="tt")
    return SimpleNamespace(pdk=SimpleNamespace(name=name), corners=(corner,))


def rows(limit, steps, parts=ALL, plans=(), pdks=None):
    graph = Graph([s for s, _ in steps])
    found = check_limits(design(*limit, pdks=pdks), plans, graph, {s.name: o for s, o in steps}, parts)
    return [(r["metric"], r["value"], r["passed"], r["pdk"]) for r in found]


def test_a_limit_that_nothing_was_measured_for_is_missed():
    limit = Limit(metric="power__switching__total", max=1.0)
    steps = [(step("power.a", "power", pdk="osu018", corner="tt"), outcome({"power__total": 1.0}))]
    assert rows([limit], steps, plans=[plan()]) == [("power__switching__total", None, False, None)]


def test_a_limit_on_a_part_that_was_not_asked_for_is_none():
    limit = Limit(metric="power__switching__total", max=1.0)
    assert rows([limit], [(step("lint", "lint"), outcome())], parts=frozenset({"elaborate", "lint"})) == []


def test_a_limit_on_a_part_that_failed_is_told_by_the_failure_alone():
    limit = Limit(metric="sim__coverage__functional", min=90)
    assert rows([limit], [(step("simulate.t.0", "simulate"), outcome(status=Status.FAILED))]) == []


def test_a_limit_of_a_pdk_on_an_unknown_corner_is_missed():
    limit = Limit(metric="timing__hold__ws__corner:ss", min=0)
    steps = [(step("timing.a", "timing", pdk="osu018", corner="tt"), outcome({"timing__hold__ws": 1.0}))]
    pdks = {"osu018": PdkTarget(name="osu018", limits=(limit,))}
    assert rows([], steps, plans=[plan()], pdks=pdks) == [
        ("timing__hold__ws__corner:ss", None, False, "osu018")
    ]


def test_tests_count_together():
    limit = Limit(metric="sim__test__count", min=5)
    steps = [
        (step(f"simulate.t.{i}", "simulate", test="t", index=str(i)), outcome({"sim__test__count": 3}))
        for i in range(2)
    ]
    assert rows([limit], steps) == [("sim__test__count", 6, True, None)]


def test_coverage_is_of_all_tests_together():
    def covered(first, second):
        bins = [{"name": "x", "hits": first, "goal": 1}, {"name": "y", "hits": second, "goal": 1}]
        table = {"version": 1, "coverpoints": [{"name": "p", "bins": bins}]}
        return outcome({"sim__coverage__functional": 50.0}, data={"coverage": table})

    limit = Limit(metric="sim__coverage__functional", min=100)
    steps = [
        (step("simulate.a.0", "simulate"), covered(1, 0)),
        (step("simulate.b.0", "simulate"), covered(0, 1)),
    ]
    assert rows([limit], steps) == [("sim__coverage__functional", 100.0, True, None)]


def test_a_misspelt_metric_is_refused_with_the_nearest(tmp_path):
    (tmp_path / "a.v").write_text("module a; endmodule\n")
    (tmp_path / "suzuri.toml").write_text(
        '[design]\nname = "a"\ntop = "a"\nsources = "a.v"\n'
        '[[limit]]\nmetric = "timing__setup__wns"\nmin = 0\n'
    )
    with pytest.raises(ConfigError, match=r"limit\[0\]\.metric.*Did you mean 'timing__setup__ws'"):
        load_design(tmp_path)


@pytest.mark.parametrize(
    ("outcomes", "status", "code"),
    [
        ([outcome()], "pass", 0),
        ([outcome(checks=(Check(name="c", passed=False, message="m"),))], "fail", 1),
        ([outcome(checks=(Check(name="c", passed=False, severity=Severity.WARNING),))], "pass", 0),
        ([outcome(status=Status.FAILED, error={"type": "ConfigError", "what": "w"})], "error", 2),
        ([outcome(status=Status.FAILED, error={"type": "ToolError", "what": "w"})], "error", 3),
        ([outcome(status=Status.INFRA, error={"type": "InfraError", "what": "w"})], "error", 3),
        ([outcome(), outcome(status=Status.CANCELLED)], "cancelled", 130),
        ([outcome(status=Status.FAILED, error=None), outcome(status=Status.SKIPPED)], "error", 3),
    ],
)
def test_the_worst_decides(outcomes, status, code):
    steps = [step(f"s{i}", "lint") for i in range(len(outcomes))]
    verdict = judge(Graph(steps), {s.name: o for s, o in zip(steps, outcomes, strict=True)}, [], [])
    assert (verdict.status, verdict.exit_code) == (status, code)


def test_a_missed_limit_fails_and_says_what_was_asked_for():
    row = {"metric": "power__total", "min": None, "max": 1.0, "value": None, "pdk": "osu018",
           "corner": None, "passed": False}  # fmt: skip
    verdict = judge(Graph([]), {}, [row], [])
    assert verdict.exit_code == 1
    assert verdict.reasons == ("power__total on osu018: not measured, must be at most 1",)
