"""Shared fixtures of the engine's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flow.engine.cache import Cache
from flow.engine.driver import Options, run_graph
from flow.engine.events import StepFinished, StepStarted

HELPERS = Path(__file__).parents[1] / "helpers"


class Bench:
    """A cache, and runs on it that remember their events."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache_root = root / "cache"
        self.events: list[object] = []
        self._count = 0

    def run(self, graph, cache=None, feed=None, **options):
        self._count += 1
        self.events = []
        chosen = Options(
            run_id=f"r{os.getpid()}-{self._count}-{id(self)}", keep=self.root / "failed", **options
        )
        return run_graph(graph, cache or Cache(self.cache_root), chosen, self.events.append, feed)

    def started(self) -> list[str]:
        return [e.step.name for e in self.events if isinstance(e, StepStarted)]

    def finished(self) -> list[str]:
        return [e.step.name for e in self.events if isinstance(e, StepFinished)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def helper_env() -> dict[str, str]:
    """Environment of a child that imports ``engine_stages``."""
    env = dict(os.environ)
    env["PYTHONPATH"] = f"{HELPERS}:{HELPERS.parents[1]}"
    return env
