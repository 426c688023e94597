"""Seeds, digests, keys and schedules: the small parts that everything stands on."""

from __future__ import annotations

import json
import os

import pytest
from engine_stages import shell

from flow.engine.hashing import DigestMemo, canonical_json, digest_file, digest_value
from flow.engine.keys import base_key
from flow.engine.remote import RemoteStore
from flow.engine.schedule import Schedule
from flow.engine.seeds import derive_seed
from flow.model.errors import ConfigError, InfraError
from flow.model.graph import Graph
from flow.model.metric import REGISTRY, MetricDef, MetricRegistry, base_name
from flow.model.step import Outcome, OutputRef, Status


def test_a_seed_depends_on_master_name_and_index_alone():
    seeds = {derive_seed(m, t, i) for m in range(3) for t in ("a", "b", "a1") for i in range(20)}
    assert len(seeds) == 180
    assert all(0 <= s < 1 << 64 for s in seeds)
    assert derive_seed(1, "a", 0) == derive_seed(1, "a", 0)
    assert derive_seed(1, "a", 11) != derive_seed(1, "a1", 1)


def test_equal_values_have_one_digest():
    assert digest_value({"a": 1, "b": [1.5, None]}) == digest_value({"b": [1.5, None], "a": 1})
    assert digest_value({"a": 1}) != digest_value({"a": "1"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_a_memo_notices_a_change_of_the_same_size(tmp_path):
    memo, file = DigestMemo(tmp_path / "memo.json"), tmp_path / "f"
    file.write_text("one")
    os.utime(file, (1, 1))
    first = memo.digest(file)
    assert first == digest_file(file)
    memo.save()
    assert str(file) in json.loads((tmp_path / "memo.json").read_text())
    file.write_text("two")
    assert memo.digest(file) == digest_file(file) != first
    memo.save()
    assert str(file) not in json.loads((tmp_path / "memo.json").read_text())  # too young to be sure of


@pytest.mark.parametrize("text", ["", "[]", "{broken", '{"/a": 3}'])
def test_a_damaged_memo_costs_time_only(tmp_path, text):
    (tmp_path / "memo.json").write_text(text)
    (tmp_path / "f").write_text("x")
    assert DigestMemo(tmp_path / "memo.json").digest(tmp_path / "f") == digest_file(tmp_path / "f")


def test_a_key_is_of_what_decides_the_result():
    step = shell("a", "true", outputs=["out"])
    assert base_key(step) == base_key(shell("a", "true", outputs=["out"]))
    assert base_key(step) != base_key(shell("a", "false", outputs=["out"]))
    assert base_key(step) != base_key(shell("a", "true", outputs=["other"]))


def test_a_schedule_runs_what_is_ready_and_skips_what_cannot_be():
    steps = [
        shell("a", "", outputs=["out"]),
        shell("b", "", inputs={"x": OutputRef("a", "out")}, outputs=["out"]),
        shell("c", "", inputs={"x": OutputRef("b", "out")}),
        shell("d", ""),
    ]
    schedule = Schedule(Graph(steps))
    assert {s.name for s in schedule.start()} == {"a", "d"}
    ready, skipped = schedule.done("a", Outcome(status=Status.FAILED, key="k"))
    assert (list(ready), set(skipped)) == ([], {"b", "c"})
    assert not schedule.finished
    schedule.done("d", Outcome(status=Status.DONE, key="k"))
    assert schedule.finished
    assert schedule.outcomes["c"].status is Status.SKIPPED


def test_a_graph_refuses_what_cannot_be_run():
    with pytest.raises(ValueError, match="a"):
        Graph([shell("a", ""), shell("a", "")])
    with pytest.raises(ValueError, match="nowhere"):
        Graph([shell("a", "", inputs={"x": OutputRef("nowhere", "out")})])
    with pytest.raises(ValueError, match="a"):
        Graph([shell("a", "", after=["b"]), shell("b", "", after=["a"])])


def test_metric_names():
    assert base_name("timing__setup__ws__corner:tt_025C") == "timing__setup__ws"
    assert base_name("timing__setup__ws") == "timing__setup__ws"
    assert REGISTRY.get("timing__setup__ws__pdk:a__corner:b").unit == "ns"
    assert REGISTRY.get("timing__nothing") is None
    registry = MetricRegistry()
    registry.add(MetricDef(name="workload__*__cycles", unit="count", higher_is_better=False, description="d"))
    assert registry.get("workload__kws__cycles").unit == "count"
    with pytest.raises(ValueError, match="twice"):
        registry.add(MetricDef(name="workload__*__cycles", unit="", higher_is_better=None, description=""))
    with pytest.raises(ValueError, match="stage__category__name"):
        registry.add(MetricDef(name="Not a name", unit="", higher_is_better=None, description=""))


def test_a_shared_store(tmp_path):
    store = RemoteStore(f"file://{tmp_path}/shared")
    (tmp_path / "f").write_text("content")
    digest = digest_file(tmp_path / "f")[0]
    assert not store.has(digest)
    store.put(digest, tmp_path / "f")
    assert RemoteStore(f"file://{tmp_path}/shared").has(digest)
    store.get(digest, tmp_path / "g")
    assert (tmp_path / "g").read_text() == "content"
    with pytest.raises(InfraError, match="cannot be read"):
        store.get("0" * 64, tmp_path / "h")
    with pytest.raises(ConfigError, match="Give an fsspec URL"):
        RemoteStore("nosuch://x")
