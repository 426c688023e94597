"""Rows of the table, and how commands are timed."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["REPOSITORY", "Row", "environment", "seconds", "suzuri"]

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: what was measured, beside what, and the goal."""

    name: str
    value: str
    against: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None


def environment(cache: Path) -> dict[str, str]:
    """Return an environment with a cache of its own."""
    return {**os.environ, "SUZURI_CACHE": str(cache)}


def suzuri(*arguments: str) -> list[str]:
    """Return the command line of this checkout's ``suzuri``."""
    installed = Path(sys.executable).with_name("suzuri")
    start = [str(installed)] if installed.exists() else [sys.executable, "-m", "flow.cli.main"]
    return [*start, *arguments]


def seconds(
    argv: Sequence[str], *, env: dict[str, str] | None = None, runs: int = 5, cwd: Path = REPOSITORY
) -> float:
    """Return the median wall-clock time of `argv` as a whole process, in seconds.

    Raises
    ------
    RuntimeError
        It failed.
    """
    times = []
    for _ in range(runs):
        started = time.monotonic()
        done = subprocess.run(list(argv), env=env, cwd=cwd, capture_output=True, text=True, check=False)
        times.append(time.monotonic() - started)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return statistics.median(times)
