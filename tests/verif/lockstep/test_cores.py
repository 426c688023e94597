"""The presets in lockstep with Spike: briefly by default, 20 million instructions at night."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flow.cli.main import suzuri
from flow.isa.elf import read_elf
from flow.isa.image import MemoryMap, image_text
from flow.isa.simulation import RunOptions, plusargs
from flow.model.errors import FlowError
from flow.project.lockstep import disturbance
from flow.tools.verilator import VERILATOR
from rtl.riscv.config import PRESETS
from verif.harness.riscv.quick import build, elaborate
from verif.lockstep.random import generate

pytestmark = pytest.mark.sim
LENGTH = 15_000


@pytest.fixture(scope="module", autouse=True)
def needed() -> None:
    try:
        VERILATOR.detect()
    except FlowError as error:
        pytest.skip(f"needs Verilator: {error}")


@pytest.mark.parametrize("preset", PRESETS)
def test_preset(preset: str, comparator: Callable, simulator_cache: Path, tmp_path: Path) -> None:
    simulator = build(elaborate(preset, {}), simulator_cache, level="-O1")
    config = PRESETS[preset]
    compared = 0
    for seed in (1, 2):
        content = generate(config, seed, length=LENGTH).elf()
        (tmp_path / "program.elf").write_bytes(content)
        program = read_elf(content, "program.elf")
        memory = MemoryMap.for_program(program)
        image, report = tmp_path / "image.hex", tmp_path / "report.json"
        image.write_text(image_text(program.segments, memory))
        options = RunOptions(limit=10_000_000, watchdog=100_000, seed=seed, **disturbance(seed))
        words = plusargs(options, {"image": image, "result": tmp_path / "result"}, memory.plusargs())
        ended: subprocess.CompletedProcess[str] = comparator(
            config, tmp_path / "program.elf", "--report", report, "--", simulator, *words
        )
        assert ended.returncode == 0, ended.stderr
        found = json.loads(report.read_text())
        compared += found["instructions"]
        assert found["traps"] > 10
    assert compared > LENGTH
    assert "status exit" in (tmp_path / "result").read_text()


@pytest.mark.nightly
@pytest.mark.parametrize("preset", PRESETS)
def test_twenty_million_instructions(preset: str, tmp_path: Path) -> None:
    arguments = ["isa", "random", "--core", preset, "-n", "20M", "--coverage", str(tmp_path / "coverage")]
    found = CliRunner().invoke(suzuri, arguments)
    assert found.exit_code == 0, found.output
    points = json.loads((tmp_path / "coverage").read_text())["coverpoints"]
    holes = [f"{p['name']}: {b['name']}" for p in points for b in p["bins"] if b["hits"] < b["goal"]]
    bins = sum(len(p["bins"]) for p in points)
    assert len(holes) <= bins // 200, holes  # chance may leave a rare one out


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("preset", "options"),
    [
        (
            "small",
            {
                **dict.fromkeys(("user_mode", "zba", "zbb", "zbs", "zcb", "zicond"), "true"),
                "pmp_regions": 4,
                "local_interrupts": 4,
            },
        ),
        ("small", {"e": "true", "c": "false"}),
        ("nano", {"e": "true", "shifter": "barrel"}),
        ("fast", {"issue_width": 1}),
        ("fast", {"a": "true", "zcb": "true", "user_mode": "true", "pmp_regions": 8}),
    ],
)
def test_options(preset: str, options: dict[str, object]) -> None:
    assignments = [word for n, v in options.items() for word in ("--set", f"{n}={v}")]
    found = CliRunner().invoke(suzuri, ["isa", "random", "--core", preset, *assignments, "-n", "3M"])
    assert found.exit_code == 0, found.output
