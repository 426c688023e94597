"""Spaces for tests of sweeps, and an evaluator whose steps are short shell scripts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from engine_stages import shell

from flow.engine.driver import Options
from flow.engine.events import StepStarted
from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.project.workplace import Workplace
from flow.sweep.campaign import Campaign
from flow.sweep.evaluate import Evaluation, Evaluator
from flow.sweep.goals import Goals
from flow.sweep.samplers.grid import GridSampler
from flow.sweep.space import Space

MANIFEST = """
[design]
name = "block"
top = "block"
sources = ["block.v"]

[[sweep]]
name = "s"
{sweep}
[sweep.parameters]
{axes}
[[sweep.objective]]
name = "length"
minimise = "sim__test__count"
"""


class Lab(Evaluator):
    """An evaluator of scripts: a point's figure is how many characters its script prints."""

    def __init__(self, script) -> None:
        self.script = script
        self.refused: set[str] = set()

    def plan(self, point, fidelity, clock_ns=None):
        if point.id in self.refused:
            raise ConfigError("not this one", "here")
        text = self.script(point.values, str(fidelity))
        steps = {}
        for name, script in text.items():
            needs = [n for n in steps if n.startswith("shared")]
            steps[name] = shell(name, script, after=needs)
        return Evaluation(point, fidelity, steps, None, None)

    def command(self, point, fidelity, design, clock_ns=None):
        return f"evaluate {json.dumps(dict(point.values))} {fidelity}"


class Bench:
    """Runs campaigns in a cache of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[object] = []
        self._count = 0

    def spec(self, axes: str, sweep: str = ""):
        folder = self.root / "design"
        folder.mkdir(exist_ok=True)
        (folder / "block.v").write_text("module block(input clk); endmodule\n")
        (folder / "suzuri.toml").write_text(MANIFEST.format(axes=axes, sweep=sweep))
        return load_design(folder).sweeps[0]

    def campaign(self, spec, script, *, told=lambda trial: None, **values):
        space = Space(spec)
        return Campaign(
            space=space,
            goals=Goals(spec, space),
            evaluator=script if isinstance(script, Lab) else Lab(script),
            sampler=GridSampler(spec, space),
            told=told,
            **values,
        )

    def run(self, campaign, *, jobs=2):
        self._count += 1
        self.events = []
        options = Options(
            run_id=f"sweep{os.getpid()}-{id(self)}-{self._count}", keep=self.root / "failed", jobs=jobs
        )
        campaign.run(Workplace(), options, self.events.append)
        return campaign

    def started(self) -> list[str]:
        return [e.step.name for e in self.events if isinstance(e, StepStarted)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    return Bench(tmp_path)
