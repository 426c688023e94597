"""Sweeps whose driver or worker is killed: nothing is lost, nothing is evaluated twice without need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import clusters
import pytest
from sweep_adder import MANIFEST, VERILOG, available

REPOSITORY = Path(__file__).parents[2]
AXES = "WIDTH = { min = 2, max = 9 }"

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(
        not available("yosys", "opensta"), reason="needs Yosys, OpenSTA and osu018: suzuri doctor"
    ),
]


class Place:
    """A design of its own with a cache of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "adder").mkdir(parents=True)
        (root / "adder" / "adder.v").write_text(VERILOG)
        (root / "adder" / "suzuri.toml").write_text(MANIFEST.format(axes=AXES, sweep=""))

    def env(self) -> dict[str, str]:
        path = f"{REPOSITORY}:{REPOSITORY / 'tests' / 'helpers'}"
        return {**os.environ, "SUZURI_CACHE": str(self.root / "cache"), "PYTHONPATH": path}

    def start(self, *options: str) -> subprocess.Popen:
        words = [sys.executable, "-m", "flow.cli.main", "sweep", str(self.root / "adder"), "-q", *options]
        return subprocess.Popen(words, env=self.env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *options: str) -> dict:
        process = self.start(*options)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
        return json.loads((self.kept / "sweep.json").read_text())

    @property
    def kept(self) -> Path:
        return self.root / "adder" / "build" / "sweeps" / "widths"

    def wait_for(self, count: int) -> None:
        """Wait until so many points have ended."""
        trials = self.kept / "trials.jsonl"
        end = time.monotonic() + 240
        while time.monotonic() < end:
            if trials.exists() and len(trials.read_text().splitlines()) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"there are not {count} points after 240 s")


def figures(data: dict) -> dict:
    return {p["id"]: (p["status"], p["objectives"], p["metrics"]) for p in data["points"]}


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The same sweep, undisturbed."""
    return Place(tmp_path_factory.mktemp("calm")).run()


def test_a_driver_that_is_killed(calm, tmp_path):
    place = Place(tmp_path)
    process = place.start()
    place.wait_for(5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = len((place.kept / "trials.jsonl").read_text().splitlines())
    data = place.run()
    assert figures(data) == figures(calm)
    assert data["front"] == calm["front"]
    assert sum(p["cached"] for p in data["points"]) >= before >= 5


def test_a_driver_that_is_interrupted_writes_what_it_has(calm, tmp_path):
    place = Place(tmp_path)
    process = place.start()
    place.wait_for(4)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    data = json.loads((place.kept / "sweep.json").read_text())
    done = [p for p in data["points"] if p["status"] == "done"]
    assert data["sweep"]["status"] == "interrupted" and 4 <= len(done) < 16
    assert (place.kept / "report.html").exists()
    again = place.run()
    assert figures(again) == figures(calm)
    assert {p["id"] for p in done} <= {p["id"] for p in again["points"] if p["cached"]}


def test_a_worker_that_is_killed(calm, tmp_path):
    place = Place(tmp_path)
    with clusters.started(tmp_path, place.env()) as (workers, address):
        process = place.start("--scheduler", address)
        place.wait_for(3)
        workers[0].send_signal(signal.SIGKILL)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
    data = json.loads((place.kept / "sweep.json").read_text())
    assert figures(data) == figures(calm)
