"""Designs and benches as other people write them."""

from __future__ import annotations

import json

import pytest
from user_designs import BENCH, Project

INSTANCE = """\
from amaranth import ClockSignal, Instance, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Wrapper(wiring.Component):
    rst_n: In(1)
    en: In(1)
    count: Out(4)

    def elaborate(self, platform):
        m = Module()
        m.submodules.u = Instance(
            "counter", p_WIDTH=4, i_clk=ClockSignal(), i_rst=~self.rst_n, i_en=self.en, o_count=self.count
        )
        return m
"""
WRAPPER = """\
[design]
name = "wrapper"
top = "wrap:Wrapper"
sources = ["rtl/counter.v"]
"""


@pytest.mark.sim
def test_amaranth_with_an_instance_of_a_verilog_module(counter, tmp_path, session_cache):
    project = Project(tmp_path / "wrapper", session_cache)
    project.write("rtl/counter.v", (counter.root / "counter.v").read_text())
    project.write("wrap.py", INSTANCE)
    bench = BENCH.replace("dut.rst.value = 1", "dut.rst_n.value = 0").replace(
        "dut.rst.value = 0", "dut.rst_n.value = 1"
    )
    project.write("test_wrap.py", bench)
    test = '[[test]]\nname = "counts"\nmodule = "test_wrap"\nsimulator = "icarus"\n'
    project.write("suzuri.toml", WRAPPER + test)
    done = project.run("run", "--until", "simulate", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    project.edit("rtl/counter.v", "+ 1'b1", "+ 2'd2")
    done = project.run("run", "--until", "simulate", "-q")
    assert done.returncode == 1, done.stdout + done.stderr
    project.edit("rtl/counter.v", "if (rst)", "if rst)")
    done = project.run("run", "--only", "lint", "-q")
    assert "rtl/counter.v:9: syntax error" in done.stdout, done.stdout


def test_a_design_that_reads_a_file_says_where_to_list_it(blink):
    blink.edit("blink.py", "class Blink", "ROM = open(__file__[:-8] + 'rom.txt').read()\n\n\nclass Blink")
    blink.write("rom.txt", "1 2 3")
    done = blink.run("run", "--only", "elaborate", "-q")
    assert done.returncode == 2
    assert "No such file or directory: 'rom.txt'" in done.stdout
    assert "data_files" in done.stdout
    blink.edit("suzuri.toml", "[design]", '[design]\ndata_files = ["rom.txt"]')
    assert blink.run("run", "--only", "elaborate", "-q").returncode == 0


def test_parameters_that_look_like_paths_stay_inside_the_build_folder(counter):
    counter.edit("counter.v", "parameter WIDTH = 4", 'parameter WIDTH = 4, parameter PROG = "none"')
    counter.edit(
        "suzuri.toml", "timeout_s = 60", 'timeout_s = 60\nparameters = { PROG = "../../x/prog.hex" }'
    )
    plan = json.loads(counter.run("plan", "--only", "simulate", "--json").stdout)
    names = [s["name"] for s in plan["steps"] if s["kind"] == "sim_build"]
    assert len(names) == 1
    assert names[0].startswith("sim_build.icarus.PROG=.._.._x_prog.hex-")
    assert "/" not in names[0]


@pytest.mark.sim
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("expected = 0", "cocotb.fork(None)", "cocotb 2 removed cocotb.fork: use cocotb.start_soon"),
        ("expected = 0", "dut.en <= 1", "write dut.signal.value = ..."),
        (
            "import random\n",
            "import random\nfrom cocotb.binary import BinaryValue\n",
            "cocotb.types.LogicArray",
        ),
        ("import random\n", "import random\nfrom cocotb.result import TestFailure\n", "raise any exception"),
    ],
)
def test_benches_for_cocotb_1_are_told_what_to_write(counter, old, new, words):
    counter.edit("test_counter.py", old, new)
    done = counter.run("run", "--only", "simulate")
    assert done.returncode in (1, 2)
    assert words in done.stdout


END = "\n    import os; open(os.environ['COCOTB_RESULTS_FILE'], 'w').write({xml!r}); os._exit(0)"
FORGED = "<testsuites><testsuite><testcase classname='x' name='counts'/></testsuite></testsuites>"


@pytest.mark.sim
@pytest.mark.parametrize("seeds", [1, 20])
def test_a_bench_that_ends_the_process_does_not_pass_whatever_it_leaves(counter, seeds):
    counter.edit("test_counter.py", "expected = 0", "expected = 0" + END.format(xml=FORGED))
    done = counter.run("run", "--only", "simulate", "--seeds", str(seeds))
    assert done.returncode == 1, done.stdout
    assert "the testbench ended the process by itself" in done.stdout


@pytest.mark.sim
def test_a_bench_that_deletes_itself_is_not_remembered_for_another(counter):
    counter.edit("test_counter.py", "expected = 0", "import os; os.unlink(__file__); expected = 0")
    assert counter.run("run", "--only", "simulate", "-q").returncode == 0
    counter.edit("test_counter.py", "== expected", "== expected + 1")
    assert counter.run("run", "--only", "simulate", "-q").returncode == 1


@pytest.mark.sim
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"version": 1, "coverpoints": [{"name": "a", "bins": [{"name": "x", "hits": Infinity}]}]}',
    ],
)
def test_coverage_that_is_garbage_is_told_as_such(counter, text):
    write = f"open(os.environ['SUZURI_COVERAGE_FILE'], 'w').write({text!r})"
    counter.edit("test_counter.py", "expected = 0", f"import os; {write}; expected = 0")
    done = counter.run("run", "--only", "simulate")
    assert done.returncode == 2
    assert "the functional coverage that the bench wrote cannot be read" in done.stdout
    assert "unexpected" not in done.stdout
