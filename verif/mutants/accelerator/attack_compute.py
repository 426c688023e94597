"""Whether random commands notice a fault of the compute engine."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rtl.tensor.accelerator.config import AcceleratorConfig
from verif.benches.tensor_compute import Mismatch, batch_of, compare, grants_of
from verif.harness.tensor_compute import ComputeSimulator, SimulationError, build
from verif.mutants import Mutant, plant
from verif.mutants.accelerator.finding import Finding

__all__ = ["attack_compute", "examine_compute"]

_ROOT = Path(__file__).resolve().parents[3]
_WORK = 600  # cycles of a command, about
_LIMIT = 400_000  # cycles of a batch, whose longest takes a quarter of that
_CONVERT = """
import json, sys
from amaranth.back import verilog
from rtl.tensor.accelerator.compute import ComputeEngine
from rtl.tensor.accelerator.config import AcceleratorConfig
engine = ComputeEngine(AcceleratorConfig(**json.loads(sys.argv[1])))
print(verilog.convert(engine, name="compute_engine", emit_src=False))
"""


def attack_compute(mutant: Mutant, cache: Path, *, seeds: int = 300) -> Finding:
    """Plant a fault in a copy of the sources, and run random commands until one notices.

    Parameters
    ----------
    mutant
        The fault, with the parameters of the engine.
    cache
        For simulators, and for what all of them share.
    seeds
        Batches to try.

    Raises
    ------
    RuntimeError
        The mutant does not elaborate.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        plant(mutant, _ROOT, Path(folder))
        text = _elaborate(mutant.parameters, Path(folder))
    simulator = build(AcceleratorConfig(**mutant.parameters), cache, text=text)
    return examine_compute(simulator, seeds=seeds)


def _elaborate(parameters: Mapping[str, int], root: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _CONVERT, json.dumps(dict(parameters))],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"the engine does not elaborate: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def examine_compute(simulator: ComputeSimulator, *, seeds: int) -> Finding:
    """Run a batch of random commands for each seed, until one notices a fault."""
    cycles = commands = 0
    for seed in range(seeds):
        batch = batch_of(simulator.config, seed, _WORK)
        commands += len(batch.commands)
        try:
            outcome = simulator.run(
                batch.commands,
                batch.memories,
                barriers=batch.barriers,
                delays=batch.delays,
                grants=grants_of(seed),
                limit=_LIMIT,
            )
            cycles += outcome.cycles
            compare(batch, outcome.activation, seed)
        except SimulationError as error:
            at = re.match(r"cycle (\d+)", str(error))
            cycles += int(at[1]) if at else 0
            return Finding(by=f"seed {seed}", message=str(error), cycles=cycles, commands=commands)
        except Mismatch as error:
            message = str(error).removeprefix(f"seed {seed}: ")
            return Finding(by=f"seed {seed}", message=message, cycles=cycles, commands=commands)
    return Finding(cycles=cycles, commands=commands)
