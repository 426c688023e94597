from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flow.tools.icarus import awake

#: As Yosys writes processes: both depend on initial values alone.
SOURCE = r"""
module top (a,
  b);
  output [1:0] a;
  reg [1:0] a;
  output b;
  reg b;
  reg \$auto$verilog_backend.cc:2355:dump_module$1  = 0;
  reg _pc = 1'h1;
  always @* begin
    if (\$auto$verilog_backend.cc:2355:dump_module$1 ) begin end
    b = _pc;
  end
  always @*
    a[0] = _pc;
  always @*
    a[1] = 1'h1;
endmodule
"""


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog: apt-get install iverilog")
def test_what_follows_from_initial_values_is_known(tmp_path: Path) -> None:
    bench = 'module bench; wire [1:0] a; wire b; top t(a, b); initial #1 $display("%b%b", a, b); endmodule\n'
    said = []
    for text in (SOURCE, awake(SOURCE)):
        source = tmp_path / "top.v"
        source.write_text(text + bench)
        subprocess.run(["iverilog", "-g2012", "-o", tmp_path / "top", source], check=True)
        said.append(
            subprocess.run(["vvp", tmp_path / "top"], check=True, capture_output=True, text=True).stdout
        )
    assert "x" in said[0]
    assert said[1] == "111\n"


def test_other_processes_stay() -> None:
    text = "module m (a);\n  always @(posedge clk)\n    q <= d;\nendmodule\n"
    assert awake(text) == text
