"""What a program must leave in memory, by the functional model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtl.tensor.accelerator.commands import Base, Command, assemble
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.errors import MachineError
from rtl.tensor.machine.machine import Machine
from rtl.tensor.machine.memories import Memories
from verif.envs.accelerator.programs import REGION

__all__ = ["BASES", "Expected", "expect"]

#: Base registers: program, input, output, scratch memory.
BASES = (0, REGION, 2 * REGION, 3 * REGION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Memory before and after a program.

    Attributes
    ----------
    program
        Bytes from address 0 on.
    data
        Random contents of the other three regions, one after another.
    after
        Output and scratch memory afterwards.
    code
        The error code, 0 where the program ends well.
    """

    program: bytes
    data: bytes
    after: bytes
    code: int


def expect(
    program: Sequence[Command] | bytes, config: AcceleratorConfig, *, seed: int, hazards: bool = True
) -> Expected:
    """Run a program on the model.

    Parameters
    ----------
    program
        Commands, or their bytes.
    config
        The accelerator.
    seed
        Of the contents.
    hazards
        Whether commands that conflict without order are an error of the program.

    Raises
    ------
    HazardError
        The program does not say in which order two commands run.
    """
    content = program if isinstance(program, bytes) else assemble(list(program))
    data = np.random.default_rng(seed).integers(0, 256, (3, REGION), dtype=np.uint8)
    regions = dict(zip((Base.INPUT, Base.OUTPUT, Base.SCRATCH), data, strict=True))
    memories = Memories.create(config, {Base.PROGRAM: content, **regions})
    code = 0
    try:
        Machine(config, memories, hazards=hazards).run()
    except MachineError as error:
        code = int(error.code)
    after = b"".join(memories.external[base].tobytes() for base in (Base.OUTPUT, Base.SCRATCH))
    return Expected(program=content, data=data.tobytes(), after=after, code=code)
