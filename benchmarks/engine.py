"""(b) The engine's overhead: trivial steps against ``xargs -P`` running the same commands."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row
from flow.engine.cache import Cache
from flow.engine.driver import Options, run_graph
from flow.engine.events import Event, StepFinished
from flow.engine.store import Store
from flow.model.graph import Graph
from flow.model.step import Step

__all__ = ["measure"]

STEPS = 10_000


def measure(scratch: Path, _cache: Path) -> Iterator[Row]:
    """Yield the rows: time a step, and growth of memory."""
    cores = os.cpu_count() or 1
    words = "\n".join(map(str, range(STEPS)))
    started = time.monotonic()
    subprocess.run(["xargs", f"-P{cores}", "-n1", "/bin/true"], input=words, text=True, check=True)
    bare = (time.monotonic() - started) / STEPS

    graph = Graph(
        Step(name=f"s{i}", kind="trivial", stage="benchmarks.stages:Trivial", params={"i": i})
        for i in range(STEPS)
    )
    store = Store(scratch / "engine.sqlite")
    store.begin("bench", {})

    def record(event: Event) -> None:
        if isinstance(event, StepFinished):
            store.add("bench", event.step, event.outcome)

    before = _resident_mb()
    started = time.monotonic()
    options = Options(run_id="bench", keep=scratch / "failed")
    outcomes = run_graph(graph, Cache(scratch / "engine_cache"), options, record)
    store.close()
    ours = (time.monotonic() - started) / STEPS
    growth = _resident_mb() - before
    if sum(o.status.ok for o in outcomes.values()) != STEPS:
        raise RuntimeError("not every trivial step succeeded")
    yield Row(
        name=f"(b) engine, a step of {STEPS:,}",
        value=f"{ours * 1e3:.2f} ms",
        against=f"xargs -P{cores} {bare * 1e3:.2f} ms",
        ratio=f"{ours / bare:.1f}",
        goal="at most 3 ms more",
        met=(ours - bare) * 1e3 <= 3.0,
    )
    yield Row(
        name="(b) engine, memory growth", value=f"{growth:.0f} MB", goal="under 400 MB", met=growth < 400
    )


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
