"""Drives a run: serves what is cached, sends the rest to Dask, tells what happens."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flow.engine import worker
from flow.engine.cache import Cache
from flow.engine.events import Event, Listener, Note, RunFinished, RunStarted, StepFinished, StepStarted
from flow.engine.executor import Executor
from flow.engine.gc import in_use
from flow.engine.keys import base_key
from flow.engine.schedule import Schedule
from flow.engine.worker import Task
from flow.model.errors import FlowError
from flow.model.graph import Graph
from flow.model.step import Outcome, Status, Step
from flow.model.view import Tree, View

__all__ = ["Feed", "Options", "run_graph", "sweep_stale"]

_BATCH_S = 0.04  # a batch of short steps should last about this long
_GRACE_S = 15.0  # how long a cancelled run waits for its steps to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a graph is run.

    Attributes
    ----------
    run_id
        Unique name of the run.
    keep
        Folder that receives the files of failed steps, one folder a step.
    jobs
        Cores of the local cluster, ``None`` for all.
    scheduler
        Address of a Dask scheduler, ``None`` for a cluster in this process.
    force
        Names or kinds of steps that are executed although they are cached.
    """

    run_id: str
    keep: Path
    jobs: int | None = None
    scheduler: str | None = None
    force: frozenset[str] = field(default_factory=frozenset)


#: Asked for more steps, with the number of steps that can run at once.
Feed = Callable[[int], Iterable[Step]]


def run_graph(
    graph: Graph, cache: Cache, options: Options, listener: Listener, feed: Feed | None = None
) -> Mapping[str, Outcome]:
    """Run `graph` to its end and return each step's outcome.

    `feed` is asked for more steps at the start and whenever outcomes were
    told; those that it returns become part of `graph`, and may need steps
    that are there already. The run ends when every step has an outcome and
    `feed` returns none.

    Every outcome is told to `listener` as it arrives, before the run goes
    on. ``KeyboardInterrupt`` stops the running steps, gives the rest the
    status ``CANCELLED``, and returns what there is.

    Raises
    ------
    FlowError
        The cluster cannot be reached, or the cache not be written.
    """
    with in_use(cache.root):
        sweep_stale(cache.root)
        return _Drive(graph, cache, options, listener, feed).run()


