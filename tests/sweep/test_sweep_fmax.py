"""The search for the fastest clock, on synthesisers that are made up."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from flow.sweep.fmax import Aim, ClockSearch, Tried, best_of, rounded
from flow.sweep.portfolio import AreaSearch, PortfolioSearch

Tool = Callable[[str, float], tuple[float | None, float]]


def run(search, tool: Tool, workers: int = 1, seed: int = 0) -> list[Tried]:
    """Run a search with workers that finish in any order."""
    rng = random.Random(seed)
    running: list[Aim] = []
    told: list[Tried] = []
    while True:
        running += search.ask(workers - len(running))
        assert len(running) <= workers
        if not running:
            return told
        aim = running.pop(rng.randrange(len(running)))
        period, area = tool(aim.recipe, aim.target_ns)
        one = Tried(
            aim=aim,
            period_ns=period,
            metrics={"design__instance__area": area},
            reason="" if period else "it broke",
        )
        search.tell(one)
        told.append(one)
        assert len(told) < 200


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
    with pytest.raises(ValueError, match="none twice"):
        PortfolioSearch(["a", "a"], 1.0)
    with pytest.raises(ValueError, match="positive"):
        AreaSearch(["a"], -1.0)


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


SPEEDS = {"a": 1.0, "b": 0.9, "c": 1.5, "d": 0.95}


def several(recipe: str, target: float) -> tuple[float | None, float]:
    if recipe == "broken":
        return None, 0.0
    floor = SPEEDS["a" if recipe == "twin" else recipe]
    return max(floor, 0.97 * target), 100.0 / max(floor, target)


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_the_portfolio_finds_the_best_and_gives_up_the_hopeless(workers: int) -> None:
    search = PortfolioSearch(["a", "b", "broken", "c", "d", "twin"], 3.0)
    told = run(search, several, workers)
    assert search.best.aim.recipe == "b"
    assert search.best.period_ns == pytest.approx(0.9, rel=0.01)
    assert search.dropped["c"] == "67 % behind"
    assert search.dropped["broken"] == "it broke"
    assert search.dropped["twin"] == "the same as a"
    for name in ("c", "broken", "twin"):
        assert sum(t.aim.recipe == name for t in told) == 1
    assert len(told) <= 20


def test_a_portfolio_of_failures_ends() -> None:
    search = PortfolioSearch(["broken"], 1.0)
    assert len(run(search, several)) == 1
    assert search.best is None


def test_a_recipe_that_is_ahead_only_at_its_own_target_still_wins() -> None:
    """At its hardest it overshoots; near the leader's period it is better than that."""

    def tool(recipe: str, target: float) -> tuple[float, float]:
        if recipe == "late":
            return (1.05, 10.0) if target < 0.5 else (max(0.9, target * 0.99), 10.0)
        return 1.0, 20.0

    search = PortfolioSearch(["plain", "late"], 2.0)
    run(search, tool)
    assert search.best.aim.recipe == "late"
    assert search.best.period_ns < 0.97


def test_the_least_area_meets_the_clock() -> None:
    def tool(recipe: str, target: float) -> tuple[float, float]:
        """`over` is a fifth faster than asked, `under` a tenth slower, `never` meets nothing."""
        reached = {"over": 0.8, "under": 1.1}.get(recipe, 0.0) * target or 3.0
        return reached, {"over": 100.0, "under": 95.0, "never": 1.0}[recipe] / reached

    search = AreaSearch(["over", "under", "never"], 1.0)
    told = run(search, tool, workers=2)
    assert search.best.aim.recipe == "under"
    assert search.best.period_ns <= 1.0
    # `over` was asked for less, and `under` for more.
    assert any(t.aim.recipe == "over" and t.aim.target_ns > 1.2 for t in told)
    assert len(told) <= 9


def test_where_nothing_meets_the_clock_the_fastest_is_shown() -> None:
    search = AreaSearch(["a", "c"], 0.1)
    run(search, several)
    assert search.best.aim.recipe == "a"
    assert search.best.period_ns > 0.1
