"""All views of a PDK, read at once: what the conformance check and cell models start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flow.formats.liberty import Library, read_library
from flow.model.errors import ConfigError
from flow.model.pdk import Corner, Pdk
from pdk_adapters.lef import LefMacro, read_macros

__all__ = ["PdkViews", "corner_libraries", "load_views"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PdkViews:
    """Views that could be read, and why others could not.

    Attributes
    ----------
    corners
        Corner name to its libraries; a corner with a file that cannot be
        read is missing.
    lef
        Macros of the cell LEF files.
    macro_liberty
        Macro name to library, read for the first corner that has one.
    macro_lef
        Macro name to its LEF macro.
    problems
        What could not be read: place to reason.
    """

    corners: Mapping[str, tuple[Library, ...]] = field(default_factory=dict)
    lef: Mapping[str, LefMacro] = field(default_factory=dict)
    macro_liberty: Mapping[str, Library] = field(default_factory=dict)
    macro_lef: Mapping[str, LefMacro] = field(default_factory=dict)
    problems: Mapping[str, ConfigError] = field(default_factory=dict)


def corner_libraries(corner: Corner) -> tuple[Library, ...]:
    """Read the Liberty files of one corner.

    Raises
    ------
    ConfigError
        One of them cannot be read.
    """
    return tuple(read_library(path) for path in corner.liberty)


def load_views(pdk: Pdk, corners: Iterable[str] | None = None, *, macros: bool = True) -> PdkViews:
    """Read the views of `pdk`; what cannot be read becomes a problem, not an exception.

    Parameters
    ----------
    corners
        Names of the corners to read; all unless given.
    macros
        Whether to read the views of its macros too.
    """
    problems: dict[str, ConfigError] = {}
    wanted = set(corners) if corners is not None else {c.name for c in pdk.corners}
    read: dict[str, tuple[Library, ...]] = {}
    for corner in pdk.corners:
        if corner.name not in wanted:
            continue
        try:
            read[corner.name] = corner_libraries(corner)
        except ConfigError as error:
            problems[f"corner {corner.name}"] = error
    lef: dict[str, LefMacro] = {}
    for path in pdk.cell_lef:
        try:
            lef.update(read_macros(path))
        except ConfigError as error:
            problems[f"LEF {path.name}"] = error
    macro_liberty: dict[str, Library] = {}
    macro_lef: dict[str, LefMacro] = {}
    for macro in pdk.macros if macros else ():
        try:
            for path in list(macro.liberty.values())[:1]:
                macro_liberty[macro.name] = read_library(path)
            if macro.lef is not None and (found := read_macros(macro.lef).get(macro.name)) is not None:
                macro_lef[macro.name] = found
        except ConfigError as error:
            problems[f"macro {macro.name}"] = error
    return PdkViews(
        corners=read, lef=lef, macro_liberty=macro_liberty, macro_lef=macro_lef, problems=problems
    )
