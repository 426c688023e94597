"""Build an accelerator once, run programs on it at once: for tests, and while one is being made.

``suzuri nn`` does the same through the engine, with better words for what went wrong.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import verilog

from flow.formats.verilog import settled
from flow.tools.icarus import awake
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.registers import config_value
from rtl.tensor.accelerator.top import Accelerator
from verif.harness.verilate import verilate

__all__ = ["Run", "Simulator", "build", "build_icarus", "elaborate"]

_HERE = Path(__file__).parent
_MEMORY_BITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of a program.

    Attributes
    ----------
    values
        Registers at the end, by name, as the file ``result`` has them.
    events
        (cycle since start, engine, ``started`` or ``done``, tag), in order.
    output
        What the simulator printed.
    memory
        Bytes of the region that was asked for.
    """

    values: Mapping[str, int]
    events: tuple[tuple[int, int, str, int], ...]
    output: str
    memory: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A built simulator of one configuration."""

    config: AcceleratorConfig
    command: tuple[str, ...]

    def run(
        self,
        images: Mapping[int, bytes],
        *,
        bases: tuple[int, int, int, int] = (0, 0, 0, 0),
        dump: tuple[int, int] = (0, 0),
        **plusargs: object,
    ) -> Run:
        """Run the program of one set of images, of which there are at most four.

        Parameters
        ----------
        images
            Contents of the memory by byte address.
        bases
            Base registers.
        dump
            Byte address and size of what to return of the memory afterwards.
        **plusargs
            Others of the harness.

        Raises
        ------
        RuntimeError
            The simulator fails.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            arguments = {"result": folder / "result", "events": folder / "events"}
            arguments["config"] = f"{config_value(self.config):x}"
            arguments |= {f"base{number}": f"{base:x}" for number, base in enumerate(bases)}
            for number, (address, content) in enumerate(images.items()):
                path = folder / f"image{number}"
                path.write_bytes(content)
                arguments |= {f"image{number}": path, f"image{number}_at": f"{address:x}"}
            if dump[1]:
                arguments |= {"dump0": folder / "dump", "dump0_at": f"{dump[0]:x}"}
                arguments["dump0_bytes"] = f"{dump[1]:x}"
            arguments |= plusargs
            ended = subprocess.run(
                [*self.command, *(f"+{key}={value}" for key, value in arguments.items())],
                capture_output=True, text=True, check=False, cwd=folder,
            )  # fmt: skip
            if ended.returncode:
                raise RuntimeError(f"the simulator failed: {ended.stdout}{ended.stderr}")
            values = dict(line.split() for line in (folder / "result").read_text().splitlines())
            rows = [line.split() for line in (folder / "events").read_text().splitlines()]
            return Run(
                values={key: int(value) for key, value in values.items()},
                events=tuple((int(a), int(b), c, int(d)) for a, b, c, d in (r for r in rows if len(r) == 4)),
                output=ended.stdout,
                memory=bytes.fromhex((folder / "dump").read_text()) if dump[1] else b"",
            )


def elaborate(**parameters: object) -> str:
    """Return Verilog of an accelerator, for the harness."""
    return settled(verilog.convert(Accelerator(**parameters), name="accelerator", emit_src=False))


def build(
    text: str, config: AcceleratorConfig, cache: Path, *, waves: bool = False, level: str = "-O2"
) -> Simulator:
    """Return the simulator of an accelerator's Verilog, from the cache where it is there."""
    sources = [*sorted(_HERE.glob("*.sv")), _HERE / "main.cpp"]
    key = "\0".join([text, str(waves), level, str(config), *(s.read_text() for s in sources)])
    made = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (made / "simulator").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        (work / "accelerator.v").write_text(text)
        verilate(
            work,
            [
                *_defines(config), *(["--trace-fst"] if waves else []),
                work / "accelerator.v", *sorted(_HERE.glob("*.sv")), _HERE / "main.cpp",
            ],
            top="harness",
            optimise=[f"OPT_FAST={level}", f"OPT_GLOBAL={level}"],
        )  # fmt: skip
        shutil.rmtree(made, ignore_errors=True)
        work.rename(made)
    return Simulator(config=config, command=(str(made / "simulator"),))


def build_icarus(text: str, config: AcceleratorConfig, folder: Path) -> Simulator:
    """Return a simulator of Icarus Verilog in `folder`: slow, but built at once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "accelerator.v").write_text(awake(text))
    command = [
        "iverilog", "-g2012", "-s", "harness", "-o", folder / "simulator.vvp",
        *_defines(config), folder / "accelerator.v", *sorted(_HERE.glob("*.sv")),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stdout + ended.stderr)
    return Simulator(config=config, command=("vvp", "-n", str(folder / "simulator.vvp")))


def _defines(config: AcceleratorConfig) -> list[str]:
    return [f"-DHARNESS_BUS={config.bus_width}", f"-DHARNESS_MEMORY_BITS={_MEMORY_BITS}"]
