"""A step's context without the engine: a folder, and subprocesses."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flow.model.check import Check
from flow.model.metric import MetricValue
from flow.model.step import ProcessResult, Resources
from flow.model.tool import Command, ToolIdentity


class FakeContext:
    """Executes a stage in `workdir`, and remembers what it reported.

    Inputs are linked into the directory under their own file names, as the
    engine does.
    """

    def __init__(
        self,
        workdir: Path,
        params: Mapping[str, Any],
        inputs: Mapping[str, Path],
        tools: Sequence[ToolIdentity] = (),
    ) -> None:
        workdir.mkdir(parents=True, exist_ok=True)
        self._workdir, self._params = workdir, params
        self._inputs: dict[str, Path] = {}
        for name, path in inputs.items():
            folder = workdir / "inputs" / name
            folder.mkdir(parents=True)
            target = folder / path.name
            target.symlink_to(path.resolve())
            self._inputs[name] = target
        self._tools = {tool.name: tool for tool in tools}
        self.outputs: dict[str, Path] = {}
        self.metrics: dict[str, MetricValue] = {}
        self.checks: list[Check] = []
        self.tables: dict[str, Any] = {}
        self.commands: list[Command] = []

    @property
    def params(self) -> Mapping[str, Any]:
        return self._params

    @property
    def workdir(self) -> Path:
        return self._workdir

    @property
    def resources(self) -> Resources:
        return Resources()

    def input(self, name: str) -> Path:
        return self._inputs[name]

    def has_input(self, name: str) -> bool:
        return name in self._inputs

    def inputs_matching(self, prefix: str) -> Sequence[tuple[str, Path]]:
        return [(name, path) for name, path in self._inputs.items() if name.startswith(prefix)]

    def tool(self, name: str) -> ToolIdentity:
        return self._tools[name]

    def run(self, command: Command) -> ProcessResult:
        for name, text in command.files.items():
            (self._workdir / name).write_text(text, encoding="utf-8")
        self.commands.append(command)
        log = self._workdir / command.log
        start = time.monotonic()
        with log.open("wb") as stream:
            done = subprocess.run(
                command.argv,
                cwd=self._workdir,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self._workdir),
                    "LC_ALL": "C.UTF-8",
                    **command.env,
                },
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=max(600.0, command.wall_s or 0.0),
                check=False,
            )
        wall = time.monotonic() - start
        return ProcessResult(returncode=done.returncode, log=log, wall_s=wall, cpu_s=wall, peak_mb=0.0)

    def output(self, name: str, path: Path) -> None:
        assert path.is_file(), path
        self.outputs[name] = path

    def metric(self, name: str, value: MetricValue) -> None:
        self.metrics[name] = value

    def check(self, check: Check) -> None:
        self.checks.append(check)

    def data(self, name: str, value: Any) -> None:
        self.tables[name] = value

    def read(self, tree: str, relative: str) -> None:
        """Nothing to remember."""

    def failed(self, name: str) -> list[Check]:
        """Return the failed checks called `name`."""
        return [check for check in self.checks if check.name == name and not check.passed]
