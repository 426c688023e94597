"""Which PDKs there are, which of them are installed, and how to get the others.

Six families are built in. Others ship theirs as a distribution with an entry
point in the group ``suzuri.pdks`` that names a function returning a tuple of
``pdk_adapters.family.Offer``; what it returns is checked when it registers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from flow.model.errors import ConfigError
from flow.model.pdk import Corner, Pdk

if TYPE_CHECKING:
    from pdk_adapters.family import Offer

__all__ = [
    "GROUP", "PdkInfo", "corner", "families", "find", "info", "installed", "known", "offer", "problems",
    "register",
]  # fmt: skip

GROUP = "suzuri.pdks"
# Names by module, so that finding one PDK imports one module; a test compares them with the offers.
_BUILT_IN = {
    "osu": ("osu018", "osu035", "osu050"),
    "sky130": ("sky130A", "sky130B"),
    "gf180": ("gf180mcuD", "gf180mcuD-9t", "gf180mcuC", "gf180mcuC-9t"),
    "ihp": ("ihp-sg13g2",),
    "orfs": ("nangate45", "asap7"),
}
_registered: dict[str, Offer] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PdkInfo:
    """One line of a list of PDKs.

    Attributes
    ----------
    installed
        Whether it was found on this machine.
    root
        Where, or ``None``.
    reason
        Why it cannot be used; empty when it is installed.
    install
        How to install it.
    """

    name: str
    family: str
    library: str
    description: str
    licence: str
    installed: bool
    root: Path | None
    reason: str
    install: str


def families() -> tuple[str, ...]:
    """Return the names of all families, built in and shipped by others."""
    return tuple(dict.fromkeys(o.family for o in _offers()))


def known() -> tuple[PdkInfo, ...]:
    """Return every PDK that an adapter knows, installed or not."""
    return tuple(_info(o) for o in _offers())


def info(name: str) -> PdkInfo:
    """Return what is known of the PDK called `name`.

    Raises
    ------
    ConfigError
        There is no adapter for it.
    """
    return _info(offer(name))


def offer(name: str) -> Offer:
    """Return the adapter's offer called `name`, installed or not.

    Raises
    ------
    ConfigError
        There is none; the message suggests the nearest name.
    """
    for module, names in _BUILT_IN.items():
        if name in names:
            return next(o for o in _built_in(module) if o.name == name)
    if name in _registered:
        return _registered[name]
    for found in _plugins()[0]:
        if found.name == name:
            return found
    raise _unknown(name)


def find(name: str) -> Pdk:
    """Describe the installed PDK called `name`.

    Raises
    ------
    ConfigError
        There is no such PDK (the nearest is suggested), it is not installed
        (the message says how), or views of it are missing.
    """
    wanted = offer(name)
    place = wanted.locate()
    if place is None:
        raise ConfigError(
            f"PDK {name} is not installed: {_missing(wanted)}", None, f"Install it: {wanted.install}"
        )
    return wanted.load(place)


def installed() -> tuple[Pdk, ...]:
    """Describe every installed PDK whose views are complete."""
    found = []
    for one in _offers():
        place = one.locate()
        if place is None:
            continue
        try:
            found.append(one.load(place))
        except ConfigError:
            continue  # known() gives the reason
    return tuple(found)


def corner(pdk: Pdk, name: str | None = None) -> Corner:
    """Return a corner of `pdk` by name or by process; the default one for ``None``.

    Raises
    ------
    ConfigError
        There is no such corner; the message lists those that exist.
    """
    try:
        return pdk.corner(name)
    except KeyError:
        names = [c.name for c in pdk.corners]
        near = _nearest(str(name), names)
        hint = f"Did you mean {near}? " if near else ""
        raise ConfigError(
            f"PDK {pdk.name} has no corner {name!r}", None, f"{hint}It has: {', '.join(names)}"
        ) from None


def register(one: Offer, origin: str = "this program") -> None:
    """Add a PDK for the life of this process.

    Raises
    ------
    ConfigError
        `one` is not a sound offer, or its name is taken.
    """
    problem = _flaw(one)
    if problem is None and any(o.name == one.name for o in _offers()):
        problem = f"the name {one.name} is taken"
    if problem is not None:
        raise ConfigError(f"PDK adapter: {problem}", origin, "Correct the adapter")
    _registered[one.name] = one


def problems() -> tuple[str, ...]:
    """Say which plugins could not be used, and why."""
    return _plugins()[1]


def _offers() -> tuple[Offer, ...]:
    built_in = [o for module in _BUILT_IN for o in _built_in(module)]
    return (*built_in, *_registered.values(), *_plugins()[0])


@cache
def _built_in(module: str) -> tuple[Offer, ...]:
    loaded: tuple[Offer, ...] = import_module(f"pdk_adapters.{module}").offers()
    return loaded


@cache
def _plugins() -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    # Slow to import, and only needed for strangers' PDKs.
    from importlib.metadata import entry_points  # noqa: PLC0415

    offers: list[Offer] = []
    flaws: list[str] = []
    taken = {name for names in _BUILT_IN.values() for name in names}
    for point in entry_points(group=GROUP):
        if point.value.startswith("pdk_adapters."):
            continue  # our own, when installed
        where = f"{point.name} ({point.value})"
        try:
            offers += _checked(point.load(), taken)
        except Exception as error:
            flaws.append(f"PDK plugin {where}: {error}")
    return tuple(offers), tuple(flaws)


def _checked(function: Callable[[], Iterable[Offer]], taken: set[str]) -> list[Offer]:
    if not callable(function):
        raise TypeError("the entry point is not a function that returns offers")
    found = list(function())
    for one in found:
        problem = _flaw(one) or (f"the name {one.name} is taken" if one.name in taken else None)
        if problem:
            raise ValueError(problem)
        taken.add(one.name)
    return found


def _flaw(one: object) -> str | None:
    from pdk_adapters.family import Offer  # noqa: PLC0415 - only needed to check strangers

    if not isinstance(one, Offer):
        return f"{one!r} is not a pdk_adapters.family.Offer"
    for field in ("name", "family", "library", "description", "licence", "install"):
        value = getattr(one, field)
        if not isinstance(value, str) or not value.strip():
            return f"{field} of {one.name!r} must be a text that is not empty"
    if any(c.isspace() or c in "/,:" for c in one.name):
        return f"the name {one.name!r} may not have spaces, '/', ',' or ':'"
    for field in ("locate", "load"):
        if not callable(getattr(one, field)):
            return f"{field} of {one.name} must be a function"
    return None


def _info(one: Offer) -> PdkInfo:
    place, reason = one.locate(), ""
    if place is None:
        reason = f"not installed: {_missing(one)}"
    else:
        try:
            one.load(place)
        except ConfigError as error:
            reason = str(error)
    return PdkInfo(
        name=one.name,
        family=one.family,
        library=one.library,
        description=one.description,
        licence=one.licence,
        installed=place is not None and not reason,
        root=place,
        reason=reason,
        install=one.install,
    )


def _missing(one: Offer) -> str:
    """Say where was looked, and whether PDK_ROOT names something that is not there."""
    if one.family == "osu":
        override = os.environ.get("QFLOW_TECH", "").strip()
        return f"it is not below {override or '/usr/share/qflow/tech'}" + (
            " (QFLOW_TECH)" if override else ""
        )
    raw = [p for p in os.environ.get("PDK_ROOT", "").split(os.pathsep) if p.strip()]
    if not raw:
        return "PDK_ROOT is not set, and ~/.ciel does not have it"
    lost = [p for p in raw if not Path(p).expanduser().is_dir()]
    if lost:
        return f"PDK_ROOT names {lost[0]}, which is not a folder"
    return f"it is not below PDK_ROOT ({os.pathsep.join(raw)}) or ~/.ciel"


def _unknown(name: str) -> ConfigError:
    names = [o.name for o in _offers()]
    near = _nearest(name, names)
    hint = f"Did you mean {near}? " if near else ""
    broken = f" These plugins could not be used: {'; '.join(problems())}." if problems() else ""
    return ConfigError(f"there is no PDK {name!r}", None, f"{hint}Known are: {', '.join(names)}.{broken}")


def _nearest(word: str, words: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for a message

    lowered = {w.lower(): w for w in words}
    found = get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.5)
    return lowered[found[0]] if found else None
