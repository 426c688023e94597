"""TOML tables with their place in the file, so that messages can name it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError

__all__ = ["Table", "build", "kind_name", "kind_of"]


class Table:
    """One TOML table with its place in the file, read key by key.

    Raises
    ------
    ConfigError
        It is no table; so do its methods where a value is not what they want.
    """

    def __init__(self, data: Any, file: Path, key: str) -> None:  # noqa: ANN401 - TOML
        if not isinstance(data, dict):
            raise ConfigError(f"expected a table, found {kind_of(data)}", f"{file}: {key}", f"Write [{key}].")
        self.data, self.file, self.key = data, file, key

    def place(self, name: str = "") -> str:
        """Return where this table, or its key `name`, stands."""
        return f"{self.file}: " + ".".join(p for p in (self.key, name) if p)

    def only(self, allowed: tuple[str, ...]) -> None:
        """Refuse keys that are not in `allowed`, suggesting the nearest."""
        for name in self.data:
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, n=1, cutoff=0.5)
                remedy = (
                    f"Did you mean {near[0]!r}?"
                    if near
                    else f"Known keys here: {', '.join(sorted(allowed))}."
                )
                raise ConfigError(f"unknown key {name!r}", self.place(name), remedy)

    def get(self, name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:  # noqa: ANN401
        """Return the value of `name`, checked to be of `kind`."""
        if name not in self.data:
            return default
        value = self.data[name]
        wrong_bool = isinstance(value, bool) and bool not in (kind if isinstance(kind, tuple) else (kind,))
        if not isinstance(value, kind) or wrong_bool:
            raise ConfigError(
                f"expected {kind_name(kind)}, found {kind_of(value)} {value!r}",
                self.place(name),
                f"Give {name} as {kind_name(kind)}.",
            )
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        """Return a list of strings; a single string counts as a list of one."""
        value = self.get(name, (list, str), [])
        items = [value] if isinstance(value, str) else value
        for item in items:
            if not isinstance(item, str):
                raise ConfigError(f"expected strings, found {item!r}", self.place(name))
        return tuple(items)

    def table(self, name: str) -> Table:
        """Return the table `name`, an empty one where there is none."""
        return Table(self.data.get(name, {}), self.file, ".".join(p for p in (self.key, name) if p))

    def tables(self, name: str) -> list[Table]:
        """Return the tables of the list `name`."""
        value = self.data.get(name, [])
        path = ".".join(p for p in (self.key, name) if p)
        if not isinstance(value, list):
            raise ConfigError(
                f"expected a list of tables, found {kind_of(value)}", self.place(name), f"Write [[{path}]]."
            )
        return [Table(item, self.file, f"{path}[{i}]") for i, item in enumerate(value)]


def kind_of(value: object) -> str:
    """Return what TOML calls a value: ``a number``."""
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string"}
    names |= {list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def kind_name(kind: type | tuple[type, ...]) -> str:
    """Return what TOML calls values of a type, or of several."""
    names = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}
    names |= {list: "a list", dict: "a table"}
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if set(kinds) == {int, float}:
        return "a number"
    return " or ".join(names.get(k, k.__name__) for k in kinds)


def build(cls: Callable[..., Any], table: Table, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Make a model object; its ``ValueError`` becomes a ``ConfigError`` with the place."""
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(str(error), table.place()) from None
