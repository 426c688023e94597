"""Whether programs notice a fault of the accelerator around its compute engine."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rtl.tensor.accelerator.commands import Base, Command, End, Load, Memory, Pack, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.envs.accelerator.compare import compare
from verif.envs.accelerator.programs import REGION, random_program
from verif.envs.accelerator.reference import BASES, expect
from verif.harness.tensor.quick import Run, Simulator, build_icarus
from verif.mutants import Mutant, elaborate, plant
from verif.mutants.accelerator.finding import Finding
from verif.mutants.accelerator.shell import PARAMETERS

__all__ = ["attack_shell", "examine_shell"]

_ROOT = Path(__file__).resolve().parents[3]
_TOP = "rtl.tensor.accelerator.top:Accelerator"
_LIMIT = 8000  # cycles; what is run here ends within half of that

_LOAD = Load(tag=1, memory=Memory.ACTIVATION, base=Base.INPUT, offset=64, address=0, row_bytes=32, rows=2,
             stride=64, pitch=9)  # fmt: skip
_STORE = Store(tag=2, memory=Memory.ACTIVATION, base=Base.OUTPUT, offset=32, address=0, row_bytes=64)
_PACK = Pack(tag=3, source=0, row_bytes=12, in_rows=4, segment_bytes=6, step_bytes=2, columns=3, rows=2,
             kernel_rows=2, target=100, target_row=3, target_group=6)  # fmt: skip


@dataclass
class _Attack:
    """A simulator, and what was run on it so far."""

    system: Simulator
    cycles: int = 0
    commands: int = 0

    def compared(self, program: list[Command], **options: object) -> str:
        """Run a program on both; return where they differ."""
        outcome = compare(self.system, program, limit=_LIMIT, **options)
        self._count(outcome.run, program)
        return outcome.difference

    def refused(self, command: Command, **options: object) -> str:
        """Run a command alone, whatever it conflicts with."""
        return self.compared([command, End()], hazards=False, **options)

    def run(self, program: list[Command], **options: object) -> Run:
        """Run a program on the harness alone."""
        expected = expect([*program, End()], self.system.config, seed=1, hazards=False)
        images = {0: expected.program, REGION: expected.data}
        run = self.system.run(images, bases=BASES, limit=_LIMIT, **options)
        self._count(run, program)
        return run

    def _count(self, run: Run, program: list[Command]) -> None:
        self.cycles += run.values.get("cycles", 0)
        self.commands += sum(not isinstance(command, End) for command in program)


def attack_shell(mutant: Mutant, *, seeds: int = 8) -> Finding:
    """Plant a fault in a copy of the sources, and run programs until one notices.

    Raises
    ------
    RuntimeError
        The mutant does not elaborate, or does not compile.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        plant(mutant, _ROOT, folder)
        return examine_shell(
            elaborate(_TOP, "accelerator", mutant.parameters, folder), folder / "build", seeds=seeds
        )


def examine_shell(verilog: str, folder: Path, *, seeds: int = 8) -> Finding:
    """Run programs on an accelerator of ``PARAMETERS`` until one notices a fault."""
    state = _Attack(build_icarus(verilog, AcceleratorConfig(**PARAMETERS), folder))
    for name, message in _findings(state, seeds):
        if message:
            return Finding(by=name, message=message, cycles=state.cycles, commands=state.commands)
    return Finding(cycles=state.cycles, commands=state.commands)


def _findings(state: _Attack, seeds: int) -> Iterator[tuple[str, str]]:
    """Yield names of programs, and what was wrong with each."""
    config = state.system.config
    yield "no rows", state.refused(replace(_LOAD, rows=0))
    yield "last word", state.refused(replace(_LOAD, address=config.activation_words - 17))
    yield "beyond the last word", state.refused(replace(_LOAD, address=config.activation_words - 16))
    yield "far beyond", state.refused(replace(_PACK, in_rows=65535, row_bytes=65535))
    yield "far rows", state.refused(replace(_LOAD, pitch=1 << 15, rows=(1 << 15) + 1))
    yield "deadlock", state.refused(replace(_LOAD, wait_store=1))
    for name, command, where in (("read", _LOAD, REGION), ("write", _STORE, BASES[2])):
        run = state.run([command], **{f"{name}_error": f"{where:x}"})
        yield f"{name} error", "" if run.values["code"] == 4 else "an error answer is not reported"
    yield "slow answers", _in_order(state)
    for seed in range(seeds):
        program = random_program(seed, config, length=5)
        stall, latency = ((0, 20), (50, 3))[seed % 2]
        yield (
            f"random program {seed}",
            state.compared(program, seed=seed, stall=stall, latency=latency),
        )
    yield "second run", state.compared(random_program(3, config, length=2), seed=3, runs=2)
    yield from _stops(state)


def _in_order(state: _Attack) -> str:
    """Load what a store has written: the store is done only when that is in memory."""
    back = replace(_LOAD, base=Base.OUTPUT, offset=32, row_bytes=32, rows=1, wait_store=1)
    run = state.run([_STORE, back], latency=60)
    at = {(engine, what): cycle for cycle, engine, what, _ in run.events}
    begin, end = at.get((3, "started"), 0), at.get((3, "done"), 0)
    return "" if end - begin > 60 else "a store is done before its answer"


def _stops(state: _Attack) -> Iterator[tuple[str, str]]:
    """Stop stores on their way: the port must become quiet."""
    for cycle in range(90, 290, 20):
        store = replace(_STORE, row_bytes=512, rows=2)
        values = state.run([store], stop_at=cycle, stall=60).values
        wrong = values["limited"] or values["busy"] or values["error"] or values["protocol"]
        yield f"stop at {cycle}", f"not clean: {dict(values)}" if wrong else ""
