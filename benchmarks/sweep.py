"""(s) A sweep of the tile: points an hour, time outside tools, two workers over one, an overlap."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import REPOSITORY, Row, environment, suzuri

__all__ = ["measure"]

_MANIFEST = """
[design]
name = "tile"
top = "rtl.tensor.tile:MacTile"
python_root = "{root}"
python_packages = ["rtl", "ips"]
[clock]
period_ns = 8.0
[reset]
port = "rst"
[[sweep]]
name = "tile"
[sweep.parameters]
rows = [2, 4]
columns = [2, 4]
tree_stages = [0, 1]
accumulator_width = [{widths}]
[sweep.flow]
pdk = ["osu018"]
recipe = ["area", "balanced", "speed"]
clock_scale = [1.0]
[[sweep.objective]]
maximise = "rows * columns * timing__fmax"
[[sweep.objective]]
minimise = "design__instance__area"
"""


def measure(scratch: Path, _cache: Path) -> Iterator[Row]:
    """Yield the rows."""
    if not Path("/usr/share/qflow/tech/osu018").is_dir():
        yield Row(name="(s) sweep of the tile", value="osu018 is not installed")
        return
    folder = scratch / "sweep"
    folder.mkdir()
    one, _ = _run(folder, "24, 32", scratch / "one", jobs=1)
    two, data = _run(folder, "24, 32", scratch / "two", jobs=2)
    count = len(data["points"])
    yield Row(
        name=f"(s) sweep of the tile, {count} points, 2 workers",
        value=f"{count / two * 3600:,.0f} points an hour",
        against=f"1 worker {count / one * 3600:,.0f}",
        ratio=f"{one / two:.2f}",
        goal="at least 1.8",
        met=one / two >= 1.8,
    )
    share = data["sweep"]["outside_share"]
    yield Row(
        name="(s) of the time of its steps, outside tools", value=f"{100 * share:.1f} %", goal="under 10 %",
        met=share < 0.1,
    )  # fmt: skip
    overlapping, _ = _run(folder, "24, 28", scratch / "two", jobs=2)
    yield Row(
        name="(s) a second sweep, half of it in the first",
        value=f"{overlapping:.1f} s",
        against=f"the first {two:.1f} s",
        ratio=f"{overlapping / two:.2f}",
        goal="at most 0.60",
        met=overlapping / two <= 0.6,
    )
    again, _ = _run(folder, "24, 28", scratch / "two", jobs=2)
    yield Row(name="(s) the same again", value=f"{again:.1f} s", against=f"{overlapping:.1f} s")


def _run(folder: Path, widths: str, cache: Path, jobs: int) -> tuple[float, dict[str, Any]]:
    (folder / "suzuri.toml").write_text(_MANIFEST.format(root=REPOSITORY, widths=widths))
    # What elaboration and the Liberty reader keep between processes is made first: it is paid once.
    command = suzuri("sweep", str(folder), "--fresh", "--jobs", str(jobs), "--quiet")
    if not cache.exists():
        subprocess.run([*command, "--points", "1"], env=environment(cache), check=True, capture_output=True)
    started = time.monotonic()
    done = subprocess.run(
        command, env=environment(cache), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    elapsed = time.monotonic() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    data = json.loads((folder / "build" / "sweeps" / "tile" / "sweep.json").read_text())
    return elapsed, data
