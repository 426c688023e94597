"""GlobalFoundries 180 nm MCU, 7- and 9-track 5 V cells, in the open_pdks layout.

Source
------
Don't-use list: ``*_1`` as in OpenROAD-flow-scripts ``platforms/gf180/config.mk``
and open_pdks' ``drc_exclude.cells`` (several of them break layout rules), and
scan flops. Driving cell and load: open_pdks' LibreLane configuration (72.91 fF;
``inv_1`` there, which the list excludes, so ``inv_2`` here).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from flow.model.pdk import CellRoles, MemoryPort, Pdk
from pdk_adapters.discovery import files, find_open_pdk, open_pdk_version
from pdk_adapters.family import Offer, corner_files, default_corner, extra, need
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import read_tech
from pdk_adapters.open_pdks import cells, roles, sram_by_name, view_folder

__all__ = ["offers"]

_FLOPS = (
    "dffq_2 dffq_4 dffnq_2 dffnq_4 {0} dffnrnq_2 dffnsnq_2 dffnrnq_4 dffnsnq_4 "
    "dffrsnq_2 dffrsnq_4 dffnrsnq_2 dffnrsnq_4"
)
# What differs between the libraries is the order by drive.
_ORDER = {
    7: {
        "flops": _FLOPS.format("dffsnq_2 dffrnq_2 dffrnq_4 dffsnq_4"),
        "latches": "latrnq_2 latrsnq_2 latsnq_2 latq_2 latq_4 latrnq_4 latrsnq_4 latsnq_4",
        "clock_buffers": "clkbuf_2 clkbuf_4 clkbuf_3 clkbuf_8 clkbuf_12 clkbuf_16 clkbuf_20",
    },
    9: {
        "flops": _FLOPS.format("dffrnq_2 dffsnq_2 dffrnq_4 dffsnq_4"),
        "latches": "latrsnq_2 latq_2 latrnq_2 latsnq_2 latq_4 latrnq_4 latsnq_4 latrsnq_4",
        "clock_buffers": "clkbuf_2 clkbuf_3 clkbuf_4 clkbuf_8 clkbuf_12 clkbuf_16 clkbuf_20",
    },
}
_SRAM = re.compile(r"gf180mcu_(?:fd|ocd)_ip_sram__sram(?P<words>\d+)x(?P<bits>\d+)m\d+wm(?P<ports>1)")
_PORT = MemoryPort(
    clock="CLK",
    address="A",
    enables=("!CEN",),
    write="!GWEN",
    write_data="D",
    read_data="Q",
    mask="!WEN",
)
_SRAM_CORNER = re.compile(r"__(?P<process>tt|ss|ff)_n?\d+C_(?P<whole>\d+)v(?P<part>\d+)")


def _library(tracks: int) -> str:
    return f"gf180mcu_fd_sc_mcu{tracks}t5v0"


def _hints(tracks: int) -> RoleHints:
    prefix = f"{_library(tracks)}__"
    return RoleHints(
        dont_use=cells(prefix, "*_1 sdff*"),
        delay=cells(prefix, "dly*"),
        clock=cells(prefix, "clk*"),
        fillers=cells(prefix, "fill_1 fill_2 fill_4 fill_8 fill_16 fill_32 fill_64"),
        tap=f"{prefix}filltie",
        antenna=f"{prefix}antenna",
        driving_cell=(f"{prefix}inv_2", "ZN"),
        load_pf=0.07291,
    )


def _roles(tracks: int) -> CellRoles:
    prefix = f"{_library(tracks)}__"
    short = {
        "buffers": "buf_2 buf_3 buf_4 buf_8 buf_12 buf_16 buf_20",
        "inverters": "inv_2 inv_3 inv_4 inv_8 inv_12 inv_16 inv_20",
        "clock_gates": "icgtp_1 icgtn_1 icgtp_2 icgtn_2 icgtp_4 icgtn_4",
        **_ORDER[tracks],
    }
    return roles(prefix, short, _hints(tracks), {"hi": (f"{prefix}tieh", "Z"), "lo": (f"{prefix}tiel", "ZN")})


def _load(name: str, variant: str, tracks: int, place: Path) -> Pdk:
    install = f"suzuri pdk install {name}"
    stem = _library(tracks)
    library = place / "libs.ref" / stem
    corners = corner_files(view_folder(library, "lib", "liberty"), f"{stem}__")
    chosen = default_corner(corners, "tt_025C_5v00", place, install)
    tech_lef = need(library / "techlef" / f"{stem}__nom.tlef", "tech LEF", place, install)
    tech = read_tech(tech_lef)
    lef = need(library / "lef" / f"{stem}.lef", "LEF file", place, install)
    one = files(library / "gds", f"{stem}.gds")
    sram = place / "libs.ref" / "gf180mcu_fd_ip_sram"
    return Pdk(
        name=name,
        family="gf180",
        library=stem,
        description=f"GlobalFoundries 180 nm MCU, {tracks}-track 5 V standard cells",
        node_nm=180,
        root=place,
        version=open_pdk_version(place),
        licence="Apache-2.0",
        corners=corners,
        default_corner=chosen,
        roles=_roles(tracks),
        time_unit_ns=1.0,
        cap_unit_pf=1.0,
        site=tech.sites[0] if tech.sites else None,
        layers=tech.layers,
        macros=sram_by_name(sram, _SRAM, corners, _SRAM_CORNER, lambda _name: ((_PORT,), {})),
        tech_lef=tech_lef,
        cell_lef=(lef,),
        gds=one or files(library / "gds", f"{stem}__*.gds"),
        cdl=files(library / "cdl", f"{stem}.cdl"),
        notes=("cells of drive 1 are not used: several break layout rules",),
        extra=extra("VDD", "VSS", "Metal2", "Metal5") | {"variant": variant, "tracks": str(tracks)},
    )


def offers() -> tuple[Offer, ...]:
    """Return each metal stack with each library, installed or not; 7 tracks unless said."""
    found = []
    for variant in ("gf180mcuD", "gf180mcuC"):
        for tracks in (7, 9):
            name = variant if tracks == 7 else f"{variant}-{tracks}t"
            found.append(
                Offer(
                    name=name,
                    family="gf180",
                    library=_library(tracks),
                    description=f"GlobalFoundries 180 nm MCU, {tracks}-track 5 V standard cells",
                    licence="Apache-2.0",
                    locate=partial(find_open_pdk, variant, "gf180mcu", _library(tracks)),
                    load=partial(_load, name, variant, tracks),
                    hints=_hints(tracks),
                    install=f"suzuri pdk install {name}",
                )
            )
    return tuple(found)
