"""Equivalence by simulation: a mapped netlist beside its RTL, with models of its cells."""

from __future__ import annotations

import shutil

from flow.model.errors import ToolError
from flow.model.step import StepContext
from flow.model.tool import Command

__all__ = ["Equivalence"]


class Equivalence:
    """Compile a self-checking Verilog testbench with Icarus and run it.

    Inputs: ``rtl``, ``netlist``, ``models``, ``bench``, Verilog files whose
    modules have different names. Parameters: ``top``, the testbench's module.
    Output: ``log``, what the testbench printed; what it means is for who
    wrote the testbench.
    """

    kind = "equivalence"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Compile and run.

        Raises
        ------
        ToolError
            A file is not accepted, or the simulation ends abnormally.
        """
        compiler = ctx.tool("icarus")
        files = []
        for name in ("rtl", "netlist", "models", "bench"):
            shutil.copyfile(ctx.input(name), ctx.workdir / f"{name}.v")
            files.append(f"{name}.v")
        compiled = ctx.run(
            Command(
                argv=(compiler.path, "-g2012", "-s", ctx.params["top"], "-o", "sim.vvp", *files),
                log="compile.log",
            )
        )
        if compiled.returncode != 0:
            said = compiled.text().strip().splitlines()[:1] or ["no message"]
            raise ToolError("icarus", f"the netlist does not compile: {said[0]}", compiled.log)
        simulator = shutil.which("vvp") or "vvp"
        result = ctx.run(Command(argv=(simulator, "-n", "sim.vvp"), log="equivalence.log"))
        if result.returncode != 0:
            raise ToolError("icarus", f"the simulation ended with exit code {result.returncode}", result.log)
        ctx.output("log", result.log)
