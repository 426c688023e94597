"""A program on the simulated accelerator: what the simulator is told, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Job", "MemoryPlan", "Outcome", "read_outcome"]

_UNIT = 4096
#: What an error code of the accelerator says.
ERRORS = {
    1: "a command has an unknown opcode or length",
    2: "a field of a command holds what it must not",
    3: "an address leaves its memory",
    4: "the memory answered with an error",
    5: "no command can start",
    6: "the program is for another configuration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """Where regions lie in the simulated memory, from address 0: program, inputs, outputs, scratch.

    Attributes
    ----------
    image_bytes, input_bytes, output_bytes, scratch_bytes
        Sizes; input and output of one run.
    runs
        Inputs that are run one after another.
    """

    image_bytes: int
    input_bytes: int
    output_bytes: int
    scratch_bytes: int
    runs: int

    @property
    def steps(self) -> tuple[int, int]:
        """Bytes from one run's input and output to the next."""
        return _up(self.input_bytes, 16), _up(self.output_bytes, 16)

    @property
    def bases(self) -> tuple[int, int, int, int]:
        """Base registers of the first run."""
        first = _up(self.image_bytes, _UNIT)
        second = _up(first + self.steps[0] * self.runs, _UNIT)
        return 0, first, second, _up(second + self.steps[1] * self.runs, _UNIT)

    @property
    def bits(self) -> int:
        """Address bits of a memory that holds everything; at least 24, so that most share a simulator."""
        return max(24, (self.bases[3] + self.scratch_bytes + _UNIT - 1).bit_length())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Inputs for a program.

    Attributes
    ----------
    image
        Commands and constants.
    inputs
        Region of each run's input.
    plan
        Where they go.
    config
        Value of the register ``CONFIG``.
    limit
        Most cycles of a run.
    latency, stall, seed
        Cycles of the memory, how often it pauses, and the seed of that.
    """

    image: bytes
    inputs: tuple[bytes, ...]
    plan: MemoryPlan
    config: int
    limit: int
    latency: int = 20
    stall: int = 0
    seed: int = 1

    def write(self, folder: Path) -> list[str]:
        """Write the images, and return the simulator's plusargs."""
        plan = self.plan
        (folder / "program").write_bytes(self.image)
        (folder / "inputs").write_bytes(b"".join(part.ljust(plan.steps[0], b"\0") for part in self.inputs))
        options: dict[str, object] = {
            "image0": folder / "program",
            "image0_at": f"{plan.bases[0]:x}",
            "image1": folder / "inputs",
            "image1_at": f"{plan.bases[1]:x}",
            **{f"base{i}": f"{base:x}" for i, base in enumerate(plan.bases)},
            "base1_step": f"{plan.steps[0]:x}",
            "base2_step": f"{plan.steps[1]:x}",
            "runs": plan.runs,
            "config": f"{self.config:x}",
            "limit": self.limit,
            "latency": self.latency,
            "stall": self.stall,
            "seed": self.seed,
            "result": folder / "result",
            "events": folder / "events",
            "dump0": folder / "outputs",
            "dump0_at": f"{plan.bases[2]:x}",
            "dump0_bytes": f"{plan.steps[1] * plan.runs:x}",
        }
        if plan.scratch_bytes:
            options |= {
                "dump1": folder / "scratch",
                "dump1_at": f"{plan.bases[3]:x}",
                "dump1_bytes": f"{plan.scratch_bytes:x}",
            }
        return [f"+{name}={value}" for name, value in options.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a simulation left.

    Attributes
    ----------
    registers
        Of each run: status and counters by name.
    done
        Of each run, each command that was done: cycle, engine, tag.
    outputs
        Output region of each run.
    scratch
        Scratch region, of the last run.
    complaints
        Violations of the memory port's protocol.
    """

    registers: tuple[Mapping[str, int], ...]
    done: tuple[tuple[tuple[int, int, int], ...], ...]
    outputs: tuple[bytes, ...]
    scratch: bytes
    complaints: int

    @property
    def failure(self) -> str | None:
        """What stopped the last run, if not its end."""
        last = self.registers[-1]
        if last["limited"]:
            return "it did not end"
        if last["error"]:
            code = last["code"]
            return f"it stopped with error {code}, {ERRORS.get(code, 'unknown')}, at tag {last['tag']}"
        return None


def read_outcome(folder: Path, plan: MemoryPlan) -> Outcome:
    """Read what a simulation left in its folder.

    Raises
    ------
    ValueError, OSError
        It is not complete.
    """
    registers: list[dict[str, int]] = []
    complaints: int | None = None
    for line in (folder / "result").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "run":
            registers.append({})
        if name == "protocol":
            complaints = int(value)
        elif registers:
            registers[-1][name] = int(value)
    if complaints is None or not registers:
        raise ValueError("its result is not complete")
    done: list[list[tuple[int, int, int]]] = [] if plan.runs > 1 else [[]]
    for line in (folder / "events").read_text().splitlines():
        words = line.split()
        if words[0] == "run":
            done.append([])
        elif words[2] == "done":
            done[-1].append((int(words[0]), int(words[1]), int(words[3])))
    content = bytes.fromhex((folder / "outputs").read_text())
    step = plan.steps[1]
    return Outcome(
        registers=tuple(registers),
        done=tuple(map(tuple, done)),
        outputs=tuple(content[i * step : i * step + plan.output_bytes] for i in range(plan.runs)),
        scratch=bytes.fromhex((folder / "scratch").read_text()) if plan.scratch_bytes else b"",
        complaints=complaints,
    )


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
