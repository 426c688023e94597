"""Run the back end's stages on a small design, with the tools and PDKs of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fake_context import FakeContext

from flow.model.constraint import Clock, Constraints
from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.stages.power import Power
from flow.stages.synthesize import Synthesize
from flow.stages.timing import Timing
from flow.tools.opensta import OpenSta
from flow.tools.yosys import Yosys

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
ROLES: dict[str, Any] = {
    "buffers": ["BUFX2", "BUFX4"],
    "driving_cell": ["BUFX2", "Y"],
    "load_pf": 0.03,
}

MAC = """module mac #(parameter W = 4, A = 10) (
  input clk, input rst, input en, input signed [W-1:0] a, b, output reg signed [A-1:0] acc);
  reg signed [W-1:0] x, y;
  always @(posedge clk) begin
    x <= a; y <= b;
    if (rst) acc <= 0; else if (en) acc <= acc + x * y;
  end
endmodule
"""


def need_osu018() -> None:
    """Skip when the library is not installed."""
    if not OSU018.is_file():
        pytest.skip("osu018 is not installed: apt-get install qflow-tech-osu018")


def tool(adapter: Yosys | OpenSta) -> ToolIdentity:
    """Detect a tool, or skip."""
    try:
        return adapter.detect()
    except ConfigError as error:
        pytest.skip(str(error))


def constraints(period_ns: float, port: str | None = "clk", **others: Any) -> Constraints:
    """Return constraints with one clock."""
    return Constraints(clocks=(Clock(port=port, period_ns=period_ns),), **others)


def synthesize(
    folder: Path,
    sources: Mapping[str, str],
    top: str,
    *,
    libraries: Mapping[str, Path] | None = None,
    roles: Mapping[str, Any] | None = None,
    listed: list[str] | None = None,
    **params: Any,
) -> FakeContext:
    """Run synthesis of `sources` (file name to text), of which `listed` are compiled."""
    if libraries is None:
        need_osu018()
    source = folder / "user sources"
    for name, text in sources.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    context = FakeContext(
        folder / "synthesize",
        {
            "top": top,
            "sources": list(sources) if listed is None else listed,
            "roles": ROLES if roles is None else roles,
            **params,
        },
        {"src": source, **(libraries or {"lib0": OSU018})},
        [tool(Yosys())],
    )
    Synthesize().execute(context)
    return context


def analyse(
    stage: Timing | Power,
    folder: Path,
    netlist: Path,
    top: str,
    rules: Constraints,
    *,
    libraries: Mapping[str, Path] | None = None,
    roles: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Path] | None = None,
    **params: Any,
) -> FakeContext:
    """Run timing or power of a netlist."""
    if libraries is None:
        need_osu018()
    context = FakeContext(
        folder,
        {"top": top, "constraints": asdict(rules), "roles": ROLES if roles is None else roles, **params},
        {"netlist": netlist, **(libraries or {"lib0": OSU018}), **(inputs or {})},
        [tool(OpenSta())],
    )
    stage.execute(context)
    return context


def pdk_root() -> Path | None:
    """Return where PDKs are: ``PDK_ROOT``, else beside the repository."""
    named = os.environ.get("PDK_ROOT")
    root = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "pdks"
    return root if root.is_dir() else None


def need_program(name: str, package: str) -> str:
    """Return the path of a program, or skip."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found
