"""One command at a time."""

from __future__ import annotations

from rtl.tensor.accelerator.commands import Command, Compute, Engine, Load, Pack, Store, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.check import check
from rtl.tensor.machine.compute import execute_compute
from rtl.tensor.machine.memories import Memories
from rtl.tensor.machine.transfer import execute_pack, execute_transfer

__all__ = ["engine_of", "execute"]

_ENGINES = {Load: Engine.LOAD, Pack: Engine.PACK, Compute: Engine.COMPUTE, Store: Engine.STORE}


def engine_of(command: Command) -> Engine | None:
    """Return which engine executes a command, ``None`` for ``End``."""
    return _ENGINES.get(type(command))


def execute(command: Command, memories: Memories, config: AcceleratorConfig) -> None:
    """Execute a command, whatever it waits for.

    Parameters
    ----------
    command
        Any command; ``End`` does nothing.
    memories
        What it reads and changes.
    config
        Configuration of the accelerator.

    Raises
    ------
    MachineError
        The hardware would refuse the command, or the memory port answers
        with an error. Nothing was changed, but for the rows of a transfer.
    """
    check(command, config)
    if isinstance(command, Transfer):
        execute_transfer(command, memories, config)
    elif isinstance(command, Pack):
        execute_pack(command, memories, config)
    elif isinstance(command, Compute):
        execute_compute(command, memories, config)
