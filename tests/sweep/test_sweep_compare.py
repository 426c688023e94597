"""Differences told from noise, baselines, and checks against them."""

from __future__ import annotations

import json
import math
import random
import statistics
from pathlib import Path

import pytest
from click.testing import CliRunner
from mac_block import MAC, call, mac

from flow.cli.main import suzuri
from flow.model.errors import CheckFailed, ConfigError
from flow.sweep.baseline import Baseline, check, read_baseline, regressed, write_baseline
from flow.sweep.compare import compare, detectable

__all__ = ["mac"]

AREA, FMAX = "design__instance__area", "timing__fmax"


def test_differences_are_said_in_words() -> None:
    before = [100.0, 101.0, 99.0, 100.5, 99.5]
    less = compare(AREA, before, [v * 0.95 for v in before], higher_is_better=False)
    assert less.better is True
    assert less.words == "better by 5.00 % ± 1.13"
    more = compare(AREA, before, [v * 1.05 for v in before], higher_is_better=False)
    assert more.better is False
    assert more.words.startswith("worse by 5.00 % ± 1.1")
    assert compare(FMAX, before, [v * 1.05 for v in before], higher_is_better=True).better is True
    same = compare(AREA, before, [v * 1.001 for v in before], higher_is_better=False)
    assert same.better is None
    assert same.words == "no difference (within ± 1.2 %)"
    neither = compare("x", before, [v * 1.05 for v in before], higher_is_better=None)
    assert neither.better is None
    assert neither.words.startswith("changed by +5.00 %")


