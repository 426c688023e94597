"""What a user's mistakes get: one clear paragraph that says what, where and what to do."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

FRONT = ("--until", "simulate")


def refused(done, *words: str, code: int = 2) -> str:
    """Check that the command failed with all of `words` and without a traceback."""
    text = done.stdout + done.stderr
    assert done.returncode == code, text
    for word in words:
        assert word in text, text
    assert "Traceback" not in text
    return text


def test_no_manifest(counter):
    (counter.root / "suzuri.toml").unlink()
    refused(counter.run("run"), "there is no suzuri.toml", "suzuri new")


def test_no_manifest_but_one_nearby(counter):
    done = counter.run("run", str(counter.root.parent))
    refused(done, "there is no suzuri.toml", "Did you mean", "counter")


def test_misspelt_key(counter):
    counter.edit("suzuri.toml", "period_ns", "periodns")
    refused(counter.run("run"), "suzuri.toml: clock.periodns", "unknown key", "Did you mean 'period_ns'?")


def test_misspelt_table(counter):
    counter.edit("suzuri.toml", "[clock]", "[clok]")
    refused(counter.run("run"), "suzuri.toml: clok", "Did you mean 'clock'?")


def test_broken_toml_names_the_line(counter):
    counter.edit("suzuri.toml", 'port = "clk"', "port = ")
    refused(counter.run("run"), "suzuri.toml", "not valid TOML", "line 7")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("period_ns = 10.0", 'period_ns = "fast"', ("clock.period_ns", "expected a number", "'fast'")),
        ("period_ns = 10.0", "period_ns = -1", ("clock", "must be positive")),
        ("period_ns = 10.0", "period_ns = true", ("clock.period_ns", "expected a number", "a boolean")),
        ('simulator = "icarus"', 'simulator = "vcs"', ("test[0]", "'vcs'", "verilator, icarus")),
        ('sources = ["counter.v"]', 'sources = ["c.v"]', ("design.sources", "there is no file 'c.v'")),
        ('sources = ["counter.v"]', 'sources = ["*.sv"]', ("design.sources", "there is no file '*.sv'")),
        ('sources = ["counter.v"]', 'sources = ["test_counter.py"]', ("design.sources", "neither Verilog")),
        ('top = "counter"', "", ("design.top", "the key 'top' is missing")),
        ('name = "counter"', 'name = "a b"', ("design name 'a b'",)),
        ("[design]", "[[design]]", ("design", "expected a table", "Write [design]")),
    ],
)
def test_wrong_values(counter, old, new, words):
    counter.edit("suzuri.toml", old, new)
    refused(counter.run("run", *FRONT), "suzuri.toml", *words)


def test_nothing_is_written_for_a_wrong_manifest(counter):
    counter.edit("suzuri.toml", "[clock]", "[clok]")
    counter.run("run")
    assert not (counter.root / "build").exists()


def test_top_module_not_found(blink):
    blink.edit("suzuri.toml", "blink:Blink", "blonk:Blink")
    refused(blink.run("run", "--only", "elaborate"), "the module 'blonk'", "design.top", "python_root")


def test_top_class_not_found(blink):
    blink.edit("suzuri.toml", "blink:Blink", "blink:Blnk")
    refused(blink.run("run", "--only", "elaborate"), "has no 'Blnk'", "Did you mean 'Blink'?")


def test_top_that_is_no_component(blink):
    blink.edit("suzuri.toml", "blink:Blink", "blink:NotOne")
    refused(blink.run("run", "--only", "elaborate"), "is not an Amaranth component but the class NotOne")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"four"', ("design.parameters.period", "period must be an integer, not 'four'")),
        ("1", ("design.parameters.period", "period must lie in 2 to 1024, not 1")),
    ],
)
def test_parameter_of_the_wrong_type_or_range(blink, value, words):
    blink.edit("suzuri.toml", "period = 4", f"period = {value}")
    refused(blink.run("run", "--only", "elaborate"), *words)


def test_parameter_that_the_top_does_not_take(blink):
    done = blink.run("run", "--only", "elaborate", "--set", "perod=4")
    refused(done, "takes no parameter 'perod'", "Did you mean 'period'?")


def test_a_design_that_raises_is_named_with_its_line(blink):
    blink.edit("blink.py", "m = Module()", "m = Module(); 1 / 0")
    refused(blink.run("run", "--only", "elaborate"), "blink.py:18", "ZeroDivisionError")


def test_a_design_with_a_syntax_error_is_named_with_its_line(blink):
    blink.edit("blink.py", "m = Module()", "m = = Module()")
    refused(blink.run("run", "--only", "elaborate"), "blink.py:18", "SyntaxError")


def test_a_design_that_ends_the_interpreter(blink):
    blink.edit("blink.py", "m = Module()", "import os; os._exit(5)")
    refused(blink.run("run", "--only", "elaborate"), "exit code 5 and no answer", code=3)


def test_pdk_that_does_not_exist(counter):
    refused(counter.run("run", "--pdk", "sky13A"), "sky13A", "sky130A")


def test_pdk_that_is_not_installed_says_how(counter, tmp_path):
    done = counter.run("run", "--pdk", "sky130A", PDK_ROOT=str(tmp_path / "none"), HOME=str(tmp_path))
    refused(done, "sky130A is not installed", "suzuri pdk install sky130A")


def test_corner_that_does_not_exist(counter):
    from pdk_adapters import registry

    if not registry.info("osu018").installed:
        pytest.skip("needs osu018: apt-get install qflow-tech-osu018")
    refused(counter.run("run", "--corner", "ss_cold"), "ss_cold", "osu018")


def test_a_missing_tool_says_how_to_install_it(counter, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = counter.run("run", "--only", "simulate", PATH=str(empty))
    refused(done, "icarus", "iverilog", "install")


def test_a_tool_that_is_too_old(counter, tmp_path):
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in ("iverilog", "vvp"):
        (fake / name).write_text('#!/bin/sh\necho "Icarus Verilog version 9.7 (stable) ()"\n')
        (fake / name).chmod(0o755)
    done = counter.run("run", "--only", "simulate", PATH=f"{fake}:{os.environ['PATH']}")
    refused(done, "icarus", "9.7", "older")


def test_a_test_that_is_not_there(counter):
    refused(counter.run("run", "--test", "count"), "there is no test 'count'", "Did you mean 'counts'?")


def test_options_that_exclude_each_other(counter):
    refused(counter.run("run", "--seed", "1", "--seeds", "2"), "--seed is one exact seed")


LOCK = """\
format = 1

