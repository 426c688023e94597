"""Faults that are planted in the accelerator: their anchors fit, and they are found."""

import shutil
from pathlib import Path

import pytest

from verif.mutants import Mutant, elaborate
from verif.mutants.accelerator import MUTANTS, PARAMETERS
from verif.mutants.accelerator_attack import attack, examine

ROOT = Path(__file__).parents[2]


def test_there_are_enough_and_their_names_differ() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 25


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_anchor_fits_the_source(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text()
    assert mutant.mutate(text) != text


@pytest.fixture(autouse=True, scope="module")
def _tools() -> None:
    pytest.importorskip("systemrdl", reason="needs the SystemRDL compiler: pip install 'suzuri[nn]'")


@pytest.fixture
def icarus() -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("needs Icarus Verilog: apt-get install iverilog")


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.usefixtures("icarus")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_found(mutant: Mutant, tmp_path: Path) -> None:
    assert attack(mutant, tmp_path).by, f"nothing finds {mutant.name}"


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.usefixtures("icarus")
def test_accelerator_without_fault_passes(tmp_path: Path) -> None:
    verilog = elaborate("rtl.tensor.accelerator.top:Accelerator", "accelerator", PARAMETERS, ROOT)
    finding = examine(verilog, tmp_path)
    assert not finding.by, finding.message
