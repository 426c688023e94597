"""Simulations for real: what passes, and all the ways of not passing."""

from __future__ import annotations

import json
import os
import re
from xml.etree import ElementTree

import pytest

from flow.model.errors import ConfigError, ToolError
from flow.model.step import Resources

pytestmark = pytest.mark.sim

GOOD = """\
@cocotb.test()
async def counts(dut):
    await start(dut)
    await ClockCycles(dut.clk, 5)
    assert int(dut.q.value) >= 4
"""


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_a_good_bench_passes(simulate, texts, simulator):
    context = simulate(texts.head + GOOD, simulator=simulator)
    assert not context.failures
    assert context.metrics["sim__test__count"] == context.metrics["sim__test__count__passed"] == 1
    assert context.metrics["sim__test__count__failed"] == 0
    (row,) = context.tables["tests"]
    assert (row["name"], row["status"], row["seed"]) == ("counts", "passed", 1)
    assert row["sim_time_ns"] > 50
    assert context.reads == {"tb/bench.py"}
    root = ElementTree.parse(context.outputs["results"]).getroot()
    assert root.get("tests") == "1"
    assert str(context.workdir) not in context.outputs["results"].read_text()


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_a_failing_assertion_says_what_and_where(simulate, texts, simulator):
    bench = (
        texts.head
        + "@cocotb.test()\nasync def wrong(dut):\n    await start(dut)\n    q = 3\n    assert q == 4\n"
    )
    context = simulate(bench, simulator=simulator, seed=77)
    (check,) = context.failures
    assert check.name == "sim.t.wrong"
    assert "assert 3 == 4" in check.message and "seed 77" in check.message
    assert check.place == f"bench.py:{bench.splitlines().index('    assert q == 4') + 1}"
    assert context.metrics["sim__test__count__failed"] == 1


def test_an_assertion_in_a_started_task_fails_the_test(simulate, texts):
    bench = texts.head + (
        "async def background(dut):\n    await Timer(15, 'ns')\n    assert False, 'in the background'\n\n\n"
        "@cocotb.test()\nasync def foreground(dut):\n    cocotb.start_soon(background(dut))\n"
        "    await Timer(100, 'ns')\n"
    )
    (check,) = simulate(bench).failures
    assert "in the background" in check.message


def test_a_bench_that_raises_at_import_is_the_users_input(simulate, texts):
    files = {
        "bench.py": "import helper\n" + texts.head + GOOD,
        "helper.py": "x = 1\nraise KeyError('boom')\n",
    }
    with pytest.raises(
        ConfigError, match=r"helper\.py:2: the testbench bench of test t cannot be imported: KeyError"
    ):
        simulate(files)


def test_a_bench_with_a_syntax_error_is_placed(simulate, texts):
    with pytest.raises(ConfigError, match=r"bench\.py:2: .*SyntaxError"):
        simulate("import cocotb\ndef broken(:\n")


def test_a_missing_module_is_named(simulate, texts):
    with pytest.raises(ConfigError, match=r"test t: there is no Python module nowhere\. Mend module"):
        simulate(texts.head + GOOD, module="nowhere")


def test_a_module_without_tests_is_refused(simulate):
    with pytest.raises(ConfigError, match="the module bench has no cocotb tests"):
        simulate("import cocotb\n")


def test_a_testcase_that_selects_nothing_lists_what_there_is(simulate, texts):
    with pytest.raises(ConfigError, match=r"testcase 'nosuch' selects none of the tests \(bench\.counts\)"):
        simulate(texts.head + GOOD, testcase="nosuch")


def test_a_testcase_selects_by_expression(simulate, texts):
    bench = texts.head + GOOD + "\n\n" + GOOD.replace("counts", "other")
    context = simulate(bench, testcase=r"coun\w+$")
    assert [row["name"] for row in context.tables["tests"]] == ["counts"]


def test_skipped_tests_alone_prove_nothing(simulate, texts):
    context = simulate(texts.head + GOOD.replace("test()", "test(skip=True)"))
    (check,) = context.failures
    assert check.name == "sim.t.no_tests" and "every test was skipped" in check.message
    assert context.metrics["sim__test__count"] == 0


def test_an_expected_failure_passes_and_an_unexpected_pass_fails(simulate, texts):
    bench = texts.head + (
        "@cocotb.test(expect_fail=True)\nasync def known(dut):\n    await start(dut)\n    assert False\n\n\n"
        "@cocotb.test(expect_fail=True)\nasync def mended(dut):\n    await start(dut)\n"
    )
    context = simulate(bench)
    assert [c.name for c in context.failures] == ["sim.t.mended"]
    assert {r["name"]: r["status"] for r in context.tables["tests"]} == {
        "known": "passed",
        "mended": "failed",
    }


def test_a_hanging_bench_is_stopped(simulate, texts):
    bench = texts.head + "@cocotb.test()\nasync def hangs(dut):\n    while True:\n        pass\n"
    with pytest.raises(ToolError, match=r"test t \(seed 1\) was stopped after its limit") as caught:
        simulate(bench, timeout_s=2)
    assert caught.value.log is not None


