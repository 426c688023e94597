"""Regressions that are killed in the middle: nothing is lost, and what had ended is not run again."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import clusters
import pytest
import user_designs

pytestmark = [
    pytest.mark.sim,
    pytest.mark.nightly,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus: apt-get install iverilog"),
]

SEEDS, BATCH = 40, 10

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["counter.v"]

[design.parameters]
WIDTH = 4

"""

# Each run leaves a line before it begins to work; about a fifth fail, in two ways.
BENCH = """\
import os
import random
import time

import cocotb
from cocotb.triggers import Timer


def draw(name):
    with open(os.environ["JOURNAL"], "a") as journal:
        journal.write(f"{name} {cocotb.RANDOM_SEED}\\n")
    time.sleep(0.05)
    return random.randrange(10)


@cocotb.test()
async def sums(dut):
    await Timer(random.randrange(1, 50), "ns")
    assert draw("sums"), f"the sum {random.getrandbits(30)} is wrong"


@cocotb.test()
async def words(dut):
    await Timer(random.randrange(1, 50), "ns")
    number = draw("words")
    if number < 2:
        raise ValueError(f"no word at {number:#x}")
"""


class Place(user_designs.Project):
    """A design in a folder of its own, with a cache of its own."""

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines() if self.journal.exists() else []


def make(folder: Path) -> Place:
    made = Place(folder / "counter", folder / "cache")
    made.write("counter.v", user_designs.COUNTER)
    made.write("bench.py", BENCH)
    entries = [
        f'[[test]]\nname = "{name}"\nmodule = "bench"\ntestcase = "{name}$"\nsimulator = "icarus"\n'
        f'seeds = {SEEDS}\nenv = {{ JOURNAL = "{made.journal}" }}\n'
        for name in ("sums", "words")
    ]
    made.write("suzuri.toml", MANIFEST + "\n".join(entries))
    return made


def start(place: Place, *arguments: str) -> subprocess.Popen[str]:
    return place.start("regress", "--design", str(place.root), "--json", *arguments)


def finish(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    return json.loads(out)


def wait_for(place: Place, lines: int, process: subprocess.Popen[str]) -> None:
    while len(place.lines()) < lines:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def said(data: dict) -> dict:
    """What a report says of the design; not when and where it ran, nor how often a machine failed."""
    results = {
        (r["test"], r["testcase"], r["seed"], r["verdict"], r["message"], r["flaky"], bool(r["waves"]))
        for r in data["results"]
    }
    buckets = sorted(
        (b["id"], b["title"], b["state"], sorted(map(tuple, b["members"]))) for b in data["buckets"]
    )
    return {"results": results, "buckets": buckets, "missing": data["missing"], "counts": data["counts"]}


def check_same(one: dict, other: dict) -> None:
    assert one["results"] ^ other["results"] == set()
    assert one == other


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """An undisturbed regression, and how often it ran each test with each seed."""
    place = make(tmp_path_factory.mktemp("calm"))
    data = finish(start(place))
    counts = data["counts"]
    assert counts["pass"] + counts["fail"] == 2 * SEEDS
    assert counts["fail"] >= 8
    assert len(data["buckets"]) == 2
    return said(data), Counter(place.lines())


@pytest.mark.parametrize("lines", [5, SEEDS, 2 * SEEDS + 4])
def test_a_driver_that_is_killed(calm, tmp_path, lines):
    report, runs = calm
    place = make(tmp_path)
    process = start(place)
    wait_for(place, lines, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    time.sleep(1)  # the simulators follow their driver
    before = len(place.lines())
    time.sleep(1)
    assert len(place.lines()) == before, "a simulator works on for nobody"
    data = finish(start(place))
    check_same(said(data), report)
    again = Counter(place.lines()) - runs
    assert again.total() <= 2 * BATCH, "more was run again than two simulators had in hand"


def test_a_worker_that_is_killed(calm, tmp_path):
    report, runs = calm
    place = make(tmp_path)
    with clusters.started(tmp_path, place.env()) as (workers, address):
        process = start(place, "--scheduler", address)
        wait_for(place, 15, process)
        workers[0].send_signal(signal.SIGKILL)
        data = finish(process)
    check_same(said(data), report)
    again = Counter(place.lines()) - runs
    assert again.total() <= 2 * BATCH, "more was run again than the dead worker had in hand"
    assert max(r["attempts"] for r in data["results"]) <= 3


def test_a_database_that_is_locked_or_lost_in_the_middle(calm, tmp_path):
    report, runs = calm
    place = make(tmp_path)
    database = tmp_path / "shared.sqlite"
    process = start(place, "--database", str(database))
    wait_for(place, SEEDS, process)
    database.unlink()
    check_same(said(finish(process)), report)
    assert Counter(place.lines()) == runs
    with sqlite3.connect(database, isolation_level=None, check_same_thread=False) as other:
        assert other.execute("select count(*) from regressions").fetchone() == (1,)
        process = start(place, "--database", str(database), "--seeds", str(SEEDS + 1))
        wait_for(place, runs.total() + 1, process)
        other.execute("begin exclusive")
        threading.Timer(4, lambda: other.execute("rollback")).start()
        data = finish(process)
        assert {b["state"] for b in data["buckets"]} == {"known"}
        assert other.execute("select count(*) from regressions").fetchone() == (2,)
