"""Every planted fault of the compute engine is caught by random commands against the functional model."""

import subprocess
import sys
from pathlib import Path

import pytest

from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.benches.tensor_compute import SMALL, WIDE, Mismatch, run_seeds
from verif.harness.tensor_compute import SimulationError, build
from verif.mutants import Mutant, plant
from verif.mutants.tensor_compute import MUTANTS, WIDE_MUTANTS

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(300)
FAULTS = [*((mutant, SMALL) for mutant in MUTANTS), *((mutant, WIDE) for mutant in WIDE_MUTANTS)]
_CONVERT = """
import sys
from amaranth.back import verilog
from rtl.tensor.accelerator.compute import ComputeEngine
from rtl.tensor.accelerator.config import AcceleratorConfig
values = dict(zip(AcceleratorConfig.parameter_names(), map(int, sys.argv[1:]), strict=True))
print(verilog.convert(ComputeEngine(AcceleratorConfig(**values)), name="compute_engine", emit_src=False))
"""


def elaborate(config: AcceleratorConfig, root: Path) -> str:
    """Return the Verilog of the engine whose sources lie below `root`."""
    values = [str(getattr(config, name)) for name in config.parameter_names()]
    command = [sys.executable, "-c", _CONVERT, *values]
    environment = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env=environment)
    return done.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutants")


@pytest.mark.parametrize("mutant", [mutant for mutant, _ in FAULTS], ids=lambda mutant: mutant.name)
def test_anchors_are_there(mutant: Mutant) -> None:
    path = ROOT / mutant.path
    assert mutant.mutate(path.read_text()) != path.read_text()


@pytest.mark.nightly
@pytest.mark.sim
@pytest.mark.parametrize(("mutant", "config"), FAULTS, ids=[mutant.name for mutant, _ in FAULTS])
def test_mutant_is_caught(mutant: Mutant, config: AcceleratorConfig, cache: Path, tmp_path: Path) -> None:
    plant(mutant, ROOT, tmp_path / "src")
    simulator = build(config, cache, text=elaborate(config, tmp_path / "src"))
    with pytest.raises((Mismatch, SimulationError)):
        run_seeds(simulator, SEEDS, work=600)
