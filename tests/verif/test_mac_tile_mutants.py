"""Every planted fault of the MAC tile is caught by its bench, and the tile itself passes."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from verif.mutants import Mutant, elaborate, plant
from verif.mutants.mac_tile import MUTANTS, PARAMETERS
from verif.simulate import BenchResult, build, run

ROOT = Path(__file__).resolve().parents[2]
TOP = "rtl.tensor.tile:MacTile"
BENCH = "verif.benches.test_mac_tile"
SEEDS = (1, 2, 3, 4)
ENV = {"SUZURI_BEATS": "600", "PYTHONPATH": str(ROOT)}

pytestmark = pytest.mark.sim


def attack(mutant: Mutant, folder: Path) -> BenchResult | None:
    """Run the bench seed after seed; return the first failing result, or none."""
    plant(mutant, ROOT, folder / "src")
    build(elaborate(TOP, "mac_tile", mutant.parameters, folder / "src"), "mac_tile", folder / "sim")
    for seed in SEEDS:
        result = run(BENCH, "mac_tile", folder / "sim", seed=seed, parameters=mutant.parameters, env=ENV)
        if result.failed:
            return result
    return None


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], BenchResult | None]]:
    """All mutants' outcomes, worked out on every core while the first is waited for."""
    folder = tmp_path_factory.mktemp("mutants")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs: dict[str, Future[BenchResult | None]] = {
            mutant.name: pool.submit(attack, mutant, folder / mutant.name) for mutant in MUTANTS
        }
        yield lambda name: jobs[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", [mutant.name for mutant in MUTANTS])
def test_mutant_is_caught(name: str, outcome: Callable[[str], BenchResult | None]) -> None:
    result = outcome(name)
    assert result is not None, f"mutant {name} survives seeds {SEEDS}"
    # A bench that cannot run would fail too: what it says must be about the design.
    assert all(
        message.startswith(("ScoreboardError", "HangError", "ProtocolError"))
        for message in result.messages.values()
    ), result.messages


def test_the_tile_itself_passes(tmp_path: Path) -> None:
    build(elaborate(TOP, "mac_tile", PARAMETERS, ROOT), "mac_tile", tmp_path)
    for seed in SEEDS:
        result = run(BENCH, "mac_tile", tmp_path, seed=seed, parameters=PARAMETERS, env=ENV)
        assert result.good, result.messages
        assert len(result.passed) == 7
