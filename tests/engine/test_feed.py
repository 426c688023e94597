"""Steps that are added to a graph while it runs."""

from __future__ import annotations

import pytest
from engine_stages import shell

from flow.engine.cache import Cache
from flow.engine.schedule import Schedule
from flow.model.graph import Graph
from flow.model.step import Outcome, OutputRef, Status


def statuses(outcomes):
    return {name: str(o.status) for name, o in outcomes.items()}


def test_steps_that_come_later_use_those_before_them(bench):
    """A chain of five, each added when the one before has an outcome."""
    asked = []

    def feed(slots):
        asked.append(slots)
        index = len(asked)
        if index > 5:
            return []
        inputs = {"in0": OutputRef(f"s{index - 1}", "out")} if index > 1 else {}
        return [shell(f"s{index}", f"cat in0 > out; echo {index} >> out", inputs=inputs, outputs=["out"])]

    graph = Graph([])
    outcomes = bench.run(graph, feed=feed)
    assert statuses(outcomes) == {f"s{i}": "done" for i in range(1, 6)}
    assert len(graph) == 5
    text = Cache(bench.cache_root).locate(outcomes["s5"].outputs["out"]).read_text()
    assert text.split() == ["1", "2", "3", "4", "5"]
    assert min(asked) >= 1


def test_what_is_added_after_a_failure_is_skipped_and_the_feed_hears_of_it(bench):
    given = iter([[shell("bad", "exit 3", outputs=["out"])],
                  [shell("use", "true", inputs={"x": OutputRef("bad", "out")}),
                   shell("last", "true", after=["use"])],
                  [shell("other", "true")]])  # fmt: skip
    outcomes = bench.run(Graph([]), feed=lambda slots: next(given, []))
    assert statuses(outcomes) == {"bad": "failed", "use": "skipped", "last": "skipped", "other": "done"}


def test_a_graph_that_grows_is_checked_and_stays_as_it_was():
    graph = Graph([shell("a", "true", outputs=["out"])])
    with pytest.raises(ValueError, match="two steps are called 'a'"):
        graph.add([shell("a", "true")])
    with pytest.raises(ValueError, match="needs 'nobody'"):
        graph.add([shell("b", "true", after=["nobody"])])
    with pytest.raises(ValueError, match="wait for each other"):
        graph.add([shell("b", "true", after=["c"]), shell("c", "true", after=["b"])])
    assert [step.name for step in graph] == ["a"]
    added = graph.add([shell("c", "true", after=["b"]), shell("b", "true", after=["a"])])
    assert [step.name for step in added] == ["b", "c"]
    assert [step.name for step in graph] == ["a", "b", "c"]


def test_a_schedule_takes_steps_whose_needs_are_done_open_or_lost():
    graph = Graph([shell("done", "true", outputs=["out"]), shell("open", "true"), shell("lost", "false")])
    schedule = Schedule(graph)
    schedule.start()
    schedule.done("done", Outcome(status=Status.DONE, key="k"))
    schedule.done("lost", Outcome(status=Status.FAILED, key="k"))
    ready, skipped = schedule.add([
        shell("now", "true", after=["done"]), shell("later", "true", after=["done", "open"]),
        shell("never", "true", after=["lost", "open"]), shell("nor", "true", after=["never"]),
    ])  # fmt: skip
    assert [step.name for step in ready] == ["now"]
    assert skipped == ["never", "nor"]
    assert not schedule.finished
    ready, skipped = schedule.done("open", Outcome(status=Status.DONE, key="k"))
    assert ([step.name for step in ready], skipped) == (["later"], [])
    for name in ("now", "later"):
        schedule.done(name, Outcome(status=Status.DONE, key="k"))
    assert schedule.finished
