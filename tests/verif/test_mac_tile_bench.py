"""The MAC tile's bench on tiles of many shapes, and on the default one in Verilator."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from amaranth.back import verilog
from pyuvm import uvm_root

from rtl.tensor.config import TileConfig
from rtl.tensor.tile import MacTile
from verif.coverage import merge_files
from verif.envs.mac_tile.scoreboard import MacTileScoreboard, ScoreboardError
from verif.simulate import BenchResult, build, run

ROOT = Path(__file__).resolve().parents[2]
BENCH = "verif.benches.test_mac_tile"
TESTS = 7

#: Corners of the space: no tree, odd trees, narrow and wide operands, sums cut by the accumulator.
SHAPES = [
    {"rows": 1, "columns": 1, "activation_width": 4, "weight_width": 4, "accumulator_width": 16},
    {"rows": 1, "columns": 8, "activation_width": 9, "weight_width": 8, "accumulator_width": 24},
    {"rows": 8, "columns": 1, "activation_width": 5, "weight_width": 9, "accumulator_width": 18},
    {"rows": 3, "columns": 5, "activation_width": 7, "weight_width": 6, "accumulator_width": 16},
    {"rows": 5, "columns": 3, "activation_width": 2, "weight_width": 2, "accumulator_width": 4},
    {"rows": 6, "columns": 2, "activation_width": 9, "weight_width": 9, "accumulator_width": 16},
    {"rows": 8, "columns": 2, "tree_stages": 0, "accumulator_width": 21},
    {"rows": 7, "columns": 2, "tree_stages": 3, "accumulator_width": 64},
]
DEEP = [
    {"rows": rows, "columns": columns, "activation_width": x, "weight_width": w, "accumulator_width": acc}
    for rows, columns in ((1, 1), (1, 8), (3, 5), (8, 8))
    for x, w in ((4, 9), (9, 4), (8, 8))
    for acc in (16, 32)
]


def simulate(
    parameters: Mapping[str, int],
    folder: Path,
    *,
    simulator: str = "icarus",
    beats: int = 400,
    seed: int = 1,
) -> BenchResult:
    build(verilog.convert(MacTile(**parameters), name="mac_tile"), "mac_tile", folder, simulator=simulator)
    env = {
        "SUZURI_BEATS": str(beats),
        "SUZURI_COVERAGE_FILE": str(folder / "coverage.json"),
        "PYTHONPATH": str(ROOT),
    }
    return run(BENCH, "mac_tile", folder, simulator=simulator, seed=seed, parameters=parameters, env=env)


@pytest.mark.sim
@pytest.mark.parametrize("parameters", SHAPES, ids=str)
def test_shapes(parameters: dict[str, int], tmp_path: Path) -> None:
    result = simulate(parameters, tmp_path)
    assert result.good, result.messages
    assert len(result.passed) == TESTS


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize("parameters", DEEP, ids=str)
def test_more_shapes(parameters: dict[str, int], tmp_path: Path) -> None:
    result = simulate(parameters, tmp_path, beats=2000, seed=2)
    assert result.good, result.messages
    assert len(result.passed) == TESTS


@pytest.mark.sim
@pytest.mark.nightly
def test_16x16(tmp_path: Path) -> None:
    result = simulate({"rows": 16, "columns": 16}, tmp_path, simulator="verilator", beats=3000)
    assert result.good, result.messages
    assert len(result.passed) == TESTS


@pytest.mark.sim
def test_default_tile_meets_every_coverage_goal(tmp_path: Path) -> None:
    result = simulate({}, tmp_path, simulator="verilator", beats=3000)
    assert result.good, result.messages
    assert len(result.passed) == TESTS
    coverage = merge_files([tmp_path / "coverage.json"])
    assert coverage.missing == ()
    assert {"mac_tile.operands", "mac_tile.swap", "mac_tile.accumulator"} <= set(coverage.points)
    assert len(coverage.points["mac_tile.operands"].goals) == 25


@pytest.mark.sim
def test_same_seed_same_coverage_and_other_seed_another(tmp_path: Path) -> None:
    parameters = {"rows": 2, "columns": 1}
    build(verilog.convert(MacTile(**parameters), name="mac_tile"), "mac_tile", tmp_path)

    def covered(name: str, seed: int) -> object:
        path = tmp_path / f"{name}.json"
        env = {"SUZURI_BEATS": "100", "SUZURI_COVERAGE_FILE": str(path), "PYTHONPATH": str(ROOT)}
        assert run(
            BENCH, "mac_tile", tmp_path, seed=seed, parameters=parameters, env=env, tests="Random"
        ).good
        return json.loads(path.read_text())

    first = covered("first", 5)
    assert covered("again", 5) == first
    assert covered("other", 6) != first


@pytest.mark.sim
def test_bench_refuses_a_tile_that_is_not_the_one_described(tmp_path: Path) -> None:
    build(verilog.convert(MacTile(rows=2, columns=2), name="mac_tile"), "mac_tile", tmp_path)
    env = {"PYTHONPATH": str(ROOT)}
    result = run(BENCH, "mac_tile", tmp_path, parameters={"rows": 2, "columns": 3}, env=env, tests="Smoke")
    assert "does SUZURI_PARAMETERS say what was elaborated?" in result.messages["Smoke"]
    result = run(BENCH, "mac_tile", tmp_path, parameters={"lanes": 2}, env=env, tests="Smoke")
    assert "MacTile has no parameter lanes" in result.messages["Smoke"]


def test_scoreboard_that_saw_nothing_fails() -> None:
    uvm_root().clear_children()
    scoreboard = MacTileScoreboard("scoreboard", uvm_root(), config=TileConfig())
    scoreboard.build_phase()
    with pytest.raises(ScoreboardError, match="saw no result: nothing was verified"):
        scoreboard.check_phase()
    uvm_root().clear_children()
