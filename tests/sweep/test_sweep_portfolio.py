"""The search over recipes: on made-up synthesis, and for a small block with the real one."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from mac_block import MANIFEST, call, mac
from made_up_tools import run

from flow.model.design import Recipe
from flow.model.errors import CheckFailed, ConfigError
from flow.sweep.portfolio import AreaSearch, PortfolioSearch
from flow.tools.yosys import PORTFOLIO, RECIPES, recipe

__all__ = ["mac"]

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


def test_bad_portfolios_are_refused() -> None:
    with pytest.raises(ValueError, match="none twice"):
        PortfolioSearch(["a", "a"], 1.0)
    with pytest.raises(ValueError, match="at least one"):
        AreaSearch([], 1.0)
    with pytest.raises(ValueError, match="positive"):
        AreaSearch(["a"], -1.0)


def test_the_model_knows_the_recipes() -> None:
    """Manifests are checked without tools: the two lists must not part."""
    assert sorted(RECIPES) == sorted(Recipe.NAMES)
    assert set(PORTFOLIO) <= set(RECIPES)
    for name in RECIPES:
        script = recipe(name).abc_script(500, 16)
        assert "{" not in script
        # It takes inverters out as if they were buffers.
        assert "unbuffer" not in script


def test_where_nothing_meets_the_clock_the_fastest_is_shown() -> None:
    search = AreaSearch(["a", "c"], 0.1)
    run(search, several)
    assert search.best.aim.recipe == "a"
    assert search.best.period_ns > 0.1


@pytest.mark.eda
@pytest.mark.nightly
def test_a_search_is_kept_and_its_winner_can_be_pasted(mac: Path) -> None:
    words = ("ppa", "fmax", str(mac), "--recipe", "speed", "--recipe", "area", "--json")
    found = json.loads(call(*words))
    best = found["best"]
    assert best["recipe"] == "speed"
    # Timing searches for the period, and is sure of three digits and a half.
    assert best["fmax_mhz"] == pytest.approx(max(t["fmax_mhz"] for t in found["tries"]), rel=5e-4)
    assert best["slack_ns"] == pytest.approx(best["target_ns"] - best["period_ns"], abs=0.02)
    assert "behind" in found["dropped"]["area"]
    again = json.loads(call(*words))
    assert all(t["cached"] for t in again["tries"])
    assert again["best"]["fmax_mhz"] == best["fmax_mhz"]
    # The command that it prints gives that netlist, from the same cache entry.
    command = shlex.split(found["command"])
    assert command[:2] == ["suzuri", "run"]
    record = json.loads(call(*command[1:], "--json", "--build", str(mac / "again")))
    steps = {s["kind"]: s for s in record["steps"]}
    assert steps["synthesize"]["status"] == "cached"
    assert steps["timing"]["metrics"]["timing__fmax"] == pytest.approx(best["fmax_mhz"])


@pytest.mark.eda
@pytest.mark.nightly
def test_the_least_area_is_smaller_where_the_clock_allows(mac: Path) -> None:
    def least(clock: float) -> dict:
        recipes = ("--recipe", "area", "--recipe", "wide")
        text = call("ppa", "area", str(mac), "--clock", f"{clock}", *recipes, "--json")
        return json.loads(text)["best"]

    slow, fast = least(20.0), least(2.6)
    assert slow["period_ns"] <= 20.0
    assert fast["period_ns"] <= 2.6
    assert slow["area_um2"] < fast["area_um2"]
    with pytest.raises(CheckFailed, match=r"no recipe meets a clock period of 0\.01 ns"):
        call("ppa", "area", str(mac), "--clock", "0.01", "--recipe", "area", "--json")


def test_what_cannot_be_searched_is_said(mac: Path) -> None:
    with pytest.raises(ConfigError, match="--recipe and --portfolio exclude each other"):
        call("ppa", "fmax", str(mac), "--recipe", "area", "--portfolio")
    with pytest.raises(ConfigError, match="must be positive, not -1"):
        call("ppa", "area", str(mac), "--clock", "-1")
    with pytest.raises(ConfigError, match="one PDK, and there are: osu018, osu035"):
        (mac / "suzuri.toml").write_text(MANIFEST.replace('["osu018"]', '["osu018", "osu035"]'))
        call("ppa", "fmax", str(mac))
