"""Simulators are built for real, from designs of several kinds, and refuse the rest clearly."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from flow.model.errors import ConfigError
from flow.stages.simulate import SimBuild

pytestmark = pytest.mark.sim

TWO_FILES = {
    "rtl/top.v": '`include "width.vh"\n'
    "module top #(parameter N = 1) (input clk, output [`WIDTH-1:0] q);\n"
    "  child #(.N(N)) u (.clk(clk), .q(q));\nendmodule\n",
    "rtl/child.v": "module child #(parameter N = 1) (input clk, output reg [7:0] q);\n"
    "  always @(posedge clk) q <= N;\nendmodule\n",
    "inc/width.vh": "`define WIDTH `BITS\n",
    "inc/unused.vh": "",
}
OPTIONS = {"include_dirs": ["inc"], "defines": {"BITS": "8"}, "parameters": {"N": 5}, "top": "top"}

PACKAGE = {
    "p.sv": "package p;\n  typedef struct packed {logic [3:0] a; logic b;} t;\nendpackage\n",
    "top.sv": "module top import p::*; (input logic clk, input t i, output t o);\n"
    "  always_ff @(posedge clk) o <= i;\nendmodule\n",
}


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_includes_defines_and_parameters(build, simulator):
    built = build(TWO_FILES, simulator=simulator, **OPTIONS)
    assert built.reads == {"src/rtl/top.v", "src/rtl/child.v", "src/inc/width.vh"}
    assert built.tables["build"] == {"simulator": simulator, "trace": "none"}


def test_the_built_parameter_is_the_one_asked_for(build, simulate):
    bench = (
        "import cocotb\nfrom cocotb.triggers import Timer\n\n\n@cocotb.test()\nasync def five(dut):\n"
        "    dut.clk.value = 0\n    await Timer(1, 'ns')\n    dut.clk.value = 1\n    await Timer(1, 'ns')\n"
        "    assert int(dut.q.value) == 5\n"
    )
    for simulator in ("icarus", "verilator"):
        context = simulate(
            bench, build(TWO_FILES, simulator=simulator, **OPTIONS), simulator=simulator, top="top"
        )
        assert not context.failures


def test_packages_structures_and_delays(build):
    build(PACKAGE, simulator="verilator", top="top")
    delayed = "`timescale 1ns/1ps\nmodule top(input a, output reg y);\n  always @(a) y <= #3 a;\nendmodule\n"
    build({"d.v": delayed}, simulator="verilator", top="top")
    build({"d.v": delayed}, simulator="icarus", top="top")


@pytest.mark.parametrize("optimise", ["debug", "speed"])
def test_another_optimisation_than_the_librarys(build, simulate, texts, optimise):
    built = build({"counter.v": texts.counter}, top="counter", simulator="verilator", optimise=optimise)
    bench = texts.head + "@cocotb.test()\nasync def starts(dut):\n    await start(dut)\n"
    assert not simulate(bench, built, simulator="verilator").failures


@pytest.mark.nightly
def test_a_simulator_without_a_prebuilt_library(tools, texts, tmp_path, context_class):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "counter.v").write_text(texts.counter)
    params = {"simulator": "verilator", "top": "counter", "sources": ["counter.v"], "optimise": "debug"}
    context = context_class(tmp_path / "work", params=params, inputs={"src": tmp_path / "src"}, tools=tools)
    SimBuild().execute(context)
    assert context.outputs["simulator"].stat().st_size > 100_000


def test_a_simulator_does_not_depend_on_where_it_was_built(build, texts, tmp_path):
    built = build({"counter.v": texts.counter}, top="counter", simulator="verilator")
    assert str(built.workdir).encode() not in built.simulator.read_bytes()
    moved = shutil.copy(built.simulator, tmp_path / "elsewhere")
    needed = subprocess.run(["readelf", "-d", moved], capture_output=True, text=True, check=True).stdout
    assert "libcocotbvpi_verilator.so" in needed
    assert "RPATH" not in needed and "RUNPATH" not in needed


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize(
    ("sources", "params", "says"),
    [
        ({"a.v": "module top;\n  assign = 1;\nendmodule\n"}, {}, r"^a\.v:2: .*syntax error"),
        (
            {"a.v": '`include "i.vh"\nmodule top;\nendmodule\n', "i.vh": "wire w =\n;\n"},
            {"include_dirs": ["."]},
            r"^i\.vh:[12]: .*(syntax )?error",
        ),
        ({"a.v": '`include "no.vh"\nmodule top;\nendmodule\n'}, {}, r"^a\.v:[12]: .*no\.vh"),
        ({"a.v": "module top;\n  nosuch u();\nendmodule\n"}, {}, r"^a\.v:2: .*nosuch"),
        ({"a.v": "module other;\nendmodule\n"}, {}, "top"),
        ({"a.v": "module top;\nendmodule\n"}, {"parameters": {"NONE": 1}}, "NONE"),
        (
            {"a.v": "module top;\nendmodule\n"},
            {"sources": ["a.v", "gone.v"]},
            r"gone\.v: the source file is missing",
        ),
        ({"a.v": "module top;\nendmodule\n"}, {"parameters": {"P": [1]}}, r"parameters\.P"),
    ],
    ids=["syntax", "include-syntax", "no-include", "no-module", "no-top", "no-parameter", "no-file", "type"],
)
def test_what_the_user_got_wrong_is_said_with_its_place(build, simulator, sources, params, says):
    with pytest.raises(ConfigError, match=says):
        build(sources, simulator=simulator, **{"top": "top", **params})


def test_an_unknown_simulator_level_or_coverage_is_refused(build, texts):
    sources = {"counter.v": texts.counter}
    with pytest.raises(ConfigError, match="neither verilator nor icarus"):
        build(sources, top="counter", simulator="vcs")
    with pytest.raises(ConfigError, match="optimise 'max' is none of"):
        build(sources, top="counter", simulator="verilator", optimise="max")
    with pytest.raises(ConfigError, match="coverage 'all' is none of"):
        build(sources, top="counter", simulator="verilator", coverage=["all"])
    with pytest.raises(ConfigError, match="no code coverage"):
        build(sources, top="counter", simulator="icarus", coverage=["line"])
