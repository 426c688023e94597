"""The presets in lockstep with Spike: briefly by default, 20 million instructions at night."""

import json
import os
import random
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from flow.cli.main import suzuri
from flow.isa.elf import read_elf
from flow.isa.image import MemoryMap, image_text
from flow.isa.simulation import RunOptions, plusargs
from flow.model.errors import FlowError
from flow.project.lockstep import Campaign, disturbance
from flow.tools.verilator import VERILATOR
from rtl.riscv.config import PRESETS, CoreConfig
from verif.harness.riscv.quick import build, elaborate
from verif.lockstep.goals import coverage
from verif.lockstep.random import generate
from verif.lockstep.random.targets import seeds_for
from verif.lockstep.reference import CoreReference
from verif.programs.directed.matrix import pairwise

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


@pytest.fixture(scope="module")
def night() -> int:
    """The first seed of tonight's programs: others every day, or again those of ``SUZURI_NIGHT``."""
    return 1000 * int(os.environ.get("SUZURI_NIGHT", date.today().toordinal()))


def campaign(preset: str, options: dict[str, str], count: str, first: int) -> None:
    """Run random programs and demand every coverage goal; what fails says how to repeat it."""
    assignments = [word for n, v in options.items() for word in ("--set", f"{n}={v}")]
    arguments = ["--core", preset, *assignments, "-n", count, "--seed", str(first), "--check-coverage"]
    found = CliRunner().invoke(suzuri, ["isa", "random", *arguments])
    assert found.exit_code == 0, f"{' '.join(arguments)}\n{found.output}"
    assert "coverage 100.00 %" in found.output


@pytest.mark.nightly
@pytest.mark.parametrize("preset", PRESETS)
def test_twenty_million_instructions(preset: str, night: int) -> None:
    campaign(preset, {}, "20M", night)


_SYSTEM = {"user_mode": "true", "pmp_regions": "8", "local_interrupts": "4"}
_NO_M = {"m": "false", "multiplier": "none", "divider": "none"}
_BITS = dict.fromkeys(("zba", "zbb", "zbs", "zcb", "zicond"), "true")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("preset", "options"),
    [
        ("small", {**_SYSTEM, **_BITS}),
        ("small", {"e": "true", "c": "false", "shifter": "serial"}),
        ("small", {**_NO_M, "zcb": "true", "user_mode": "true"}),
        ("nano", {"e": "true", "shifter": "barrel", "zicntr": "true", "local_interrupts": "16"}),
        ("fast", {**_SYSTEM, "a": "true", "zcb": "true", "pmp_regions": "16"}),
        ("fast", {"issue_width": "1", "c": "false", "multiplier": "serial"}),
        (
            "fast",
            {
                "instruction_cache_bytes": "1024", "data_cache_bytes": "1024", "data_tcm_bytes": "1024",
                "instruction_tcm_bytes": "4096", "instruction_tcm_base": "0x30000000",
                "data_tcm_base": "0x20000000", "a": "true", "bus": "axi4lite",
            },
        ),
    ],
)  # fmt: skip
def test_options(preset: str, options: dict[str, str], night: int) -> None:
    campaign(preset, options, "6M", night)


@pytest.mark.nightly
@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("preset", PRESETS)
def test_configurations_that_nobody_chose(preset: str, which: int, night: int) -> None:
    """Others each night, out of those in which every pair of options occurs."""
    options = random.Random(f"{night} {preset}").sample(pairwise(preset, seed=night), 3)[which]
    own = CoreConfig.preset(preset)
    changed = {name: str(v).lower() for name, v in options.items() if v != getattr(own, name)}
    campaign(preset, changed, "6M", night)


def test_holes_are_named_with_what_reaches_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = CoreReference({"preset": "small"})
    total = coverage(reference.config, {p: dict(b) for p, b in reference.goals.items()})
    total.points["trap"].hits["4*load*M"] = 0
    total.points["instruction"].hits["mulh"] = 3
    file = tmp_path / "coverage.json"
    file.write_text(json.dumps(total.to_json()))
    made = Campaign(rows=[{"status": "match", "instructions": 9}], percent=99.9, file=file)

    class Session:
        def __init__(self, *_: object, **__: object) -> None:
            self.reference = reference

        def random(self, *_: object, **__: object) -> Campaign:
            return made

    monkeypatch.setattr("flow.project.lockstep.Lockstep", Session)
    arguments = [
        "isa",
        "random",
        "--core",
        "small",
        "--seed",
        "7",
        "--set",
        "zicntr=true",
        "--check-coverage",
    ]
    found = CliRunner().invoke(suzuri, arguments)
    assert found.exit_code == 1
    seeds = [seeds_for(reference.config, *hole) for hole in (("instruction", "mulh"), ("trap", "4*load*M"))]
    for seed, said in zip(
        seeds,
        (
            "hole instruction mulh, 3 of 20: mulh that does not trap",
            "hole trap 4*load*M, 0 of 1: exception 4 (load misaligned) of a load in machine mode",
        ),
        strict=True,
    ):
        assert f"{said}; the programs of seeds {seed}, {seed + 10}, {seed + 20} ... aim at it" in found.output
    assert found.output.count("hole ") == 2
    said = str(found.exception)
    assert "the coverage goals are not met, bins that are short of them: 2" in said
    assert "suzuri isa random --core small --set zicntr=true --seed 8" in said
