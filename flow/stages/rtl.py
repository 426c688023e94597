"""RTL as a stage gets it: one elaborated file, or a tree of the user's own sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError
from flow.model.step import StepContext

__all__ = ["RtlSources", "place_data", "rtl_sources"]


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

    The step has the input ``rtl``, one file that ``elaborate`` wrote, or the
    input ``src``, a tree, or both; with ``src`` the parameters ``sources``,
    ``include_dirs`` and ``defines`` relative to it. ``top`` names the top
    module; ``parameters`` are Verilog overrides. ``data_files`` of the tree
    are placed in the step's directory, where ``$readmemh`` looks for them.

    Raises
    ------
    ConfigError
        A data file is missing.
    """
    params = ctx.params
    elaborated = (ctx.input("rtl"),) if ctx.has_input("rtl") else ()
    if elaborated and not ctx.has_input("src"):
        return RtlSources(
            root=elaborated[0].parent,
            files=elaborated,
            include_dirs=(),
            defines={},
            top=params["top"],
            parameters={},
        )
    root = ctx.input("src")
    place_data(params.get("data_files", {}), root, [ctx.workdir])
    return RtlSources(
        root=root,
        files=(*elaborated, *(root / name for name in params["sources"])),
        include_dirs=tuple(root / name for name in params.get("include_dirs", ())),
        defines=dict(params.get("defines", {})),
        top=params["top"],
        parameters=dict(params.get("parameters", {})),
    )


def place_data(files: Mapping[str, str], root: Path, folders: Iterable[Path]) -> None:
    """Link data files, such as ``$readmemh`` images, where they are looked up by relative name.

    Parameters
    ----------
    files
        Name by which it is looked up, to the file below `root`.
    root
        The tree that holds them.
    folders
        Current directories of what reads them.

    Raises
    ------
    ConfigError
        One is missing or lies outside of `root`.
    """
    for name, inside in files.items():
        path = Path(inside)
        if path.is_absolute() or ".." in (*path.parts, *Path(name).parts) or not (root / path).is_file():
            raise ConfigError(
                "the data file is missing, or lies outside of the design",
                f"data_files: {inside}",
                "Mend data_files in the manifest",
            )
        for folder in folders:
            link = folder / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(root / path)
