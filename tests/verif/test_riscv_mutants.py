"""Faults that are planted in the cores: their anchors fit, and they are found."""

import shutil
from pathlib import Path

import pytest

from flow.model.errors import FlowError
from flow.tools.verilator import VERILATOR
from rtl.riscv.config import CoreConfig
from verif.mutants.riscv import MUTANTS, CoreMutant
from verif.mutants.riscv.attack import ROOT, attack, examine
from verif.programs.directed.build import COMPILER

#: Built quickly: tried in every run.
HANDFUL = ("nano_sra_fills_zeros", "nano_interrupt_at_wfi")


def test_there_are_enough_and_their_names_differ() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60
    assert {mutant.preset for mutant in MUTANTS} == {"nano", "small", "fast"}
    assert set(HANDFUL) <= {mutant.name for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_anchor_fits_the_source(mutant: CoreMutant) -> None:
    text = (ROOT / mutant.path).read_text()
    assert mutant.mutate(text) != text
    CoreConfig.preset(mutant.preset, **mutant.parameters)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}: apt-get install gcc-riscv64-unknown-elf")
    try:
        VERILATOR.detect()
    except FlowError as error:
        pytest.skip(f"needs Verilator: {error}")
    return tmp_path_factory.mktemp("mutants")


def _marked(mutant: CoreMutant) -> object:
    marks = [pytest.mark.sim] if mutant.name in HANDFUL else [pytest.mark.sim, pytest.mark.nightly]
    return pytest.param(mutant, id=mutant.name, marks=marks)


@pytest.mark.parametrize("mutant", [_marked(mutant) for mutant in MUTANTS])
def test_mutant_is_found(mutant: CoreMutant, cache: Path) -> None:
    finding = attack(mutant, cache, seeds=40)
    assert finding.by, f"nothing finds {mutant.name}: {mutant.what}"
    assert finding.cycles > 0


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize("preset", ["nano", "small", "fast"])
def test_core_without_fault_passes(preset: str, cache: Path) -> None:
    finding = examine(preset, preset, {}, ROOT, cache, seeds=3)
    assert not finding.by, finding.message
    assert finding.instructions > 0
