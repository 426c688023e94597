"""Find ABC, which comes with Yosys."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools._probe import file_digest, wheel_file

__all__ = ["ABC", "Abc"]

_PROGRAMS = ("yosys-abc", "berkeley-abc")


@dataclass(frozen=True, slots=True)
class Abc:
    """The adapter of ABC: the wheel ``pyosys``, then ``yosys-abc`` or ``berkeley-abc`` on PATH."""

    name: str = "abc"
    minimum_version: tuple[int, ...] = ()  # it has no version

    def detect(self) -> ToolIdentity:
        """Find it.

        Raises
        ------
        ConfigError
            There is none.
        """
        found = wheel_file("pyosys", "pyosys", "yosys-abc")
        if found is not None:
            return _identity("wheel", found[0], found[1])
        for program in _PROGRAMS:
            path = shutil.which(program)
            if path is not None:
                return _identity("path", "unknown", Path(path))
        raise ConfigError("ABC was not found", None, "Install it with 'pip install pyosys'.")


def _identity(flavour: str, version: str, path: Path) -> ToolIdentity:
    return ToolIdentity(
        name="abc",
        flavour=flavour,
        version=version,
        digest=file_digest(path),
        path=str(path),
        licence="MIT-Modern-Variant",
    )


ABC = Abc()
