"""Find OpenSTA, and plan its command."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass

from flow.model.errors import ConfigError
from flow.model.tool import Command, ToolIdentity
from flow.tools._probe import file_digest, probe, remembered

__all__ = ["OpenSta"]

_ENV = "SUZURI_STA"
_INSTALL = "Install it with 'apt-get install opensta', or set SUZURI_STA to its executable."


@dataclass(frozen=True, slots=True)
class OpenSta:
    """The adapter: ``sta`` on PATH, or what ``$SUZURI_STA`` names."""

    name: str = "opensta"
    minimum_version: tuple[int, ...] = (2, 0, 17)

    def detect(self) -> ToolIdentity:
        """Find OpenSTA.

        Raises
        ------
        ConfigError
            There is none, or it is older than ``minimum_version``.
        """
        wanted = os.environ.get(_ENV) or "sta"
        executable = shutil.which(wanted)
        if executable is None:
            raise ConfigError(f"OpenSTA ({wanted}) was not found", None, _INSTALL)

        def ask() -> str:
            match = re.search(
                r"^(?:OpenSTA\s+)?(\d+\.\d+(?:\.\d+)?)", probe([executable, "-version"]), re.MULTILINE
            )
            return match.group(1) if match else ""

        version = remembered(executable, "opensta-version", ask)
        if not version:
            raise ConfigError("does not say which version of OpenSTA it is", executable, _INSTALL)
        if tuple(int(n) for n in version.split(".")) < self.minimum_version:
            needed = ".".join(map(str, self.minimum_version))
            raise ConfigError(f"OpenSTA {version} is older than {needed}", executable, _INSTALL)
        return ToolIdentity(
            name="opensta",
            flavour="path",
            version=version,
            digest=file_digest(executable),
            path=executable,
            licence="GPL-3.0-or-later",
        )

    def command(self, identity: ToolIdentity, script: str, text: str, log: str) -> Command:
        """Return the process that runs the Tcl `text`, kept as the file `script`."""
        argv = (identity.path, "-no_init", "-no_splash", "-exit", script)
        return Command(argv=argv, files={script: text}, log=log)
