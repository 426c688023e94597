"""The graph that makes an accelerator's simulator: elaborate it, build it into the harness."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.model.step import OutputRef, Resources, Step
from flow.model.view import Tree
from flow.stages.chip import ChipFlow

__all__ = ["BUILD", "NnFlow"]

#: Name of the step whose output ``simulator`` is the simulator.
BUILD = "nn_build"


@dataclass(frozen=True, slots=True, kw_only=True)
class NnFlow(ChipFlow):
    """Everything that decides how a simulator is made.

    Attributes
    ----------
    harness
        Folder of the simulated system.
    bus_width
        Bits of the memory port.
    memory_bits
        Address bits of the simulated memory.
    """

    harness: Path = Path()
    bus_width: int = 64
    memory_bits: int = 24

    def _steps(self) -> Iterable[Step]:
        steps: dict[str, Step] = {}

        def add(step: Step) -> str:
            steps.setdefault(step.name, step)
            return step.name

        rtl = self._rtl(self.design.parameters, add)
        inputs: dict[str, Any] = {
            **rtl["inputs"],
            "harness": self._harness(),
            "runtime": OutputRef(self._sim_runtime(add), "runtime"),
        }
        defines = {"HARNESS_BUS": str(self.bus_width), "HARNESS_MEMORY_BITS": str(self.memory_bits)}
        add(
            self._step(
                BUILD,
                BUILD,
                params={**rtl["params"], "waves": self.waves, "defines": defines},
                inputs=inputs,
                outputs=("simulator",),
                tools=(self.tools["verilator"], self.tools["cxx"]),
                resources=Resources(wall_s=3600, cores=2, memory_mb=8192),
                label=f"build {self.design.name} for verilator",
            )
        )
        return steps.values()

    def _harness(self) -> Tree:
        files = sorted(f for f in self.harness.iterdir() if f.suffix in (".sv", ".cpp", ".h"))
        return Tree(files=tuple((f.name, self.view_of(f)) for f in files))
