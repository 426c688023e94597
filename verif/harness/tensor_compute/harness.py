"""Build the compute engine's simulator, and run batches of commands on it."""

import hashlib
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from amaranth.back import verilog

from flow.formats.verilog import settled
from rtl.tensor.accelerator.commands import Compute
from rtl.tensor.accelerator.compute import ComputeEngine
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import Memories
from verif.harness.verilate import BuildError, verilate

__all__ = ["ComputeSimulator", "Grants", "Outcome", "SimulationError", "build"]

HERE = Path(__file__).parent
_COUNTERS = ("busy", "stall_weights", "stall_activations", "stall_output", "stall_wait")


class SimulationError(AssertionError):
    """The engine broke its port's rules, or never came to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """In how many of 256 cycles a port is granted, at random.

    Attributes
    ----------
    read, weight, write
        Of the engine's three ports.
    banked
        Whether writes moreover wait for banks that are being read, as in the accelerator.
    seed
        Of the draws.
    """

    read: int = 256
    weight: int = 256
    write: int = 256
    banked: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a batch did.

    Attributes
    ----------
    cycles
        In all, reset included.
    counters
        Cycles by what they were good for.
    times
        Of each command the cycles of its taking, of `started` and of `done`.
    activation
        The memory afterwards, int8, ``(words, array)``.
    """

    cycles: int
    counters: dict[str, int]
    times: list[tuple[int, int, int]]
    activation: np.ndarray


@dataclass(frozen=True, slots=True)
class ComputeSimulator:
    """A simulator of one configuration.

    Attributes
    ----------
    executable
        The program.
    config
        What it was made of.
    """

    executable: Path
    config: AcceleratorConfig

    def run(
        self,
        commands: Sequence[Compute],
        memories: Memories,
        *,
        barriers: Sequence[bool] | None = None,
        delays: Sequence[int] | None = None,
        grants: Grants | None = None,
        limit: int = 10_000_000,
    ) -> Outcome:
        """Run commands one after another.

        Parameters
        ----------
        commands
            Legal ones.
        memories
            What they begin with; not changed.
        barriers
            Which commands wait until all before are done; all of them, unless given.
        delays
            Cycles between a command's being taken and the next one's coming.
        grants
            How often ports are granted; always, unless given.
        limit
            Cycles.

        Raises
        ------
        SimulationError
            The engine broke a rule, or did not end within `limit`.
        ValueError
            There are no commands.
        """
        if not commands:
            raise ValueError("there are no commands to run")
        grants = grants or Grants()
        shape = self.config
        batch = struct.pack(
            "<10I", len(commands), shape.activation_words, shape.weight_words, shape.array,
            grants.seed, grants.read, grants.weight, grants.write, grants.banked, limit,
        )  # fmt: skip
        for number, command in enumerate(commands):
            barrier = barriers is None or barriers[number]
            words = command.encode()
            batch += struct.pack("<22I", barrier, delays[number] if delays else 0, *words)
        batch += memories.activation.tobytes() + memories.weight.tobytes()
        with tempfile.TemporaryDirectory() as folder:
            given, result = Path(folder) / "batch", Path(folder) / "result"
            given.write_bytes(batch)
            command_line = [str(self.executable), str(given), str(result), f"+verilator+seed+{grants.seed}"]
            ended = subprocess.run(
                [*command_line, "+verilator+rand+reset+2"], capture_output=True, text=True, check=False
            )
            if ended.returncode:
                raise SimulationError(ended.stderr.strip() or f"the simulator ended with {ended.returncode}")
            return self._read(result.read_bytes(), len(commands))

    def _read(self, content: bytes, commands: int) -> Outcome:
        cycles, *counters = struct.unpack_from("<6Q", content)
        times = np.frombuffer(content, "<u4", 3 * commands, 48).reshape(commands, 3)
        activation = np.frombuffer(content, np.int8, offset=48 + 12 * commands)
        return Outcome(
            cycles=cycles,
            counters=dict(zip(_COUNTERS, counters, strict=True)),
            times=[(int(a), int(b), int(c)) for a, b, c in times],
            activation=activation.reshape(-1, self.config.array),
        )


def build(config: AcceleratorConfig, cache: Path, *, text: str | None = None) -> ComputeSimulator:
    """Return the simulator of a configuration, from the cache where it is there.

    Parameters
    ----------
    config
        Shape of the engine.
    cache
        Folder of simulators.
    text
        The engine's Verilog, when it is not the one of these sources.

    Raises
    ------
    SimulationError
        It cannot be built; says why.
    """
    text = text or settled(verilog.convert(ComputeEngine(config), name="compute_engine", emit_src=False))
    main = HERE / "main.cpp"
    name = hashlib.sha256((text + main.read_text()).encode()).hexdigest()[:16]
    made = cache / name
    executable = made / "simulator"
    if not executable.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        (work / "engine.v").write_text(text)
        _built(work, cache / "runtime")
        shutil.rmtree(made, ignore_errors=True)
        work.rename(made)
    return ComputeSimulator(executable, config)


def _built(work: Path, runtime: Path) -> None:
    """Build in a folder; Verilator's own objects, the same for all, are kept in another."""
    try:
        # Built for a few short runs: compiling is most of the time, so nothing is optimised.
        verilate(
            work,
            [work / "engine.v", HERE / "main.cpp"],
            top="compute_engine",
            optimise=["OPT_FAST=-O0", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0"],
            initial="unique",
            objects=sorted(runtime.glob("*.o")),
        )
    except BuildError as error:
        raise SimulationError(str(error)) from error
    if not runtime.is_dir():
        new = Path(tempfile.mkdtemp(dir=runtime.parent))
        for made in (work / "obj").glob("verilated*.o"):
            shutil.copy(made, new)
        with suppress(OSError):  # another build was there first
            new.rename(runtime)
