"""What checks are worth, on replicates that were measured: two per cent are caught, noise is not.

``data/replicates.json`` is what ``python -m benchmarks.sweep_noise --write FILE``
measured: forty replicates of each of two blocks, and twenty of each with a
ring of flip-flops planted in the RTL, about two per cent of its area.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from flow.sweep.baseline import Baseline, check, regressed
from flow.sweep.noise import estimate

MEASURED = json.loads((Path(__file__).parent / "data" / "replicates.json").read_text())
AREA = "design__instance__area"
TRIALS, SIZE = 100, 20


def drawn(rng: random.Random, pool: dict[str, list[float]]) -> Baseline:
    """Draw replicates with replacement; what one replicate measured stays together."""
    chosen = [rng.randrange(len(pool[AREA])) for _ in range(SIZE)]
    settings = dict.fromkeys(("design", "pdk", "corner", "recipe", "clock_period_ns"), "")
    return Baseline(settings=settings, metrics={k: [v[i] for i in chosen] for k, v in pool.items()}, plain={})


def share(before: dict[str, list[float]], after: dict[str, list[float]], metric: str | None) -> float:
    """Return in which share of trials a regression of `metric`, or of any, is reported."""
    rng = random.Random(7)
    found = 0
    for _ in range(TRIALS):
        bad = {one.metric for one in check(drawn(rng, before), drawn(rng, after)) if regressed(one)}
        found += metric in bad if metric else bool(bad)
    return found / TRIALS


@pytest.mark.parametrize("name", MEASURED)
def test_two_per_cent_of_area_are_caught(name: str) -> None:
    plain, planted = MEASURED[name]["plain"], MEASURED[name]["planted"]
    truth = estimate(planted[AREA]).mean / estimate(plain[AREA]).mean - 1
    assert 0.015 < truth < 0.03
    assert share(plain, planted, AREA) >= 0.9


@pytest.mark.parametrize("name", MEASURED)
def test_noise_alone_is_no_regression(name: str) -> None:
    plain = MEASURED[name]["plain"]
    assert share(plain, plain, None) <= 0.05
    # Not that nothing is ever reported.
    worse = {**plain, AREA: [v * 1.05 for v in plain[AREA]]}
    assert share(plain, worse, AREA) == 1.0


@pytest.mark.parametrize("name", MEASURED)
def test_forty_replicates_are_no_copies(name: str) -> None:
    areas = MEASURED[name]["plain"][AREA]
    assert len(areas) == 40
    assert len(set(areas)) > 10
