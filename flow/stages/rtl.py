"""RTL as a stage gets it: one elaborated file, or a tree of the user's own sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.model.step import StepContext

__all__ = ["RtlSources", "rtl_sources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RtlSources:
    """HDL files of a step, in compile order, with what a compiler needs to read them.

    Attributes
    ----------
    root
        Folder below which the files lie; messages are given relative to it.
    files
        Absolute paths in compile order.
    include_dirs, defines
        For the preprocessor.
    top
        Name of the top module.
    parameters
        Verilog parameter overrides; empty for elaborated RTL.
    """

    root: Path
    files: tuple[Path, ...]
    include_dirs: tuple[Path, ...]
    defines: Mapping[str, str]
    top: str
    parameters: Mapping[str, Any]

    def relative(self, path: str | Path) -> str:
        """Return `path` as the user knows it: relative to ``root`` where it lies below it."""
        path = Path(path)
        try:
            return str(path.relative_to(self.root))
        except ValueError:
            return str(path)


def rtl_sources(ctx: StepContext) -> RtlSources:
    """Return the RTL of a step.

    The step has either the input ``rtl``, one file that ``elaborate`` wrote,
    or the input ``src``, a tree, with the parameters ``sources``,
    ``include_dirs`` and ``defines`` relative to it. ``top`` names the top
    module; ``parameters`` are Verilog overrides.
    """
    params = ctx.params
    if ctx.has_input("rtl"):
        file = ctx.input("rtl")
        return RtlSources(
            root=file.parent, files=(file,), include_dirs=(), defines={}, top=params["top"], parameters={}
        )
    root = ctx.input("src")
    return RtlSources(
        root=root,
        files=tuple(root / name for name in params["sources"]),
        include_dirs=tuple(root / name for name in params.get("include_dirs", ())),
        defines=dict(params.get("defines", {})),
        top=params["top"],
        parameters=dict(params.get("parameters", {})),
    )
