"""The formal stage: counterexamples, proofs, covers, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_context import FakeContext
from prove import prove, tools

from flow.model.errors import ConfigError
from flow.stages.formal import Formal
from ips.stream_register.properties import StreamRegisterProperties

pytestmark = pytest.mark.eda

COUNTER = """\
module counter(input clk, input rst, input en, output reg [3:0] n = 0);
  always @(posedge clk) if (rst) n <= 0; else if (en && n != 9) n <= n + 1;
`ifdef FORMAL
  always @(posedge clk) begin
    assert (n < LIMIT);
    cover (n == 6);
`ifdef MORE
    cover (n == 12);
`endif
`ifdef NEVER
    assume (n != 5);
    assume (en && !rst);
`endif
  end
`endif
endmodule
"""


STUCK = """\
module counter(input clk, input en, output reg stuck = 0);
  always @(posedge clk) stuck <= stuck & en;
  always @(posedge clk) begin
    assert (!stuck);
    OTHER
  end
endmodule
"""


def run(tmp_path: Path, limit: int, text: str = COUNTER, **params: Any) -> FakeContext:
    source = tmp_path / "src" / "counter.sv"
    source.parent.mkdir()
    source.write_text(text.replace("LIMIT", str(limit)))
    chosen = {"name": "p", "top": "counter", "sources": ["counter.sv"], "mode": "bmc", "depth": 14,
              "solver": "yices", **params}  # fmt: skip
    context = FakeContext(tmp_path / "work", chosen, {}, tools())
    context._inputs["src"] = source.parent
    Formal().execute(context)
    return context


@pytest.mark.parametrize("solver", ["yices", "abc"])
def test_shows_a_counterexample(solver: str, tmp_path: Path) -> None:
    context = run(tmp_path, limit=8, solver=solver)
    (check,) = context.checks
    assert not check.passed
    assert check.name == "formal.p"
    assert check.message == "p: an assertion fails in cycle 9"
    assert check.place.endswith("counter.sv:5")
    text = context.outputs["counterexample"].read_text()
    row = next(line.split() for line in text.splitlines() if line.startswith("n "))
    assert row[-1] == "8"
    assert context.outputs["trace"].suffix == ".vcd"
    assert context.metrics["formal__assert__count__failed"] == 1


def test_proves_for_ever_what_bounded_checks_cannot(tmp_path: Path) -> None:
    context = run(tmp_path, limit=10, mode="prove", depth=3)
    (check,) = context.checks
    assert check.passed
    assert check.message == "no assertion ever fails"
    assert "counterexample" not in context.outputs


def test_abc_finds_invariants_by_itself(tmp_path: Path) -> None:
    (check,) = run(tmp_path, limit=12, mode="prove", depth=2, solver="abc").checks
    assert check.passed
    assert check.message == "no assertion ever fails"


@pytest.mark.parametrize(("other", "passed"), [("", True), ("assert (!en);", False)])
def test_abc_answers_where_all_registers_can_be_merged_away(other: str, passed: bool, tmp_path: Path) -> None:
    (check,) = run(tmp_path, limit=0, text=STUCK.replace("OTHER", other), solver="abc").checks
    assert check.passed is passed
    assert "within 14 cycles" in check.message if passed else check.place.endswith("counter.sv:5")


def test_abc_takes_no_proof_from_assumptions_that_exclude_each_other(tmp_path: Path) -> None:
    (check,) = run(tmp_path, limit=8, solver="abc", defines={"NEVER": ""}).checks
    assert check.message == "p: the assumptions exclude each other within 14 cycles"


def test_says_what_an_induction_that_fails_means(tmp_path: Path) -> None:
    context = run(tmp_path, limit=12, mode="prove", depth=2)
    (check,) = context.checks
    assert check.passed is False
    assert "from a state that may be unreachable" in check.message


@pytest.mark.parametrize("solver", ["yices", "abc"])
def test_says_which_cover_statement_is_out_of_reach(solver: str, tmp_path: Path) -> None:
    context = run(tmp_path, limit=10, mode="cover", defines={"MORE": ""}, solver=solver)
    (check,) = context.checks
    assert check.message == "p: no way leads to a cover statement"
    assert check.place.endswith("counter.sv:8")
    assert context.metrics["formal__cover__count"] == 2
    assert context.metrics["formal__cover__count__unreached"] == 1


def test_refuses_a_design_without_assertions(tmp_path: Path) -> None:
    source = tmp_path / "empty.v"
    source.write_text("module empty(input clk, output reg q = 0); always @(posedge clk) q <= ~q; endmodule\n")
    params = {
        "name": "p",
        "top": "empty",
        "sources": ["empty.v"],
        "mode": "bmc",
        "depth": 3,
        "solver": "yices",
    }
    context = FakeContext(tmp_path / "work", params, {}, tools())
    context._inputs["src"] = tmp_path
    with pytest.raises(ConfigError, match="empty has no assert statement"):
        Formal().execute(context)


def test_refuses_a_source_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not part of the design|not found"):
        run(tmp_path, limit=3, top="countre")


@pytest.mark.parametrize("solver", ["yices", "abc"])
def test_amaranth_begins_from_any_state_with_one_cycle_of_reset(solver: str, tmp_path: Path) -> None:
    assert prove(tmp_path, StreamRegisterProperties(4), depth=4, mode="prove", solver=solver).passed
