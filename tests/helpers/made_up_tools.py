"""Runs a search for clocks or recipes with synthesis that is made up."""

from __future__ import annotations

import random
from collections.abc import Callable

from flow.sweep.fmax import Aim, Search, Tried

Tool = Callable[[str, float], tuple[float | None, float]]


def run(search: Search, tool: Tool, workers: int = 1, seed: int = 0) -> list[Tried]:
    """Run a search with workers that finish in any order."""
    rng = random.Random(seed)
    running: list[Aim] = []
    told: list[Tried] = []
    while True:
        running += search.ask(workers - len(running))
        assert len(running) <= workers
        if not running:
            return told
        aim = running.pop(rng.randrange(len(running)))
        period, area = tool(aim.recipe, aim.target_ns)
        one = Tried(
            aim=aim,
            period_ns=period,
            metrics={"design__instance__area": area},
            reason="" if period else "it broke",
        )
        search.tell(one)
        told.append(one)
        assert len(told) < 200
