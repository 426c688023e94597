"""The search for the fastest clock, on synthesisers that are made up."""

from __future__ import annotations

import random

import pytest
from made_up_tools import run

from flow.sweep.fmax import Aim, ClockSearch, Tried, best_of, rounded


def smooth(recipe: str, target: float) -> tuple[float, float]:
    """Reaches what it aims at down to 0.8 ns; what aims beyond that falls back."""
    reached = max(target * 0.98, 0.8 + 0.3 * max(0.0, 0.8 - target))
    return reached, 1000 / reached


def plateau(recipe: str, target: float) -> tuple[float, float]:
    return (1.3, 500.0) if target < 2 else (target, 400.0)


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("start", [0.3, 1.0, 10.0, 500.0])
def test_bisection_finds_the_fastest_to_a_per_cent(start: float, workers: int) -> None:
    search = ClockSearch("r", start)
    told = run(search, smooth, workers)
    assert search.best is not None
    assert search.best.period_ns == pytest.approx(0.8, rel=0.011)
    assert search.best.met
    assert len(told) <= 14
    assert search.finished
    assert len({t.aim for t in told}) == len(told)


def test_a_finer_tolerance_comes_closer() -> None:
    rough, fine = ClockSearch("r", 1.0, tolerance=0.1), ClockSearch("r", 1.0, tolerance=0.002, most=40)
    few, many = run(rough, smooth), run(fine, smooth)
    assert len(few) < len(many)
    assert rough.best.period_ns == pytest.approx(0.8, rel=0.1)
    assert fine.best.period_ns == pytest.approx(0.8, rel=0.0025)


def test_what_does_not_depend_on_the_target_is_tried_twice() -> None:
    """Once at its hardest, once at what that reached, which shows that all between is the same."""
    search = ClockSearch("r", 1.0)
    told = run(search, plateau)
    assert [t.aim.target_ns for t in told] == [0.02, 1.3]
    assert search.best is told[1]
    assert search.best.met


def test_the_best_try_wins_whatever_it_aimed_at() -> None:
    """A tool without order: one lucky target, which is far from its own result, is the best."""

    def odd(recipe: str, target: float) -> tuple[float, float]:
        rng = random.Random(f"{target:.3g}")
        return (1.0 if target < 0.1 else rng.uniform(0.9, 1.4)), 1000.0 * target

    for seed in range(30):
        search = ClockSearch("r", 5.0 + seed / 10)
        told = run(search, odd)
        assert search.best.period_ns == min(t.period_ns for t in told)


def test_failures_are_no_results() -> None:
    search = ClockSearch("r", 1.0)
    told = run(search, lambda recipe, target: (None, 0.0))
    assert len(told) == 1
    assert search.best is None
    sometimes = ClockSearch("r", 1.0)
    run(sometimes, lambda recipe, target: (None, 0.0) if 0.7 < target < 0.9 else smooth(recipe, target))
    assert sometimes.best is not None
    assert sometimes.best.period_ns < 1.0


def test_bad_searches_are_refused() -> None:
    with pytest.raises(ValueError, match="positive period"):
        ClockSearch("r", 0.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        ClockSearch("r", 1.0, tolerance=0.0)
    with pytest.raises(ValueError, match="at least one try"):
        ClockSearch("r", 1.0, most=0)


def test_periods_are_rounded_up() -> None:
    assert rounded(0.54618) == 0.5462
    assert rounded(0.5462) == 0.5462
    assert rounded(12.3401) == 12.35
    for seed in range(200):
        value = random.Random(seed).uniform(1e-3, 1e3)
        assert value <= rounded(value) * (1 + 1e-9) <= value * 1.0011


def test_of_equals_the_one_that_met_its_target_wins_and_then_the_smallest() -> None:
    def one(target: float, period: float | None, area: float) -> Tried:
        metrics = {"design__instance__area": area}
        return Tried(aim=Aim("r", target), period_ns=period, metrics=metrics)

    tight, own, small = one(0.1, 1.0, 50.0), one(1.0, 1.0, 60.0), one(1.1, 1.0001, 55.0)
    assert best_of([tight, own]) is own
    assert best_of([tight, own, small]) is small
    assert best_of([one(1.0, None, 1.0)]) is None
