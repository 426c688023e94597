"""A StepContext for tests: real processes under the real runner, no cache."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flow.engine.runner import Runner
from flow.model.check import Check
from flow.model.metric import MetricValue
from flow.model.step import ProcessResult, Resources
from flow.model.tool import Command, ToolIdentity


class Context:
    """Runs a stage in `workdir`; a directory given as input is a tree."""

    def __init__(
        self,
        workdir: Path,
        *,
        params: Mapping[str, Any],
        inputs: Mapping[str, Path] | None = None,
        tools: Sequence[ToolIdentity] = (),
        resources: Resources | None = None,
    ) -> None:
        workdir.mkdir(parents=True, exist_ok=True)
        self.workdir, self.params = workdir, params
        self.resources = resources or Resources(cores=2, wall_s=120)
        self._inputs, self._tools = dict(inputs or {}), tools
        self._runner = Runner(workdir, self.resources)
        self.outputs: dict[str, Path] = {}
        self.metrics: dict[str, MetricValue] = {}
        self.checks: list[Check] = []
        self.tables: dict[str, Any] = {}
        self.reads: set[str] = set()
        self.commands: list[Command] = []

    def input(self, name: str) -> Path:
        source = self._inputs[name]
        target = self.workdir / "in" / name
        if not source.is_dir():
            target = target / source.name
        if not target.is_symlink() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)
        return target

    def has_input(self, name: str) -> bool:
        return name in self._inputs

    def inputs_matching(self, prefix: str) -> list[tuple[str, Path]]:
        return [(name, self.input(name)) for name in self._inputs if name.startswith(prefix)]

    def tool(self, name: str) -> ToolIdentity:
        return next(t for t in self._tools if t.name == name)

    def run(self, command: Command) -> ProcessResult:
        for name, text in command.files.items():
            path = self.workdir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.commands.append(command)
        return self._runner.run(
            command.argv, log=self.workdir / command.log, env=command.env, wall_s=command.wall_s
        )

    def output(self, name: str, path: Path) -> None:
        assert path.is_file(), f"output {name} is not there: {path}"
        self.outputs[name] = path

    def metric(self, name: str, value: MetricValue) -> None:
        self.metrics[name] = value

    def check(self, check: Check) -> None:
        self.checks.append(check)

    def data(self, name: str, value: Any) -> None:
        self.tables[name] = value

    def read(self, tree: str, relative: str) -> None:
        self.reads.add(f"{tree}/{relative}")

    @property
    def failures(self) -> list[Check]:
        return [c for c in self.checks if c.failed]

    def keep(self, name: str, folder: Path) -> Path:
        """Copy an output to `folder`, as the cache would, and return the copy."""
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(self.outputs[name], folder / self.outputs[name].name))
