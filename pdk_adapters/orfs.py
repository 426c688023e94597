"""nangate45 and asap7, as OpenROAD-flow-scripts lays out its platforms.

Source
------
OpenROAD-flow-scripts ``platforms/nangate45/config.mk`` and
``platforms/asap7/config.mk``: don't-use lists, tie cells, driving cells, loads
(3.898 fF). Of asap7's list ``ICG*`` and ``DFFH*`` are left out: they keep its
own mapper from cells that it instantiates by hand, and there are no other
flops. Scan flops are added.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.pdk import CellRoles, Corner, Macro, MemoryPort, Pdk
from pdk_adapters.discovery import files, find_platform, git_version
from pdk_adapters.family import Offer, default_corner, extra, need, sites_of, sram_macros
from pdk_adapters.hints import RoleHints
from pdk_adapters.lef import read_tech

__all__ = ["offers"]

_INSTALL = (
    "git clone --depth 1 https://github.com/The-OpenROAD-Project/OpenROAD-flow-scripts, "
    "then set FLOW_HOME to its folder 'flow'; suzuri pdk install {} has the details"
)
_LOAD_PF = 0.003898
_A = "_ASAP7_75t_R"


def _asap7(names: str) -> tuple[str, ...]:
    return tuple(name + _A for name in names.split())


_NANGATE_HINTS = RoleHints(
    dont_use=("TAPCELL_X1", "FILLCELL_*", "AOI211_X1", "OAI211_X1", "SDFF*"),
    clock=("CLKBUF_*",),
    fillers=tuple(f"FILLCELL_X{n}" for n in (1, 2, 4, 8, 16, 32)),
    tap="TAPCELL_X1",
    antenna="ANTENNA_X1",
    driving_cell=("BUF_X1", "Z"),
    load_pf=_LOAD_PF,
)
_NANGATE_ROLES = CellRoles(
    buffers=("BUF_X1", "BUF_X2", "BUF_X4", "BUF_X8", "BUF_X16", "BUF_X32"),
    inverters=("INV_X1", "INV_X2", "INV_X4", "INV_X8", "INV_X16", "INV_X32"),
    flops=("DFF_X1", "DFF_X2", "DFFR_X1", "DFFS_X1", "DFFR_X2", "DFFS_X2", "DFFRS_X1", "DFFRS_X2"),
    latches=("DLL_X1", "DLH_X1", "DLL_X2", "DLH_X2"),
    clock_gates=tuple(f"CLKGATE{t}_X{n}" for n in (1, 2, 4, 8) for t in ("", "TST")),
    clock_buffers=("CLKBUF_X1", "CLKBUF_X2", "CLKBUF_X3"),
    fillers=_NANGATE_HINTS.fillers,
    tap=_NANGATE_HINTS.tap,
    antenna=_NANGATE_HINTS.antenna,
    tie_hi=("LOGIC1_X1", "Z"),
    tie_lo=("LOGIC0_X1", "Z"),
    driving_cell=_NANGATE_HINTS.driving_cell,
    load_pf=_LOAD_PF,
    dont_use=_NANGATE_HINTS.dont_use,
)
_ASAP7_HINTS = RoleHints(
    dont_use=("*x1p*_ASAP7*", "*xp*_ASAP7*", "SDF*"),
    delay=("HB*",),
    clock=("CKINV*",),
    fillers=_asap7("FILLERxp5 FILLER"),
    tap=f"TAPCELL{_A}",
    driving_cell=(f"BUFx2{_A}", "Y"),
    load_pf=_LOAD_PF,
)
_ASAP7_ROLES = CellRoles(
    buffers=_asap7("BUFx2 BUFx3 BUFx4 BUFx4f BUFx5 BUFx6f BUFx8 BUFx10 BUFx12 BUFx12f BUFx16f BUFx24"),
    inverters=_asap7("INVx1 INVx2 INVx3 INVx4 INVx5 INVx6 INVx8 INVx11 INVx13"),
    flops=_asap7("DFFHQNx1 DFFHQNx2 DFFHQNx3 DFFHQx4 DFFLQNx1 DFFLQNx2 DFFLQNx3 DFFLQx4 DFFASRHQNx1"),
    latches=_asap7("DHLx1 DLLx1 DHLx2 DLLx2 DHLx3 DLLx3"),
    clock_gates=_asap7("ICGx1 ICGx2 ICGx3 ICGx4 ICGx5 ICGx2p67DC ICGx4DC ICGx5p33DC ICGx6p67DC ICGx8DC"),
    fillers=_ASAP7_HINTS.fillers,
    tap=_ASAP7_HINTS.tap,
    tie_hi=(f"TIEHIx1{_A}", "H"),
    tie_lo=(f"TIELOx1{_A}", "L"),
    driving_cell=_ASAP7_HINTS.driving_cell,
    load_pf=_LOAD_PF,
    dont_use=_ASAP7_HINTS.dont_use,
)
_NANGATE_CORNERS = {
    "typ": ("typical", "tt", "1.1", 25),
    "slow": ("slow", "ss", "0.95", 125),
    "fast": ("fast", "ff", "1.25", 0),
}
# Names follow the other PDKs; the files say only TT, SS, FF. Conditions as in the Liberty files.
_ASAP7_CORNERS = {
    "TT": ("tt_025C_0v70", "0.70", 25),
    "SS": ("ss_100C_0v63", "0.63", 100),
    "FF": ("ff_000C_0v77", "0.77", 0),
}
_ASAP7_PARTS = ("AO", "INVBUF", "OA", "SEQ", "SIMPLE")
# The platforms say nothing of what is read in a cycle that writes: taken as unchanged.
_PORT = MemoryPort(
    clock="clk",
    address="addr_in",
    enables=("ce_in",),
    write="we_in",
    write_data="wd_in",
    read_data="rd_out",
)
_FAKERAM = re.compile(r"fakeram(?:45|7)_(\d+)x(\d+)")


def _macros(place: Path, liberty: Path, corners: tuple[Corner, ...]) -> tuple[Macro, ...]:
    names = {
        path.stem: (int(match[1]), int(match[2]), 1)
        for path in files(place / "lef", "fakeram*.lef")
        if (match := _FAKERAM.fullmatch(path.stem))
    }

    def views(name: str) -> dict[str, Path]:
        path = liberty / f"{name}.lib"
        return {c.name: path for c in corners} if path.is_file() else {}

    def pins(name: str) -> tuple[tuple[MemoryPort, ...], dict[str, int]]:
        return (replace(_PORT, mask="w_mask_in") if name.startswith("fakeram45") else _PORT,), {}

    return sram_macros(
        names, views, lambda n: place / "lef" / f"{n}.lef", lambda n: place / "gds" / f"{n}.gds", pins
    )


def _version(place: Path) -> str:
    """Return the commit of the clone of which `place` is ``flow/platforms/<name>``."""
    below = place.parts[-3:-1]
    return git_version(place.parents[2]) if below == ("flow", "platforms") else "unknown"


def _nangate45(place: Path) -> Pdk:
    install = _INSTALL.format("nangate45")
    corners = tuple(
        Corner(
            name=name, process=process, voltage_v=Decimal(volts), temperature_c=celsius, liberty=(found[0],)
        )
        for name, (stem, process, volts, celsius) in _NANGATE_CORNERS.items()
        if (found := files(place / "lib", f"NangateOpenCellLibrary_{stem}.lib*"))
    )
    tech_lef = need(place / "lef" / "NangateOpenCellLibrary.tech.lef", "tech LEF", place, install)
    lef = need(place / "lef" / "NangateOpenCellLibrary.macro.mod.lef", "LEF file", place, install)
    tech = read_tech(tech_lef)
    return Pdk(
        name="nangate45",
        family="nangate45",
        library="NangateOpenCellLibrary",
        description="Nangate 45 nm open cell library (academic)",
        node_nm=45,
        root=place,
        version=_version(place),
        licence="Nangate Open Cell Library licence",
        corners=corners,
        default_corner=default_corner(corners, "typ", place, install),
        roles=_NANGATE_ROLES,
        time_unit_ns=1.0,
        cap_unit_pf=0.001,
        site=tech.sites[0] if tech.sites else None,
        layers=tech.layers,
        macros=_macros(place, place / "lib", corners),
        tech_lef=tech_lef,
        cell_lef=(lef,),
        gds=files(place / "gds", "NangateOpenCellLibrary.gds"),
        cdl=files(place / "cdl", "NangateOpenCellLibrary.cdl"),
        extra=extra("VDD", "VSS", "metal2", "metal10"),
        notes=(
            "the process does not exist: results are for comparison",
            "SRAM timing is one for all corners",
        ),
    )


def _asap7_corners(folder: Path) -> tuple[Corner, ...]:
    corners = []
    for letters, (name, volts, celsius) in _ASAP7_CORNERS.items():
        # The date is part of the name; the latest counts.
        parts = [files(folder, f"asap7sc7p5t_{part}_RVT_{letters}_nldm_*.lib*")[-1:] for part in _ASAP7_PARTS]
        if all(parts):
            corners.append(
                Corner(
                    name=name,
                    process=letters.lower(),
                    voltage_v=Decimal(volts),
                    temperature_c=celsius,
                    liberty=tuple(part[0] for part in parts),
                )
            )
    return tuple(corners)


def _asap7_pdk(place: Path) -> Pdk:
    install = _INSTALL.format("asap7")
    folder = next(
        (f for f in (place / "lib" / "NLDM", place / "lib") if files(f, "asap7sc7p5t_*")), place / "lib"
    )
    corners = _asap7_corners(folder)
    tech_lef = need(
        next(iter(files(place / "lef", "asap7_tech_1x_*.lef")[-1:]), None), "tech LEF", place, install
    )
    lef = need(
        next(iter(files(place / "lef", "asap7sc7p5t_28_R_1x_*.lef")[-1:]), None), "LEF file", place, install
    )
    sites = sites_of(tech_lef, lef)
    if not corners:
        raise ConfigError(
            f"the PDK is not complete: no corner has all of {', '.join(_ASAP7_PARTS)}",
            folder,
            f"Install it again: {install}",
        )
    return Pdk(
        name="asap7",
        family="asap7",
        library="asap7sc7p5t_RVT",
        description="ASAP7 7 nm predictive, 7.5-track RVT standard cells (academic)",
        node_nm=7,
        root=place,
        version=_version(place),
        licence="BSD-3-Clause",
        corners=corners,
        default_corner=default_corner(corners, "tt_025C_0v70", place, install),
        roles=_ASAP7_ROLES,
        time_unit_ns=0.001,
        cap_unit_pf=0.001,
        site=next((s for s in sites if s.name == "asap7sc7p5t"), sites[0] if sites else None),
        layers=tuple(layer for layer in read_tech(tech_lef).layers if layer.name != "Pad"),
        macros=_macros(place, folder, corners),
        tech_lef=tech_lef,
        cell_lef=(lef,),
        gds=files(place / "gds", "asap7sc7p5t_28_R_*.gds"),
        cdl=files(place / "cdl", "*.cdl"),
        extra=extra("VDD", "VSS", "M2", "M7"),
        notes=(
            "the process does not exist: results are for comparison",
            "SRAM timing is one for all corners",
        ),
    )


def offers() -> tuple[Offer, ...]:
    """Return both PDKs, installed or not."""
    return (
        Offer(
            name="nangate45",
            family="nangate45",
            library="NangateOpenCellLibrary",
            description="Nangate 45 nm open cell library (academic)",
            licence="Nangate Open Cell Library licence",
            locate=partial(find_platform, "nangate45"),
            load=_nangate45,
            hints=_NANGATE_HINTS,
            install=_INSTALL.format("nangate45"),
        ),
        Offer(
            name="asap7",
            family="asap7",
            library="asap7sc7p5t_RVT",
            description="ASAP7 7 nm predictive, 7.5-track RVT standard cells (academic)",
            licence="BSD-3-Clause",
            locate=partial(find_platform, "asap7"),
            load=_asap7_pdk,
            hints=_ASAP7_HINTS,
            install=_INSTALL.format("asap7"),
        ),
    )
