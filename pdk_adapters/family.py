"""What an adapter module offers to the registry, and helpers that all of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.pdk import Corner, Macro, MemoryPort, Pdk, Site
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import read_tech

__all__ = [
    "Offer",
    "corner_files",
    "default_corner",
    "extra",
    "lef_area",
    "need",
    "pvt",
    "sites_of",
    "sram_macros",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One PDK that an adapter can describe, installed or not.

    Attributes
    ----------
    name
        What a user types.
    family, library, description, licence
        As in ``flow.model.pdk.Pdk``.
    locate
        Returns the folder where it is installed, or ``None``; cheap.
    load
        Describes what is in that folder; raises ``ConfigError`` where views
        are missing.
    hints
        What its cell roles were derived with, for the conformance check.
    install
        The command, or the steps in a sentence, that install it.
    """

    name: str
    family: str
    library: str
    description: str
    licence: str
    locate: Callable[[], Path | None]
    load: Callable[[Path], Pdk]
    hints: RoleHints
    install: str


_PVT = re.compile(r"^(tt|ss|ff)_(n?\d{2,3})C_(\d+)v(\d+)$")


def pvt(text: str) -> tuple[str, int, Decimal] | None:
    """Return process, temperature and voltage of ``ss_n40C_1v60``, or ``None``."""
    match = _PVT.match(text)
    if match is None:
        return None
    process, temperature, whole, part = match.groups()
    celsius = -int(temperature[1:]) if temperature.startswith("n") else int(temperature)
    return process, celsius, Decimal(f"{whole}.{part}")


def corner_files(folder: Path, prefix: str) -> tuple[Corner, ...]:
    """Return a corner for each Liberty file called ``<prefix><pvt>.lib`` or ``.lib.gz``.

    A plain file is preferred to its packed twin. Corners come sorted by
    process (tt, ss, ff), voltage and temperature.
    """
    found: dict[str, Corner] = {}
    for suffix in (".lib", ".lib.gz"):
        try:
            names = sorted(
                p for p in folder.iterdir() if p.name.startswith(prefix) and p.name.endswith(suffix)
            )
        except OSError:
            names = []
        for path in names:
            name = path.name[len(prefix) : -len(suffix)]
            parsed = pvt(name)
            if parsed is None or name in found:
                continue
            process, celsius, volts = parsed
            found[name] = Corner(
                name=name, process=process, voltage_v=volts, temperature_c=celsius, liberty=(path,)
            )
    order = ("tt", "ss", "ff")
    return tuple(sorted(found.values(), key=lambda c: (order.index(c.process), c.voltage_v, c.temperature_c)))


def need(path: Path | None, what: str, place: Path, install: str) -> Path:
    """Return `path` if it is a file.

    Raises
    ------
    ConfigError
        It is not there.
    """
    if path is None or not path.is_file():
        raise ConfigError(
            f"the PDK is not complete: no {what}{f' ({path.name})' if path else ''}",
            place,
            f"Install it again: {install}",
        )
    return path


def default_corner(corners: Iterable[Corner], wanted: str, place: Path, install: str) -> str:
    """Return `wanted` if it exists, else the first typical corner.

    Raises
    ------
    ConfigError
        There is no corner at all.
    """
    names = [c.name for c in corners]
    if not names:
        raise ConfigError("the PDK is not complete: no Liberty file", place, f"Install it again: {install}")
    return wanted if wanted in names else names[0]


_HEAD_SIZE = re.compile(r"^\s*SIZE\s+([\d.]+)\s+BY\s+([\d.]+)", re.MULTILINE)


def extra(power: str, ground: str, lowest: str, highest: str) -> dict[str, str]:
    """Return what ``Pdk.extra`` says for layout: supply pins of the cells, and layers to route on."""
    return {
        "power_pin": power,
        "ground_pin": ground,
        "min_routing_layer": lowest,
        "max_routing_layer": highest,
    }


def lef_area(path: Path) -> float:
    """Return width times height of the one macro in a LEF file, from its first kilobytes; 0 if unread."""
    try:
        with path.open("r", encoding="latin-1") as stream:
            match = _HEAD_SIZE.search(stream.read(8192))
    except OSError:
        return 0.0
    return float(match.group(1)) * float(match.group(2)) if match else 0.0


def sites_of(*paths: Path) -> tuple[Site, ...]:
    """Return the core sites of several LEF files."""
    return tuple(site for path in paths for site in read_tech(path).sites)


def sram_macros(
    names: Mapping[str, tuple[int, int, int]],
    liberty: Callable[[str], Mapping[str, Path]],
    lef: Callable[[str], Path],
    gds: Callable[[str], Path],
    pins: Callable[[str], tuple[tuple[MemoryPort, ...], Mapping[str, int]]] = lambda _name: ((), {}),
) -> tuple[Macro, ...]:
    """Return SRAM macros: `names` gives words, bits and ports, the others their views and their pins."""
    macros = []
    for name, (words, bits, ports) in names.items():
        lef_path, gds_path = lef(name), gds(name)
        access, ties = pins(name)
        macros.append(
            Macro(
                name=name,
                kind="sram",
                words=words,
                bits=bits,
                ports=ports,
                area_um2=round(lef_area(lef_path), 4),
                liberty=dict(liberty(name)),
                lef=lef_path if lef_path.is_file() else None,
                gds=gds_path if gds_path.is_file() else None,
                access=access,
                ties=ties,
            )
        )
    return tuple(macros)
