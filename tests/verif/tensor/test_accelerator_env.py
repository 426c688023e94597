"""The pyuvm environment of the accelerator: it notices faults, and random runs exercise what they must."""

import json
from collections import deque
from pathlib import Path

import pytest

pytest.importorskip("systemrdl", reason="needs the SystemRDL compiler: pip install 'suzuri[nn]'")

from flow.model.errors import FlowError
from flow.tools.verilator import VERILATOR
from rtl.tensor.accelerator.commands import Compute, Load
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.check import check
from rtl.tensor.machine.errors import ErrorCode
from verif.agents.axi4 import AxiRecorder, Burst
from verif.coverage import Coverage
from verif.envs.accelerator.stimulus import Stimulus
from verif.envs.accelerator.streams import KINDS, random_stimulus
from verif.harness.tensor.quick import elaborate
from verif.mutants import elaborate as elaborate_mutant
from verif.mutants import plant
from verif.mutants.accelerator import COMPUTE
from verif.simulate import build, run

SMALL = {"array": 4, "bus_width": 32, "activation_kib": 2, "weight_kib": 1, "psum_words": 16}
CONFIG = AcceleratorConfig(**SMALL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stimulus_is_legal_but_for_what_it_says(kind: str) -> None:
    run_ = random_stimulus(CONFIG, 1, kind)
    for command in run_.commands:
        check(command, CONFIG)
    assert len({command.tag for command in run_.commands}) == len(run_.commands)
    codes = {
        "illegal": {ErrorCode.COMMAND, ErrorCode.FIELD, ErrorCode.ADDRESS},
        "bus error": {ErrorCode.BUS},
        "fetch error": {ErrorCode.BUS},
        "deadlock": {ErrorCode.DEADLOCK},
        "configuration": {ErrorCode.CONFIG},
    }.get(kind, {0})
    assert run_.ending.code in codes
    assert run_.cut == (kind in ("stopped", "reset"))
    assert random_stimulus(CONFIG, 1, kind) == run_ != random_stimulus(CONFIG, 2, kind)


def test_good_programs_hold_all_engines() -> None:
    programs = [random_stimulus(CONFIG, seed, "mixed") for seed in range(6)]
    kinds = {type(command).__name__ for program in programs for command in program.commands}
    assert kinds == {"Load", "Pack", "Compute", "Store"}
    assert all(isinstance(program, Stimulus) and program.content for program in programs)
    assert sum(isinstance(c, Compute | Load) for program in programs for c in program.commands) > 20


def test_the_recorder_counts_bursts_and_waits() -> None:
    quiet = {f"{channel}{wire}": 0 for channel in ("ar", "r", "aw", "w", "b") for wire in ("valid", "ready")}
    recorder = AxiRecorder()
    asked = quiet | {"arvalid": 1, "araddr": 64, "arlen": 3}
    moves = deque(
        [quiet, asked, asked, asked | {"arready": 1}, quiet | {"rvalid": 1, "rready": 1, "rresp": 2}]
    )
    while moves:
        recorder.observe(moves.popleft())
    assert recorder.bursts == [Burst("ar", 64, 4)]
    assert recorder.waits["ar"] == {2: 1}
    assert recorder.waits["r"] == {0: 1}
    assert recorder.errors == {"r": 1, "b": 0}
    recorder.clear()
    assert (recorder.bursts, recorder.waits["ar"], recorder.errors["r"]) == ([], {}, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        VERILATOR.detect()
    except FlowError as error:
        pytest.skip(f"needs Verilator: {error}")
    made = tmp_path_factory.mktemp("accelerator")
    build(elaborate(**SMALL), "accelerator", made, simulator="verilator")
    return made


@pytest.mark.sim
@pytest.mark.nightly
def test_random_runs_exercise_what_they_must(folder: Path) -> None:
    found = folder / "coverage.json"
    for seed in range(1, 13):
        result = run(
            "verif.benches.test_accelerator", "accelerator", folder, simulator="verilator", seed=seed,
            parameters=SMALL, tests="Everything",
            env={"SUZURI_RUNS": "20", "SUZURI_COVERAGE_FILE": str(found)},
        )  # fmt: skip
        assert result.good, result.messages
    coverage = Coverage.from_json(json.loads(found.read_text()))
    bins = sum(len(point.goals) for point in coverage.points.values())
    assert len(coverage.missing) <= bins // 20, coverage.missing


@pytest.mark.sim
@pytest.mark.nightly
def test_a_fault_is_noticed_at_the_command(tmp_path: Path) -> None:
    """Results clamped wrongly: the scoreboard names words of the activation memory."""
    mutant = next(item for item in COMPUTE if item.name == "maximum_forgotten")
    plant(mutant, Path(__file__).parents[3], tmp_path / "src")
    text = elaborate_mutant("rtl.tensor.accelerator.top:Accelerator", "accelerator", SMALL, tmp_path / "src")
    build(text, "accelerator", tmp_path / "sim", simulator="verilator")
    result = run(
        "verif.benches.test_accelerator", "accelerator", tmp_path / "sim", simulator="verilator",
        parameters=SMALL, tests="Programs",
    )  # fmt: skip
    assert result.failed == ("Programs",)
    assert "words of the activation memory differ" in result.messages["Programs"]
