"""Replicates: the same function from another order, and how their spread is estimated."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from eda_flow import MAC, synthesize

from flow.stages.synthesize import SynthesisParams
from flow.sweep.noise import estimate, noise_of, t_quantile, t_tail
from flow.tools.yosys import jitter, shuffle_cells

RTLIL = """# Generated
autoidx 9
attribute \\top 1
module \\m
  attribute \\src "a.v:1"
  wire width 2 \\a
  attribute \\src "a.v:2"
  cell $and $1
    parameter \\A_WIDTH 1
    connect \\A \\a
  end
  wire \\b
  cell $or $2
    connect \\A \\b
  end
  cell $xor $3
    connect \\A \\b
  end
  connect \\b \\a [0]
end
module \\n
  cell $not $4
    connect \\A \\b
  end
end
"""


def test_shuffled_cells_are_the_same_cells() -> None:
    texts = {shuffle_cells(RTLIL, seed) for seed in range(1, 40)}
    assert len(texts) == 6  # all orders of three
    for text in texts:
        assert sorted(text.splitlines()) == sorted(RTLIL.splitlines())
        # An attribute stays with its cell, a cell in its module, and all of them behind the wires.
        assert '  attribute \\src "a.v:2"\n  cell $and $1\n    parameter' in text
        first, second = text.split("module \\n")
        assert first.count("  cell ") == 3
        assert second.count("  cell ") == 1
        assert first.index("wire \\b") < first.index("cell ")
    assert shuffle_cells(RTLIL, 7) == shuffle_cells(RTLIL, 7)


def test_the_target_is_off_by_half_a_per_cent_at_most() -> None:
    assert jitter(0) == 1.0
    values = [jitter(seed) for seed in range(1, 200)]
    assert len(set(values)) == len(values)
    assert all(0.995 <= v <= 1.005 for v in values)
    assert min(values) < 0.996
    assert max(values) > 1.004


def test_a_perturbation_is_no_negative_number() -> None:
    with pytest.raises(ValueError, match="perturbation must not be negative, as -1 is"):
        SynthesisParams(top="m", perturbation=-1)


def test_quantiles_are_those_of_the_tables() -> None:
    for share, freedom, expected in (
        (0.975, 1, 12.706),
        (0.975, 10, 2.228),
        (0.995, 38, 2.712),
        (0.95, 5, 2.015),
        (0.9, 1000, 1.2824),
    ):
        assert t_quantile(share, freedom) == pytest.approx(expected, rel=1e-3)
        assert t_tail(t_quantile(share, freedom), freedom) == pytest.approx(1 - share)
        assert t_quantile(1 - share, freedom) == pytest.approx(-expected, rel=1e-3)
    with pytest.raises(ValueError, match="no quantile"):
        t_quantile(1.0, 3)


def test_sigma_is_estimated_with_its_confidence() -> None:
    noise = estimate([10.0, 12.0, 11.0, 9.0, 13.0])
    assert noise.mean == 11.0
    assert noise.sigma == pytest.approx(1.5811, rel=1e-4)
    # sqrt(4 s2 / chi2) with 11.143 and 0.4844 from the table
    assert noise.low == pytest.approx(0.947, rel=0.02)
    assert noise.high == pytest.approx(4.543, rel=0.05)
    assert noise.relative == pytest.approx(1.5811 / 11, rel=1e-3)
    assert estimate([3.0]).sigma is None
    assert estimate([0.0, 0.0]).relative is None
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
    with pytest.raises(ValueError, match="finite"):
        estimate([1.0, float("nan")])


@pytest.mark.parametrize("n", [5, 20])
def test_the_interval_holds_sigma_as_often_as_it_says(n: int) -> None:
    rng = random.Random(n)
    held = 0
    for _ in range(1000):
        noise = estimate([rng.gauss(50.0, 2.0) for _ in range(n)])
        held += noise.low <= 2.0 <= noise.high
    assert 930 <= held <= 970


def test_metrics_that_some_replicates_lack_are_estimated_of_the_others() -> None:
    found = noise_of([{"a": 1.0, "b": None}, {"a": 3.0, "b": 5.0}, {"b": None}])
    assert (found["a"].n, found["a"].mean) == (2, 2.0)
    assert (found["b"].n, found["b"].sigma) == (1, None)


@pytest.mark.eda
@pytest.mark.nightly
def test_replicates_differ_and_what_is_not_perturbed_does_not(tmp_path: Path) -> None:
    areas = []
    for place, index in enumerate((0, 0, 1, 2, 3, 4)):
        context = synthesize(
            tmp_path / str(place), {"mac.v": MAC}, "mac", recipe="wide", clock_period_ns=3.0,
            perturbation=index,
        )  # fmt: skip
        areas.append(context.metrics["design__instance__area"])
    assert areas[0] == areas[1]
    assert set(areas[2:]) != {areas[0]}
