"""The machinery that plants faults."""

from pathlib import Path

import pytest

from verif.mutants import Mutant
from verif.mutants.mac_tile import MUTANTS

ROOT = Path(__file__).resolve().parents[2]


def test_names_are_unique_and_enough() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_anchor_fits_the_source(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text()
    assert mutant.mutate(text) != text


def test_anchor_that_is_gone_is_an_error() -> None:
    mutant = Mutant(name="m", path="x.py", anchor="a + b", replacement="a - b")
    with pytest.raises(ValueError, match=r"mutant m: its anchor occurs 0 times in x.py, not once"):
        mutant.mutate("a * b")
    with pytest.raises(ValueError, match=r"occurs 2 times"):
        mutant.mutate("a + b; a + b")


def test_mutant_that_changes_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="mutant m: the replacement changes nothing"):
        Mutant(name="m", path="x.py", anchor="a", replacement="a")
