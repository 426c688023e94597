"""A program on the harness and on the functional model: whether memory is the same afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

from rtl.tensor.accelerator.commands import Command
from verif.envs.accelerator.programs import REGION
from verif.envs.accelerator.reference import BASES, Expected, expect
from verif.harness.tensor.quick import Run, Simulator

__all__ = ["BASES", "Outcome", "compare"]


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
    expected = expect(program, simulator.config, seed=seed, hazards=hazards)
    options = {"limit": 200_000, "seed": seed} | plusargs
    run = simulator.run(
        {0: expected.program, REGION: expected.data}, bases=BASES, dump=(2 * REGION, 2 * REGION), **options
    )
    return Outcome(run=run, code=expected.code, difference=_difference(run, expected))


def _difference(run: Run, expected: Expected) -> str:
    values, code = run.values, expected.code
    if values["limited"]:
        return f"no end: {run.output}"
    if values["protocol"]:
        return f"{values['protocol']} rules of the memory port are broken: {run.output}"
    if values["code"] != code or bool(code) != bool(values["error"]) or values["busy"]:
        return f"ended with code {values['code']} (done {values['done']}) rather than {code}"
    wrong = [at for at, (a, b) in enumerate(zip(run.memory, expected.after, strict=True)) if a != b]
    if wrong:
        at = wrong[0]
        return (
            f"{len(wrong)} bytes differ, the first at {at:#x} of output and scratch memory: "
            f"{run.memory[at]:#04x} rather than {expected.after[at]:#04x}"
        )
    return ""
