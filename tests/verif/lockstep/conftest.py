"""The comparator, built once, and traces that Spike wrote by itself."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from flow.model.errors import FlowError
from flow.tools.spike import SPIKE, build_command
from flow.tools.verilator import CXX
from rtl.riscv.config import CoreConfig
from verif.lockstep import FOLDER
from verif.lockstep.csrs import spike_options
from verif.lockstep.encoding import extensions, table
from verif.lockstep.random import RandomProgram, generate


@dataclass(frozen=True)
class Comparator:
    """The executable, and a folder for what it reads and writes."""

    executable: Path
    folder: Path

    def __call__(
        self, config: CoreConfig, program: Path, *arguments: object
    ) -> subprocess.CompletedProcess[str]:
        table_file = self.folder / "table"
        table_file.write_text(table(extensions(config)))
        command = [self.executable, program, *spike_options(config), "--table", table_file, *arguments]
        return subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, timeout=300
        )

    def emit(self, config: CoreConfig, program: RandomProgram, name: str, limit: int) -> tuple[Path, Path]:
        """Return the program's file and the trace of Spike itself."""
        elf, trace = self.folder / f"{name}.elf", self.folder / f"{name}.trace"
        elf.write_bytes(program.elf())
        ended = self(config, elf, "--emit", trace, "--limit", limit)
        assert ended.returncode == 0, ended.stderr
        return elf, trace

    def report(
        self, config: CoreConfig, elf: Path, trace: Path, *arguments: object
    ) -> tuple[int, dict[str, object], str]:
        """Return exit code, report and what was printed."""
        file = self.folder / "report.json"
        file.unlink(missing_ok=True)
        ended = self(config, elf, "--trace", trace, "--report", file, *arguments)
        report = json.loads(file.read_text()) if file.is_file() else {}
        return ended.returncode, report, ended.stderr


@pytest.fixture(scope="session")
def comparator(tmp_path_factory: pytest.TempPathFactory) -> Comparator:
    try:
        spike, compiler = SPIKE.detect(), CXX.detect()
    except FlowError as error:
        pytest.skip(f"needs Spike and a C++ compiler: {error}")
    folder = tmp_path_factory.mktemp("comparator")
    command = build_command(compiler, spike, [str(f) for f in sorted(FOLDER.glob("*.cpp"))])
    argv: Sequence[str] = [("-O0" if word == "-O2" else word) for word in command.argv]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Comparator(folder / "lockstep", folder)


#: A core with everything that a trace can show.
EVERYTHING = CoreConfig.preset("fast", a=True, zcb=True, user_mode=True, pmp_regions=4, local_interrupts=2)


@pytest.fixture(scope="session")
def everything() -> CoreConfig:
    return EVERYTHING


@pytest.fixture(scope="session")
def recorded(comparator: Comparator, everything: CoreConfig) -> tuple[Path, Path]:
    """A program of all extensions, and its trace by Spike."""
    program = generate(everything, 3, size=1500, length=20_000)
    return comparator.emit(everything, program, "recorded", 20_000)
