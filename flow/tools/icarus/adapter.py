"""Find Icarus Verilog, and plan its two commands."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.tool import Command, ToolIdentity
from flow.tools._hdl import HdlFiles, verilog_literal
from flow.tools._probe import file_digest, probe, remembered
from flow.tools.verilator.adapter import parse_version

__all__ = ["DUMP_MODULE", "ICARUS", "IcarusAdapter", "build_command"]

_INSTALL = "Install it with 'apt-get install iverilog'"
DUMP_MODULE = "suzuri_dump"


class IcarusAdapter:
    """Icarus Verilog on ``PATH``; ``SUZURI_ICARUS`` names another ``iverilog``."""

    name = "icarus"
    minimum_version = (11, 0)
    licence = "GPL-2.0-or-later"

    def detect(self) -> ToolIdentity:
        """Find ``iverilog``, and ``vvp`` beside it.

        Raises
        ------
        ConfigError
            One is missing, or it is older than ``minimum_version``.
        """
        wanted = os.environ.get("SUZURI_ICARUS", "iverilog")
        found = shutil.which(wanted)
        if found is None:
            raise ConfigError(f"Icarus Verilog ({wanted}) is not on PATH", "icarus", _INSTALL)
        vvp = self._vvp(found)
        if vvp is None:
            raise ConfigError(f"{found} has no vvp beside it or on PATH", "icarus", _INSTALL)
        version = remembered(found, "version", lambda: parse_version(probe([found, "-V"])) or "")
        if not version:
            raise ConfigError(f"{found} does not say which version it is", "icarus", _INSTALL)
        if tuple(int(n) for n in version.split(".")) < self.minimum_version:
            raise ConfigError(f"Icarus Verilog {version} at {found} is older than 11.0", "icarus", _INSTALL)
        return ToolIdentity(
            name=self.name,
            flavour="path",
            version=version,
            digest=file_digest(vvp),
            path=found,
            licence=self.licence,
        )

    def vvp(self, identity: ToolIdentity) -> str:
        """Return the path of the run-time program that belongs to `identity`."""
        return self._vvp(identity.path) or "vvp"

    @staticmethod
    def _vvp(iverilog: str) -> str | None:
        beside = Path(iverilog).with_name("vvp")
        return str(beside) if beside.is_file() else shutil.which("vvp")


ICARUS = IcarusAdapter()


def build_command(
    tool: ToolIdentity,
    hdl: HdlFiles,
    *,
    output: str = "simulator",
    timescale: str = "1ns/1ps",
    dump: bool = False,
    extra: Sequence[str] = (),
) -> Command:
    """Return the command that compiles `hdl`.

    Parameters
    ----------
    tool
        Icarus Verilog.
    hdl
        The sources.
    output
        Name of the compiled file.
    timescale
        For modules that give none.
    dump
        Whether to add a module that records every signal to the file that
        the plusarg ``suzuri_dump`` names.
    extra
        Further arguments.
    """
    files = {"timescale.f": f"+timescale+{timescale}\n"}
    argv = [tool.path, "-g2012", "-o", output, "-s", hdl.top, "-f", "timescale.f", "-Mdependencies.txt"]
    sources = [name for name in hdl.files if not name.endswith(".vlt")]  # Verilator's own
    if dump:
        files[f"{DUMP_MODULE}.v"] = _dump_module(hdl.top)
        argv += ["-s", DUMP_MODULE]
        sources.append(f"{DUMP_MODULE}.v")
    argv += [f"-D{name}={value}" if value else f"-D{name}" for name, value in hdl.defines.items()]
    argv += [f"-I{folder}" for folder in hdl.include_dirs]
    argv += [f"-P{hdl.top}.{name}={verilog_literal(value)}" for name, value in hdl.parameters.items()]
    return Command(argv=(*argv, *extra, *sources), files=files, log="iverilog.log")


def _dump_module(top: str) -> str:
    return f"""\
module {DUMP_MODULE};
  reg [8*1024-1:0] file;
  initial if ($value$plusargs("{DUMP_MODULE}=%s", file)) begin
    $dumpfile(file);
    $dumpvars(0, {top});
  end
endmodule
"""
