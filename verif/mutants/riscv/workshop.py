"""Make simulators of mutants quickly: what all of them share is compiled once."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flow.isa.wrapper import harness_core
from flow.tools.verilator import VERILATOR
from verif.harness.riscv import FOLDER

__all__ = ["elaborate_core", "simulator"]

_CORE = """
import json, sys
from amaranth.back import verilog
from amaranth.hdl import Value
from amaranth.lib import wiring
from rtl.riscv.core import Core
core = Core(preset=sys.argv[1], rvfi=True, **json.loads(sys.argv[2]))
ports = [
    {
        "name": "__".join(map(str, path)),
        "direction": "in" if member.flow is wiring.In else "out",
        "width": len(Value.cast(value)),
    }
    for path, member, value in core.signature.flatten(core)
]
json.dump({"ports": ports, "verilog": verilog.convert(core, name="core", emit_src=False)}, sys.stdout)
"""
_RUNTIME = ("verilated.cpp", "verilated_dpi.cpp", "verilated_threads.cpp")
_OFF = ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_VCD", "TRACE_SAIF")


def elaborate_core(preset: str, parameters: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Return the Verilog files of a core whose sources lie below `root`; in a process of its own.

    Raises
    ------
    RuntimeError
        It does not elaborate; says why.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CORE, preset, json.dumps(dict(parameters))],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"{preset} does not elaborate: {done.stderr.strip().splitlines()[-1]}")
    made = json.loads(done.stdout)
    return {"core.v": made["verilog"], "harness_core.v": harness_core("core", made["ports"])}


def _run(command: Sequence[object], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=dict(environment),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def simulator(files: Mapping[str, str], folder: Path, cache: Path) -> Path:
    """Return a simulator of a core, made in `folder`.

    Parameters
    ----------
    files
        As :func:`elaborate_core` returns them.
    folder
        Empty.
    cache
        Keeps the compiled parts that do not depend on the core.

    Raises
    ------
    RuntimeError
        Verilator or the compiler refuses it.
    """
    tool = VERILATOR.detect()
    environment = {**os.environ, **VERILATOR.environment(tool)}
    root = Path(environment["VERILATOR_ROOT"])
    for name, content in files.items():
        (folder / name).write_text(content)
    given = [folder / "core.v", FOLDER / "harness.v", FOLDER / "harness_custom.v"]
    options = ["--cc", "-Wno-fatal", "-Wno-lint", "--no-timing", "--x-assign", "fast", "--x-initial", "fast"]
    options += ["--noassert", "-O3", "--top-module", "harness", "--prefix", "Vtop", "--Mdir", folder / "made"]
    _run([tool.path, *options, f"-I{folder}", f"-I{FOLDER}", *given], folder, environment)
    flags = ["-std=gnu++20", "-w", "-DVERILATOR=1", "-DVM_TRACE_FST=0", f"-I{root}/include"]
    flags += [f"-I{root}/include/vltstd", f"-I{folder}/made", *(f"-DVM_{name}=0" for name in _OFF)]
    shared = _shared(root, folder / "made", flags, cache, environment)
    # All of the model at once: its headers are read once. Slow parts run once.
    slow = sorted(path for path in (folder / "made").glob("*.cpp") if "Slow" in path.name)
    fast = sorted(path for path in (folder / "made").glob("*.cpp") if "Slow" not in path.name)
    objects = []
    for name, level, sources in (("fast", "-O1", fast), ("slow", "-O0", slow)):
        whole = folder / f"{name}.cpp"
        whole.write_text("".join(f'#include "{path}"\n' for path in sources))
        objects.append(folder / f"{name}.o")
        _run(["g++", level, *flags, "-c", "-o", objects[-1], whole], folder, environment)
    executable = folder / "simulator"
    _run(["g++", "-o", executable, *objects, *shared, "-lpthread"], folder, environment)
    shutil.rmtree(folder / "made")
    return executable


def _shared(
    root: Path, made: Path, flags: list[str], cache: Path, environment: Mapping[str, str]
) -> list[Path]:
    """Return the objects that all mutants share: Verilator's runtime, and the harness's main program."""
    sources = [*(root / "include" / name for name in _RUNTIME), FOLDER / "main.cpp"]
    parts = [path.read_bytes() for path in (*sources, made / "Vtop.h")]
    kept = cache / hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    if not kept.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        for source in sources:
            _run(["g++", "-O1", *flags, "-c", "-o", work / f"{source.stem}.o", source], work, environment)
        try:
            work.rename(kept)
        except OSError:  # another one was faster
            shutil.rmtree(work)
    return sorted(kept.glob("*.o"))
