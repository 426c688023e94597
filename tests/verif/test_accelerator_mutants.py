"""Faults that are planted in the accelerator: their anchors fit, and they are found."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("systemrdl", reason="needs the SystemRDL compiler: pip install 'suzuri[nn]'")

from verif.benches.tensor_compute import SMALL
from verif.harness.tensor_compute import build
from verif.mutants import Mutant, elaborate
from verif.mutants.accelerator import COMPUTE, MUTANTS, SHELL
from verif.mutants.accelerator.attack_compute import attack_compute, examine_compute
from verif.mutants.accelerator.attack_shell import attack_shell, examine_shell
from verif.mutants.accelerator.shell import PARAMETERS

ROOT = Path(__file__).parents[2]


def test_there_are_enough_and_their_names_differ() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60
    assert len(COMPUTE) + len(SHELL) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_anchor_fits_the_source(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text()
    assert mutant.mutate(text) != text


@pytest.mark.nightly
def test_the_command_lists_and_refuses_names() -> None:
    command = [sys.executable, "-m", "verif.mutants.accelerator", "--list"]
    done = subprocess.run([*command, "fill_is"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.startswith("fill_is_zero ")
    assert "pack_ring.py" in done.stdout
    done = subprocess.run([*command, "no_such"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "there is no mutant 'no_such'" in done.stderr


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutants")


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize("mutant", COMPUTE, ids=lambda mutant: mutant.name)
def test_mutant_of_the_compute_engine_is_found(mutant: Mutant, cache: Path) -> None:
    assert attack_compute(mutant, cache).by, f"nothing finds {mutant.name}"


@pytest.mark.sim
@pytest.mark.nightly
def test_a_compute_engine_without_fault_passes(cache: Path) -> None:
    finding = examine_compute(build(SMALL, cache), seeds=20)
    assert not finding.by, finding.message
    assert finding.commands > 50


@pytest.mark.sim
@pytest.mark.nightly
def test_a_mutant_that_does_not_elaborate_is_an_error(cache: Path) -> None:
    broken = replace(COMPUTE[0], replacement="no_such_name")
    with pytest.raises(RuntimeError, match=r"does not elaborate: .*no_such_name"):
        attack_compute(broken, cache)


@pytest.fixture
def icarus() -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("needs Icarus Verilog: apt-get install iverilog")


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.usefixtures("icarus")
@pytest.mark.parametrize("mutant", SHELL, ids=lambda mutant: mutant.name)
def test_mutant_of_the_shell_is_found(mutant: Mutant) -> None:
    assert attack_shell(mutant).by, f"nothing finds {mutant.name}"


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.usefixtures("icarus")
def test_accelerator_without_fault_passes(tmp_path: Path) -> None:
    verilog = elaborate("rtl.tensor.accelerator.top:Accelerator", "accelerator", PARAMETERS, ROOT)
    finding = examine_shell(verilog, tmp_path)
    assert not finding.by, finding.message
