"""``suzuri pdk``: list, check, and install up to the call of the installer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def suzuri(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "flow.cli.main", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, **env}, timeout=300,
    )  # fmt: skip


@pytest.fixture
def stub(tmp_path):
    """Put a program on PATH that records how it was called, prints, and ends as told."""

    def make(name: str, *, says: str = "", code: int = 0, makes: str = "") -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/calls\n{makes}\necho "{says}"\nexit {code}\n'
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
        env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        return env | {"PDK_ROOT": "", "FLOW_HOME": "", "ORFS": ""}

    make.calls = lambda: (tmp_path / "calls").read_text().split("\n")
    return make


def test_list_as_json_has_every_family():
    rows = json.loads(suzuri("pdk", "list", "--json").stdout)
    families = {row["family"] for row in rows}
    assert {"osu", "sky130", "gf180", "ihp", "nangate45", "asap7"} <= families
    assert all(row["installed"] or row["install"] for row in rows)


def test_list_names_what_is_missing_and_how_to_get_it(tmp_path):
    text = suzuri("pdk", "list", PDK_ROOT="", HOME=str(tmp_path)).stdout
    assert "suzuri pdk install sky130A" in text


def test_install_says_what_it_does_and_does_nothing_when_dry(stub):
    done = suzuri("pdk", "install", "sky130A", "--dry-run", **stub("ciel"))
    assert done.returncode == 0
    assert "$ ciel enable --pdk-family sky130" in done.stdout
    assert "open_pdks build" in done.stdout


def test_install_calls_ciel_and_reads_a_network_failure(stub):
    env = stub("ciel", says="httpx.ConnectError: [Errno -2] Name or service not known", code=1)
    done = suzuri("pdk", "install", "sky130A", "--yes", **env)
    assert done.returncode == 3
    assert "the network cannot be reached" in done.stderr
    assert "proxy" in done.stderr
    (call, _) = stub.calls()
    words = call.split()[1:]
    assert words[:3] == ["enable", "--pdk-family", "sky130"]
    assert words[3:5] == ["--pdk-root", f"{env['HOME']}/.ciel"]


def test_install_without_ciel_says_how_to_get_it(stub, tmp_path):
    env = stub("nothing") | {"PATH": str(tmp_path / "bin")}
    done = suzuri("pdk", "install", "gf180mcuD", "--yes", **env)
    assert done.returncode == 2
    assert "pip install ciel" in done.stderr


def test_an_installer_that_installs_nothing_is_not_believed(stub):
    done = suzuri("pdk", "install", "ihp-sg13g2", "--yes", **stub("ciel"))
    assert done.returncode == 2
    assert "its views were not found" in done.stderr


def test_install_of_an_unknown_pdk_suggests():
    done = suzuri("pdk", "install", "sky130")
    assert done.returncode == 2
    assert "sky130A" in done.stderr


def test_check_without_a_name_says_so():
    done = suzuri("pdk", "check")
    assert done.returncode == 2
    assert "suzuri pdk check osu018" in done.stderr


@pytest.fixture(scope="module")
def module_cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.eda
@pytest.mark.sim
@pytest.mark.parametrize("name", ["osu018", "nangate45", "sky130A", "ihp-sg13g2"])
def test_a_good_pdk_conforms(name, module_cache):
    root = os.environ.get("PDK_ROOT") or str(Path(__file__).parents[3] / "shared" / "pdks")
    done = suzuri("pdk", "check", name, "--json", SUZURI_CACHE=module_cache, PDK_ROOT=root)
    if "is not installed" in done.stderr:
        pytest.skip(f"needs {name}: suzuri pdk install {name}")
    found = json.loads(done.stdout)[name]
    assert found["conforms"], [c for c in found["checks"] if not c["passed"]]
    names = {c["name"] for c in found["checks"]}
    wanted = {"pdk.time", "pdk.power", *(f"pdk.equivalence.{r}" for r in ("area", "balanced", "speed"))}
    assert wanted <= names
    assert found["metrics"]["timing__fmax"] > 0


def test_a_library_that_is_cut_short_does_not_conform(cut_short, module_cache):
    done = suzuri("pdk", "check", "osu018", SUZURI_CACHE=module_cache, QFLOW_TECH=str(cut_short))
    assert "osu018_stdcells.lib" in done.stdout + done.stderr
    assert done.returncode == 1
    assert "FAIL" in done.stdout
