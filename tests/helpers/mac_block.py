"""A small block with a manifest, and a cache of its own, for commands about power, performance and area."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from eda_flow import need_osu018

from flow.cli.main import suzuri

MANIFEST = """[design]
name = "mac"
top = "mac"
sources = ["mac.v"]
[clock]
port = "clk"
period_ns = 5.0
[run]
pdk = ["osu018"]
"""
MAC = """module mac(input clk, input [3:0] a, b, output reg [9:0] s);
  reg [3:0] x, y;
  always @(posedge clk) begin x <= a; y <= b; s <= s + x * y; end
endmodule
"""


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A block to find the clock of, with a cache of its own."""
    need_osu018()
    folder = tmp_path / "mac"
    folder.mkdir()
    (folder / "suzuri.toml").write_text(MANIFEST)
    (folder / "mac.v").write_text(MAC)
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    return folder


def call(*words: str) -> str:
    """Run a command of the command line in this process; errors come through."""
    done = CliRunner().invoke(suzuri, list(words), catch_exceptions=False, standalone_mode=False)
    return done.output
