"""What lockstep must know of a core of this family: how Spike is set up, programs, goals."""

from collections.abc import Mapping
from typing import Any

from rtl.riscv.config import CoreConfig
from verif.lockstep.csrs import spike_options
from verif.lockstep.encoding import extensions, table
from verif.lockstep.explain import explain
from verif.lockstep.goals import goals
from verif.lockstep.random import generate

__all__ = ["CoreReference"]


class CoreReference:
    """Spike in the shape of one core. Entry point ``reference`` of ``suzuri.isa``.

    Parameters
    ----------
    parameters
        Of :class:`rtl.riscv.core.Core`.

    Raises
    ------
    TypeError, ValueError
        They contradict each other.
    """

    #: The design that this is for, as a manifest names it.
    top = "rtl.riscv.core:Core"

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        options = dict(parameters)
        self.config = CoreConfig.preset(options.pop("preset", "small"), **options)

    @property
    def options(self) -> list[str]:
        """The comparator's options."""
        return spike_options(self.config)

    @property
    def table(self) -> str:
        """The core's instructions, as the comparator reads them."""
        return table(extensions(self.config))

    @property
    def goals(self) -> dict[str, dict[str, int]]:
        """How often random programs must hit each bin of each coverpoint."""
        return goals(self.config)

    def explain(self, point: str, name: str) -> str:
        """Return what a bin of the goals means, and which programs aim at it."""
        return explain(self.config, point, name)

    def program(self, seed: int, length: int) -> bytes:
        """Return the random program of a seed, an ELF file that executes about `length` instructions."""
        return generate(self.config, seed, length=length).elf()
