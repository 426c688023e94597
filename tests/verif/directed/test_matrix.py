"""Every pair of options, in some configuration, elaborates and passes the directed tests."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from flow.model.errors import FlowError
from flow.tools.verilator import VERILATOR
from rtl.riscv.config import CoreConfig
from verif.mutants.riscv.attack import ROOT
from verif.mutants.riscv.workshop import elaborate_core, simulator
from verif.programs.directed.build import COMPILER, assemble
from verif.programs.directed.catalogue import applicable
from verif.programs.directed.matrix import OPTIONS, pairwise
from verif.programs.directed.run import on_core

CASES = [(preset, number) for preset in OPTIONS for number in range(len(pairwise(preset)))]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(COMPILER) is None:
        pytest.skip(f"needs {COMPILER}: apt-get install gcc-riscv64-unknown-elf")
    try:
        VERILATOR.detect()
    except FlowError as error:
        pytest.skip(f"needs Verilator: {error}")
    return tmp_path_factory.mktemp("matrix")


@pytest.mark.parametrize("preset", OPTIONS)
def test_every_value_and_every_legal_pair_occurs(preset: str) -> None:
    found = pairwise(preset)
    assert found == pairwise(preset), "the choice depends on chance"
    for name, values in OPTIONS[preset].items():
        assert {options[name] for options in found} == set(values), name
    # Pairs without a rule between them.
    free = ("local_interrupts", "zicntr", "hart_id") if preset != "fast" else ("zba", "c", "local_interrupts")
    for one, other in itertools.combinations(free, 2):
        expected = set(itertools.product(OPTIONS[preset][one], OPTIONS[preset][other]))
        assert {(options[one], options[other]) for options in found} == expected


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize(("preset", "number"), CASES, ids=str)
def test_configuration_passes(preset: str, number: int, cache: Path, tmp_path: Path) -> None:
    options = pairwise(preset)[number]
    config = CoreConfig.preset(preset, **options)
    files = elaborate_core(preset, options, ROOT)
    executable = simulator(files, tmp_path, cache / "runtime")
    failed = []
    for test in applicable(config):
        outcome = on_core(test, assemble(test, config, cache / "programs"), executable)
        if not outcome.good:
            failed.append(f"{test.name}: {outcome.message}")
    assert not failed, "\n".join([f"{preset} with {json.dumps(options)}", *failed])
