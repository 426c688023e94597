"""Small designs as users have them, written where a test wants them, and the command line run on them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

COUNTER = """\
`timescale 1ns/1ps
module counter #(parameter WIDTH = 4) (
    input  wire             clk,
    input  wire             rst,
    input  wire             en,
    output reg [WIDTH-1:0]  count
);
    always @(posedge clk)
        if (rst) count <= {WIDTH{1'b0}};
        else if (en) count <= count + 1'b1;
endmodule
"""

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["counter.v"]

[clock]
port = "clk"
period_ns = 10.0

[reset]
port = "rst"

[[test]]
name = "counts"
module = "test_counter"
simulator = "icarus"
timeout_s = {timeout}
"""

BENCH = """\
import random
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge


@cocotb.test()
async def counts(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value = 1
    dut.en.value = 0
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    expected = 0
    for _ in range(50):
        enable = random.getrandbits(1)
        dut.en.value = enable
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        expected = (expected + 2 * enable) % 16
        dut.en.value = 0
        await RisingEdge(dut.clk)
        assert int(dut.count.value) == expected
"""

AMARANTH = """\
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Blink(wiring.Component):
    \"\"\"Toggle the output every ``period`` cycles.\"\"\"

    def __init__(self, *, period: int = 4):
        if not isinstance(period, int):
            raise TypeError(f"period must be an integer, not {period!r}")
        if not 2 <= period <= 1024:
            raise ValueError(f"period must lie in 2 to 1024, not {period}")
        self.period = period
        super().__init__({"en": In(1), "led": Out(1)})

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(self.period))
        with m.If(self.en):
            m.d.sync += count.eq(count + 1)
            with m.If(count == self.period - 1):
                m.d.sync += [count.eq(0), self.led.eq(~self.led)]
        return m


class NotOne:
    pass
"""

AMARANTH_MANIFEST = """\
[design]
name = "blink"
top = "blink:Blink"

[design.parameters]
period = 4

[clock]
period_ns = 10.0
"""


@dataclass
class Project:
    """A user's folder and the command line on it."""

    root: Path
    cache: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def env(self, **more: str) -> dict[str, str]:
        return {**os.environ, "SUZURI_CACHE": str(self.cache), **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "flow.cli.main", *arguments]

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        # A test run in the background ignores interrupts, and what it starts would, too.
        interruptible = ["env", "--default-signal=INT"]
        return subprocess.Popen(
            [*interruptible, *self.command(*arguments)], cwd=self.root, env=self.env(**env), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=self.root, env=self.env(**env), text=True,
            capture_output=True, check=False, timeout=300,
        )  # fmt: skip


def counter(root: Path, cache: Path, *, timeout: int = 60) -> Project:
    """Write the Verilog counter with its bench."""
    project = Project(root, cache)
    project.write("counter.v", COUNTER)
    project.write("suzuri.toml", MANIFEST.format(timeout=timeout))
    project.write("test_counter.py", BENCH)
    return project


def blink(root: Path, cache: Path) -> Project:
    """Write the Amaranth blinker."""
    project = Project(root, cache)
    project.write("blink.py", AMARANTH)
    project.write("suzuri.toml", AMARANTH_MANIFEST)
    return project