def test_welch_agrees_with_its_definition() -> None:
    """The probability again, by integrating the density."""
    one, two = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9], [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0]
    parts = [statistics.variance(side) / len(side) for side in (one, two)]
    t = abs(statistics.fmean(one) - statistics.fmean(two)) / math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 5 + parts[1] ** 2 / 7)
    front = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(math.pi * freedom)
    step = t / 20000
    inside = (
        2 * step * sum((1 + ((i + 0.5) * step) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(20000))
    )
    assert compare("x", one, two, higher_is_better=None).p == pytest.approx(1 - front * inside, rel=1e-5)


def test_a_replicate_that_went_astray_hides_nothing() -> None:
    rng = random.Random(8)
    before = [rng.gauss(1000, 10) for _ in range(20)]
    after = [rng.gauss(1030, 10) for _ in range(19)]
    astray = compare(AREA, before, [*after, 700.0], higher_is_better=False)
    assert astray.better is False
    assert astray.change == pytest.approx(0.03, abs=0.008)
    # Nor does it make a difference where there is none.
    assert compare(AREA, before, [*before[:-1], 700.0], higher_is_better=False).better is None


def test_figures_without_spread_are_exact() -> None:
    assert compare(AREA, [5.0, 5.0], [5.0, 5.0], higher_is_better=False).words.startswith("no difference")
    exact = compare(AREA, [5.0, 5.0], [5.1, 5.1], higher_is_better=False)
    assert exact.words == "worse by 2.00 % ± 0.00"
    assert compare(AREA, [5.0], [5.1], higher_is_better=False).better is False
    zero = compare(AREA, [0.0, 0.0], [2.0, 2.0], higher_is_better=False)
    assert zero.words == "worse by 2 ± 0"


def test_a_single_value_is_judged_by_the_noise_of_the_others() -> None:
    before = [100.0, 102.0, 98.0, 101.0, 99.0]
    assert compare(AREA, before, [103.0], higher_is_better=False).better is None
    assert compare(AREA, before, [109.0], higher_is_better=False).better is False


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        compare(AREA, [], [1.0], higher_is_better=False)
    with pytest.raises(ValueError, match="not finite"):
        compare(AREA, [1.0], [float("inf")], higher_is_better=False)
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare(AREA, [1.0], [1.0], higher_is_better=False, confidence=1.0)


def test_what_is_called_detectable_is_found_that_often() -> None:
    rng = random.Random(4)
    shift = detectable(1.0, 20, 20, power=0.9)
    found = 0
    for _ in range(300):
        before = [rng.gauss(100, 1) for _ in range(20)]
        after = [rng.gauss(100 + shift, 1) for _ in range(20)]
        found += compare(AREA, before, after, higher_is_better=False).better is False
    assert 0.8 <= found / 300 <= 0.95
    with pytest.raises(ValueError, match="two on one"):
        detectable(1.0, 1, 1)


def test_equals_are_called_different_as_seldom_as_it_says() -> None:
    rng = random.Random(5)
    wrong = 0
    for _ in range(500):
        before = [rng.gauss(100, 1) for _ in range(8)]
        after = [rng.gauss(100, 3) for _ in range(12)]
        wrong += compare(AREA, before, after, higher_is_better=False).differs
    assert 11 <= wrong <= 41


SETTINGS = {"design": "d", "pdk": "p", "corner": "tt", "recipe": "area", "clock_period_ns": 2.0}


def made(scale: float = 1.0, seed: int = 1, **settings: object) -> Baseline:
    rng = random.Random(seed)
    metrics = {
        AREA: [scale * rng.gauss(1000, 4) for _ in range(20)],
        FMAX: [rng.gauss(500, 5) for _ in range(20)],
    }
    return Baseline(
        settings={**SETTINGS, **settings},
        metrics=metrics,
        plain={AREA: 1000.0 * scale, FMAX: 500.0, "timing__setup__ws": 0.1},
        tools=["yosys/pyosys/0.70/abc"],
        provenance={"commit": "c", "pdk_version": "1", "parameters": {}},
    )


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ppa.json"
    write_baseline(made(), path)
    found = read_baseline(path)
    assert found.settings == SETTINGS
    assert found.metrics == made().metrics
    assert found.replicates == 20
    assert found.noise(AREA).sigma == pytest.approx(statistics.stdev(made().metrics[AREA]))
    text = json.loads(path.read_text())
    assert text["metrics"][AREA]["unit"] == "um^2"
    assert text["metrics"][AREA]["higher_is_better"] is False
    assert text["metrics"][AREA]["low"] < text["metrics"][AREA]["sigma"] < text["metrics"][AREA]["high"]


def test_two_per_cent_are_caught_and_noise_is_not() -> None:
    area, fmax = check(made(), made(1.02, seed=2))
    assert regressed(area)
    assert not regressed(fmax)
    assert not regressed(area, allowed=0.05)
    assert not any(regressed(one) for one in check(made(), made(seed=3)))
    smaller = check(made(), made(0.98, seed=4), [AREA])[0]
    assert smaller.better is True
    assert not regressed(smaller)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pdk": "q"}, "the baseline has pdk p, and this run q"),
        ({"recipe": "speed"}, "the baseline has recipe area, and this run speed"),
        ({"clock_period_ns": 3.0}, r"the baseline has clock period ns 2\.0, and this run 3\.0"),
    ],
)
def test_figures_of_different_things_are_not_compared(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check(made(), made(**settings))


def test_a_missing_metric_is_named() -> None:
    with pytest.raises(ConfigError, match=r"the baseline has no metric power__total\. It has: design"):
        check(made(), made(), ["power__total"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is no JSON"),
        ("[]", "it is no baseline"),
        ('{"version": 2}', "it has version 2, not 1"),
        ('{"version": 1, "metrics": {}, "settings": {}}', "it is no baseline"),
    ],
)
def test_what_is_no_baseline_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_baseline(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_baseline(tmp_path / "none.json")


@pytest.mark.eda
@pytest.mark.nightly
def test_a_design_that_grew_fails_the_check_and_the_same_one_passes(mac: Path) -> None:
    call("ppa", "baseline", str(mac), "-n", "6")
    kept = mac / "ppa-osu018.json"
    assert read_baseline(kept).replicates == 6
    assert "no difference" in call("ppa", "check", str(mac), "--baseline", str(kept))
    grown = MAC.replace("output reg", "output reg [7:0] c, output reg").replace("begin", "begin c <= c + 1;")
    (mac / "mac.v").write_text(grown)
    with pytest.raises(CheckFailed, match=r"design__instance__area is worse by [1-9][\d.]* % ±") as failed:
        call("ppa", "check", str(mac), "--baseline", str(kept))
    assert failed.value.exit_code == 1
    call("ppa", "check", str(mac), "--baseline", str(kept), "--metric", AREA, "--allow", "300")
    with pytest.raises(ConfigError, match="--pdk: the baseline is of osu018, not osu035"):
        call("ppa", "check", str(mac), "--baseline", str(kept), "--pdk", "osu035")
    with pytest.raises(ConfigError, match="the baseline has no metric power__total"):
        call("ppa", "check", str(mac), "--baseline", str(kept), "--metric", "power__total")
    other = json.loads(kept.read_text())
    other["tools"] = [key.replace("/0.", "/9.") for key in other["tools"]]
    kept.write_text(json.dumps(other))
    said = CliRunner().invoke(
        suzuri, ["ppa", "check", str(mac), "--baseline", str(kept), "--allow", "300"], standalone_mode=False
    )
    assert "Note: the baseline had" in said.output
    assert "figures of other tools are compared" in said.output
