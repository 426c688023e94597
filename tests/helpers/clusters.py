"""A Dask cluster of separate processes on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Process = subprocess.Popen[bytes]


def start_cluster(
    folder: Path, env: Mapping[str, str], workers: int = 2
) -> tuple[Process, list[Process], str]:
    """Start a scheduler and workers; return their processes and the scheduler's address."""
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
         "--no-dashboard", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(folder / "s.json")],
        env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(600):
        if (folder / "s.json").exists() and (folder / "s.json").read_text():
            break
        time.sleep(0.05)
    address = json.loads((folder / "s.json").read_text())["address"]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny",
             "--no-dashboard", "--host", "127.0.0.1", "--local-directory", str(folder / f"w{i}"),
             "--death-timeout", "60"],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for i in range(workers)
    ]  # fmt: skip
    return scheduler, started, address


@contextmanager
def started(folder: Path, env: Mapping[str, str], workers: int = 2) -> Iterator[tuple[list[Process], str]]:
    """Start a cluster; give its workers and its address; end it."""
    scheduler, processes, address = start_cluster(folder, env, workers)
    try:
        yield processes, address
    finally:
        for process in [*processes, scheduler]:
            process.kill()
            process.wait()
