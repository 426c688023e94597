"""Coverage of real simulations: batches, repetitions, the cache, and the ranking that is run."""

from __future__ import annotations

import json
import shutil

import pytest
import user_designs

pytestmark = [
    pytest.mark.sim,
    pytest.mark.nightly,
    pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus: apt-get install iverilog"),
]

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["counter.v"]

[design.parameters]
WIDTH = 4

[[test]]
name = "draws"
module = "bench"
simulator = "icarus"
seeds = 20

[[testplan]]
name = "drawn"
tests = ["draws"]
bins = ["drawn.[0-3]"]
"""

BENCH = """\
import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def draws(dut):
    await Timer(1, "ns")
    drawn = random.randrange(4)
    bins = [{"name": str(i), "hits": int(i == drawn), "goal": 1} for i in range(5)]
    text = json.dumps({"version": 1, "coverpoints": [{"name": "drawn", "bins": bins}]})
    Path(os.environ["SUZURI_COVERAGE_FILE"]).write_text(text)
    assert drawn != 3, "drew 3"
"""


def test_each_seed_counts_once_and_the_ranking_keeps_what_is_covered(tmp_path, tmp_path_factory):
    project = user_designs.Project(tmp_path / "counter", tmp_path_factory.getbasetemp() / "regress-cache")
    project.write("counter.v", user_designs.COUNTER)
    project.write("bench.py", BENCH)
    project.write("suzuri.toml", MANIFEST)

    def regress(*arguments):
        done = project.run("regress", "--design", str(project.root), "--json", *arguments)
        return json.loads(done.stdout)

    first, cached = regress(), regress()
    for data in (first, cached):
        assert data["coverage"]["runs"] == 20
        assert data["coverage"]["kinds"] == {"functional": [4, 5]}
        (group,) = data["coverage"]["groups"]
        assert group["holes"] == [["4", 0, 1]]
        (row,) = data["coverage"]["testplan"]
        assert (row["covered"], row["total"]) == (4, 4)
        assert row["failed"] > 0 and row["passed"] + row["failed"] == 20
    folder = project.root / "build" / "regress" / first["id"]
    hits = (folder / "coverage.ucis.xml").read_text().split('coverageCount="')[1:]
    assert sum(int(part.partition('"')[0]) for part in hits) == 20, "repetitions were added"
    ranked = regress("--ranked")
    assert len(ranked["results"]) == 4
    assert ranked["coverage"]["kinds"] == first["coverage"]["kinds"]
    assert ranked["suite"] == "ranked"
