"""A small Verilog design with a sweep, for tests."""

from __future__ import annotations

from pathlib import Path

from flow.model.errors import ConfigError
from flow.tools.registry import adapter

VERILOG = """
module adder #(parameter WIDTH = 4, parameter STAGES = 1)
  (input clk, input [WIDTH-1:0] a, b, output reg [WIDTH:0] sum);
  reg [WIDTH-1:0] x, y;
  always @(posedge clk) begin
    x <= a; y <= b;
    sum <= x + y;
  end
  generate if (WIDTH > 12) broken u(); endgenerate
endmodule
"""
MANIFEST = """
[design]
name = "adder"
top = "adder"
sources = ["adder.v"]
[clock]
period_ns = 10.0
[[sweep]]
name = "widths"
{sweep}
[sweep.parameters]
{axes}
[sweep.flow]
recipe = ["area", "speed"]
[[sweep.objective]]
name = "speed"
maximise = "timing__fmax"
[[sweep.objective]]
name = "area per bit"
minimise = "design__instance__area / WIDTH"
"""


def available(*names: str) -> bool:
    try:
        for name in names:
            adapter(name).detect()
    except ConfigError:
        return False
    return Path("/usr/share/qflow/tech/osu018").is_dir()
