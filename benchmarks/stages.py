"""The trivial stage that the engine's overhead is measured with."""

from __future__ import annotations

from flow.model.step import StepContext
from flow.model.tool import Command

__all__ = ["Trivial"]


class Trivial:
    """Starts ``/bin/true`` and is done."""

    kind = "trivial"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Start the process."""
        ctx.run(Command(argv=("/bin/true",)))
