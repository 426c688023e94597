"""OSU SCMOS standard cells for 0.18, 0.35 and 0.5 um, as Debian's qflow packages install them.

Source
------
Oklahoma State University, FreePDK SCMOS cell libraries; Debian packages
``qflow-tech-osu018``, ``-osu035``, ``-osu050`` 1.3.17. Loads are those of the
packages' own ``osu0*.sh`` (``blifFanout -c``).
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path

from flow.model.pdk import CellRoles, Corner, Pdk
from pdk_adapters.discovery import QFLOW_FOLDERS, debian_version, files, find_qflow
from pdk_adapters.family import Offer, extra, need
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import read_tech

__all__ = ["offers"]

# Feature size in nm, supply in volts, output load in pF, clock buffers by drive, stem of the Liberty.
_LIBRARIES = {
    "osu018": (180, "1.8", 0.020, "CLKBUF1 CLKBUF3 CLKBUF2", "osu018_stdcells"),
    "osu035": (350, "3.3", 0.030, "CLKBUF3 CLKBUF2 CLKBUF1", "osu035_stdcells"),
    "osu050": (500, "5.0", 0.075, "CLKBUF3 CLKBUF2 CLKBUF1", "osu05_stdcells"),
}


def _hints(name: str) -> RoleHints:
    return RoleHints(
        dont_use=("PAD*",),
        clock=("CLKBUF*",),
        fillers=("FILL",),
        driving_cell=("BUFX2", "Y"),
        load_pf=_LIBRARIES[name][2],
    )


def _roles(name: str) -> CellRoles:
    hints = _hints(name)
    return CellRoles(
        buffers=("BUFX2", "BUFX4"),
        inverters=("INVX1", "INVX2", "INVX4", "INVX8"),
        flops=("DFFPOSX1", "DFFNEGX1", "DFFSR"),
        latches=("LATCH",),
        clock_buffers=tuple(_LIBRARIES[name][3].split()),
        fillers=hints.fillers,
        driving_cell=hints.driving_cell,
        load_pf=hints.load_pf,
        dont_use=hints.dont_use,
    )


def _install(name: str) -> str:
    return f"apt-get install qflow-tech-{name}"


def _load(name: str, place: Path) -> Pdk:
    node, volts, _, _, stem = _LIBRARIES[name]
    liberty = need(place / f"{stem}.lib", "Liberty file", place, _install(name))
    lef = need(place / f"{name}_stdcells.lef", "LEF file", place, _install(name))
    tech = read_tech(lef)
    corner = f"tt_025C_{volts.replace('.', 'v')}0"
    packaged = place.parent in QFLOW_FOLDERS
    return Pdk(
        name=name,
        family="osu",
        library=stem,
        description=f"OSU SCMOS {node} nm standard cells",
        node_nm=node,
        root=place,
        version=debian_version(f"qflow-tech-{name}") if packaged else "unknown",
        licence="GPL",
        corners=(
            Corner(name=corner, process="tt", voltage_v=Decimal(volts), temperature_c=25, liberty=(liberty,)),
        ),
        default_corner=corner,
        roles=_roles(name),
        time_unit_ns=1.0,
        cap_unit_pf=1.0,
        site=tech.sites[0] if tech.sites else None,
        layers=tech.layers,
        tech_lef=lef,
        cell_lef=(lef,),
        gds=files(place, "*.gds*"),
        cdl=files(place, f"{name}_stdcells.sp"),
        extra=extra("vdd", "gnd", tech.layers[0].name, tech.layers[-1].name) if tech.layers else {},
        notes=(
            "one corner only",
            "no tie cells: constants stay constants",
            "no clock gates",
            "the Liberty areas of LATCH (0), NAND3X1 and OAI21X1 are not those of their layouts",
        ),
    )


def offers() -> tuple[Offer, ...]:
    """Return the three libraries, installed or not."""
    return tuple(
        Offer(
            name=name,
            family="osu",
            library=_LIBRARIES[name][4],
            description=f"OSU SCMOS {_LIBRARIES[name][0]} nm standard cells",
            licence="GPL",
            locate=partial(find_qflow, name),
            load=partial(_load, name),
            hints=_hints(name),
            install=_install(name),
        )
        for name in _LIBRARIES
    )
