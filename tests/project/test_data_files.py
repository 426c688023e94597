"""Files that RTL and benches read by name."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.sim

ROM = """\
module rom (input wire clk, input wire [1:0] address, output reg [7:0] data);
    reg [7:0] memory [0:3];
    initial $readmemh("images/rom.hex", memory);
    always @(posedge clk) data <= memory[address];
endmodule
"""
BENCH = """\
from pathlib import Path
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def reads(dut):
    await Timer(1, "ns")
    words = Path(__file__).with_name("expected.txt").read_text().split()
    dut.clk.value = 0
    for address, word in enumerate(words):
        dut.address.value = address
        dut.clk.value = 0
        await Timer(1, "ns")
        dut.clk.value = 1
        await Timer(1, "ns")
        assert int(dut.data.value) == int(word, 16)
"""
MANIFEST = """\
[design]
name = "rom"
top = "rom"
sources = ["../rtl/rom.v"]
python_root = ".."
data_files = [{data}]

[[test]]
name = "reads"
module = "tests.test_rom"
simulator = "icarus"
"""


@pytest.fixture
def rom(tmp_path, session_cache):
    """Return a project whose manifest lies beside its sources, not above them."""
    from user_designs import Project

    project = Project(tmp_path / "rom" / "flow", session_cache)
    project.write("../rtl/rom.v", ROM)
    project.write("images/rom.hex", "0a 0b 0c 0d\n")
    project.write("../tests/expected.txt", "0a 0b 0c 0d\n")
    project.write("../tests/test_rom.py", BENCH)
    return project


def test_rtl_finds_them_by_their_path_from_the_manifest(rom):
    rom.write("suzuri.toml", MANIFEST.format(data='"images/*.hex", "../tests/expected.txt"'))
    done = rom.run("run", "--until", "simulate", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    rom.write("images/rom.hex", "0a 0b 0c 0e\n")
    assert rom.run("run", "--until", "simulate", "-q").returncode == 1  # a changed image is a changed test


def test_a_memory_that_stays_empty_fails_the_test(rom):
    rom.write("suzuri.toml", MANIFEST.format(data='"../tests/expected.txt"'))
    rom.write("../tests/expected.txt", "")  # a test that would notice nothing
    done = rom.run("run", "--only", "simulate")
    assert done.returncode == 1
    assert "the RTL cannot open images/rom.hex" in done.stdout
    assert "List it in data_files" in done.stdout


def test_a_file_that_a_bench_lacks_is_named_with_the_remedy(rom):
    rom.write("suzuri.toml", MANIFEST.format(data='"images/rom.hex"'))
    done = rom.run("run", "--only", "simulate")
    assert done.returncode == 1
    assert "No such file or directory: 'tests/expected.txt'" in done.stdout
    assert "list the others that it reads in data_files" in done.stdout
    assert "tests/test_rom.py:8" in done.stdout
