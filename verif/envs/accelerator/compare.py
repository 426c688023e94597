"""A program on the harness and on the functional model: whether memory is the same afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtl.tensor.accelerator.commands import Base, Command, assemble
from rtl.tensor.machine.errors import MachineError
from rtl.tensor.machine.machine import Machine
from rtl.tensor.machine.memories import Memories
from verif.envs.accelerator.programs import REGION
from verif.harness.tensor.quick import Run, Simulator

__all__ = ["BASES", "Outcome", "compare"]

#: Base registers: program, input, output, scratch memory. The last page of memory is beyond all.
BASES = (0, REGION, 2 * REGION, 3 * REGION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Both runs, and where they differ.

    Attributes
    ----------
    run
        The harness's.
    code
        The model's error code, 0 where it ended well.
    difference
        What is not the same, or nothing.
    """

    run: Run
    code: int
    difference: str


def compare(
    simulator: Simulator,
    program: Sequence[Command] | bytes,
    *,
    seed: int = 1,
    hazards: bool = True,
    **plusargs: object,
) -> Outcome:
    """Run a program on both, from the same random contents of memory.

    Parameters
    ----------
    simulator
        Of the configuration.
    program
        Commands, or their bytes.
    seed
        Of the contents.
    hazards
        Whether commands that conflict without order are an error of the program.
    **plusargs
        For the harness.

    Raises
    ------
    HazardError
        The program does not say in which order two commands run.
    """
    content = program if isinstance(program, bytes) else assemble(list(program))
    random = np.random.default_rng(seed)
    data = random.integers(0, 256, (3, REGION), dtype=np.uint8)
    memories = Memories.create(
        simulator.config,
        {Base.PROGRAM: content, Base.INPUT: data[0], Base.OUTPUT: data[1], Base.SCRATCH: data[2]},
    )
    code = 0
    try:
        Machine(simulator.config, memories, hazards=hazards).run()
    except MachineError as error:
        code = int(error.code)
    options = {"limit": 200_000, "seed": seed} | plusargs
    run = simulator.run(
        {0: content, REGION: data.tobytes()}, bases=BASES, dump=(2 * REGION, 2 * REGION), **options
    )
    return Outcome(run=run, code=code, difference=_difference(run, code, memories))


def _difference(run: Run, code: int, memories: Memories) -> str:
    values = run.values
    if values["limited"]:
        return f"no end: {run.output}"
    if values["protocol"]:
        return f"{values['protocol']} rules of the memory port are broken: {run.output}"
    if values["code"] != code or bool(code) != bool(values["error"]) or values["busy"]:
        return f"ended with code {values['code']} (done {values['done']}) rather than {code}"
    for number, base in enumerate((Base.OUTPUT, Base.SCRATCH)):
        found = np.frombuffer(run.memory, np.uint8)[number * REGION :][:REGION]
        wrong = np.flatnonzero(found != memories.external[base])
        if wrong.size:
            at = int(wrong[0])
            return (
                f"{wrong.size} bytes of {base.name} differ, the first at {at:#x}: "
                f"{found[at]:#04x} rather than {memories.external[base][at]:#04x}"
            )
    return ""
