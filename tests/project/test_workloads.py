"""Workloads: simulated with files from anywhere, and their energy on each PDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from user_designs import COUNTER, Project

from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.project.request import Request, apply

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["counter.v"]
python_root = "."

[clock]
port = "clk"
period_ns = 10.0

[reset]
port = "rst"

[[workload]]
name = "burst"
module = "bench"
simulator = "icarus"
files = ["${COUNTER_FILES}/steps.txt"]
"""
BENCH = """\
import json, os
from pathlib import Path
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles

@cocotb.test()
async def burst(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    dut.rst.value, dut.en.value = 1, 0
    await ClockCycles(dut.clk, 5)
    dut.rst.value, dut.en.value = 0, 1
    steps = int(Path("steps.txt").read_text())
    await ClockCycles(dut.clk, steps)
    Path(os.environ["SUZURI_WORKLOAD_FILE"]).write_text(json.dumps({"cycles": CYCLES}))
"""


def project(folder: Path, cache: Path, *, cycles: str = "steps", manifest: str = MANIFEST) -> Project:
    made = Project(folder / "design", cache)
    made.write("counter.v", COUNTER)
    made.write("bench.py", BENCH.replace("CYCLES", cycles))
    made.write("suzuri.toml", manifest)
    made.write("../elsewhere/steps.txt", "200\n")
    return made


def run(made: Project, *arguments: str, where: str = "elsewhere") -> tuple[int, dict[str, Any], str]:
    done = made.run("run", "--json", *arguments, COUNTER_FILES=str(made.root.parent / where))
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        return done.returncode, {}, done.stderr


@pytest.mark.eda
@pytest.mark.sim
@pytest.mark.nightly
def test_energy_is_mean_power_times_the_cycles_that_the_bench_counted(
    tmp_path: Path, session_cache: Path
) -> None:
    code, record, said = run(project(tmp_path, session_cache))
    if "osu018" in said and "not installed" in said:
        pytest.skip("osu018 is not installed: apt-get install qflow-tech-osu018")
    assert code == 0, said
    steps = {step["name"]: step for step in record["steps"]}
    metrics = steps["power.osu018.workload.burst"]["metrics"]
    assert steps["simulate.burst.0"]["metrics"]["workload__burst__cycles"] == 200
    assert metrics["workload__burst__duration"] == pytest.approx(200 * 10e-9)
    assert metrics["workload__burst__energy"] == pytest.approx(metrics["power__total"] * 2e-6)
    assert steps["power.osu018.workload.burst"]["data"]["activity"]["registers_and_ports_percent"] == 100
    assert steps["power.osu018.workload.burst"]["data"]["workload"]["simulated_cycles"] > 200
    assert metrics["power__total"] != steps["power.osu018.default"]["metrics"]["power__total"]
    # Another file is another simulation, and another one elsewhere with the same content is not.
    elsewhere = project(tmp_path, session_cache)
    elsewhere.write("../other/steps.txt", "200\n")
    _, again, _ = run(elsewhere, where="other")
    assert {s["status"] for s in again["steps"]} == {"cached"}
    elsewhere.write("../other/steps.txt", "60\n")
    _, changed, _ = run(elsewhere, "--only", "simulate", where="other")
    (simulated,) = [s for s in changed["steps"] if s["kind"] == "simulate"]
    assert (simulated["status"], simulated["metrics"]["workload__burst__cycles"]) == ("done", 60)


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize("cycles", ["0", "1.5", "'many'"])
def test_cycles_that_cannot_be_are_refused(tmp_path: Path, session_cache: Path, cycles: str) -> None:
    code, record, _ = run(project(tmp_path, session_cache, cycles=cycles), "--only", "simulate")
    assert code == 2
    (step,) = [s for s in record["steps"] if s["kind"] == "simulate"]
    assert "SUZURI_WORKLOAD_FILE" in step["error"]["what"]


def design(folder: Path, manifest: str = MANIFEST) -> Path:
    return project(folder, folder / "cache", manifest=manifest).root


def test_a_workload_without_its_files_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTER_FILES", raising=False)
    root = design(tmp_path)
    loaded = load_design(root)
    assert [t.missing for t in loaded.tests] == ["the environment variable COUNTER_FILES is not set"]
    with pytest.raises(ConfigError, match="the workload 'burst' cannot run: the environment variable"):
        apply(loaded, Request(path=root, tests=("burst",)))
    monkeypatch.setenv("COUNTER_FILES", str(tmp_path / "nowhere"))
    assert "there is no file" in load_design(root).tests[0].missing
    monkeypatch.setenv("COUNTER_FILES", str(root.parent / "elsewhere"))
    (test,) = load_design(root).tests
    assert (test.missing, [f.name for f in test.files]) == ("", ["steps.txt"])
    assert (test.workload, test.activity, test.seeds) == (True, True, 1)


def test_a_nightly_workload_runs_when_it_is_asked_for(tmp_path: Path) -> None:
    root = design(tmp_path, MANIFEST.replace('files = ["${COUNTER_FILES}/steps.txt"]', 'tags = ["nightly"]'))
    loaded = load_design(root)
    assert apply(loaded, Request(path=root)).tests == ()
    assert [t.name for t in apply(loaded, Request(path=root, tests=("burst",))).tests] == ["burst"]
    assert [t.seeds for t in apply(loaded, Request(path=root, tests=("burst",), seeds=5)).tests] == [1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "burst"', 'name = "Burst-2"', "has lower-case letters, digits and single '_'"),
        ('module = "bench"', 'module = "bench"\nseeds = 3', "unknown key 'seeds'"),
        ('module = "bench"', 'module = "bench"\nparameters = { WIDTH = 8 }', "unknown key 'parameters'"),
        ("${COUNTER_FILES}/steps.txt", "steps.txt", "there is no file 'steps.txt'"),
        ('["${COUNTER_FILES}/steps.txt"]', '["bench.py", "../design/bench.py"]', "two files are called"),
    ],
)
def test_what_a_workload_cannot_have(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_design(design(tmp_path, MANIFEST.replace(old, new)))


def test_memories_of_the_manifest_reach_synthesis(tmp_path: Path) -> None:
    root = design(tmp_path, MANIFEST + '\n[synthesis]\nmemories = "outside"\noutside_bits = 64\n')
    asked = apply(load_design(root), Request(path=root, recipe="area"))
    assert (asked.synthesis.memories, asked.synthesis.outside_bits) == ("outside", 64)
    assert asked.synthesis.recipe == "area"
    with pytest.raises(ConfigError, match="needs hierarchy = 'flatten'"):
        apply(load_design(root), Request(path=root, hierarchy="keep"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('memories = "out"', "memories 'out' is none of auto, registers, outside"),
        ('memories = "outside"\noutside_bits = 0', "outside_bits must be at least 1"),
        ('memories = "outside"\nhierarchy = "keep"', "needs hierarchy = 'flatten'"),
        ('outside_bits = "many"', "expected an integer"),
    ],
)
def test_memories_that_cannot_be(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_design(design(tmp_path, MANIFEST + f"\n[synthesis]\n{line}\n"))
