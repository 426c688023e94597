"""Random programs on a simulator, compared with Spike as they run."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow.isa.elf import read_elf
from flow.isa.image import MemoryMap, image_text
from flow.model.tool import ToolIdentity
from flow.tools.spike import COMPARATOR, SPIKE, build_command, read_report
from verif.lockstep import FOLDER
from verif.lockstep.reference import CoreReference

__all__ = ["comparator", "compare"]

_LIMIT = 2_000_000
_LENGTH = 5_000  # instructions of a program


def comparator(cache: Path) -> Path:
    """Return the program that compares, from the cache where it is there.

    Raises
    ------
    ConfigError
        There is no Spike.
    RuntimeError
        It does not compile.
    """
    spike = SPIKE.detect()
    sources = sorted(FOLDER.glob("*.cpp"))
    parts = [path.read_bytes() for path in sorted(FOLDER.glob("*.*"))]
    kept = cache / hashlib.sha256(b"\0".join([spike.digest.encode(), *parts])).hexdigest()[:16]
    if not (kept / COMPARATOR).is_file():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        compiler = ToolIdentity(
            name="cxx", flavour="gcc", version="", digest="", path=shutil.which("g++") or "g++", licence=""
        )
        command = build_command(compiler, spike, [str(path) for path in sources])
        done = subprocess.run(command.argv, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the comparator does not compile:\n{done.stderr[-1000:]}")
        try:
            work.rename(kept)
        except OSError:  # another one was faster
            shutil.rmtree(work)
    return kept / COMPARATOR


def compare(
    preset: str, parameters: Mapping[str, Any], seed: int, simulator: Path, comparing: Path
) -> dict[str, Any]:
    """Run the random program of a seed; in the report that is returned, ``status`` says ``match`` or not."""
    reference = CoreReference({"preset": preset, **parameters})
    program = reference.program(seed, _LENGTH)
    elf = read_elf(program, f"seed {seed}")
    memory = MemoryMap.for_program(elf)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "program.elf").write_bytes(program)
        (work / "table").write_text(reference.table)
        (work / "image").write_text(image_text(elf.segments, memory))
        plusargs = [f"image={work / 'image'}", f"result={work / 'result'}", f"limit={_LIMIT}"]
        plusargs += ["watchdog=20000", f"seed={seed}", "interrupt_rate=100", "stall_grant=20"]
        plusargs += ["stall_response=20", *memory.plusargs(), *elf.plusargs()]
        subprocess.run(
            [
                *(str(comparing), *reference.options, "--table", str(work / "table")),
                *(str(work / "program.elf"), "--report", str(work / "report"), "--"),
                *(str(simulator), *(f"+{plusarg}" for plusarg in plusargs)),
            ],
            capture_output=True,
            check=False,
            env=os.environ,
        )
        report = read_report((work / "report").read_text())
        status = (work / "result").read_text().split()[:2] if (work / "result").is_file() else []
    if report["status"] == "match" and status[1:] != ["exit"]:
        report["status"] = f"the simulation ended with {' '.join(status[1:]) or 'nothing'}"
    return report
