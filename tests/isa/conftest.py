"""One cache for all programs of the session, and a way to run the command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from flow.cli.main import suzuri

STRANGER = Path(__file__).parents[1] / "data" / "isa" / "stranger"


@pytest.fixture(scope="session")
def isa_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before = os.environ.get("SUZURI_CACHE")
    folder = tmp_path_factory.mktemp("isa-cache")
    os.environ["SUZURI_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["SUZURI_CACHE"]
    else:
        os.environ["SUZURI_CACHE"] = before


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str
    error: BaseException | None

    @property
    def message(self) -> str:
        return str(self.error)


@pytest.fixture
def isa(isa_cache: Path) -> Callable[..., Said]:
    def call(*words: object) -> Said:
        found = CliRunner().invoke(suzuri, ["isa", *map(str, words)])
        error = None if isinstance(found.exception, SystemExit) else found.exception
        return Said(found.exit_code, found.stdout, found.stderr, error)

    return call


@pytest.fixture
def stranger(isa: Callable[..., Said], tmp_path: Path) -> Callable[..., Said]:
    """Run a program on the foreign core in Icarus, with little memory."""
    if shutil.which("iverilog") is None:
        pytest.skip("needs Icarus Verilog: apt-get install iverilog")

    def call(content: bytes, *words: object, memory: str = "0x80000000:64K", sim: str = "icarus") -> Said:
        path = tmp_path / "program.elf"
        path.write_bytes(content)
        return isa("run", path, "--core", STRANGER, "--sim", sim, "--memory", memory, *words)

    return call
