"""Replicates of two designs: how noisy figures are, and whether 2 % of area are told from noise.

``python -m benchmarks.sweep_noise --write FILE`` keeps the replicates, which a
test draws its trials from.

The regression is planted in the RTL: a ring of flip-flops of about 2 % of the
design's area, which nothing but a port of its own reads. A trial draws twenty
replicates for each side, with replacement, from forty of the design as it is
or from twenty with the ring, and asks ``suzuri ppa check``'s comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import REPOSITORY, Row
from flow.sweep.baseline import GATED, Baseline, check, regressed
from flow.sweep.noise import estimate

__all__ = ["measure"]

_DESIGNS = {"sorter": 10, "fp16_add": 9}  # flip-flops of the ring: two per cent of the area
_PDK = "nangate45"
_DRAWN = 20
_TRIALS = 100

Replicates = Mapping[str, Sequence[float]]


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield the noise of each design, and how often what was planted, and what was not, is reported."""
    for name in _DESIGNS:
        yield from rows_of(name, replicates_of(scratch, cache, name))


def replicates_of(scratch: Path, cache: Path, name: str) -> dict[str, Replicates]:
    """Run the replicates of a design, ``plain`` and ``planted``."""
    os.environ["SUZURI_CACHE"] = str(cache)
    found = {}
    for kind, count, ring in (("plain", 2 * _DRAWN, 0), ("planted", _DRAWN, _DESIGNS[name])):
        folder = scratch / "noise" / f"{name}_{kind}"
        shutil.copytree(REPOSITORY / "benchmarks" / "designs" / name, folder)
        if ring:
            source = folder / f"{name}.v"
            source.write_text(_with_ring(source.read_text(encoding="utf-8"), ring), encoding="utf-8")
        found[kind] = _run(folder, count)
    return found


def _with_ring(verilog: str, length: int) -> str:
    """Return the design with a ring counter beside it."""
    head, clock, rest = verilog.partition("input clk,")
    assert clock, "the design has no port clk"
    body, end, tail = rest.rpartition("endmodule")
    ring = (
        f"  reg [{length - 1}:0] ring;\n"
        f"  always @(posedge clk) ring <= {{ring[{length - 2}:0], ~ring[{length - 1}]}};\n"
        f"  assign planted = ring[{length - 1}];\n"
    )
    return f"{head}{clock} output planted,{body}{ring}{end}{tail}"


def _run(folder: Path, count: int) -> Replicates:
    from flow.project.request import Request
    from flow.project.session import Session
    from flow.sweep.fmax import Aim
    from flow.sweep.tries import Tries

    parts = frozenset({"elaborate", "synthesize", "timing"})
    session = Session(Request(path=folder, pdks=(_PDK,), parts=parts))
    tries = Tries(session, session.pdks[0])
    aim = Aim(session.design.synthesis.recipe, tries.plan.clock_period_ns)
    found = tries.replicate(aim, range(1, count + 1))
    return {name: [one.metrics[name] or 0.0 for one in found.values()] for name in GATED}


def rates(replicates: Mapping[str, Replicates], trials: int = _TRIALS, seed: int = 1) -> dict[str, float]:
    """Return how often of `trials` a regression of area is reported.

    ``noise``: of the same design on both sides, of any metric. ``planted``: of the one with the
    ring. ``exact``: of the same, with each area of one side multiplied by 1.02.
    """
    rng = random.Random(seed)
    plain, planted = replicates["plain"], replicates["planted"]
    exact = {**plain, "design__instance__area": [1.02 * v for v in plain["design__instance__area"]]}
    counts = dict.fromkeys(("noise", "planted", "exact"), 0)
    for _ in range(trials):
        before = _drawn(rng, plain)
        for kind, pool in (("noise", plain), ("planted", planted), ("exact", exact)):
            found = check(before, _drawn(rng, pool))
            bad = {one.metric for one in found if regressed(one)}
            counts[kind] += bool(bad) if kind == "noise" else "design__instance__area" in bad
    return {kind: count / trials for kind, count in counts.items()}


def _drawn(rng: random.Random, pool: Replicates) -> Baseline:
    """Draw replicates: the values of one replicate stay together."""
    size = len(next(iter(pool.values())))
    chosen = [rng.randrange(size) for _ in range(_DRAWN)]
    settings = dict.fromkeys(("design", "pdk", "corner", "recipe", "clock_period_ns"), "")
    return Baseline(settings=settings, metrics={k: [v[i] for i in chosen] for k, v in pool.items()}, plain={})


def rows_of(name: str, replicates: Mapping[str, Replicates]) -> Iterator[Row]:
    """Yield the rows of one design."""
    plain = replicates["plain"]
    for metric in GATED:
        noise = estimate(plain[metric][:_DRAWN])
        assert noise.sigma is not None and noise.low is not None and noise.high is not None
        yield Row(
            name=f"noise: {metric} of {name} on {_PDK}",
            value=f"{noise.mean:,.5g}, sigma {100 * noise.sigma / noise.mean:.2f} %",
            against=f"95 %: {100 * noise.low / noise.mean:.2f} to {100 * noise.high / noise.mean:.2f} %",
        )
    area = "design__instance__area"
    truth = 100 * (estimate(replicates["planted"][area]).mean / estimate(plain[area]).mean - 1)
    found = rates(replicates)
    yield Row(
        name=f"    area planted in {name}: {truth:+.2f} %", value=f"{100 * found['planted']:.0f} % caught",
        against=f"{100 * found['exact']:.0f} % of exactly 2 %", goal="at least 90 %",
        met=found["planted"] >= 0.9,
    )  # fmt: skip
    yield Row(
        name="    nothing planted", value=f"{100 * found['noise']:.0f} % false alarms",
        against=f"{_TRIALS} trials", goal="at most 5 %", met=found["noise"] <= 0.05,
    )  # fmt: skip


def main() -> int:
    """Measure, and print the table."""
    from benchmarks.__main__ import print_rows

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the replicates here")
    parser.add_argument("--cache", type=Path, help="keep what is synthesised here")
    chosen = parser.parse_args()
    kept: dict[str, Any] = {}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="suzuri-bench-") as scratch:
        for name in _DESIGNS:
            kept[name] = replicates_of(Path(scratch), chosen.cache or Path(scratch) / "cache", name)
            rows += rows_of(name, kept[name])
    if chosen.write:
        chosen.write.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print_rows(rows)
    return 0 if all(row.met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
