"""Build the simulator of a neural network accelerator: its RTL, the harness, and a main program."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from flow.model.step import StepContext
from flow.stages._sources import SourceTree
from flow.stages.isa_build import HARNESS_TOP, build_verilator

__all__ = ["NnBuild"]


class NnBuild:
    """Build one simulator.

    Inputs: ``rtl`` or ``src`` (see ``flow.stages.rtl``); ``harness``, a tree
    with SystemVerilog and ``main.cpp``; ``runtime`` of ``sim_runtime``.
    Parameters: ``waves`` (false); ``defines``, macros of the harness. Output:
    ``simulator``, one file. Data: ``build`` with ``simulator``, ``trace``.
    Tools: ``verilator`` and ``cxx``.
    """

    kind = "nn_build"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Build the simulator.

        Raises
        ------
        ConfigError
            The accelerator lacks ports of the harness, or cannot be read.
        ToolError
            A compiler broke.
        """
        source = SourceTree(ctx)
        harness = ctx.input("harness")
        below = Path(os.path.relpath(harness, ctx.workdir))
        for file in harness.iterdir():
            ctx.read("harness", file.name)
        hdl = replace(
            source.hdl,
            files=(*source.hdl.files, *(str(below / f.name) for f in sorted(harness.glob("*.sv")))),
            defines={**source.hdl.defines, **ctx.params["defines"]},
            parameters={},
            top=HARNESS_TOP,
        )
        build_verilator(ctx, source, hdl)
