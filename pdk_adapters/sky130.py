"""SkyWater 130 nm, high-density cells, in the open_pdks layout (``sky130A``, ``sky130B``).

Source
------
Don't-use list: OpenROAD-flow-scripts ``platforms/sky130hd/config.mk`` (probe
and lpflow cells), to which scan flops are added, which only a scan insertion
uses, and flops with enable (edf, sedf), whose enable pins would be driven
unbuffered. Driving cell and load: open_pdks' LibreLane configuration
(``inv_2``, 33.442 fF). Fillers and tap: the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from flow.model.pdk import MemoryPort, Pdk
from pdk_adapters.discovery import files, find_open_pdk, open_pdk_version
from pdk_adapters.family import Offer, corner_files, default_corner, extra, need
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import read_tech
from pdk_adapters.open_pdks import cells, roles, sram_by_name, view_folder

__all__ = ["offers"]

_LIBRARY = "sky130_fd_sc_hd"
_P = f"{_LIBRARY}__"
_HINTS = RoleHints(
    dont_use=cells(_P, "probe* lpflow_* edf* sedf* sdf* macro_sparecell"),
    # bufbuf and bufinv are chains: slower than a buffer of the same drive.
    delay=cells(_P, "dly* clkdly* bufbuf_* bufinv_*"),
    clock=cells(_P, "clk*"),
    fillers=cells(_P, "fill_1 fill_2 fill_4 fill_8"),
    tap=f"{_P}tapvpwrvgnd_1",
    antenna=f"{_P}diode_2",
    driving_cell=(f"{_P}inv_2", "Y"),
    load_pf=0.033442,
)
_ROLES = roles(
    _P,
    {
        "buffers": "buf_1 buf_2 buf_4 buf_6 buf_8 buf_12 buf_16",
        "inverters": "inv_1 inv_2 inv_4 inv_6 inv_8 inv_12 inv_16",
        "flops": "dfxtp_1 dfxbp_1 dfxtp_2 dfxbp_2 dfxtp_4 dfstp_1 dfrbp_1 dfrtp_1 dfsbp_1 dfrbp_2 dfstp_2 "
        "dfsbp_2 dfrtp_2 dfrtp_4 dfstp_4 dfrtn_1 dfbbp_1 dfbbn_1 dfbbn_2",
        "latches": "dlrtp_1 dlrtn_1 dlxtp_1 dlxtn_1 dlxbn_1 dlxbp_1 dlrbn_1 dlrbp_1 dlrtn_2 dlrtp_2 dlxtn_2 "
        "dlxbn_2 dlrbn_2 dlrbp_2 dlxtn_4 dlrtn_4 dlrtp_4",
        "clock_gates": "dlclkp_1 sdlclkp_1 dlclkp_2 sdlclkp_2 dlclkp_4 sdlclkp_4",
        "clock_buffers": "clkbuf_1 clkbuf_2 clkbuf_4 clkbuf_8 clkbuf_16",
    },
    _HINTS,
    {"hi": (f"{_P}conb_1", "HI"), "lo": (f"{_P}conb_1", "LO")},
)
# sky130_sram_1kbyte_1rw1r_32x256_8: bits by words, and bits a write mask covers.
_SRAM = re.compile(r"sky130_sram_\d+kbytes?_(?P<ports>(?:\d+[rw]+)+)_(?P<bits>\d+)x(?P<words>\d+)_\d+")
_SRAM_CORNER = re.compile(r"_(?P<process>TT|SS|FF)_(?P<whole>\d+)p(?P<part>\d+)V_.*")


def _pins(name: str) -> tuple[tuple[MemoryPort, ...], Mapping[str, int]]:
    """Return the ports of a macro of OpenRAM: all read, the first of them also writes, bytes apart."""
    match = _SRAM.fullmatch(name)
    kinds = re.findall(r"\d+(rw|r|w)", match["ports"]) if match else []
    if not kinds or kinds[0] != "rw" or set(kinds[1:]) - {"r"}:
        return (), {}
    access = [
        MemoryPort(
            clock=f"clk{i}",
            address=f"addr{i}",
            enables=(f"!csb{i}",),
            write=None if i else "!web0",
            write_data=None if i else "din0",
            read_data=f"dout{i}",
            mask=None if i else "wmask0",
            mask_bits=8,
        )
        for i in range(len(kinds))
    ]
    return tuple(access), {}


def _load(variant: str, place: Path) -> Pdk:
    install = f"suzuri pdk install {variant}"
    library = place / "libs.ref" / _LIBRARY
    corners = corner_files(view_folder(library, "lib", "liberty"), _P)
    chosen = default_corner(corners, "tt_025C_1v80", place, install)
    tech_lef = need(library / "techlef" / f"{_LIBRARY}__nom.tlef", "tech LEF", place, install)
    tech = read_tech(tech_lef)
    lef = need(library / "lef" / f"{_LIBRARY}.lef", "LEF file", place, install)
    return Pdk(
        name=variant,
        family="sky130",
        library=_LIBRARY,
        description="SkyWater 130 nm, high-density standard cells",
        node_nm=130,
        root=place,
        version=open_pdk_version(place),
        licence="Apache-2.0",
        corners=corners,
        default_corner=chosen,
        roles=_ROLES,
        time_unit_ns=1.0,
        cap_unit_pf=1.0,
        site=next((s for s in tech.sites if s.name == "unithd"), None),
        layers=tech.layers,
        macros=sram_by_name(place / "libs.ref" / "sky130_sram_macros", _SRAM, corners, _SRAM_CORNER, _pins),
        tech_lef=tech_lef,
        # The ef cells that some installations ship apart.
        cell_lef=(lef, *files(library / "lef", "sky130_ef_sc_hd.lef")),
        gds=files(library / "gds", f"{_LIBRARY}.gds"),
        cdl=files(library / "cdl", f"{_LIBRARY}.cdl"),
        notes=("flops with enable (edf) are not used: their enables would be unbuffered",),
        extra=extra("VPWR", "VGND", "met1", "met5") | {"variant": variant},
    )


def offers() -> tuple[Offer, ...]:
    """Return both variants, installed or not."""
    return tuple(
        Offer(
            name=variant,
            family="sky130",
            library=_LIBRARY,
            description=f"SkyWater 130 nm, high-density standard cells{extra}",
            licence="Apache-2.0",
            locate=partial(find_open_pdk, variant, "sky130", _LIBRARY),
            load=partial(_load, variant),
            hints=_HINTS,
            install=f"suzuri pdk install {variant}",
        )
        for variant, extra in (("sky130A", ""), ("sky130B", ", with ReRAM"))
    )
