"""Power of small netlists: it follows activity and frequency."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from eda_flow import MAC, analyse, constraints, need_program, synthesize

from flow.model.errors import ConfigError
from flow.stages.power import Power, _finite

pytestmark = pytest.mark.eda

SMALL = Path(__file__).parents[2] / "data" / "opensta" / "2.0.17" / "small.v"


def _dynamic(metrics: dict[str, object]) -> float:
    return float(metrics["power__internal__total"]) + float(metrics["power__switching__total"])  # type: ignore[arg-type]


def test_default_power_follows_activity_and_frequency(tmp_path: Path) -> None:
    def run(name: str, period: float, **params: float) -> dict[str, object]:
        return dict(analyse(Power(), tmp_path / name, SMALL, "small", constraints(period), **params).metrics)

    base, twice, busy = run("a", 2.0), run("b", 1.0), run("c", 2.0, default_activity=0.4)
    assert _dynamic(twice) == pytest.approx(2 * _dynamic(base), rel=1e-3)
    assert twice["power__leakage__total"] == pytest.approx(base["power__leakage__total"])
    switching = busy["power__switching__total"] / base["power__switching__total"]  # type: ignore[operator]
    assert 2 < switching <= 4.01
    assert base["power__annotated__ratio"] == 0.0


BENCH = """`timescale 1ns/1ps
module tb; reg clk=0, rst=1, en=1; reg [3:0] a=0, b=0; wire [9:0] acc; integer i;
mac dut(.clk(clk), .rst(rst), .en(en), .a(a), .b(b), .acc(acc));
always #5 clk = ~clk;
initial begin $dumpfile("act.vcd"); $dumpvars(0, tb); repeat (3) @(negedge clk); rst = 0;
for (i = 0; i < 300; i = i + 1) begin @(negedge clk); if (i % DIV == 0) begin a = $random; b = $random; end
  en = i % DIV == 1; end
$finish; end endmodule
"""


def _simulate(folder: Path, every: int) -> Path:
    folder.mkdir()
    (folder / "tb.v").write_text(BENCH.replace("DIV", str(every)) + MAC)
    subprocess.run(
        [need_program("iverilog", "iverilog"), "-g2012", "-o", "tb", "tb.v"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    subprocess.run(["vvp", "-n", "tb"], cwd=folder, check=True, capture_output=True)
    return folder / "act.vcd"


def test_simulated_activity_is_mapped_by_name(tmp_path: Path) -> None:
    netlist = synthesize(tmp_path, {"mac.v": MAC}, "mac", clock_period_ns=4.0).outputs["netlist"]

    def run(name: str, every: int, period: float = 4.0) -> tuple[dict[str, object], dict[str, object]]:
        vcd = _simulate(tmp_path / f"sim_{name}", every)
        found = analyse(
            Power(), tmp_path / name, netlist, "mac", constraints(period), inputs={"activity": vcd}
        )
        return dict(found.metrics), found.tables

    busy, tables = run("busy", 2)
    activity = tables["activity"]
    assert isinstance(activity, dict)
    assert activity["scope"] == "tb.dut"
    assert activity["registers"] == {"annotated": 18, "all": 18}
    assert activity["ports"]["annotated"] == activity["ports"]["all"]
    assert 5 < busy["power__annotated__ratio"] < 100  # type: ignore[operator]
    # Cycles are counted by the simulated clock, so power is at the constraint's frequency.
    assert activity["cycles"] == pytest.approx(303, abs=2)
    idle, _ = run("idle", 50)
    fast, _ = run("fast", 2, period=2.0)
    assert busy["power__switching__total"] > 3 * idle["power__switching__total"]  # type: ignore[operator]
    assert _dynamic(fast) == pytest.approx(2 * _dynamic(busy), rel=1e-3)
    groups = {row["group"]: row["total"] for row in tables["by_group"]}  # type: ignore[attr-defined]
    assert sum(groups.values()) == pytest.approx(busy["power__total"], rel=1e-4)


def test_activity_of_something_else_is_refused(tmp_path: Path) -> None:
    vcd = tmp_path / "other.vcd"
    vcd.write_text(
        "$timescale 1ns $end\n$scope module x $end\n$var wire 1 ! q $end\n$upscope $end\n"
        "$enddefinitions $end\n#0\n0!\n#5\n1!\n"
    )
    with pytest.raises(ConfigError, match="no scope with the ports of the top"):
        analyse(Power(), tmp_path / "p", SMALL, "small", constraints(2.0), inputs={"activity": vcd})


@pytest.mark.parametrize("params", [{"default_activity": -1.0}, {"default_duty": 1.5}])
def test_impossible_defaults_are_refused(tmp_path: Path, params: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="default_activity"):
        analyse(Power(), tmp_path / "p", SMALL, "small", constraints(2.0), **params)


@pytest.mark.parametrize(("value", "expected"), [(0.25, 0.25), (float("nan"), None), (float("inf"), None)])
def test_a_power_that_is_no_number_is_none(value: float, expected: float | None) -> None:
    assert _finite(value) == expected
