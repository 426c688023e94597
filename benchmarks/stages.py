"""Stages to measure against: a trivial one, and synthesis as Yosys does it by itself."""

from __future__ import annotations

import re

from flow.model.errors import ToolError
from flow.model.step import StepContext
from flow.model.tool import Command
from flow.stages.rtl import rtl_sources
from flow.stages.synthesis_input import SafeFiles
from flow.stages.synthesize import SynthesisParams
from flow.stages.synthesize import _abc_constraints as abc_constraints
from flow.stages.synthesize import _load_cells as load_cells
from flow.stages.synthesize import _tie as tie
from flow.tools.netlist import Ties, read_yosys_json, repair, write_verilog
from flow.tools.yosys import Yosys

__all__ = ["PlainSynthesis", "Trivial"]


class Trivial:
    """Starts ``/bin/true`` and is done."""

    kind = "trivial"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Start the process."""
        ctx.run(Command(argv=("/bin/true",)))


class PlainSynthesis:
    """What one gets without a recipe: ``synth -flatten; dfflibmap; abc -liberty``.

    Inputs and outputs as of the flow's own synthesis. With the parameter
    ``sized``, ABC is told a driver, a load and a target that nothing meets,
    so that it sizes cells too. It sees the cells that the flow's own sees,
    and its netlist is written by the same code; nothing is added to it.
    """

    kind = "plain_synthesis"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Run it."""
        params = SynthesisParams.read(ctx.params)
        sources = rtl_sources(ctx)
        files = SafeFiles(ctx.workdir, sources, copy=False)
        cells = load_cells(ctx, params)
        usable = cells.library.excerpt(set(cells.usable).__contains__)
        (ctx.workdir / "cells.lib").write_text(usable, encoding="utf-8")
        (ctx.workdir / "abc.constr").write_text(abc_constraints(cells), encoding="utf-8")
        sized = " -constr abc.constr -D 1" if ctx.params.get("sized") else ""
        lines = [
            *(f"read_verilog -sv {name}" for name in files.sources),
            f"synth -flatten -top {params.top}",
            "dfflibmap -liberty cells.lib",
            f"abc -liberty cells.lib{sized}",
            "opt_clean",
            "setundef -zero",
            "opt_clean",
            "stat -liberty cells.lib",
            "write_json mapped.json",
        ]
        result = ctx.run(Yosys().command(ctx.tool("yosys"), "plain.ys", "\n".join(lines) + "\n", "plain.log"))
        areas = re.findall(r"Chip area for (?:top )?module.*: *([\d.]+)", result.text())
        if result.returncode != 0 or not areas:
            raise ToolError("yosys", "the plain synthesis failed", result.log)
        netlist = read_yosys_json((ctx.workdir / "mapped.json").read_text(encoding="utf-8"), params.top)
        ties = Ties(
            high=tie(params.roles.get("tie_hi"), cells.library),
            low=tie(params.roles.get("tie_lo"), cells.library),
            buffer=cells.buffers[0] if cells.buffers else None,
            limit=1_000_000,
        )
        repair(netlist, cells.library, ties, cells.usable)
        target = ctx.workdir / "netlist.v"
        target.write_text(write_verilog(netlist), encoding="utf-8")
        ctx.metric("design__instance__area", float(areas[-1]))
        ctx.output("netlist", target)
