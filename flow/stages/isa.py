"""The graph that makes a simulator for programs: elaborate the core, build it into the harness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.model.design import IsaSpec
from flow.model.step import OutputRef, Resources, Step
from flow.model.view import Tree
from flow.stages.chip import ChipFlow

__all__ = ["BUILD", "IsaFlow"]

#: Name of the step whose output ``simulator`` is the simulator.
BUILD = "isa_build"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsaFlow(ChipFlow):
    """Everything that decides how a simulator is made.

    Attributes
    ----------
    simulator
        ``verilator`` or ``icarus``.
    harness
        Folder of the simulated system.
    memory_words
        How much memory an Icarus simulation has at most.
    """

    simulator: str = "verilator"
    harness: Path = Path()
    memory_words: int = 1 << 20

    def _steps(self) -> Iterable[Step]:
        steps: dict[str, Step] = {}

        def add(step: Step) -> str:
            steps.setdefault(step.name, step)
            return step.name

        spec = self.design.isa or IsaSpec()
        rtl = self._rtl({**self.design.parameters, **spec.parameters}, add)
        inputs: dict[str, Any] = {**rtl["inputs"], "harness": self._harness()}
        params: dict[str, Any] = {**rtl["params"], "simulator": self.simulator, "waves": self.waves}
        if spec.wrapper:
            inputs["wrapper"] = self._file(spec.wrapper)
        else:
            inputs["ports"] = OutputRef(inputs["rtl"].step, "ports")
        if self.simulator == "verilator":
            inputs["runtime"] = OutputRef(self._sim_runtime(add), "runtime")
        else:
            params["memory_words"] = self.memory_words
        names = ("verilator", "cxx") if self.simulator == "verilator" else ("icarus",)
        add(
            self._step(
                BUILD,
                BUILD,
                params=params,
                inputs=inputs,
                outputs=("simulator",),
                tools=tuple(self.tools[n] for n in names),
                resources=Resources(wall_s=1800, cores=2, memory_mb=8192),
                label=f"build {self.design.name} for {self.simulator}",
            )
        )
        return steps.values()

    def _harness(self) -> Tree:
        files = sorted(f for f in self.harness.iterdir() if f.suffix in (".v", ".vh", ".cpp", ".h"))
        return Tree(files=tuple((f.name, self.view_of(f)) for f in files))
