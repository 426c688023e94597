"""(d) The tile on every PDK: synthesis to timing to power, and the share spent outside the tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, environment, seconds, suzuri

__all__ = ["measure"]


def measure(scratch: Path, cache: Path) -> Iterator[Row]:
    """Yield a row for the whole and one a PDK; what comes before synthesis is cached."""
    env = environment(cache)
    build = scratch / "pdks"
    common = ["run", "rtl/tensor", "--pdk", "all", "--build", str(build)]
    seconds(suzuri("run", "rtl/tensor", "--until", "simulate", "--build", str(build)), env=env, runs=1)
    forced = [word for kind in ("synthesize", "timing", "power") for word in ("--force", kind)]
    total = seconds(suzuri(*common, *forced), env=env, runs=1)
    record = json.loads((build / "run.json").read_text())
    ran = [s for s in record["steps"] if s["status"] == "done"]
    wall, tool = sum(s["wall_s"] for s in ran), sum(s["tool_s"] for s in ran)
    outside = (wall - tool) / wall
    names = [p["name"] for p in record["pdks"]]
    families = {p["family"] for p in record["pdks"]}
    skipped = ", ".join(p["name"] for p in record["skipped_pdks"])
    yield Row(
        name=f"(d) {len(names)} PDKs of {len(families)} families" + (f", not {skipped}" if skipped else ""),
        value=f"{total:.1f} s",
        against=f"in the tools {tool:.1f} s of {wall:.1f} s in steps",
        ratio=f"{100 * outside:.1f} % outside",
        goal="under 10 % outside",
        met=outside < 0.10,
    )
    for name in names:
        mine = [s for s in ran if s["tags"].get("pdk") == name]
        metrics = {k: v for s in mine for k, v in s["metrics"].items()}
        area = metrics.get("design__instance__area")
        # At the slowest of its corners: the frequency that the chip would be sold at.
        fmax = min((s["metrics"]["timing__fmax"] for s in mine if s["kind"] == "timing"), default=None)
        yield Row(
            name=f"    {name}",
            value=f"{sum(s['wall_s'] for s in mine):.1f} s",
            against=f"area {area:,.0f} um2, fmax {fmax:.0f} MHz" if area and fmax else "",
        )
