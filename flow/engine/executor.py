"""Dask, the only scheduler: in this process by default, or any cluster by address."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flow.engine import worker
from flow.engine.worker import Task
from flow.model.errors import ConfigError, InfraError
from flow.model.step import Outcome, Resources, Status

__all__ = ["Delivery", "Executor", "machine_memory_mb"]

#: Called with the tasks of a batch and their outcomes.
Delivery = Callable[[Sequence[Task], Sequence[Outcome]], None]

_SETTINGS = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 3,
    "distributed.admin.tick.limit": "1h",
    "distributed.comm.timeouts.connect": "20s",
}


# Dask imports parts of itself while a cluster starts, which two threads must not do at once.
_STARTING = threading.Lock()


def machine_memory_mb() -> int:
    """Return the memory of this machine in MB."""
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6)


class Executor:
    """Runs batches of tasks on a Dask cluster.

    Parameters
    ----------
    deliver
        Told each batch's outcomes, from another thread.
    jobs
        Cores to use of the local cluster; all of the machine's when
        ``None``.
    address
        Of a running scheduler (``tcp://host:port``), or ``None`` for a
        threaded cluster inside this process.
    wait_s
        How long to wait for the first worker of a cluster.

    Raises
    ------
    ConfigError
        The address cannot be understood.
    InfraError
        Nothing answers there, or it has no worker.
    """

    def __init__(
        self, deliver: Delivery, *, jobs: int | None = None, address: str | None = None, wait_s: float = 60.0
    ) -> None:
        import dask  # noqa: PLC0415 - costs most of a second, and a cached run needs none of it
        import distributed  # noqa: PLC0415

        self._deliver = deliver
        self._config = dask.config.set(_SETTINGS)
        self._config.__enter__()
        self._lock = threading.Lock()
        self._futures: dict[str, Any] = {}
        self._looked = 0.0
        self.local = address is None
        self._cluster: Any = None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        if address is None:
            cores = jobs or os.cpu_count() or 1
            self._capacity: dict[str, float] = {"cores": cores, "memory_mb": machine_memory_mb()}
            with _STARTING:
                self._cluster = distributed.LocalCluster(
                    processes=False, n_workers=1, threads_per_worker=cores, dashboard_address=None,
                    memory_limit=0, resources=self._capacity, silence_logs=logging.CRITICAL, protocol="inproc://",
                    # Dask insists on two HTTP servers: on loopback, at any port, and with nothing to serve.
                    scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                    worker_dashboard_address="127.0.0.1:0",
                )  # fmt: skip
            self._client = distributed.Client(self._cluster, set_as_default=False)
            self._slots = cores
        else:
            self._client = self._connect(distributed, address)
            self._await_worker(address, wait_s)

    @staticmethod
    def _connect(distributed: Any, address: str) -> Any:  # noqa: ANN401 - untyped library
        if "://" not in address:
            raise ConfigError(f"{address!r} is not a scheduler's address", "--scheduler",
                              "Give it as tcp://HOST:PORT, as dask scheduler prints it.")  # fmt: skip
        try:
            return distributed.Client(address, set_as_default=False, timeout=8)
        except (OSError, TimeoutError) as error:
            raise InfraError(f"no Dask scheduler answers ({error})", address,
                             "Start: dask scheduler; and: dask worker ADDRESS") from None  # fmt: skip
        except ValueError as error:
            raise ConfigError(f"{address!r} is not a scheduler's address ({error})", "--scheduler") from None

    def _await_worker(self, address: str, wait_s: float) -> None:
        try:
            self._client.wait_for_workers(1, timeout=wait_s)
        except TimeoutError:
            self.close()
            raise InfraError(f"the Dask scheduler has had no worker for {wait_s:.0f} s", address,
                             f"Start some with: dask worker {address}") from None  # fmt: skip
        self._look()

    def _look(self) -> None:
        """Read what the cluster offers; workers come and go."""
        if self.local or time.monotonic() - self._looked < 2.0:
            return
        self._looked = time.monotonic()
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        self._slots = sum(w["nthreads"] for w in workers)
        self._capacity = {}
        for info in workers:
            for name, amount in info.get("resources", {}).items():
                self._capacity[name] = max(self._capacity.get(name, 0.0), amount)

    @property
    def slots(self) -> int:
        """How many steps can run at once."""
        self._look()
        return max(1, self._slots)

    def _request(self, resources: Resources) -> dict[str, float]:
        """Return what to ask of a worker: what workers declare, and never more than one has.

        Raises
        ------
        ConfigError
            A licence is needed that no worker offers.
        """
        wanted: dict[str, float] = {"cores": resources.cores, "memory_mb": resources.memory_mb}
        asked = {n: min(v, self._capacity[n]) for n, v in wanted.items() if n in self._capacity}
        for name, amount in resources.licences.items():
            if self._capacity.get(name, 0.0) < amount:
                raise ConfigError(f"a step needs {amount:g} of {name!r}, which no worker offers",
                                  remedy=f'Try: dask worker ... --resources "{name}={amount:g}"')  # fmt: skip
            asked[name] = amount
        return asked

    def submit(self, tasks: Sequence[Task]) -> None:
        """Send a batch of tasks with equal resources to one worker.

        Raises
        ------
        ConfigError
            No worker offers what the tasks need.
        """
        request = self._request(tasks[0].step.resources)
        function = _execute_here if self.local else worker.execute_batch
        if self.local:
            _MAILBOXES[tasks[0].run_id] = self._deliver
        else:
            tasks = [replace(task, count_attempts=True) for task in tasks]
        future = self._client.submit(function, tasks, pure=False, resources=request or None, retries=0)
        with self._lock:
            self._futures[future.key] = future
        future.add_done_callback(lambda done: self._arrived(done, tasks))

    def _arrived(self, future: Any, tasks: Sequence[Task]) -> None:  # noqa: ANN401 - untyped library
        with self._lock:
            self._futures.pop(future.key, None)
        if future.status == "finished" and self.local:
            return  # each outcome was delivered as it came
        try:
            outcomes = future.result(timeout=60)
        except BaseException as error:
            outcomes = [_lost(task, error) for task in tasks]
        self._deliver(tasks, outcomes)

    def cancel(self, run_id: str) -> None:
        """Stop the steps of a run, wherever they are."""
        worker.cancel_run(run_id)
        if not self.local:
            with contextlib.suppress(Exception):
                self._client.run(worker.cancel_run, run_id)

    def close(self) -> None:
        """Leave the cluster; end it when it is ours."""
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(timeout=5)
        self._config.__exit__(None, None, None)


_MAILBOXES: dict[str, Delivery] = {}


def _execute_here(tasks: Sequence[Task]) -> None:
    """Execute a batch in the driver's own process, delivering each outcome at once."""
    for task in tasks:
        outcome = worker.execute(task)
        _MAILBOXES[task.run_id]([task], [outcome])


def _lost(task: Task, error: BaseException) -> Outcome:
    """Outcome of a task that Dask gave up on."""
    name = type(error).__name__
    what = f"Dask could not run this step ({name}: {str(error).splitlines()[0] if str(error) else name})"
    remedy = "Run the same command again: finished steps are kept."
    if name == "KilledWorker":
        what = "every worker that tried this step died"
        remedy = "See the workers' logs; it may need more memory than they have. " + remedy
    elif isinstance(error, ImportError | AttributeError):
        remedy = "Install the same Suzuri on the workers as here."
    return Outcome(
        status=Status.CANCELLED if name in ("CancelledError", "FutureCancelledError") else Status.INFRA,
        key=task.base,
        error={"type": "InfraError", "what": what, "where": task.step.name, "remedy": remedy},
    )
