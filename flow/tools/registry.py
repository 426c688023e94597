"""Which tool adapters there are: ours, and those that others ship.

A plugin names itself in its distribution's metadata, in the entry-point group
``suzuri.tools``; it is checked when it is registered, not when it first runs.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from flow.model.errors import ConfigError
from flow.model.tool import ToolAdapter

__all__ = ["BUILT_IN", "GROUP", "adapter", "adapters", "check_adapter"]

GROUP = "suzuri.tools"

#: Name to ``module:attribute``; imported when it is asked for, since
#: ``suzuri --help`` needs none of them.
BUILT_IN: Mapping[str, str] = {
    "abc": "flow.tools.abc:ABC",
    "boolector": "flow.tools.smtbmc:BOOLECTOR",
    "cocotb": "flow.tools.cocotb:COCOTB",
    "cxx": "flow.tools.verilator:CXX",
    "gcc": "flow.tools.gcc:GCC",
    "icarus": "flow.tools.icarus:ICARUS",
    "opensta": "flow.tools.opensta:OpenSta",
    "smtbmc": "flow.tools.smtbmc:SMTBMC",
    "spike": "flow.tools.spike:SPIKE",
    "verilator": "flow.tools.verilator:VERILATOR",
    "yices": "flow.tools.smtbmc:YICES",
    "yosys": "flow.tools.yosys:Yosys",
}

_NAME = re.compile(r"^[a-z][a-z0-9_-]*$")


def check_adapter(candidate: object, where: str) -> ToolAdapter:
    """Return `candidate`, an adapter or a class of one, once it is known to be one.

    Parameters
    ----------
    candidate
        What an entry point named.
    where
        Who registered it, for the message.

    Raises
    ------
    ConfigError
        It has no ``name``, ``minimum_version`` or ``detect()``, or they are
        not what :class:`~flow.model.tool.ToolAdapter` says.
    """
    remedy = "Mend the plugin, or uninstall its distribution."
    if isinstance(candidate, type):
        try:
            candidate = candidate()
        except Exception as error:
            raise ConfigError(f"tool adapter cannot be made: {error}", where, remedy) from error
    if not isinstance(candidate, ToolAdapter):
        lacks = [n for n in ("name", "minimum_version", "detect") if not hasattr(candidate, n)]
        raise ConfigError(f"not a tool adapter: it has no {' and no '.join(lacks)}", where, remedy)
    if not isinstance(candidate.name, str) or not _NAME.match(candidate.name):
        raise ConfigError(f"tool adapter with the name {candidate.name!r}", where, remedy)
    least = candidate.minimum_version
    if not isinstance(least, tuple) or not all(isinstance(n, int) for n in least):
        raise ConfigError(
            f"tool adapter {candidate.name}: minimum_version is {least!r}, not a tuple of integers",
            where,
            remedy,
        )
    if not callable(candidate.detect):
        raise ConfigError(f"tool adapter {candidate.name}: detect is not a method", where, remedy)
    return candidate


def adapters() -> dict[str, ToolAdapter]:
    """Return all adapters by name, in alphabetical order.

    Raises
    ------
    ConfigError
        A plugin is not an adapter, cannot be imported, or takes a name that
        is in use.
    """
    found = {name: _built_in(name) for name in BUILT_IN}
    origin = dict.fromkeys(found, "Suzuri")
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        if point.value in BUILT_IN.values():
            continue
        plugin = _load(point)
        if plugin.name in found:
            raise ConfigError(
                f"tool adapter {plugin.name!r} is also registered by {origin[plugin.name]}",
                _origin(point),
                "Uninstall one of the two distributions.",
            )
        found[plugin.name], origin[plugin.name] = plugin, _origin(point)
    return dict(sorted(found.items()))


def adapter(name: str) -> ToolAdapter:
    """Return the adapter called `name`.

    Raises
    ------
    ConfigError
        There is none.
    """
    if name in BUILT_IN:
        return _built_in(name)
    known = adapters()
    if name not in known:
        raise ConfigError(f"there is no tool adapter {name!r}", None, f"Known: {', '.join(known)}.")
    return known[name]


@cache
def _built_in(name: str) -> ToolAdapter:
    module, _, attribute = BUILT_IN[name].partition(":")
    return check_adapter(getattr(importlib.import_module(module), attribute), BUILT_IN[name])


def _load(point: EntryPoint) -> ToolAdapter:
    try:
        candidate = point.load()
    except Exception as error:  # a plugin's import may raise anything
        raise ConfigError(
            f"tool plugin cannot be imported: {type(error).__name__}: {error}",
            _origin(point),
            "Mend the plugin, or uninstall its distribution.",
        ) from error
    return check_adapter(candidate, _origin(point))


def _origin(point: EntryPoint) -> str:
    dist = f" of {point.dist.name}" if point.dist is not None else ""
    return f"entry point {point.name} = {point.value}{dist}"
