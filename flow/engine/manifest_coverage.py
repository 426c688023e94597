"""Reads what a manifest says of code coverage."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from flow.engine.manifest_table import Table, build
from flow.model.coverage import KINDS, CoverageSpec, CoverageWaiver, check_kinds
from flow.model.errors import ConfigError

__all__ = ["coverage_of", "kinds_in"]


def kinds_in(table: Table, key: str) -> tuple[str, ...] | None:
    """Return the kinds of code coverage at `key`: all for ``true``, none for ``false``.

    Returns
    -------
    tuple of str or None
        ``None`` where the key is not there.

    Raises
    ------
    ConfigError
        A kind is not known; the message suggests the nearest.
    """
    value = table.get(key, (bool, list, str))
    if value is None or isinstance(value, bool):
        return KINDS if value else None if value is None else ()
    try:
        return check_kinds(table.strings(key))
    except ValueError as error:
        raise ConfigError(
            str(error), table.place(key), f"Kinds are {', '.join(KINDS)}; true means all of them."
        ) from None


def coverage_of(table: Table) -> CoverageSpec:
    """Read the table ``[coverage]``.

    Raises
    ------
    ConfigError
        A key or a kind is not known, or a waiver has no reason.
    """
    table.only(("kinds", "waive"))
    waivers = tuple(_waiver(entry) for entry in table.tables("waive"))
    made: CoverageSpec = build(
        CoverageSpec, table, {"kinds": kinds_in(table, "kinds") or (), "waivers": waivers}
    )
    return made


def _waiver(table: Table) -> CoverageWaiver:
    table.only(tuple(f.name for f in fields(CoverageWaiver)))
    if "reason" not in table.data:
        raise ConfigError("the key 'reason' is missing", table.place("reason"), "A waiver says why.")
    texts = ("reason", "file", "hierarchy", "match")
    values: dict[str, Any] = {key: table.get(key, str) for key in texts if key in table.data}
    values["kinds"] = kinds_in(table, "kinds") or ()
    lines = table.get("lines", (list, int))
    if lines is not None:
        pair = [lines, lines] if isinstance(lines, int) else lines
        if len(pair) != 2 or not all(type(n) is int for n in pair):
            raise ConfigError(f"expected [first, last], found {lines!r}", table.place("lines"))
        values["lines"] = (pair[0], pair[1])
    made: CoverageWaiver = build(CoverageWaiver, table, values)
    return made
