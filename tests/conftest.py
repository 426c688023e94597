"""What tests of several folders share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def cut_short(tmp_path: Path) -> Path:
    """Return a folder for QFLOW_TECH in which the Liberty file of osu018 is cut in the middle."""
    source = Path("/usr/share/qflow/tech/osu018")
    if not source.is_dir():
        pytest.skip("needs osu018: apt-get install qflow-tech-osu018")
    copy = tmp_path / "tech" / "osu018"
    shutil.copytree(source, copy)
    liberty = copy / "osu018_stdcells.lib"
    text = liberty.read_text()
    liberty.write_text(text[: len(text) // 2])
    return copy.parent
