"""Where the PDKs for these tests are, and what they say when there are none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from flow.model.errors import ConfigError
from pdk_adapters import registry

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "pdks"
# One of each family, and the second libraries of two.
EVERY = (
    "osu018", "osu035", "osu050", "sky130A", "gf180mcuD", "gf180mcuD-9t", "ihp-sg13g2", "nangate45", "asap7",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _pdk_root(monkeypatch):
    if not os.environ.get("PDK_ROOT") and _BESIDE.is_dir():
        monkeypatch.setenv("PDK_ROOT", str(_BESIDE))


@pytest.fixture
def no_pdks(monkeypatch, tmp_path):
    """An environment in which nothing is installed; returns an empty folder for PDK_ROOT."""
    root = tmp_path / "pdks"
    root.mkdir()
    for name in ("FLOW_HOME", "ORFS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PDK_ROOT", str(root))
    monkeypatch.setenv("QFLOW_TECH", str(tmp_path / "qflow"))
    return root


@pytest.fixture(params=EVERY)
def pdk(request, _pdk_root):
    """Each PDK in turn."""
    try:
        return registry.find(request.param)
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture
def find():
    """A PDK by name, or a skip that says how to install it."""

    def get(name):
        try:
            return registry.find(name)
        except ConfigError as error:
            pytest.skip(str(error))

    return get


@pytest.fixture
def icarus(tmp_path):
    """Compile and run Verilog texts; return what the simulation printed."""
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog is not installed: apt-get install iverilog")

    def run(*texts, standard="2005"):
        files = []
        for index, text in enumerate(texts):
            path = tmp_path / f"icarus_{index}.v"
            path.write_text(text)
            files.append(str(path))
        binary = str(tmp_path / "icarus.vvp")
        built = subprocess.run(
            ["iverilog", f"-g{standard}", "-Wall", "-Wno-timescale", "-o", binary, *files],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert built.returncode == 0, built.stderr[-2000:]
        ran = subprocess.run(["vvp", "-n", binary], capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
        return SimpleNamespace(out=ran.stdout, warnings=built.stderr)

    return run


@pytest.fixture
def yosys(tmp_path):
    """Run a Yosys script in a process of its own; return its log."""
    pytest.importorskip("pyosys", reason="pyosys is not installed: pip install pyosys")

    def run(script):
        path = tmp_path / "script.ys"
        path.write_text(script)
        code = f"from pyosys import libyosys as ys; ys.run_pass('script {path}')"
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 0, (ran.stdout + ran.stderr)[-2000:]
        return ran.stdout

    return run