class _Drive:
    """One run in progress."""

    def __init__(
        self, graph: Graph, cache: Cache, options: Options, listener: Listener, feed: Feed | None
    ) -> None:
        self._graph, self._cache, self._options, self._listener = graph, cache, options, listener
        self._feed = feed
        self._schedule = Schedule(graph)
        self._arrivals: queue.SimpleQueue[tuple[Task, Outcome] | str] = queue.SimpleQueue()
        self._ready: deque[Task] = deque()
        self._in_flight = 0
        self._typical_s: dict[str, float] = {}
        self._executor: Executor | None = None
        self._interrupted = False

    def run(self) -> Mapping[str, Outcome]:
        run_id = self._options.run_id
        self._tell(RunStarted(run_id, len(self._graph)))
        worker.listen(run_id, self._arrivals.put)
        try:
            try:
                self._begin(self._schedule.start())
                self._more()
                self._loop()
            except KeyboardInterrupt:
                self._cancel()
        finally:
            worker.listen(run_id, None)
            if self._executor is not None:
                self._executor.close()
            attempts = self._cache.root / "work" / "attempts" / run_id
            shutil.rmtree(attempts, ignore_errors=True)
        self._tell(RunFinished(run_id, self._interrupted))
        return self._schedule.outcomes

    def _tell(self, event: Event) -> None:
        while self._cache.corrupt:
            self._listener(Note(self._cache.corrupt.pop()))
        self._listener(event)

    def _loop(self) -> None:
        while not self._schedule.finished:
            self._fill()
            arrival = self._arrivals.get()
            if isinstance(arrival, str):
                self._tell(StepStarted(self._graph[arrival]))
                continue
            task, outcome = arrival
            self._in_flight -= 1
            self._finish(task.step, outcome)
            self._more()

    def _more(self) -> None:
        """Take in what `feed` has, until it has nothing for what became of that."""
        if self._feed is None:
            return
        while True:
            slots = self._executor.slots if self._executor else self._options.jobs or os.cpu_count() or 1
            steps = list(self._feed(slots))
            if not steps:
                return
            ready, skipped = self._schedule.add(steps)
            for name in skipped:
                self._tell(StepFinished(self._graph[name], self._schedule.outcomes[name]))
            self._begin(ready)

    # -- starting ---------------------------------------------------------

    def _begin(self, steps: Iterable[Step]) -> None:
        """Serve steps from the cache, or queue them."""
        pending = deque(steps)
        while pending:
            step = pending.popleft()
            base = base_key(step)
            forced = bool({step.name, step.kind} & self._options.force)
            trees = {name: item for name, item in step.inputs.items() if isinstance(item, Tree)}
            found = None if forced else self._cache.lookup(base, trees)
            if found is None:
                self._ready.append(self._task(step, base, forced))
            else:
                pending.extend(self._settle(step, replace(found, status=Status.CACHED)))

    def _task(self, step: Step, base: str, forced: bool) -> Task:
        return Task(
            step=step,
            base=base,
            cache_root=str(self._cache.root),
            run_id=self._options.run_id,
            keep=str(self._options.keep / step.name),
            remote=self._cache.remote,
            force=forced,
        )

    def _fill(self) -> None:
        """Keep every slot busy, with one batch more for each in waiting."""
        if not self._ready:
            return
        executor = self._start_executor()
        slots = executor.slots
        while self._ready and self._in_flight < 2 * slots * self._batch_size(self._ready[0], slots):
            batch = self._take_batch(slots)
            self._in_flight += len(batch)
            try:
                for task in batch:
                    self._prepare(task)
                executor.submit(batch)
            except FlowError as error:
                for task in batch:
                    self._arrivals.put((task, _refused(task, error)))

    def _start_executor(self) -> Executor:
        if self._executor is None:
            self._executor = Executor(self._deliver, jobs=self._options.jobs, address=self._options.scheduler)
        return self._executor

    def _deliver(self, tasks: Iterable[Task], outcomes: Iterable[Outcome]) -> None:
        for task, outcome in zip(tasks, outcomes, strict=True):
            self._arrivals.put((task, outcome))

    def _prepare(self, task: Task) -> None:
        """Make the inputs reachable: a snapshot of source trees, and views in the shared store."""
        for item in task.step.inputs.values():
            if isinstance(item, Tree):
                for _, view in item.files:
                    self._cache.ingest(view)
                    self._cache.push(view)
            elif isinstance(item, View):
                self._cache.push(item)

    def _batch_size(self, task: Task, slots: int) -> int:
        """How many steps like this one to send at once: many when they are short."""
        typical = self._typical_s.get(task.step.kind)
        if typical is None:
            return 1
        fair = math.ceil((len(self._ready) + self._in_flight) / (4 * slots))
        return max(1, min(int(_BATCH_S / max(typical, 1e-4)), fair, 64))

    def _take_batch(self, slots: int) -> list[Task]:
        size = self._batch_size(self._ready[0], slots)
        batch = [self._ready.popleft()]
        while len(batch) < size and self._ready:
            following = self._ready[0].step
            if following.kind != batch[0].step.kind or following.resources != batch[0].step.resources:
                break
            batch.append(self._ready.popleft())
        return batch

    # -- finishing --------------------------------------------------------

    def _finish(self, step: Step, outcome: Outcome) -> None:
        if outcome.status is Status.DONE:
            before = self._typical_s.get(step.kind, outcome.wall_s)
            self._typical_s[step.kind] = 0.8 * before + 0.2 * outcome.wall_s
        self._begin(self._settle(step, outcome))

    def _settle(self, step: Step, outcome: Outcome) -> list[Step]:
        """Tell an outcome, and those of the steps it rules out; return what may start now."""
        ready, skipped = self._schedule.done(step.name, outcome)
        self._tell(StepFinished(step, outcome))
        for name in skipped:
            self._tell(StepFinished(self._graph[name], self._schedule.outcomes[name]))
        return ready

    def _cancel(self) -> None:
        """Stop what runs, then give everything without an outcome the status ``CANCELLED``."""
        self._interrupted = True
        if self._executor is not None:
            self._executor.cancel(self._options.run_id)
        deadline = time.monotonic() + _GRACE_S
        self._ready.clear()
        while self._in_flight > 0 and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                arrival = self._arrivals.get(timeout=0.2)
                if not isinstance(arrival, str):
                    self._in_flight -= 1
                    if arrival[0].step.name not in self._schedule.outcomes:
                        self._settle(arrival[0].step, arrival[1])
        for step in self._graph:
            if step.name not in self._schedule.outcomes:
                self._settle(step, Outcome(status=Status.CANCELLED, key=""))


def _refused(task: Task, error: FlowError) -> Outcome:
    """Outcome of a step that could not even be sent."""
    infra = type(error).__name__ == "InfraError"
    return Outcome(
        status=Status.INFRA if infra else Status.FAILED,
        key=task.base,
        error={
            "type": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "remedy": error.remedy,
        },
    )


def sweep_stale(root: Path) -> None:
    """Remove step directories that processes of this machine left when they were killed."""
    work = root / "work"
    host = socket.gethostname()
    try:
        entries = list(os.scandir(work))
    except OSError:
        return
    for entry in entries:
        owner, _, rest = entry.name.rpartition("-")
        name, _, pid = owner.rpartition("-")
        if name == host and rest and pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(entry.path, ignore_errors=True)
