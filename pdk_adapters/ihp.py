"""IHP 130 nm BiCMOS SG13G2, with its SRAM macros, in the layout of open_pdks and IHP's own.

Source
------
Don't-use list: OpenROAD-flow-scripts ``platforms/ihp-sg13g2/config.mk``
without ``dfrbp_2``, which is a sound cell, and with scan flops. Driving cell
and load: the same file and IHP's LibreLane configuration (``buf_4``, 6 fF).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

from flow.model.pdk import Corner, MemoryPort, Pdk
from pdk_adapters.discovery import files, find_open_pdk, open_pdk_version
from pdk_adapters.family import Offer, default_corner, extra, need
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import read_tech
from pdk_adapters.open_pdks import cells, roles, sram_by_name, view_folder

__all__ = ["offers"]

_NAME = "ihp-sg13g2"
_LIBRARY = "sg13g2_stdcell"
_P = "sg13g2_"
_INSTALL = f"suzuri pdk install {_NAME}"
_HINTS = RoleHints(
    dont_use=cells(_P, "sighold lgcp_1 slgcp_1 sdf*"),
    delay=cells(_P, "dlygate*"),
    fillers=cells(_P, "fill_1 fill_2 fill_4 fill_8"),
    antenna=f"{_P}antennanp",
    driving_cell=(f"{_P}buf_4", "X"),
    load_pf=0.006,
)
_ROLES = roles(
    _P,
    {
        "buffers": "buf_1 buf_2 buf_4 buf_8 buf_16",
        "inverters": "inv_1 inv_2 inv_4 inv_8 inv_16",
        "flops": "dfrbpq_1 dfrbp_1 dfrbpq_2 dfrbp_2",
        "latches": "dlhrq_1 dllrq_1 dlhq_1 dlhr_1 dllr_1",
        "clock_gates": "lgcp_1 slgcp_1",
    },
    _HINTS,
    {"hi": (f"{_P}tiehi", "L_HI"), "lo": (f"{_P}tielo", "L_LO")},
)
_PROCESS = {"typ": "tt", "slow": "ss", "fast": "ff"}
_CORNER = re.compile(r"sg13g2_stdcell_((typ|slow|fast)_(\d+)p(\d+)V_(m?)(\d+)C)\.lib(?:\.gz)?")
_SRAM = re.compile(r"RM_IHPSG13_(?P<ports>[12])P_(?:core_)?(?P<words>\d+)x(?P<bits>\d+)_c\d+\w*")
_SRAM_CORNER = re.compile(r"_(?P<process>typ|slow|fast)_(?P<whole>\d+)p(?P<part>\d+)V_m?\d+C")


def _pins(name: str) -> tuple[tuple[MemoryPort, ...], Mapping[str, int]]:
    """Return a macro's ports, and its test and delay pins, tied as for use."""
    match = _SRAM.fullmatch(name)
    letters = "AB"[: int(match["ports"]) if match else 1]
    masked, tested = "_bm" in name, "_bist" in name
    access, ties = [], {}
    for p in letters:
        access.append(
            MemoryPort(
                clock=f"{p}_CLK",
                address=f"{p}_ADDR",
                enables=(f"{p}_MEN",),
                write=f"{p}_WEN",
                read=f"{p}_REN",
                write_data=f"{p}_DIN",
                read_data=f"{p}_DOUT",
                mask=f"{p}_BM" if masked else None,
            )
        )
        ties[f"{p}_DLY"] = 1
        if tested:
            ties |= {f"{p}_BIST_{pin}": 0 for pin in ("CLK", "EN", "MEN", "WEN", "REN", "ADDR", "DIN", "BM")}
    return tuple(access), ties


def _corners(folder: Path) -> tuple[Corner, ...]:
    found: dict[str, Corner] = {}
    for path in files(folder, "sg13g2_stdcell_*.lib*"):
        match = _CORNER.fullmatch(path.name)
        if match is None or match[1] in found:
            continue
        found[match[1]] = Corner(
            name=match[1],
            process=_PROCESS[match[2]],
            voltage_v=Decimal(f"{match[3]}.{match[4]}"),
            temperature_c=int(match[6]) * (-1 if match[5] else 1),
            liberty=(path,),
        )
    order = ("tt", "ss", "ff")
    return tuple(sorted(found.values(), key=lambda c: (order.index(c.process), c.voltage_v)))


def _load(place: Path) -> Pdk:
    library = place / "libs.ref" / _LIBRARY
    corners = _corners(view_folder(library, "lib", "liberty"))
    chosen = default_corner(corners, "typ_1p20V_25C", place, _INSTALL)
    tech_lef = need(library / "lef" / "sg13g2_tech.lef", "tech LEF", place, _INSTALL)
    lef = need(library / "lef" / f"{_LIBRARY}.lef", "LEF file", place, _INSTALL)
    sites = read_tech(tech_lef).sites or read_tech(lef).sites
    return Pdk(
        name=_NAME,
        family="ihp",
        library=_LIBRARY,
        description="IHP 130 nm BiCMOS SG13G2 standard cells and SRAM macros",
        node_nm=130,
        root=place,
        version=open_pdk_version(place),
        licence="Apache-2.0",
        corners=corners,
        default_corner=chosen,
        roles=_ROLES,
        time_unit_ns=1.0,
        cap_unit_pf=1.0,
        site=next((s for s in sites if s.name == "CoreSite"), sites[0] if sites else None),
        layers=read_tech(tech_lef).layers,
        macros=sram_by_name(place / "libs.ref" / "sg13g2_sram", _SRAM, corners, _SRAM_CORNER, _pins),
        tech_lef=tech_lef,
        cell_lef=(lef,),
        gds=files(library / "gds", f"{_LIBRARY}.gds"),
        cdl=files(library / "cdl", f"{_LIBRARY}.cdl"),
        extra=extra("VDD", "VSS", "Metal2", "Metal5"),
        notes=(
            "every flop has an asynchronous reset: one without is tied off",
            "SRAM timing exists at 1.08, 1.20 and 1.32 V; the fast one is for -55 C",
        ),
    )


def offers() -> tuple[Offer, ...]:
    """Return the PDK, installed or not."""
    return (
        Offer(
            name=_NAME,
            family="ihp",
            library=_LIBRARY,
            description="IHP 130 nm BiCMOS SG13G2 standard cells and SRAM macros",
            licence="Apache-2.0",
            locate=partial(find_open_pdk, _NAME, "ihp-sg13", _LIBRARY),
            load=_load,
            hints=_HINTS,
            install=_INSTALL,
        ),
    )
