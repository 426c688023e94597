"""What ``suzuri new`` writes passes as it is, and its bench catches a fault."""

import json
import os
import subprocess
import sys

import pytest

from flow.doctor import diagnose
from flow.scaffold import KINDS, create

pytestmark = [pytest.mark.sim, pytest.mark.eda]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    lacking = [f for f in diagnose().findings if f.needed and not f.usable]
    if lacking:
        pytest.skip("; ".join(f"{f.name} is missing: {f.install}" for f in lacking))
    cache = tmp_path_factory.mktemp("cache")

    def start(folder, *options):
        return subprocess.run(
            [sys.executable, "-m", "flow.cli.main", "run", str(folder), *options],
            env={**os.environ, "SUZURI_CACHE": str(cache)},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_as_it_is(tmp_path, run, kind):
    create(tmp_path / "blinky", kind)
    done = run(tmp_path / "blinky", "--pdk", "osu018")
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((tmp_path / "blinky/build/metrics.json").read_text())
    assert "osu018" in json.dumps(metrics)


@pytest.mark.parametrize(
    ("kind", "file", "good", "bad"),
    [
        ("amaranth", "blinky/design.py", "self._stable_cycles - 1", "self._stable_cycles - 2"),
        ("verilog", "rtl/blinky.v", "if (seen != level)", "if (seen || level)"),
    ],
)
def test_its_bench_catches_a_fault(tmp_path, run, *, kind, file, good, bad):
    create(tmp_path / "blinky", kind)
    source = tmp_path / "blinky" / file
    text = source.read_text()
    assert good in text
    source.write_text(text.replace(good, bad))
    done = run(tmp_path / "blinky", "--pdk", "osu018")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "counts_presses" in done.stdout + done.stderr
