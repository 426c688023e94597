"""(a) A run that has nothing to do, and ``suzuri --help``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, environment, seconds, suzuri

__all__ = ["measure"]


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield the rows; the demo is run first so that there is nothing left to do."""
    env = environment(cache)
    demo = suzuri("run", "rtl/tensor", "--build", str(scratch / "demo"))
    seconds(demo, env=env, runs=1)
    floor = seconds([sys.executable, "-c", "import click, sqlalchemy"], runs=5)
    again = seconds(demo, env=env)
    yield Row(
        name="(a) demo again, nothing to do",
        value=f"{again:.2f} s",
        against=f"python importing click and SQLAlchemy {floor:.2f} s",
        ratio=f"{again / floor:.1f}",
        goal="at most 1.0 s",
        met=again <= 1.0,
    )
    bare = seconds([sys.executable, "-c", "import click"], runs=9)
    helped = seconds(suzuri("--help"), runs=9)
    yield Row(
        name="(a) suzuri --help",
        value=f"{helped:.3f} s",
        against=f"python importing click {bare:.3f} s",
        ratio=f"{helped / bare:.1f}",
        goal="at most 0.2 s",
        met=helped <= 0.2,
    )
