"""What travels between sequence, driver, monitor and scoreboard."""

from dataclasses import dataclass, field

import numpy as np
from pyuvm import uvm_sequence, uvm_sequence_item

from rtl.tensor.accelerator.commands import Engine
from verif.envs.accelerator.stimulus import Stimulus

__all__ = ["Begun", "Boundary", "Events", "Result", "RunItem", "RunSequence"]


class RunItem(uvm_sequence_item):
    """A run.

    Parameters
    ----------
    name
        For messages.
    stimulus
        What to do.
    seed
        Of what memory holds.
    """

    def __init__(self, name: str, stimulus: Stimulus, seed: int) -> None:
        super().__init__(name)
        self.stimulus, self.seed = stimulus, seed


class RunSequence(uvm_sequence):
    """Send runs to the driver, one after another.

    Parameters
    ----------
    name
        For messages.
    items
        The runs.
    """

    def __init__(self, name: str, items: list[RunItem]) -> None:
        super().__init__(name)
        self.items = items

    async def body(self) -> None:
        """Hand them over."""
        for item in self.items:
            await self.start_item(item)
            await self.finish_item(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run is about to start: memory has its contents, registers are written."""

    item: RunItem
    content: bytes
    activation: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, slots=True)
class Events:
    """What engines started and ended in a cycle: pairs of engine and tag."""

    cycle: int
    started: tuple[tuple[Engine, int], ...]
    done: tuple[tuple[Engine, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Memories a cycle after commands were done, or at the end."""

    cycle: int
    content: bytes
    activation: np.ndarray
    weight: np.ndarray
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended.

    Attributes
    ----------
    registers
        Values by name, as the register map has them, and counters.
    interrupted
        Whether the interrupt line rose; and whether it fell when the flags were cleared.
    cycles
        From the start to the end that was noticed.
    read_beats, write_beats
        Of the memory port meanwhile.
    """

    item: RunItem
    registers: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False
    cleared: bool = True
    cycles: int = 0
    read_beats: int = 0
    write_beats: int = 0
