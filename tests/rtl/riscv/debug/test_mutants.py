"""The tests of debugging, protection and triggers find faults that are planted there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from verif.mutants import Mutant, plant
from verif.mutants.debug import MUTANTS

ROOT = Path(__file__).resolve().parents[4]
PLANTED = [(tests, mutant) for tests, mutants in MUTANTS.items() for mutant in mutants]


@pytest.mark.parametrize(("tests", "mutant"), PLANTED, ids=[mutant.name for _tests, mutant in PLANTED])
def test_anchors_are_there(tests: str, mutant: Mutant) -> None:
    assert (ROOT / tests).exists()
    mutant.mutate((ROOT / mutant.path).read_text())


@pytest.mark.nightly
@pytest.mark.parametrize(("tests", "mutant"), PLANTED, ids=[mutant.name for _tests, mutant in PLANTED])
def test_each_fault_is_found(tests: str, mutant: Mutant, tmp_path: Path) -> None:
    plant(mutant, ROOT, tmp_path)
    arguments = ["-x", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    only = ["-k", "small"] if "debugger" in tests else ["-k", "not documentation and not core"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    run = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", *arguments, *only, str(ROOT / tests)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout
    assert "1 failed" in run.stdout
