"""Planted faults: does the bench notice? Each is one change of the sources at a checked place."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Mutant", "elaborate", "plant"]

_PACKAGES = ("ips", "rtl")
_CONVERT = """
import json, sys
from importlib import import_module
from amaranth.back import verilog
module, _, name = sys.argv[1].partition(":")
top = getattr(import_module(module), name)(**json.loads(sys.argv[2]))
print(verilog.convert(top, name=sys.argv[3], emit_src=False))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A fault.

    Attributes
    ----------
    name
        Unique.
    path
        File that it changes, relative to the sources' root.
    anchor
        Text that it replaces; must occur in the file exactly once.
    replacement
        What is put there.
    parameters
        Overrides of the top's parameters, where only some tiles show it.

    Raises
    ------
    ValueError
        The replacement changes nothing.
    """

    name: str
    path: str
    anchor: str
    replacement: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.anchor == self.replacement:
            raise ValueError(f"mutant {self.name}: the replacement changes nothing")

    def mutate(self, text: str) -> str:
        """Return a file's text with the fault in it.

        Raises
        ------
        ValueError
            The anchor does not occur exactly once.
        """
        found = text.count(self.anchor)
        if found != 1:
            raise ValueError(
                f"mutant {self.name}: its anchor occurs {found} times in {self.path}, not once: "
                f"{self.anchor!r}"
            )
        return text.replace(self.anchor, self.replacement)


def plant(mutant: Mutant, root: Path, folder: Path) -> None:
    """Copy the sources below `root` to `folder`, with the fault in them."""
    for package in _PACKAGES:
        shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    target = folder / mutant.path
    target.write_text(mutant.mutate(target.read_text()))


def elaborate(top: str, name: str, parameters: Mapping[str, Any], root: Path) -> str:
    """Return Verilog of a top whose sources lie below `root`; in a process of its own.

    Parameters
    ----------
    top
        ``package.module:Class``.
    name
        Of the Verilog module.
    parameters
        Of the class.
    root
        Folder of the packages.

    Raises
    ------
    RuntimeError
        It does not elaborate; says why.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CONVERT, top, json.dumps(dict(parameters)), name],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode:
        raise RuntimeError(f"{top} does not elaborate: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout
