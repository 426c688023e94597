"""Runs of real processes through Dask: cache, failures, cancellation."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from engine_stages import diamond, shell

from flow.engine.cache import Cache
from flow.engine.events import Note
from flow.engine.hashing import digest_file
from flow.model.graph import Graph
from flow.model.step import OutputRef, Step
from flow.model.view import Tree, View


def statuses(outcomes):
    return {name: str(o.status) for name, o in outcomes.items()}


def test_second_run_is_served_from_the_cache(bench, tmp_path):
    journal = tmp_path / "journal"
    first = bench.run(diamond(journal))
    again = bench.run(diamond(journal))
    assert set(statuses(first).values()) == {"done"}
    assert set(statuses(again).values()) == {"cached"}
    assert len(journal.read_text().split()) == 14
    assert {n: o.metrics for n, o in first.items()} == {n: o.metrics for n, o in again.items()}


def test_early_cutoff_when_an_input_is_made_again_alike(bench):
    def graph(comment: str) -> Graph:
        return Graph([
            shell("make", f"echo same > out # {comment}", outputs=["out"]),
            shell("use", "cat in0", inputs={"in0": OutputRef("make", "out")}),
        ])  # fmt: skip

    bench.run(graph("one"))
    assert statuses(bench.run(graph("two"))) == {"make": "done", "use": "cached"}


def test_a_failure_skips_what_needs_it_and_nothing_else(bench):
    graph = Graph([
        shell("bad", "echo broken; exit 3", outputs=["out"]),
        shell("after", "true", inputs={"x": OutputRef("bad", "out")}),
        shell("far", "true", after=["after"]),
        shell("other", "true"),
    ])  # fmt: skip
    outcomes = bench.run(graph)
    assert statuses(outcomes) == {"bad": "failed", "after": "skipped", "far": "skipped", "other": "done"}
    assert outcomes["bad"].error["what"] == "exit code 3"
    assert "broken" in (bench.root / "failed" / "bad" / "shell.log").read_text()
    assert statuses(bench.run(graph))["bad"] == "failed", "a failure is never served as a success"
    assert bench.started() == ["bad"]


def test_a_stage_that_raises_is_a_tool_error_with_its_traceback_kept(bench):
    outcome = bench.run(Graph([Step(name="b", kind="broken", stage="engine_stages:Broken")]))["b"]
    assert outcome.error["type"] == "ToolError"
    assert "ZeroDivisionError: by design" in outcome.error["what"]
    assert "by design" in (bench.root / "failed" / "b" / "traceback.txt").read_text()


def test_a_machine_that_fails_is_told_apart_from_a_tool(bench):
    outcome = bench.run(Graph([Step(name="f", kind="flaky", stage="engine_stages:Flaky")]))["f"]
    assert (str(outcome.status), outcome.error["type"]) == ("infra", "InfraError")


def test_a_missing_output_fails_the_step(bench):
    outcome = bench.run(Graph([shell("s", "true", outputs=["out"])]))["s"]
    assert str(outcome.status) == "failed"
    assert "did not produce its output 'out'" in outcome.error["what"]


def test_an_optional_output_that_is_not_made_is_no_input(bench):
    step = shell("s", "true", outputs=["out?"])
    user = shell("u", "ls in 2>/dev/null; true", inputs={"x": OutputRef("s", "out")})
    assert statuses(bench.run(Graph([step, user]))) == {"s": "done", "u": "done"}


def test_force_executes_a_cached_step(bench):
    graph = Graph([shell("a", "true"), shell("b", "true")])
    bench.run(graph)
    assert statuses(bench.run(graph, force=frozenset({"a"}))) == {"a": "done", "b": "cached"}


def _tree(root, **files):
    views = []
    for name, text in files.items():
        path = root / f"{name}.py"
        path.write_text(text)
        digest, size = digest_file(path)
        views.append((path.name, View(name=path.name, digest=digest, size=size, path=str(path))))
    return Tree(files=tuple(views))


def test_only_the_files_of_a_tree_that_were_read_decide(bench, tmp_path):
    def run(**files):
        step = shell("s", "cat tree/used.py", inputs={"tree": _tree(tmp_path, **files)}, reads=["used.py"])
        return str(bench.run(Graph([step]))["s"].status)

    assert run(used="1", other="1") == "done"
    assert run(used="1", other="2") == "cached"
    assert run(used="2", other="2") == "done"
    assert run(used="1", other="3") == "cached", "going back finds the earlier result"


def test_a_stage_that_says_nothing_depends_on_the_whole_tree(bench, tmp_path):
    def run(**files):
        step = shell("s", "cat tree/used.py", inputs={"tree": _tree(tmp_path, **files)})
        return str(bench.run(Graph([step]))["s"].status)

    assert run(used="1", other="1") == "done"
    assert run(used="1", other="2") == "done"


def test_a_file_that_changes_under_a_running_flow_is_noticed(bench, tmp_path):
    tree = _tree(tmp_path, used="1")
    (tmp_path / "used.py").write_text("2")
    outcome = bench.run(Graph([shell("s", "cat tree/used.py", inputs={"tree": tree})]))["s"]
    assert str(outcome.status) == "infra"
    assert "changed while the run was being prepared" in outcome.error["what"]


@pytest.mark.parametrize("what", ["flip", "truncate", "remove"])
def test_a_damaged_blob_is_noticed_and_made_again(bench, what):
    graph = Graph([shell("s", "echo precious > out; echo log", outputs=["out"])])
    view = bench.run(graph)["s"].outputs["out"]
    blob = bench.cache_root / "blobs" / view.digest[:2] / view.digest
    blob.chmod(0o644)
    if what == "flip":
        data = bytearray(blob.read_bytes())
        data[2] ^= 1
        blob.write_bytes(data)
    elif what == "truncate":
        blob.write_bytes(blob.read_bytes()[:3])
    else:
        blob.unlink()
    again = bench.run(graph)["s"]
    assert str(again.status) == "done"
    assert again.outputs["out"].digest == view.digest
    assert blob.read_bytes() == b"precious\n"
    assert any("damaged" in e.text for e in bench.events if isinstance(e, Note))


def test_a_flipped_byte_in_a_result_is_noticed_and_made_again(bench):
    graph = Graph([shell("s", "echo 12345")])
    outcome = bench.run(graph)["s"]
    entry = bench.cache_root / "results" / outcome.key[:2] / outcome.key
    data = entry.read_bytes()
    # The metric's own digit: a reader that trusted it would report another number.
    place = data.index(b'"sim__test__count":6') + len(b'"sim__test__count":')
    entry.write_bytes(data[:place] + b"7" + data[place + 1 :])
    again = bench.run(graph)["s"]
    assert (str(again.status), again.metrics["sim__test__count"]) == ("done", 6)


def test_two_runs_at_once_do_each_step_once(bench, tmp_path):
    journal = tmp_path / "journal"
    results = []

    def run() -> None:
        other = type(bench)(bench.root)
        results.append(other.run(diamond(journal, 6), Cache(bench.cache_root)))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(journal.read_text().split()) == sorted(["first", "last", *(f"middle{i}" for i in range(6))])
    assert {n: o.metrics for n, o in results[0].items()} == {n: o.metrics for n, o in results[1].items()}
    assert all(o.status.ok for result in results for o in result.values())


def test_interrupt_stops_what_runs_and_keeps_what_is_done(bench, monkeypatch, tmp_path):
    from flow.engine import driver as module

    pidfile = tmp_path / "pid"
    graph = Graph([
        shell("quick", "true"),
        shell("slow", f"echo $$ > {pidfile}; sleep 60", after=["quick"]),
        shell("never", "true", after=["slow"]),
    ])  # fmt: skip
    loop = module._Drive._loop

    def interrupted(self):
        original = self._arrivals.get

        class Arrivals:
            put = self._arrivals.put

            @staticmethod
            def get(timeout=None):
                if timeout is not None:
                    return original(timeout=timeout)
                item = original()
                if item == "slow":
                    while not pidfile.exists() or not pidfile.read_text():
                        time.sleep(0.01)
                    raise KeyboardInterrupt
                return item

        self._arrivals = Arrivals()
        loop(self)

    monkeypatch.setattr(module._Drive, "_loop", interrupted)
    outcomes = bench.run(graph)
    assert statuses(outcomes) == {"quick": "done", "slow": "cancelled", "never": "cancelled"}
    pid = int(pidfile.read_text())
    assert not _alive(pid)
    monkeypatch.undo()
    assert statuses(bench.run(Graph([shell("quick", "true")]))) == {"quick": "cached"}


def _alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_many_short_steps_arrive_all_and_once(bench):
    outcomes = bench.run(Graph([shell(f"s{i}", "true") for i in range(300)]))
    assert len(outcomes) == 300
    assert [o.error for o in outcomes.values() if not o.status.ok] == []
    assert sorted(bench.finished()) == sorted(outcomes)


def test_a_step_larger_than_the_machine_still_runs(bench):
    outcome = bench.run(Graph([shell("s", "true", cores=1000, memory_mb=10**7)]))["s"]
    assert outcome.status.ok


def test_a_licence_that_no_worker_offers_is_said(bench):
    outcome = bench.run(Graph([shell("s", "true", licences={"golden": 1})]))["s"]
    assert outcome.error["type"] == "ConfigError"
    assert "'golden', which no worker offers" in outcome.error["what"]
    assert "--resources" in outcome.error["remedy"]


def test_a_verdict_for_lack_of_time_is_not_remembered(bench):
    graph = Graph([Step(name="t", kind="late", stage="engine_stages:Late")])
    assert str(bench.run(graph)["t"].status) == "done"
    assert str(bench.run(graph)["t"].status) == "done"
