"""Freeing the cache."""

from __future__ import annotations

import os
import time

import pytest
from engine_stages import shell

from flow.engine.cache import Cache
from flow.engine.gc import collect, in_use, usage
from flow.model.errors import ConfigError
from flow.model.graph import Graph


@pytest.fixture
def filled(bench):
    """Return a bench whose cache holds three results of 1000 bytes, the first used longest ago."""
    for i in range(3):
        bench.run(graph(i))
    results = sorted((bench.cache_root / "results").glob("*/*"), key=lambda p: p.stat().st_mtime_ns)
    for age, path in zip((300, 200, 100), results, strict=True):
        os.utime(path, (time.time() - age, time.time() - age))
    return bench


def graph(i):
    return Graph([shell(f"s{i}", f"printf '%0999d{i}' 0 > out", outputs=["out"])])


def served(bench, i) -> bool:
    return bench.run(graph(i))[f"s{i}"].status == "cached"


def test_what_was_used_longest_ago_goes_first(filled):
    freed = collect(filled.cache_root, keep_bytes=2000)
    assert (freed.results, freed.blobs, freed.freed_bytes) == (1, 1, 1000)
    assert (freed.left_results, freed.left_bytes) == (2, 2000)
    assert [served(filled, i) for i in range(3)] == [False, True, True]


def test_what_was_not_used_for_long_goes(filled):
    assert collect(filled.cache_root, older_s=150).results == 2
    assert [served(filled, i) for i in (2, 0)] == [True, False]


def test_being_served_counts_as_use(filled):
    assert served(filled, 0)
    collect(filled.cache_root, older_s=50)
    assert served(filled, 0)


def test_everything(filled):
    assert usage(filled.cache_root) >= 3000
    assert collect(filled.cache_root, keep_bytes=0).left_results == 0
    assert usage(filled.cache_root) == 0
    assert not served(filled, 1)
    assert served(filled, 1)


def test_a_blob_that_two_results_share_counts_once_and_stays(bench):
    steps = [shell(f"s{i}", f": {i}; printf same > out", outputs=["out"]) for i in range(2)]
    bench.run(Graph(steps))
    freed = collect(bench.cache_root, keep_bytes=4)
    assert (freed.left_results, freed.left_bytes) == (2, 4)


def test_what_belongs_to_no_result_goes(filled):
    blob = filled.cache_root / "blobs" / "zz" / ("z" * 64)
    blob.parent.mkdir()
    blob.write_text("left behind")
    assert collect(filled.cache_root, keep_bytes=10_000).blobs == 1
    assert not blob.exists()


def test_a_damaged_result_goes_and_stops_nothing(filled):
    path = next((filled.cache_root / "results").glob("*/*"))
    path.write_bytes(b"garbage")
    assert collect(filled.cache_root, keep_bytes=10_000).left_results == 2


def test_not_under_a_run(filled):
    with in_use(filled.cache_root), pytest.raises(ConfigError, match="a run is using the cache"):
        collect(filled.cache_root, keep_bytes=0)
    with in_use(filled.cache_root), in_use(filled.cache_root):
        pass  # runs share it
    assert collect(filled.cache_root, keep_bytes=0).results == 3


def test_no_cache(tmp_path):
    with pytest.raises(ConfigError, match="there is no cache"):
        collect(tmp_path / "none", keep_bytes=0)


def test_what_is_placed_in_a_failed_step_outlives_the_cache(filled):
    view = (
        Cache(filled.cache_root).load(next((filled.cache_root / "results").glob("*/*")).name).outputs["out"]
    )
    kept = filled.root / "kept"
    os.link(Cache(filled.cache_root).locate(view), kept)
    collect(filled.cache_root, keep_bytes=0)
    assert kept.stat().st_size == 1000
