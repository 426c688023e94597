"""Whole regressions of a small design, as their user runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
import user_designs

pytestmark = [
    pytest.mark.sim,
    pytest.mark.nightly,
    pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus: apt-get install iverilog"),
]

MANIFEST = """\
[design]
name = "counter"
top = "counter"
sources = ["counter.v"]

[design.parameters]
WIDTH = 4

"""

BENCH = """\
import os
import random
import signal
import time
from pathlib import Path

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def good(dut):
    await Timer(1, "ns")
    dut._log.info("drew %d", random.getrandbits(60))


@cocotb.test()
async def wrong(dut):
    await Timer(random.randrange(1, 50), "ns")
    assert False, f"word {random.getrandbits(30)} is not {random.getrandbits(30)}"


@cocotb.test()
async def forked(dut):
    async def check():
        await Timer(2, "ns")
        raise AssertionError("in a forked task")

    cocotb.start_soon(check())
    await Timer(10, "ns")


@cocotb.test()
async def leaves(dut):
    os._exit(0)


@cocotb.test()
async def crashes(dut):
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(5)


@cocotb.test()
async def hangs(dut):
    if random.randrange(2) or os.environ.get("ALWAYS"):
        time.sleep(60)


@cocotb.test()
async def sometimes(dut):
    mark = Path(os.environ["MARK"])
    first = not mark.exists()
    mark.write_text("seen")
    assert not first, "only the first time"
"""


SKIPPED = """\
import cocotb


@cocotb.test(skip=True)
async def unwanted(dut):
    pass
"""


UNWANTED = """\
[[test]]
name = "unwanted"
module = "skipped"
simulator = "icarus"

"""


def entry(name, case=None, **values):
    lines = [f'name = "{name}"', 'module = "bench"', f'testcase = "{case or name}$"', 'simulator = "icarus"']
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if key != "env"]
    lines += [f"env = {{ {k} = {json.dumps(v)} }}" for k, v in values.get("env", {}).items()]
    return "[[test]]\n" + "\n".join(lines) + "\n\n"


@pytest.fixture
def project(tmp_path, tmp_path_factory):
    made = user_designs.Project(tmp_path / "counter", tmp_path_factory.getbasetemp() / "regress-cache")
    made.write("counter.v", user_designs.COUNTER)
    made.write("bench.py", BENCH)
    made.write("skipped.py", SKIPPED)
    return made


def regress(project, *arguments):
    done = project.run("regress", "--design", str(project.root), "--json", *arguments)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def by_test(data):
    return {r["test"]: r["verdict"] for r in data["results"]}


def test_one_failure_is_told_with_what_repeats_it(project):
    project.write("suzuri.toml", MANIFEST + entry("wrong", seeds=2) + entry("good"))
    code, data = regress(project, "--no-reruns")
    assert code == 1
    assert by_test(data) == {"wrong": "fail", "good": "pass"}
    assert len({r["seed"] for r in data["results"]}) == 3
    assert len({r["message"] for r in data["results"] if r["test"] == "wrong"}) == 2, "the seed is not used"
    (bucket,) = data["buckets"]
    assert (bucket["state"], len(bucket["members"])) == ("new", 2)
    test, _, seed = bucket["members"][0]
    folder = project.root / "build" / "regress" / data["id"]
    assert {p.name for p in folder.iterdir()} >= {"report.html", "junit.xml", "regression.json", "logs"}
    assert len(ET.parse(folder / "junit.xml").findall(".//failure")) == 2
    again = project.run("test", test, "--design", str(project.root), "--seed", seed, "--json")
    (alone,) = json.loads(again.stdout)["results"]
    (there,) = [r for r in data["results"] if (r["test"], r["seed"]) == (test, seed)]
    assert again.returncode == 1
    assert alone["message"] == there["message"], "the command does not repeat the failure bit for bit"


def test_each_verdict(project):
    project.write(
        "suzuri.toml",
        MANIFEST
        + entry("good", seeds=2) + entry("wrong") + entry("forked") + UNWANTED + entry("leaves")
        + entry("crashes") + entry("hangs", timeout_s=3, env={"ALWAYS": "1"})
        + entry("expected", "wrong", xfail="not mended yet")
        + entry("mended", "good", xfail="was wrong once")
        + entry("aside", "forked", quarantine="being looked at")
        + entry("sometimes", env={"MARK": str(project.root / "mark")}),
    )  # fmt: skip
    code, data = regress(project)
    assert code == 1
    found = {}
    for row in data["results"]:
        found.setdefault(row["test"], []).append(row["verdict"])
    assert found == {
        "good": ["pass", "pass"],
        "wrong": ["fail"],
        "forked": ["fail"],
        "unwanted": ["skipped", "fail"],
        "leaves": ["crash"],
        "crashes": ["crash"],
        "hangs": ["timeout"],
        "expected": ["xfail"],
        "mended": ["xpass"],
        "aside": ["fail"],
        "sometimes": ["fail"],
    }
    rows = {r["test"]: r for r in data["results"]}
    assert rows["sometimes"]["flaky"]
    assert not rows["wrong"]["flaky"]
    assert rows["aside"]["quarantined"]
    assert any("every test was skipped" in r["message"] for r in data["results"] if r["test"] == "unwanted")
    folder = project.root / "build" / "regress" / data["id"]
    assert (folder / rows["wrong"]["log"]).read_text().count("is not") > 0
    waves = [r["waves"] for r in data["results"] if r["waves"]]
    assert waves
    assert all((folder / name).stat().st_size > 0 for name in waves)


def test_what_hangs_beside_others_is_repeated_alone(project):
    project.write("suzuri.toml", MANIFEST + entry("hangs", seeds=16, timeout_s=2) + entry("good", seeds=16))
    code, data = regress(project)
    assert code == 1
    counts = data["counts"]
    assert counts["timeout"] + counts["pass"] == 32
    assert 0 < counts["timeout"] < 16
    assert not any(r["flaky"] for r in data["results"]), "the same seed hangs alone too"
    hung = [r for r in data["results"] if r["verdict"] == "timeout"]
    assert all("repeat" in r["step"] for r in hung)


def test_without_anything_to_run_it_is_no_pass(project):
    project.write("suzuri.toml", MANIFEST + entry("nothing", "no_such_case"))
    code, data = regress(project, "--no-reruns")
    assert code == 1
    assert by_test(data) == {"nothing": "fail"}
    project.edit("counter.v", "endmodule", "endmodul")
    code, data = regress(project, "--no-reruns")
    assert (code, data["results"]) == (2, [])
    assert data["missing"][0][0] == "nothing"


def test_buckets_over_two_commits(project):
    project.write("suzuri.toml", MANIFEST + entry("wrong", quarantine="known") + entry("good"))
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=project.root, check=True)
    code, first = regress(project, "--no-reruns")
    assert (code, first["buckets"][0]["state"]) == (0, "new"), "quarantined from the first regression on"
    code, second = regress(project, "--no-reruns")
    assert (code, second["buckets"][0]["state"]) == (0, "known")
    assert second["buckets"][0]["id"] == first["buckets"][0]["id"]
    project.edit("bench.py", 'f"word', 'f"byte')
    project.edit("bench.py", "dut._log.info", 'assert False, "another"\n    dut._log.info')
    code, third = regress(project, "--no-reruns")
    assert code == 1
    assert {b["title"].partition(" ")[2][:4] for b in third["buckets"] if b["state"] == "new"} >= {"anot"}
