"""Memories that no macro serves are left outside when that is asked for, and everything says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eda_flow import OSU018, ROLES, analyse, constraints, synthesize
from fake_context import FakeContext

from flow.model.check import Severity
from flow.model.errors import ConfigError
from flow.stages.synthesize import SynthesisParams
from flow.stages.timing import Timing
from flow.tools.netlist import Port, read_verilog

pytestmark = pytest.mark.eda

RAM = """module ram(input clk, en, input [3:0] we, input [6:0] a, input [31:0] d, output reg [31:0] q);
  reg [31:0] store [0:127];
  integer i;
  always @(posedge clk) if (en) begin
    for (i = 0; i < 4; i = i + 1) if (we[i]) store[a][8*i +: 8] <= d[8*i +: 8];
    if (we == 0) q <= store[a];
  end
endmodule
"""
DUT = (
    RAM
    + """module dut(input clk, en, input [3:0] we, input [6:0] a, b, input [31:0] d, output reg [31:0] q);
  reg [6:0] at; reg [31:0] first; wire [31:0] x, y;
  reg [7:0] few [0:3];
  ram one(clk, en, we, at, first, x);
  ram two(clk, !en, we, at, first, y);
  always @(posedge clk) begin
    at <= a + b; first <= d; few[a[1:0]] <= d[7:0]; q <= (x ^ y) + few[b[1:0]];
  end
endmodule
"""
)
ROM = """module dut(input clk, input [7:0] a, output reg [31:0] q);
  reg [31:0] store [0:255]; reg [7:0] at;
  integer i; initial for (i = 0; i < 256; i = i + 1) store[i] = i * 32'h9e3779b9;
  always @(posedge clk) begin at <= a; q <= store[at]; end
endmodule
"""


def mapped(folder: Path, verilog: str, **params: Any) -> FakeContext:
    return synthesize(folder, {"dut.v": verilog}, "dut", **({"memories": "outside"} | params))


def ports(context: FakeContext) -> dict[str, Port]:
    found = read_verilog(context.outputs["netlist"].read_text(), "dut").modules["dut"].ports
    return {name: port for name, port in found.items() if name.startswith("outside__")}


def test_what_leads_to_a_memory_becomes_ports(tmp_path: Path) -> None:
    context = mapped(tmp_path, DUT)
    found = {name: (port.direction, len(port.bits)) for name, port in ports(context).items()}
    expected = {
        "rd0_addr": ("output", 7), "rd0_en": ("output", 1), "rd0_data": ("input", 32),
        "wr0_en": ("output", 4), "wr0_data": ("output", 32),
    }  # fmt: skip
    assert found == {
        f"outside__{ram}_store__{name}": value for ram in ("one", "two") for name, value in expected.items()
    }
    # The small memory is still there: 32 bits, beside at, first and q.
    assert context.metrics["design__instance__count__sequential"] == 32 + 7 + 32 + 32
    assert context.metrics["design__io"] == 1 + 1 + 4 + 7 + 7 + 32 + 32
    assert context.metrics["synthesis__unmapped__count"] == 0
    assert not [check.message for check in context.checks if check.failed]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    context = mapped(tmp_path, DUT)
    assert context.metrics["design__memory_bits__outside"] == 2 * 128 * 32
    rows = {row["name"]: (row["bits"], row["made_of"]) for row in context.tables["memories"]}
    assert rows == {"one.store": (4096, "outside"), "two.store": (4096, "outside"), "few": (32, "registers")}
    (said,) = [check for check in context.checks if check.name == "synthesize.outside"]
    assert said.severity is Severity.WARNING
    assert not said.passed
    assert said.message == (
        "8,192 bits of memory (2 memories) are left outside: they are in no area, timing or power"
    )


def test_paths_to_an_outside_memory_are_timed_as_ports(tmp_path: Path) -> None:
    context = mapped(tmp_path, DUT, clock_period_ns=10.0)
    report = analyse(
        Timing(), tmp_path / "timing", context.outputs["netlist"], "dut", constraints(10.0),
        libraries={"lib0": OSU018}, roles=ROLES,
    )  # fmt: skip
    ends = {path["endpoint"].partition("[")[0] for path in report.tables["setup_paths"]}
    assert report.metrics["timing__unconstrained__count"] == 0
    assert report.metrics["timing__fmax"] > 0  # type: ignore[operator]
    assert ends
    lines = report.outputs["sdc"].read_text().splitlines()
    (inputs,) = [line for line in lines if line.startswith("set_input_delay")]
    (outputs,) = [line for line in lines if line.startswith("set_output_delay")]
    assert "{outside__one_store__rd0_data[31]}" in inputs
    assert "{outside__two_store__rd0_addr[6]}" in outputs


def test_a_memory_without_writes_may_be_outside(tmp_path: Path) -> None:
    context = mapped(tmp_path, ROM)
    assert {name: len(port.bits) for name, port in ports(context).items()} == {
        "outside__store__rd0_addr": 8,
        "outside__store__rd0_data": 32,
    }


def test_the_smallest_that_is_left_outside_can_be_chosen(tmp_path: Path) -> None:
    context = mapped(tmp_path, DUT, outside_bits=32)
    assert context.metrics["design__memory_bits__outside"] == 2 * 128 * 32 + 32
    assert context.metrics["design__instance__count__sequential"] == 7 + 32 + 32


def test_auto_still_refuses_and_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="and 1 more, 8192 bits in all") as caught:
        mapped(tmp_path, RAM.join(["", DUT[len(RAM) :].replace("reg [7:0] few [0:3];", "").replace(
            "few[a[1:0]] <= d[7:0];", "").replace("+ few[b[1:0]]", "")]), memories="auto",
            memory_limit_bits=8000)  # fmt: skip
    assert 'memories = "outside" in [synthesis]' in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"memories": "elsewhere"}, "memories 'elsewhere' is none of auto, registers, outside"),
        ({"memories": "outside", "hierarchy": "keep"}, "of a flattened design alone"),
    ],
)
def test_parameters_that_cannot_be(params: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SynthesisParams.read({"top": "dut", **params})
