import shutil
import subprocess
from pathlib import Path

import pytest
from amaranth.back import verilog
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from flow.formats.verilog import settled


class Partly(wiring.Component):
    """Bits of one signal: chosen, constant, and copied."""

    a: In(2)
    y: Out(5)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        y = Signal(5)
        m.d.comb += [y[1:3].eq(0b11), y[3:].eq(self.a), self.y.eq(y)]
        with m.If(self.a[0]):
            m.d.comb += y[0].eq(self.a[1])
        return m


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs Icarus Verilog: apt-get install iverilog")
def test_constant_bits_of_a_signal_are_there_in_simulation(tmp_path: Path) -> None:
    bench = "module bench; reg [1:0] a; wire [4:0] y; top t(.a(a), .y(y));\n"
    bench += 'initial begin a = 0; #1 a = 3; #1 $display("%b", y); end endmodule\n'
    plain = verilog.convert(Partly(), name="top", emit_src=False)
    said = []
    for text in (plain, settled(plain)):
        source = tmp_path / "top.v"
        source.write_text(text + bench)
        subprocess.run(["iverilog", "-g2012", "-o", tmp_path / "top", source], check=True)
        ran = subprocess.run(["vvp", tmp_path / "top"], check=True, capture_output=True, text=True)
        said.append(ran.stdout.strip())
    assert said == ["11xx1", "11111"]


@pytest.mark.parametrize("value", ["2'h3", "{ 1'h0, 2'h3 }", "64'hffff_0000"])
def test_a_process_that_reads_nothing_gets_an_initial_value(value: str) -> None:
    process = f"  always @*\n    pair[2:1] = {value};"
    assert settled(f"module m;\n{process}\nendmodule\n") == (
        f"module m;\n  initial pair[2:1] = {value};\n{process}\nendmodule\n"
    )


@pytest.mark.parametrize("value", ["a", "{ 1'h0, a }", "\\$1 ", "_a [3:2]"])
def test_others_stay_as_they_are(value: str) -> None:
    text = f"module m;\n  always @*\n    pair[2:1] = {value};\nendmodule\n"
    assert settled(text) == text
