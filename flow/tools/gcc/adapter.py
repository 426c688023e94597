"""Find GCC for RISC-V without an operating system."""

from __future__ import annotations

import os
import shutil

from flow.model.errors import ConfigError
from flow.model.tool import ToolIdentity
from flow.tools._probe import file_digest, probe, remembered
from flow.tools.verilator.adapter import parse_version

__all__ = ["GCC", "GccAdapter"]

_INSTALL = "Install it with 'apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf'"
_NAMES = ("riscv64-unknown-elf-gcc", "riscv32-unknown-elf-gcc")


class GccAdapter:
    """``riscv64-unknown-elf-gcc`` or ``riscv32-unknown-elf-gcc``; ``SUZURI_RISCV_GCC`` names another.

    It must find picolibc.
    """

    name = "gcc"
    minimum_version = (12,)
    licence = "GPL-3.0-or-later"

    def detect(self) -> ToolIdentity:
        """Find the compiler.

        Raises
        ------
        ConfigError
            It is missing, too old, or has no picolibc.
        """
        wanted = os.environ.get("SUZURI_RISCV_GCC")
        names = (wanted,) if wanted else _NAMES
        found = next((path for name in names if (path := shutil.which(name))), None)
        if found is None:
            raise ConfigError(
                f"there is no C compiler for RISC-V ({', '.join(names)}) on PATH", "gcc", _INSTALL
            )
        version = (
            parse_version(remembered(found, "version", lambda: probe([found, "-dumpfullversion"]))) or ""
        )
        if not version or tuple(map(int, version.split("."))) < self.minimum_version:
            raise ConfigError(f"{found} is version {version or 'unknown'}; 12 is needed", "gcc", _INSTALL)
        specs = remembered(found, "specs", lambda: probe([found, "-print-file-name=picolibc.specs"])).strip()
        if "/" not in specs:
            raise ConfigError(f"{found} has no picolibc", "gcc", _INSTALL)
        return ToolIdentity(
            name=self.name, flavour="path", version=version, digest=file_digest(found), path=found,
            licence=self.licence,
        )  # fmt: skip


GCC = GccAdapter()
