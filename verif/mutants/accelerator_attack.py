"""Whether programs notice a fault of the accelerator."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rtl.tensor.accelerator.commands import Base, Command, End, Load, Memory, Pack, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.envs.accelerator.compare import compare
from verif.envs.accelerator.programs import REGION, random_program
from verif.envs.accelerator.reference import BASES, expect
from verif.harness.tensor.quick import Simulator, build_icarus
from verif.mutants import Mutant, elaborate, plant
from verif.mutants.accelerator import PARAMETERS

__all__ = ["Finding", "attack", "examine"]

_ROOT = Path(__file__).resolve().parents[2]
_TOP = "rtl.tensor.accelerator.top:Accelerator"
_LIMIT = 8000  # cycles; what is run here ends within half of that

_LOAD = Load(tag=1, memory=Memory.ACTIVATION, base=Base.INPUT, offset=64, address=0, row_bytes=32, rows=2,
             stride=64, pitch=9)  # fmt: skip
_STORE = Store(tag=2, memory=Memory.ACTIVATION, base=Base.OUTPUT, offset=32, address=0, row_bytes=64)
_PACK = Pack(tag=3, source=0, row_bytes=12, in_rows=4, segment_bytes=6, step_bytes=2, columns=3, rows=2,
             kernel_rows=2, target=100, target_row=3, target_group=6)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What noticed a fault.

    Attributes
    ----------
    by
        Which program; empty when none did.
    message
        What was wrong.
    """

    by: str
    message: str


def attack(mutant: Mutant, folder: Path, *, seeds: int = 8) -> Finding:
    """Plant a fault below `folder`, and run programs until one notices."""
    plant(mutant, _ROOT, folder)
    return examine(elaborate(_TOP, "accelerator", mutant.parameters, folder), folder / "build", seeds=seeds)


def examine(verilog: str, folder: Path, *, seeds: int = 8) -> Finding:
    """Run programs on an accelerator of ``PARAMETERS`` until one notices a fault."""
    system = build_icarus(verilog, AcceleratorConfig(**PARAMETERS), folder)
    for name, message in _findings(system, seeds):
        if message:
            return Finding(by=name, message=message)
    return Finding(by="", message="")


def _findings(system: Simulator, seeds: int) -> Iterator[tuple[str, str]]:
    """Yield names of programs, and what was wrong with each."""
    config = system.config

    def check(program: list[Command], **options: object) -> str:
        return compare(system, [*program, End()], hazards=False, limit=_LIMIT, **options).difference

    yield "no rows", check([replace(_LOAD, rows=0)])
    yield "last word", check([replace(_LOAD, address=config.activation_words - 17)])
    yield "beyond the last word", check([replace(_LOAD, address=config.activation_words - 16)])
    yield "far beyond", check([replace(_PACK, in_rows=65535, row_bytes=65535)])
    yield "far rows", check([replace(_LOAD, pitch=1 << 15, rows=(1 << 15) + 1)])
    yield "deadlock", check([replace(_LOAD, wait_store=1)])
    read = system.run(*_images(config, [_LOAD]), bases=BASES, read_error=f"{REGION:x}", limit=_LIMIT)
    yield "read error", "" if read.values["code"] == 4 else "an error answer is not reported"
    write = system.run(*_images(config, [_STORE]), bases=BASES, write_error=f"{BASES[2]:x}", limit=_LIMIT)
    yield "write error", "" if write.values["code"] == 4 else "an error answer is not reported"
    yield "slow answers", _in_order(system, config)
    for seed in range(seeds):
        program = random_program(seed, config, length=5)
        stall = (0, 50)[seed % 2]
        found = compare(system, program, seed=seed, stall=stall, latency=(20, 3)[seed % 2], limit=_LIMIT)
        yield f"random program {seed}", found.difference
    yield "second run", compare(system, random_program(3, config, length=2), seed=3, runs=2).difference
    yield from _stops(system, config)


def _images(config: AcceleratorConfig, program: list[Command]) -> tuple[dict[int, bytes]]:
    expected = expect([*program, End()], config, seed=1, hazards=False)
    return ({0: expected.program, REGION: expected.data},)


def _in_order(system: Simulator, config: AcceleratorConfig) -> str:
    """Load what a store has written: the store is done only when that is in memory."""
    back = replace(_LOAD, base=Base.OUTPUT, offset=32, row_bytes=32, rows=1, wait_store=1)
    run = system.run(*_images(config, [_STORE, back]), bases=BASES, latency=60, limit=_LIMIT)
    at = {(engine, what): cycle for cycle, engine, what, _ in run.events}
    begin, end = at.get((3, "started"), 0), at.get((3, "done"), 0)
    return "" if end - begin > 60 else "a store is done before its answer"


def _stops(system: Simulator, config: AcceleratorConfig) -> Iterator[tuple[str, str]]:
    """Stop stores on their way: the port must become quiet."""
    for cycle in range(90, 290, 20):
        store = replace(_STORE, row_bytes=512, rows=2)
        run = system.run(*_images(config, [store]), bases=BASES, stop_at=cycle, stall=60, limit=_LIMIT)
        values = run.values
        wrong = values["limited"] or values["busy"] or values["error"] or values["protocol"]
        yield f"stop at {cycle}", f"not clean: {dict(values)}" if wrong else ""
