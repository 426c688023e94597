"""The cores' bench: sound cores pass it, and planted faults do not."""

from pathlib import Path

import pytest

from verif.coverage import merge_files
from verif.mutants import Mutant, elaborate, plant
from verif.simulate import BenchResult, build, run

ROOT = Path(__file__).resolve().parents[3]
TOP, BENCH = "rtl.riscv.core:Core", "verif.benches.test_core"
NANO = {"preset": "nano", "rvfi": True}

#: Other cores and options; they take a while to compile.
CORES = (
    {"preset": "nano", "rvfi": True, "register_file": "memory", "e": True, "shifter": "barrel"},
    {"preset": "nano", "rvfi": True, "zicntr": True, "local_interrupts": 16},
    {"preset": "small", "rvfi": True},
    {"preset": "small", "rvfi": True, "zba": True, "zbb": True, "zbs": True, "zcb": True, "zicond": True},
    {"preset": "small", "rvfi": True, "user_mode": True, "local_interrupts": 3},
    {"preset": "fast", "rvfi": True},
    {"preset": "fast", "rvfi": True, "issue_width": 1, "a": True},
)

pytestmark = pytest.mark.sim


def simulate(
    parameters: dict[str, object],
    folder: Path,
    tests: str,
    *,
    root: Path = ROOT,
    simulator: str = "icarus",
    instructions: int = 400,
) -> BenchResult:
    name = str(parameters["preset"])
    build(elaborate(TOP, name, parameters, root), name, folder, simulator=simulator)
    env = {
        "SUZURI_INSTRUCTIONS": str(instructions),
        "SUZURI_COVERAGE_FILE": str(folder / "coverage.json"),
        "PYTHONPATH": str(ROOT),
    }
    return run(BENCH, name, folder, simulator=simulator, parameters=parameters, tests=tests, env=env)


def test_nano(tmp_path: Path) -> None:
    result = simulate(NANO, tmp_path, "SmokeSlow|RandomStorm")
    assert result.good, result.messages
    assert len(result.passed) == 2
    coverage = merge_files([tmp_path / "coverage.json"])
    assert coverage.points["riscv.instruction"].hits["addi"]


def test_nano_without_rvfi(tmp_path: Path) -> None:
    result = simulate({"preset": "nano"}, tmp_path, "SmokeSlow")
    assert result.good, result.messages


@pytest.mark.parametrize(
    ("name", "path", "anchor", "replacement"),
    (
        (
            "stale_operand",
            "rtl/riscv/pipelines/nano_datapath.py",
            "bypass = self._pending & ",
            "bypass = Const(0) & ",
        ),
        (
            "compares_without_sign",
            "rtl/riscv/pipelines/nano_alu.py",
            "self.b[31], self.a[31]",
            "self.b[31], self.b[31]",
        ),
    ),
)
def test_faults_are_caught(name: str, path: str, anchor: str, replacement: str, tmp_path: Path) -> None:
    plant(Mutant(name=name, path=path, anchor=anchor, replacement=replacement), ROOT, tmp_path / "source")
    result = simulate(NANO, tmp_path, "SmokeSlow", root=tmp_path / "source")
    assert result.failed
    assert all(m.startswith(("ScoreboardError", "HangError")) for m in result.messages.values()), (
        result.messages
    )


@pytest.mark.nightly
@pytest.mark.parametrize("parameters", CORES, ids=str)
def test_cores(parameters: dict[str, object], tmp_path: Path) -> None:
    result = simulate(parameters, tmp_path, "Smoke|Random", simulator="verilator", instructions=8000)
    assert result.good, result.messages
    assert len(result.passed) == 6
