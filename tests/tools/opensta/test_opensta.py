"""OpenSTA: constraints and scripts planned, answers read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from flow.model.constraint import Clock, Constraints
from flow.model.errors import ConfigError
from flow.tools.opensta import (
    Load,
    OpenSta,
    Ports,
    SdcError,
    power_script,
    read_log,
    read_power,
    read_timing,
    timing_script,
    write_sdc,
)
from flow.tools.opensta.script import activity_lines, sta_path
from flow.tools.opensta.sdc import quote

DATA = Path(__file__).parents[2] / "data" / "opensta" / "2.0.17"
PORTS = Ports(inputs=("clk", "clk2", "rst", "d[0]", "d[1]"), outputs=("q",), vectors={"d": ("d[0]", "d[1]")})


def _log(name: str) -> str:
    return (DATA / name).read_text()


@pytest.mark.parametrize(
    ("log", "code", "text"),
    [
        ("unresolved.log", "unresolved_cell", "module FOO not found"),
        ("no_top.log", "unresolved_cell", "tt is not a verilog module"),
        ("truncated_liberty.log", "syntax", "unterminated string constant"),
        ("syntax.log", "syntax", "unexpected ENDMODULE"),
        ("missing_port.log", "missing_object", "port 'nope' not found"),
    ],
)
def test_messages_have_a_code(log: str, code: str, text: str) -> None:
    assert any(m.code == code and text in m.text for m in read_log(_log(log)).messages)


def test_a_message_has_its_place() -> None:
    error = read_log(_log("truncated_liberty.log")).errors[0]
    assert error.place == "trunc.lib:1505"


def test_timing_of_a_small_design() -> None:
    reading = read_timing(_log("timing.log"))
    metrics, data = reading.metrics, reading.data
    assert metrics["timing__setup__ws"] == pytest.approx(-0.0874)
    assert metrics["timing__setup__tns"] == pytest.approx(-0.187412)
    assert metrics["timing__setup_vio__count"] == 4
    assert metrics["timing__hold__ws"] == pytest.approx(0.250851)
    assert metrics["timing__unconstrained__count"] == 0
    assert metrics["timing__fmax"] == pytest.approx(901.5098)
    assert data["registers"] == 4 and data["endpoints"] == 12
    assert sum(data["histogram"]["counts"]) == 12
    assert len(data["histogram"]["edges"]) == len(data["histogram"]["counts"]) + 1


def test_the_worst_path_adds_up() -> None:
    paths = read_timing(_log("timing.log")).data["setup_paths"]
    slacks = [path["slack_ns"] for path in paths]
    assert slacks == sorted(slacks) and len(paths) == 10
    worst = paths[0]
    assert worst["slack_ns"] == pytest.approx(-0.0874, abs=1e-5)
    assert worst["required_ns"] - worst["arrival_ns"] == pytest.approx(worst["slack_ns"], abs=1e-5)
    steps = [row for row in worst["rows"] if row["delay_ns"] is not None]
    assert steps[-1]["time_ns"] == pytest.approx(worst["arrival_ns"], abs=1e-5)
    for before, after in pairwise(steps):
        assert after["time_ns"] == pytest.approx(before["time_ns"] + after["delay_ns"], abs=1e-5)
    driver = next(row for row in worst["rows"] if row.get("fanout"))
    assert driver["cell"] and driver["load_pf"] > 0 and driver["transition_ns"] > 0


def test_no_path_is_null_and_never_a_number() -> None:
    reading = read_timing("@@linked\n@@ws 1e+30\n@@fmax none\n@@done\n")
    for name in ("setup__ws", "setup__tns", "hold__ws", "setup_vio__count", "fmax"):
        assert reading.metrics[f"timing__{name}"] is None


def test_power_by_group_adds_up() -> None:
    reading = read_power(_log("power.log"))
    assert reading.metrics["power__total"] == pytest.approx(1.8361e-3, rel=1e-3)
    groups = {row["group"]: row["total"] for row in reading.data["by_group"]}
    assert set(groups) == {"sequential", "combinational", "macro", "pad"}
    assert sum(groups.values()) == pytest.approx(reading.metrics["power__total"], rel=1e-5)
    instances = sum(values[3] for values in reading.data["instances"].values())
    assert instances == pytest.approx(reading.metrics["power__total"], rel=1e-3)


def test_sdc_says_what_the_constraints_say() -> None:
    constraints = Constraints(clocks=(Clock(port="clk", period_ns=2.5, uncertainty_ns=0.1),), reset="rst")
    text = write_sdc(constraints, PORTS, driving_cell=("BUF", "Z"), load_pf=0.01)
    assert "create_clock -name {clk} -period 2.5 [get_ports [list {clk}]]" in text
    assert "set_input_delay 0.5" in text and "set_output_delay 0.5" in text
    assert "set_clock_uncertainty 0.1" in text and "set_load 0.01" in text
    assert "set_false_path -from [get_ports [list {rst}]]" in text
    assert "{d[0]}" in text and "set_driving_cell -lib_cell {BUF} -pin {Z}" in text
    scaled = write_sdc(constraints, PORTS, scale="scale")
    assert "-period [expr 2.5 * $scale]" in scaled and "set_input_delay [expr 0.5 * $scale]" in scaled


def test_a_virtual_clock_and_two_clocks() -> None:
    virtual = write_sdc(Constraints(clocks=(Clock(port=None, period_ns=1),)), PORTS)
    assert "create_clock -name {virtual} -period 1\n" in virtual and "{clk} {clk2}" in virtual
    two = write_sdc(Constraints(clocks=(Clock(port="clk"), Clock(port="clk2", period_ns=3))), PORTS)
    assert "set_clock_groups -asynchronous" in two


@pytest.mark.parametrize(
    "constraints",
    [Constraints(clocks=(Clock(port="clock"),)), Constraints(reset="q"), Constraints(reset="nothing")],
)
def test_a_port_that_is_no_input_is_named(constraints: Constraints) -> None:
    with pytest.raises(SdcError, match="is no input of the top; its inputs are clk"):
        write_sdc(constraints, PORTS)


@pytest.mark.parametrize("name", ["a", "a b", "a[0]", "$x", "[exit]", "a;b", "a{b", "a\\", '"'])
def test_every_name_is_one_tcl_word(name: str) -> None:
    tkinter = pytest.importorskip("tkinter", reason="Tcl of Python: apt-get install python3-tk")
    tcl = tkinter.Tcl()
    assert tcl.eval(f"llength [list {quote(name)}]") == "1"
    assert tcl.eval(f"lindex [list {quote(name)}] 0") == name


def test_scripts_guard_every_command_and_say_when_done() -> None:
    load = Load(libraries=("lib_0.lib",), netlist="n.v", top="t")
    for text in (
        timing_script(load, sdc="c.sdc", period_ns=1.0, scaled_sdc="create_clock\n"),
        power_script(load, sdc="c.sdc", activity=0.1, duty=0.5, pins="p.tcl"),
    ):
        assert text.index("catch {") < text.index("read_liberty {lib_0.lib}") < text.index("@@done")
        # Units are set after the libraries, which would set their own.
        assert text.index("read_liberty") < text.index("set_cmd_units")
    assert "suzuri_fmax" not in timing_script(load, sdc="c.sdc", period_ns=1.0)


def test_pins_are_escaped_as_opensta_looks_them_up() -> None:
    path = sta_path(("u[0]", "a/b"))
    assert path == r"u\[0\]/a\/b"
    lines = activity_lines([(path, {"Q": 1, "QN": 2}), ("", {"in[0]": 3})], {1: (0.25, 0.5), 3: (2.0, 0.5)})
    assert lines == "suzuri_act {u\\[0\\]/a\\/b/Q} 0.25 0.5\nsuzuri_act {in[0]} 2 0.5\n"


def test_a_missing_opensta_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUZURI_STA", "no-such-sta")
    with pytest.raises(ConfigError, match="apt-get install opensta"):
        OpenSta().detect()
