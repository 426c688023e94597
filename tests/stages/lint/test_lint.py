from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from flow.model.check import Severity
from flow.model.design import LintWaiver
from flow.model.errors import ConfigError
from flow.stages.lint import Finding, Lint, apply_waivers
from flow.tools.verilator import VERILATOR

_spec = importlib.util.spec_from_file_location(
    "lint_context", Path(__file__).parents[1] / "simulate" / "context.py"
)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

BAD = """\
module bad(input a, input s, output y, output reg l, output [3:0] w);
  wire x = y ^ a;
  assign y = s ? x : a;
  always @* if (s) l = a;
  assign w = {a, s, 3'b1};
endmodule
"""


@pytest.fixture
def lint(tmp_path):
    def lint_(sources, **params):
        for name, text in sources.items():
            path = tmp_path / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        chosen = {"sources": [n for n in sources if not n.endswith("h")], "top": "bad", **params}
        context = _module.Context(
            tmp_path / "work", params=chosen, inputs={"src": tmp_path / "src"}, tools=[VERILATOR.detect()]
        )
        Lint().execute(context)
        return context

    return lint_


def finding(rule="WIDTHTRUNC", file="rtl/a.v", line=5, message="too wide", severity=Severity.WARNING):
    return Finding(rule=rule, severity=severity, message=message, file=file, line=line)


@pytest.mark.parametrize(
    ("waiver", "accepted"),
    [
        ({"rule": "WIDTHTRUNC"}, True),
        ({"rule": "WIDTH*", "file": "rtl/*"}, True),
        ({"rule": "*", "lines": (5, 6), "match": "*wide*"}, True),
        ({"rule": "LATCH"}, False),
        ({"rule": "WIDTHTRUNC", "file": "other/*"}, False),
        ({"rule": "WIDTHTRUNC", "lines": (6, 9)}, False),
        ({"rule": "WIDTHTRUNC", "match": "narrow"}, False),
    ],
)
def test_a_waiver_accepts_by_rule_place_and_message(waiver, accepted):
    rule = LintWaiver(reason="right", **waiver)
    (marked,), unused = apply_waivers([finding()], [rule])
    assert (marked.waived_by == rule) is accepted
    assert (unused == ()) is accepted


def test_an_error_cannot_be_waived():
    rule = LintWaiver(rule="*", reason="no")
    (marked,), unused = apply_waivers([finding(severity=Severity.ERROR)], [rule])
    assert marked.waived_by is None and unused == (rule,)


@pytest.mark.sim
def test_a_loop_and_a_latch_are_found_where_they_are(lint):
    context = lint({"rtl/bad.v": BAD})
    places = {c.name: c.place for c in context.checks if not c.passed}
    assert places["lint.UNOPTFLAT"] == "rtl/bad.v:1"
    assert places["lint.LATCH"] == "rtl/bad.v:4"
    assert places["lint.WIDTHTRUNC"] == "rtl/bad.v:5"
    assert not context.failures  # warnings do not fail a run
    assert context.metrics["design__lint_error__count"] == 0
    assert context.metrics["design__lint_warning__count"] == len(places)
    assert context.reads == {"src/rtl/bad.v"}


@pytest.mark.sim
def test_waivers_are_applied_and_the_unused_reported(lint):
    waivers = [
        {"rule": "LATCH", "file": "rtl/bad.v", "lines": [4, 4], "reason": "on purpose"},
        {"rule": "UNUSEDPARAM", "reason": "was there once"},
    ]
    context = lint({"rtl/bad.v": BAD}, waivers=waivers)
    names = [c.name for c in context.checks]
    assert "lint.LATCH" not in names and "lint.unused_waiver" in names
    assert context.metrics["design__lint_waived__count"] == 1
    waived = [row for row in context.tables["lint"] if row["waived"]]
    assert [(row["rule"], row["line"], row["waived"]) for row in waived] == [("LATCH", 4, "on purpose")]


@pytest.mark.sim
def test_a_syntax_error_in_an_included_file_names_that_file(lint):
    sources = {"rtl/bad.v": '`include "defs.vh"\nmodule bad;\nendmodule\n', "inc/defs.vh": "// x\nwire = ;\n"}
    with pytest.raises(ConfigError, match=r"^inc/defs\.vh:2: .*syntax error"):
        lint(sources, include_dirs=["inc"])


@pytest.mark.sim
def test_includes_that_were_read_count(lint):
    sources = {
        "bad.v": '`include "a.vh"\nmodule bad(output y);\n  assign y = `A;\nendmodule\n',
        "inc/a.vh": "`define A 1'b1\n",
        "inc/b.vh": "",
    }
    assert lint(sources, include_dirs=["inc"]).reads == {"src/bad.v", "src/inc/a.vh"}


@pytest.mark.sim
def test_an_error_of_a_rule_fails_the_run(lint):
    child = "module child(input a);\n  wire unused = &{a, 1'b0};\nendmodule\n"
    context = lint({"bad.v": "module bad(input a);\n  child u(.a(a), .b(a));\nendmodule\n", "child.v": child})
    assert [(c.name, c.place) for c in context.failures] == [("lint.PINNOTFOUND", "bad.v:2")]
    assert context.metrics["design__lint_error__count"] == 1


@pytest.mark.sim
def test_a_malformed_waiver_is_named(lint):
    with pytest.raises(ConfigError, match=r"lint waiver 1: .*a reason is required"):
        lint({"bad.v": BAD}, waivers=[{"rule": "LATCH", "reason": " "}])


@pytest.mark.sim
def test_generated_verilog_is_traced_to_python(tmp_path):
    rtl = tmp_path / "top.v"
    rtl.write_text(
        '(* top =  1  *)\n(* src = "lib/top.py:12" *)\nmodule top(a, y);\n'
        '  (* src = "lib/top.py:20" *)\n  input [3:0] a;\n  wire [3:0] a;\n'
        '  (* src = "lib/top.py:21" *)\n  output y;\n  wire y;\n'
        '  (* src = "lib/top.py:33|lib/other.py:2" *)\n  assign y = a;\nendmodule\n'
    )
    context = _module.Context(
        tmp_path / "work", params={"top": "top"}, inputs={"rtl": rtl}, tools=[VERILATOR.detect()]
    )
    Lint().execute(context)
    places = {c.name: c.place for c in context.checks if not c.passed}
    assert places["lint.WIDTHTRUNC"] == "lib/top.py:33"
    assert "lint.DECLFILENAME" not in places


@pytest.mark.sim
def test_what_instances_repeat_is_one_finding(lint):
    child = "module child(input [1:0] a, output y);\n  assign y = a;\nendmodule\n"
    top = "module bad(input [1:0] a, output x, output y);\n  child u(a, x);\n  child v(a, y);\nendmodule\n"
    context = lint({"bad.v": top, "child.v": child}, disabled=["PINCONNECTEMPTY"])
    width = [row for row in context.tables["lint"] if row["rule"] == "WIDTHTRUNC"]
    assert [(row["file"], row["line"]) for row in width] == [("child.v", 2)]
