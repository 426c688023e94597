"""The runner: limits, process groups, and daemons that try to stay."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flow.engine.runner import Cancelled, Runner, clean_environment
from flow.model.errors import InfraError, ToolError
from flow.model.step import Resources


def run(tmp_path, script, cancelled=lambda: False, **limits):
    runner = Runner(tmp_path, Resources(**limits) if limits else Resources(), cancelled)
    return runner.run(["sh", "-c", script], log=tmp_path / "log")


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_dead(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


def test_exit_code_output_and_usage(tmp_path):
    result = run(tmp_path, "echo hello; echo there >&2; exit 7")
    assert (result.returncode, result.text()) == (7, "hello\nthere\n")
    assert result.peak_mb > 0


def test_a_signal_is_a_negative_exit_code(tmp_path):
    assert run(tmp_path, "kill -SEGV $$").returncode == -11


def test_wall_clock_limit_kills_the_whole_group(tmp_path):
    with pytest.raises(ToolError, match=r"stopped after its limit of 0\.4 s") as caught:
        run(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; sleep 60", wall_s=0.4)
    assert "log" in str(caught.value)
    assert wait_dead(int((tmp_path / "pid").read_text()))


def test_a_child_that_left_its_session_is_killed_too(tmp_path):
    script = f"setsid sh -c 'echo $$ > {tmp_path}/pid; sleep 60' & sleep 60"
    with pytest.raises(ToolError, match="stopped after"):
        run(tmp_path, script, wall_s=0.6)
    assert wait_dead(int((tmp_path / "pid").read_text()))


def test_what_a_process_leaves_behind_is_killed(tmp_path):
    result = run(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid")
    assert result.returncode == 0
    assert wait_dead(int((tmp_path / "pid").read_text()))


def test_a_double_forked_daemon_is_killed(tmp_path):
    result = run(tmp_path, f"(setsid sh -c 'echo $$ > {tmp_path}/pid; sleep 60' &) ; sleep 0.4")
    assert result.returncode == 0
    assert wait_dead(int((tmp_path / "pid").read_text()))


def test_printing_without_end_is_stopped_and_trimmed(tmp_path):
    with pytest.raises(ToolError, match="printing more than 5 MB"):
        run(tmp_path, "yes 'all work and no play'", log_mb=5)
    assert (tmp_path / "log").stat().st_size == 5_000_000


def test_memory_limit_counts_the_whole_session(tmp_path):
    code = "import time; x = bytearray(80_000_000); time.sleep(30)"
    script = f"{sys.executable} -c '{code}' & {sys.executable} -c '{code}' & wait"
    with pytest.raises(ToolError, match="MB of memory; its limit is 120 MB"):
        run(tmp_path, script, memory_mb=120)


def test_cancelling(tmp_path):
    start = time.monotonic()
    with pytest.raises(Cancelled):
        run(tmp_path, f"echo $$ > {tmp_path}/pid; sleep 60", cancelled=lambda: time.monotonic() - start > 0.3)
    assert wait_dead(int((tmp_path / "pid").read_text()))


def test_no_such_program(tmp_path):
    with pytest.raises(ToolError, match=r"no such program.*suzuri doctor"):
        Runner(tmp_path, Resources()).run(["/nonexistent/tool"], log=tmp_path / "log")


def test_a_log_that_cannot_be_written(tmp_path):
    with pytest.raises(InfraError, match="cannot write a log"):
        Runner(tmp_path, Resources()).run(["true"], log=tmp_path / "no" / "log")


def test_the_environment_is_clean(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_SECRET", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    text = run(tmp_path, "env").text()
    assert "MY_SECRET" not in text
    assert "PYTHONPATH" not in text
    assert f"HOME={tmp_path}" in text
    assert clean_environment(tmp_path)["LC_ALL"] == "C.UTF-8"


def test_standard_input_is_empty(tmp_path):
    assert run(tmp_path, "cat; echo end").text() == "end\n"


_PARENT = """
import sys
from pathlib import Path
from flow.engine.runner import Runner
from flow.model.step import Resources
folder = Path(sys.argv[1])
script = f"setsid sh -c 'echo $$ > {folder}/far; sleep 60' & echo $$ > {folder}/near; sleep 60"
Runner(folder, Resources()).run(["sh", "-c", script], log=folder / "log")
"""


def test_tools_do_not_outlive_a_parent_that_is_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path)])
    pids = []
    for name in ("near", "far"):
        for _ in range(500):
            if (tmp_path / name).exists() and (tmp_path / name).read_text().strip():
                break
            time.sleep(0.02)
        pids.append(int((tmp_path / name).read_text()))
    os.kill(parent.pid, 9)
    parent.wait()
    assert all(wait_dead(pid) for pid in pids)
