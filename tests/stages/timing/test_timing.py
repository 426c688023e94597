"""Timing of small netlists."""

from __future__ import annotations

from pathlib import Path

import pytest
from eda_flow import OSU018, analyse, constraints, need_osu018

from flow.model.constraint import Clock, Constraints
from flow.model.errors import ConfigError
from flow.stages.timing import Timing

pytestmark = pytest.mark.eda

SMALL = Path(__file__).parents[2] / "data" / "opensta" / "2.0.17" / "small.v"
COMB = "module c (a, b, y); input a, b; output y; NAND2X1 g (.A(a), .B(b), .Y(y)); endmodule\n"


def test_fmax_is_where_slack_ends(tmp_path: Path) -> None:
    first = analyse(Timing(), tmp_path / "a", SMALL, "small", constraints(2.0))
    fmax = first.metrics["timing__fmax"]
    assert isinstance(fmax, float)
    period = 1000.0 / fmax
    at = analyse(Timing(), tmp_path / "b", SMALL, "small", constraints(period))
    below = analyse(Timing(), tmp_path / "c", SMALL, "small", constraints(period * 0.995))
    assert 0 <= at.metrics["timing__setup__ws"] < 0.003 * period  # type: ignore[operator]
    assert below.metrics["timing__setup__ws"] < 0  # type: ignore[operator]
    assert below.metrics["timing__setup_vio__count"] > 0  # type: ignore[operator]
    assert below.metrics["timing__fmax"] == pytest.approx(fmax, rel=2e-3)
    (miss,) = below.failed("timing.setup")
    assert miss.failed and "->" in miss.place
    assert {"sdc", "report"} == set(at.outputs)


def test_a_combinational_design_has_a_virtual_clock(tmp_path: Path) -> None:
    netlist = tmp_path / "odd name [1].v"
    netlist.write_text(COMB)
    found = analyse(Timing(), tmp_path / "t", netlist, "c", constraints(1.0, port=None))
    assert found.metrics["timing__setup__ws"] == pytest.approx(
        found.tables["setup_paths"][0]["slack_ns"], abs=1e-5
    )
    assert found.metrics["timing__unconstrained__count"] == 0
    assert found.metrics["timing__fmax"] > 0  # type: ignore[operator]


def test_units_do_not_depend_on_the_library(tmp_path: Path) -> None:
    """The same library in ps gives the same numbers in ns."""
    need_osu018()
    netlist = tmp_path / "c.v"
    netlist.write_text(COMB)
    base = analyse(Timing(), tmp_path / "ns", netlist, "c", constraints(1.0, port=None))
    text = OSU018.read_text().replace('time_unit : "1ns"', 'time_unit : "1ps"')
    assert '"1ps"' in text
    faster = tmp_path / "ps.lib"
    faster.write_text(text)
    rules = constraints(1.0, port=None)
    scaled = analyse(Timing(), tmp_path / "ps", netlist, "c", rules, libraries={"lib0": faster})
    slow = 0.6 - base.metrics["timing__setup__ws"]  # type: ignore[operator]
    fast = 0.6 - scaled.metrics["timing__setup__ws"]  # type: ignore[operator]
    assert fast < slow / 100


def test_a_default_wire_load_is_not_applied(tmp_path: Path) -> None:
    need_osu018()
    text = OSU018.read_text()
    cut = text.index("{") + 1
    loaded = tmp_path / "loaded.lib"
    loaded.write_text(
        text[:cut] + '\n wire_load ("big") { resistance : 0.1; capacitance : 1.0; slope : 10; '
        'fanout_length (1, 20); }\n default_wire_load : "big";\n' + text[cut:]
    )
    plain = analyse(Timing(), tmp_path / "a", SMALL, "small", constraints(2.0))
    found = analyse(Timing(), tmp_path / "b", SMALL, "small", constraints(2.0), libraries={"lib0": loaded})
    assert found.tables["wire_load_removed"] == ("big",)
    assert found.metrics == plain.metrics


def test_an_unresolved_cell_is_the_users_error(tmp_path: Path) -> None:
    netlist = tmp_path / "u.v"
    netlist.write_text("module u (a, y); input a; output y; RAM64 r (.A(a), .Y(y)); endmodule\n")
    with pytest.raises(ConfigError, match="a cell that no library has: module RAM64 not found"):
        analyse(Timing(), tmp_path / "t", netlist, "u", constraints(1.0, port=None))


def test_a_clock_port_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="clock port 'ck' is no input of the top; its inputs are clk"):
        analyse(Timing(), tmp_path / "t", SMALL, "small", constraints(1.0, port="ck"))


def test_registers_without_a_clock_are_a_finding(tmp_path: Path) -> None:
    found = analyse(Timing(), tmp_path / "t", SMALL, "small", constraints(1.0, port="rst"))
    assert found.failed("timing.clocked")[0].failed


def test_a_users_sdc_replaces_ours(tmp_path: Path) -> None:
    sdc = tmp_path / "mine.sdc"
    sdc.write_text("create_clock -name c -period 3 [get_ports clk]\n")
    rules = Constraints(clocks=(Clock(port="clk", period_ns=3.0),))
    found = analyse(Timing(), tmp_path / "t", SMALL, "small", rules, inputs={"sdc": sdc})
    assert found.tables["fmax_method"] == "slack"
    assert found.metrics["timing__fmax"] > 0  # type: ignore[operator]
    sdc.write_text("create_clock -name c -period\n")
    with pytest.raises(ConfigError, match="the SDC has an error"):
        analyse(Timing(), tmp_path / "u", SMALL, "small", rules, inputs={"sdc": sdc})