def test_a_bench_that_prints_without_end_is_stopped(simulate, texts):
    bench = (
        texts.head + "@cocotb.test()\nasync def talks(dut):\n    while True:\n        print('x' * 100000)\n"
    )
    with pytest.raises(ToolError, match="after printing more than 5 MB"):
        simulate(bench, resources=Resources(wall_s=30, log_mb=5))


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_a_crash_is_a_failure(simulate, texts, simulator):
    bench = texts.head + "@cocotb.test()\nasync def crashes(dut):\n    await start(dut)\n    os.abort()\n"
    (check,) = simulate(bench, simulator=simulator).failures
    assert check.name == "sim.t.crash"
    assert "SIGABRT" in check.message
    assert "crashes" in check.remedy  # the end of the log


def test_leaving_with_success_before_the_results_is_a_failure(simulate, texts):
    bench = texts.head + "@cocotb.test()\nasync def leaves(dut):\n    os._exit(0)\n"
    (check,) = simulate(bench).failures
    assert check.name == "sim.t.crash" and "exit status 0 and left no results" in check.message


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_rtl_that_finishes_early_fails_the_test(simulate, build, texts, simulator):
    rtl = texts.counter.replace("endmodule", "  always @(posedge clk) if (en) $finish;\nendmodule")
    context = simulate(
        texts.head + GOOD, build({"c.v": rtl}, top="counter", simulator=simulator), simulator=simulator
    )
    (check,) = context.failures
    assert check.name == "sim.t.counts" and "ended prematurely" in check.message


def test_an_error_that_the_rtl_reports_fails_a_passing_test(simulate, build, texts):
    rtl = texts.counter.replace(
        "endmodule", '  always @(posedge clk) if (q == 2) $error("two is bad");\nendmodule'
    ).replace("posedge clk) if (q", "posedge clk) if (!rst && en && q")
    built = build({"rtl/c.sv": rtl}, top="counter", simulator="verilator")
    context = simulate(texts.head + GOOD, built, simulator="verilator")
    assert context.failures
    said = " ".join(f"{c.message} {c.place}" for c in context.failures)
    assert "two is bad" in said or "ended prematurely" in said


def test_a_seed_decides_the_stimulus(simulate, texts):
    bench = (
        texts.head
        + "@cocotb.test()\nasync def draws(dut):\n    await start(dut)\n    assert False, random.random()\n"
    )
    said = [simulate(bench, seed=seed).failures[0].message.split(" (seed")[0] for seed in (5, 5, 2**63 + 1)]
    assert said[0] == said[1] != said[2]


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_several_seeds_share_a_start_and_keep_their_own_verdicts(simulate, texts, simulator):
    bench = texts.head + (
        "import json\nDRAWN = random.random()\n\n\n"
        "@cocotb.test()\nasync def varies(dut):\n    await start(dut)\n"
        "    seed = int(os.environ['COCOTB_RANDOM_SEED'])\n"
        "    if seed == 11:\n        os.abort()\n"
        "    if seed == 12:\n        while True:\n            pass\n"
        "    assert seed != 13, (DRAWN, random.random())\n"
        "    await ClockCycles(dut.clk, 3)\n"
    )
    context = simulate(bench, simulator=simulator, seeds=[10, 11, 12, 13, 14], timeout_s=3)
    rows = {row["seed"]: row["status"] for row in context.tables["tests"]}
    assert rows == {10: "passed", 11: "crash", 12: "timeout", 13: "failed", 14: "passed"}
    assert {c.name for c in context.failures} == {"sim.t.crash", "sim.t.timeout", "sim.t.varies"}
    together = next(c.message for c in context.failures if c.name == "sim.t.varies")
    alone = simulate(bench, simulator=simulator, seed=13).failures[0].message
    assert together == alone  # the same stimulus, at import and in the test
    assert context.reads == {"tb/bench.py"}


def test_waves_of_several_seeds_are_refused(simulate, texts):
    with pytest.raises(ConfigError, match="one seed at a time"):
        simulate(texts.head + GOOD, seeds=[1, 2], waves=True)


def test_only_the_files_that_were_read_count(simulate, texts):
    files = {
        "bench.py": texts.head
        + "from pathlib import Path\nfrom lib import used\n\n\n@cocotb.test()\nasync def reads(dut):\n"
        + "    assert Path(__file__).with_name('vectors.txt').read_text() == '1 2 3'\n    await start(dut)\n",
        "lib/__init__.py": "",
        "lib/used.py": "x = 1\n",
        "lib/unused.py": "x = 2\n",
        "vectors.txt": "1 2 3",
        "other.txt": "",
    }
    wanted = {"tb/bench.py", "tb/lib/__init__.py", "tb/lib/used.py", "tb/vectors.txt"}
    assert simulate(files).reads == wanted
    again = simulate(files)  # now from compiled code
    assert again.reads == wanted
    assert not list((again.workdir / "in" / "tb").resolve().rglob("__pycache__"))


