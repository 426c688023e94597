"""Forty faults, one a night: regressions find them and tell them apart."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from verif.mutants.regressions import DESIGNS, FAULTS, Summary, run_nights

ROOT = Path(__file__).resolve().parents[2]


def test_there_are_forty_and_each_still_has_its_place():
    assert len({fault.mutant.name for fault in FAULTS}) == len(FAULTS) == 40
    assert set(Counter(fault.design.name for fault in FAULTS)) == {design.name for design in DESIGNS}
    for fault in FAULTS:
        fault.mutant.mutate((ROOT / fault.mutant.path).read_text())


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_they_are_found_and_told_apart(tmp_path):
    env = {**os.environ, "SUZURI_CACHE": str(tmp_path / "cache")}
    summary = Summary(list(run_nights(FAULTS, ROOT, tmp_path, env)))
    assert summary.found >= 38, [n.fault.mutant.name for n in summary.nights if not n.found]
    assert not summary.mixed, summary.mixed
    assert not summary.spread, [(n.fault.mutant.name, n.buckets) for n in summary.spread]
