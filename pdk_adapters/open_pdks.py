"""The layout of open_pdks, which sky130, gf180mcu and ihp-sg13g2 share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from flow.model.pdk import CellRoles, Corner, Macro, MemoryPort
from pdk_adapters.discovery import files
from pdk_adapters.family import sram_macros
from pdk_adapters.hints import RoleHints

__all__ = ["cells", "roles", "sram_by_name", "view_folder"]


def cells(prefix: str, names: str) -> tuple[str, ...]:
    """Return the cells whose short `names` are separated by spaces, with their `prefix`."""
    return tuple(prefix + name for name in names.split())


def roles(
    prefix: str, short: Mapping[str, str], hints: RoleHints, ties: Mapping[str, tuple[str, str]]
) -> CellRoles:
    """Return roles from short names: `short` maps each role to cells without `prefix`."""
    return CellRoles(
        buffers=cells(prefix, short["buffers"]),
        inverters=cells(prefix, short["inverters"]),
        flops=cells(prefix, short["flops"]),
        latches=cells(prefix, short.get("latches", "")),
        clock_gates=cells(prefix, short.get("clock_gates", "")),
        clock_buffers=cells(prefix, short.get("clock_buffers", "")),
        fillers=hints.fillers,
        tap=hints.tap,
        antenna=hints.antenna,
        tie_hi=ties["hi"],
        tie_lo=ties["lo"],
        driving_cell=hints.driving_cell,
        load_pf=hints.load_pf,
        dont_use=hints.dont_use,
    )


def view_folder(library: Path, *names: str) -> Path:
    """Return the first of the folders `names` in `library` that exists, else the first."""
    return next((library / name for name in names if (library / name).is_dir()), library / names[0])


def sram_by_name(
    folder: Path,
    stem: re.Pattern[str],
    corners: Iterable[Corner],
    spelling: re.Pattern[str],
    pins: Callable[[str], tuple[tuple[MemoryPort, ...], Mapping[str, int]]],
) -> tuple[Macro, ...]:
    """Return the SRAM macros whose views are called after them.

    Parameters
    ----------
    folder
        Library folder with ``lib``, ``lef`` and ``gds`` in it.
    stem
        Matches a LEF's stem; its groups ``words``, ``bits`` and ``ports``
        (a number, or ``1rw1r``) say what it is.
    corners
        The standard cells' corners.
    spelling
        Matches what follows the macro's name in its Liberty files; its groups
        ``process``, ``whole`` and ``part`` are the process and the volts. A
        Liberty file serves the corners of its process and voltage.
    pins
        Returns the ports and the tied pins of a macro.
    """
    found: dict[str, tuple[int, int, int]] = {}
    for path in files(view_folder(folder, "lef"), "*.lef"):
        match = stem.fullmatch(path.stem)
        if match is not None:
            found[path.stem] = (int(match["words"]), int(match["bits"]), _ports(match["ports"]))
    available = files(view_folder(folder, "lib", "liberty"), "*.lib")
    wanted = tuple(corners)

    def liberty(name: str) -> Mapping[str, Path]:
        chosen: dict[str, Path] = {}
        for path in available:
            match = spelling.fullmatch(path.stem.removeprefix(name)) if path.stem.startswith(name) else None
            if match is None:
                continue
            process = _PROCESS[match["process"].lower()]
            volts = float(f"{match['whole']}.{match['part']}")
            for corner in wanted:
                if corner.process == process and abs(float(corner.voltage_v) - volts) < 0.005:
                    chosen.setdefault(corner.name, path)
        return chosen

    return sram_macros(
        found, liberty, lambda n: folder / "lef" / f"{n}.lef", lambda n: folder / "gds" / f"{n}.gds", pins
    )


_PROCESS = {"tt": "tt", "ss": "ss", "ff": "ff", "typ": "tt", "slow": "ss", "fast": "ff"}


def _ports(text: str) -> int:
    """Return the ports of ``1``, ``2`` or ``1rw1r``."""
    return sum(int(n) for n in re.findall(r"\d+", text))