def test_a_bench_that_starts_programs_may_have_read_anything(simulate, texts):
    bench = (
        texts.head + "import subprocess\n@cocotb.test()\nasync def runs(dut):\n    subprocess.run(['true'])\n"
    )
    context = simulate(bench)
    assert not context.failures
    assert context.reads == set()  # nothing said: all files count


def test_a_changed_bench_is_not_taken_from_compiled_code(simulate, texts):
    first = simulate(texts.head + GOOD)
    assert not first.failures
    second = simulate(texts.head + GOOD.replace(">= 4", "== 99"))
    assert second.failures


def test_parameters_plusargs_and_environment_reach_the_bench(simulate, texts):
    bench = texts.head + (
        "import json\n@cocotb.test()\nasync def sees(dut):\n"
        "    assert json.loads(os.environ['SUZURI_PARAMETERS']) == {'WIDTH': 4}\n"
        "    assert cocotb.plusargs['mode'] == 'fast'\n    assert os.environ['MINE'] == 'yes'\n"
        "    assert 'SECRET' not in os.environ\n    await start(dut)\n"
    )
    os.environ["SECRET"] = "1"
    try:
        context = simulate(bench, parameters={"WIDTH": 4}, plusargs=["+mode=fast"], env={"MINE": "yes"})
    finally:
        del os.environ["SECRET"]
    assert not context.failures


def test_functional_coverage_is_merged_over_seeds(simulate, texts):
    bench = texts.head + (
        "import json\n@cocotb.test()\nasync def covers(dut):\n    await start(dut)\n"
        "    seed = int(os.environ['COCOTB_RANDOM_SEED'])\n"
        "    bins = [{'name': str(i), 'hits': int(i == seed), 'goal': 1} for i in range(4)]\n"
        "    json.dump({'version': 1, 'coverpoints': [{'name': 'p', 'bins': bins}]},\n"
        "              open(os.environ['SUZURI_COVERAGE_FILE'], 'w'))\n"
    )
    context = simulate(bench, seeds=[0, 1, 2])
    assert context.metrics["sim__coverage__functional"] == 75.0
    assert context.tables["coverage"]["holes"] == [["p", "3"]]
    assert context.tables["coverage"]["runs"] == [[0, [1, 0, 0, 0]], [1, [0, 1, 0, 0]], [2, [0, 0, 1, 0]]]
    assert json.loads(context.outputs["coverage"].read_text())["version"] == 1


@pytest.mark.parametrize(
    ("simulator", "options", "outputs"),
    [
        ("verilator", {"activity": True}, {"activity": "saif"}),
        ("verilator", {"activity": True, "waves": True}, {"activity": "vcd", "waves": "vcd"}),
        ("icarus", {"waves": True}, {"waves": "fst"}),
        ("icarus", {"activity": True}, {"activity": "vcd"}),
    ],
)
def test_what_is_recorded(simulate, build, texts, simulator, options, outputs):
    built = build({"counter.v": texts.counter}, top="counter", simulator=simulator, **options)
    context = simulate(texts.head + GOOD, built, simulator=simulator, **options)
    assert not context.failures
    found = {
        name: context.outputs[name].suffix[1:] for name in ("activity", "waves") if name in context.outputs
    }
    assert found == outputs
    text = next(iter(context.outputs[name] for name in outputs)).read_bytes()
    assert len(text) > 200
    if "activity" in outputs:
        assert b"clk" in text and b"q" in text


def test_data_files_lie_in_the_current_directory(simulate, build, texts):
    rtl = texts.counter.replace(
        "endmodule", '  reg [7:0] rom [0:1];\n  initial $readmemh("mem/rom.hex", rom);\nendmodule'
    )
    files = {
        "bench.py": texts.head + "@cocotb.test()\nasync def loads(dut):\n    await start(dut)\n"
        "    assert int(dut.rom[1].value) == 0xb2\n",
        "mem/rom.hex": "a1\nb2\n",
    }
    context = simulate(files, build({"c.v": rtl}, top="counter"), data_files={"mem/rom.hex": "mem/rom.hex"})
    assert not context.failures
    assert "tb/mem/rom.hex" in context.reads
    with pytest.raises(ConfigError, match=re.escape("data_files: ../x")):
        simulate(files, build({"c.v": rtl}, top="counter"), data_files={"x": "../x"})


def test_an_error_of_the_rtl_fails_under_icarus_too(simulate, build, texts):
    rtl = texts.counter.replace(
        "endmodule", '  always @(posedge clk) if (!rst && q == 2) $error("two is bad");\nendmodule'
    )
    context = simulate(texts.head + GOOD, build({"rtl/c.sv": rtl}, top="counter"))
    (check,) = context.failures
    assert check.name == "sim.t.exit" and "two is bad" in check.message
    assert check.place == "rtl/c.sv:3"
