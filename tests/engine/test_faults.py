"""Faults: drivers and workers killed with kill -9, full disks, read-only caches."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import clusters
import pytest
from engine_stages import diamond, shell

from flow.engine.cache import Cache
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.model.step import OutputRef

PROGRAM = Path(__file__).parents[1] / "helpers" / "engine_stages.py"


def drive(root: Path, journal: Path, env, scheduler: str | None = None):
    argv = [sys.executable, str(PROGRAM), str(root), str(journal), *([scheduler] if scheduler else [])]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True)


def finished_results(root: Path) -> set[str]:
    """Ids of the steps whose results are in the cache."""
    folder = root / "cache" / "results"
    texts = [p.read_text() for p in folder.glob("*/*") if not p.name.startswith(".")]
    # The script is in the recorded command; the id in nothing else, so it is read from the metric's step.
    return set(texts)


def answer(process) -> dict:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_a_driver_killed_at_any_moment_resumes_and_repeats_nothing(tmp_path, helper_env):
    undisturbed = answer(drive(tmp_path / "calm", tmp_path / "calm_journal", helper_env))
    dice = random.Random(20)
    killed = 0
    for round_ in range(20):
        root, journal = tmp_path / f"r{round_}", tmp_path / f"journal{round_}"
        process = drive(root, journal, helper_env)
        time.sleep(dice.uniform(0.3, 2.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -9
        done = len(finished_results(root))
        before = journal.read_text().split() if journal.exists() else []
        resumed = answer(drive(root, journal, helper_env))
        after = journal.read_text().split()[len(before) :]
        # What was in the cache when the driver died is served from there.
        assert sum(s["status"] == "cached" for s in resumed.values()) == done
        assert len(after) == len(resumed) - done
        assert {n: (s["metrics"], s["outputs"]) for n, s in resumed.items()} == {
            n: (s["metrics"], s["outputs"]) for n, s in undisturbed.items()
        }
        assert not list((root / "cache" / "work").glob("*-*-*")), "no directory of a dead step is left"
    assert killed >= 10, "the rounds must really disturb something"


@pytest.fixture
def cluster(tmp_path, helper_env):
    with clusters.started(tmp_path, helper_env) as found:
        yield found


@pytest.mark.cluster
@pytest.mark.timeout(180)
def test_a_worker_killed_while_it_works(cluster, tmp_path, helper_env):
    workers, address = cluster
    root, journal = tmp_path / "root", tmp_path / "journal"
    process = drive(root, journal, helper_env, address)
    for _ in range(1200):
        if journal.exists() and len(journal.read_text().split()) >= 4:
            break
        time.sleep(0.02)
    workers[0].send_signal(signal.SIGKILL)
    outcomes = answer(process)
    # A step whose result was published when its worker died is served from the cache.
    assert {s["status"] for s in outcomes.values()} <= {"done", "cached"}
    calm = answer(drive(tmp_path / "calm", tmp_path / "calm_journal", helper_env))
    assert {n: s["metrics"] for n, s in outcomes.items()} == {n: s["metrics"] for n, s in calm.items()}
    repeated = len(journal.read_text().split()) - len(outcomes)
    assert repeated <= 4, "only what the dead worker had in hand is done again"
    if repeated:
        assert max(s["attempts"] for s in outcomes.values()) == 2


@pytest.mark.cluster
@pytest.mark.timeout(180)
def test_workers_without_a_shared_folder_use_the_shared_store(tmp_path, helper_env):
    from flow.engine.driver import Options, run_graph
    from flow.engine.remote import RemoteStore

    env = {**helper_env, "SUZURI_WORKER_CACHE": str(tmp_path / "worker_cache")}
    with clusters.started(tmp_path, env, 1) as (_, address):
        cache = Cache(tmp_path / "driver_cache", RemoteStore(f"file://{tmp_path}/store"))
        options = Options(run_id="remote", keep=tmp_path / "failed", scheduler=address)
        outcomes = run_graph(diamond(tmp_path / "journal", 3), cache, options, lambda event: None)
        assert {str(o.status) for o in outcomes.values()} == {"done"}
        text = cache.locate(outcomes["last"].outputs["out"]).read_text()
        assert text == "seed\n0\nseed\n1\nseed\n2\n"
        assert list((tmp_path / "worker_cache" / "results").glob("*/*"))


def test_a_scheduler_that_is_not_there(bench):
    from flow.model.errors import InfraError

    with pytest.raises(InfraError, match=r"no Dask scheduler answers.*dask scheduler"):
        bench.run(Graph([shell("s", "true")]), scheduler="tcp://127.0.0.1:9")


def test_an_address_that_is_none(bench):
    with pytest.raises(ConfigError, match=r"is not a scheduler's address.*tcp://HOST:PORT"):
        bench.run(Graph([shell("s", "true")]), scheduler="localhost")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_is_said(bench, small_disk):
    bench.cache_root = small_disk / "cache"
    graph = Graph([
        shell("small", "echo kept > out", outputs=["out"]),
        shell("big", "head -c 5000000 /dev/urandom > out", outputs=["out"],
              inputs={"x": OutputRef("small", "out")}),
    ])  # fmt: skip
    outcomes = bench.run(graph)
    assert str(outcomes["small"].status) == "done"
    assert outcomes["big"].error["type"] == "InfraError"
    assert outcomes["big"].error["what"] == "the disk is full"
    assert "suzuri gc" in outcomes["big"].error["remedy"]
    assert not list(bench.cache_root.rglob("*.tmp"))
    again = bench.run(Graph([shell("small", "echo kept > out", outputs=["out"])]))
    assert str(again["small"].status) == "cached"


def test_a_disk_that_fills_while_a_result_is_published(bench, small_disk):
    bench.cache_root = small_disk / "cache"
    script = "echo > out; head -c 9000000 /dev/zero > /proc/self/cwd/../../fill 2>/dev/null; true"
    outcome = bench.run(Graph([shell("s", script, outputs=["out"])]))["s"]
    assert str(outcome.status) == "infra"
    assert "disk is full" in outcome.error["what"]
    (bench.cache_root / "fill").unlink()
    assert (
        str(bench.run(Graph([shell("s", script.replace("fill", "f2"), outputs=["out"])]))["s"].status)
        == "infra"
    )


@pytest.fixture
def read_only(tmp_path):
    """Make a folder read-only, for root too."""
    mounted: list[Path] = []

    def make(folder: Path) -> None:
        if os.geteuid() == 0:
            bind = subprocess.run(
                ["mount", "--bind", str(folder), str(folder)], capture_output=True, check=False
            )
            if bind.returncode:
                pytest.skip("a read-only mount needs more rights than these")
            mounted.append(folder)
            subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        else:
            for path in [folder, *folder.rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_read_only_cache_serves_but_does_not_take(bench, read_only):
    graph = Graph([shell("s", "echo x > out", outputs=["out"])])
    bench.run(graph)
    read_only(bench.cache_root)
    assert str(bench.run(graph)["s"].status) == "cached"
    outcome = bench.run(Graph([shell("t", "true")]))["t"]
    assert outcome.error["type"] == "ConfigError"
    assert "read-only" in outcome.error["what"]
    assert re.search("SUZURI_CACHE=", outcome.error["remedy"])


def test_what_killed_processes_left_is_swept(bench):
    work = bench.cache_root / "work"
    dead = subprocess.Popen(["true"])
    dead.wait()
    stale = work / f"{os.uname().nodename}-{dead.pid}-abc"
    foreign = work / f"elsewhere-{dead.pid}-abc"
    for folder in (stale, foreign):
        folder.mkdir(parents=True)
    bench.run(Graph([shell("s", "true")]))
    assert not stale.exists()
    assert foreign.exists(), "another machine's directory is its own affair"