[tool.icarus]
flavour = "path"
version = "1.0"
licence = "GPL-2.0-or-later"
digest.linux-x86_64 = "00"
"""


@pytest.mark.sim
def test_tools_that_differ_from_the_lock_are_said_and_refused_when_locked(counter):
    counter.write("tools.lock", LOCK)
    done = counter.run("run", "--only", "simulate", "-q")
    assert done.returncode == 0, done.stderr
    assert "Note: " in done.stderr
    assert "icarus" in done.stderr
    refused(counter.run("run", "--only", "simulate", "--locked"), "tools.lock", "icarus", "suzuri lock")


def test_locked_without_a_lock(counter):
    refused(counter.run("run", "--only", "lint", "--locked"), "there is no tools.lock", "suzuri lock")


def test_an_unknown_command_suggests(counter):
    refused(counter.run("rnu"), "Did you mean 'run'?")


def test_a_parameter_without_a_value(counter):
    refused(counter.run("run", "--set", "WIDTH"), "NAME=VALUE", "--set rows=16")


@pytest.mark.sim
def test_verilog_with_a_syntax_error_names_the_users_line(counter):
    counter.edit("counter.v", "if (rst)", "if rst)")
    refused(counter.run("run", "--until", "lint"), "counter.v:9")


@pytest.mark.eda
def test_a_combinational_loop_is_a_failed_check(counter):
    loop = "wire a, b;\n    assign a = ~(b & en);\n    assign b = a | rst;\n    assign out = b;\nendmodule"
    counter.edit("counter.v", "endmodule", loop)
    counter.edit("counter.v", "output reg", "output wire out, output reg")
    refused(counter.run("run", "--only", "synthesize"), "loop", "counter.v:1", code=1)


@pytest.mark.eda
def test_a_liberty_file_that_is_cut_short(counter, cut_short):
    done = counter.run("run", "--only", "synthesize", QFLOW_TECH=str(cut_short))
    refused(done, f"{cut_short}/osu018/osu018_stdcells.lib", "was cut short", "Install the PDK again")


@pytest.mark.sim
def test_a_good_design_passes(counter):
    done = counter.run("run", *FRONT, "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((counter.root / "build" / "run.json").read_text())
    assert record["verdict"]["status"] == "pass"
    assert record["verdict"]["reasons"] == []


@pytest.mark.sim
def test_a_testbench_that_raises(counter):
    counter.edit("test_counter.py", "expected = 0", "expected = 0\n    raise RuntimeError('by design')")
    refused(counter.run("run", *FRONT), "by design", "test_counter.py", code=1)


@pytest.mark.sim
def test_a_failing_assertion(counter):
    counter.edit("counter.v", "+ 1'b1", "+ 2'd2")
    refused(counter.run("run", *FRONT), "test_counter.py:24", code=1)


@pytest.mark.sim
def test_a_testbench_that_hangs(counter):
    counter.edit("suzuri.toml", "timeout_s = 60", "timeout_s = 3")
    counter.edit("test_counter.py", "expected = 0", "import time; time.sleep(1000)")
    refused(counter.run("run", *FRONT), "counts", "limit of 3", code=3)


@pytest.mark.sim
def test_a_testbench_that_waits_for_what_never_comes(counter):
    counter.edit("suzuri.toml", "timeout_s = 60", "timeout_s = 3")
    counter.edit("test_counter.py", "expected = 0", "while True: await RisingEdge(dut.clk)")
    refused(counter.run("run", *FRONT), "counts", "limit of 3", code=3)


@pytest.mark.sim
def test_a_testbench_that_prints_a_gigabyte(counter):
    counter.edit("test_counter.py", "expected = 0", "for _ in range(1000): print('x' * 1_000_000)")
    refused(counter.run("run", *FRONT), "printing more than 64 MB", code=3)
    size = sum(p.stat().st_size for p in (counter.root / "build").rglob("*") if p.is_file())
    assert size < 80e6


@pytest.mark.sim
def test_a_testbench_that_forks_children_and_hangs(counter):
    counter.edit("suzuri.toml", "timeout_s = 60", "timeout_s = 3")
    fork = (
        "import os, subprocess, time\n"
        f"    for _ in range(3): p = subprocess.Popen(['sleep', '977'], start_new_session=True)\n"
        f"    open('{counter.root}/pid', 'w').write(str(p.pid))\n"
        "    time.sleep(1000)"
    )
    counter.edit("test_counter.py", "expected = 0", fork)
    refused(counter.run("run", *FRONT), "limit of 3", code=3)
    pid = int((counter.root / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]


@pytest.mark.sim
def test_a_bench_without_tests_is_a_failure(counter):
    counter.edit("test_counter.py", "@cocotb.test()\n", "")
    text = counter.run("run", *FRONT)
    assert text.returncode in (1, 2)
    assert "test_counter" in text.stdout + text.stderr


@pytest.mark.sim
def test_a_build_folder_that_cannot_be_written(counter):
    (counter.root / "build").write_text("in the way")
    done = counter.run("run", *FRONT)
    assert done.returncode in (2, 3)
    assert "build" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.sim
def test_two_runs_of_one_project_at_once(counter):
    counter.edit("test_counter.py", "range(50)", "range(51)")  # not in the session's cache yet
    both = [counter.start("run", *FRONT, "-q") for _ in range(2)]
    texts = [process.communicate(timeout=200) for process in both]
    assert [p.returncode for p in both] == [0, 0], texts
    runs = list((counter.root / "build" / "runs").iterdir())
    assert len(runs) == 2
    records = [json.loads((run / "run.json").read_text()) for run in runs]
    statuses = [[s["status"] for s in r["steps"] if s["kind"] == "simulate"] for r in records]
    assert sorted(statuses) == [["cached"], ["done"]]
    latest = json.loads((counter.root / "build" / "run.json").read_text())
    assert latest in records
    listed = json.loads(counter.run("report", "--list", "--json").stdout)
    assert [r["status"] for r in listed] == ["pass", "pass"]


def _start_slow(counter):
    """Start a run whose simulation sleeps, and wait until it does."""
    marker = counter.root / "sleeping"
    sleep = f"import pathlib, time; pathlib.Path('{marker}').touch(); time.sleep(1000)"
    counter.edit("test_counter.py", "expected = 0", sleep)
    process = counter.start("run", *FRONT)
    for _ in range(1000):
        if marker.exists():
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


@pytest.mark.sim
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_keeps_what_is_done(counter, number):
    process = _start_slow(counter)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    record = json.loads((counter.root / "build" / "run.json").read_text())
    assert record["verdict"]["status"] == "cancelled"
    assert {s["kind"]: s["status"] for s in record["steps"]}["simulate"] == "cancelled"
    plan = json.loads(counter.run("plan", *FRONT, "--json").stdout)
    assert {s["kind"]: s["action"] for s in plan["steps"]} == {
        "lint": "cached", "sim_build": "cached", "simulate": "run",
    }  # fmt: skip


@pytest.mark.sim
def test_a_killed_run_is_gone_on_with(counter):
    process = _start_slow(counter)
    process.kill()
    process.communicate()
    counter.edit("test_counter.py", "time.sleep(1000)", "expected = 0")
    done = counter.run("run", *FRONT, "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert {s["kind"]: s["status"] for s in record["steps"]} == {
        "lint": "cached", "sim_build": "cached", "simulate": "done",
    }  # fmt: skip


def test_a_step_that_is_not_there_cannot_be_forced(counter):
    done = counter.run("plan", *FRONT, "--force", "simulat")
    refused(done, "there is no step 'simulat'", "Did you mean 'simulate'?")


def test_a_run_of_nothing_is_no_success(counter):
    text = (counter.root / "suzuri.toml").read_text()
    (counter.root / "suzuri.toml").write_text(text.partition("[[test]]")[0])
    refused(counter.run("run", "--only", "simulate"), "there is nothing to run", "[[test]]")
