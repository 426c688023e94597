"""Parameters of a manifest as a constructor wants them: enumerations, dataclasses, tuples, paths."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["typed_parameters"]


def typed_parameters(cls: type, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return `parameters`, each made into what the constructor's annotation of it asks for.

    What has no annotation, or one that says nothing about a TOML value, stays
    as it is: the constructor has the last word.

    Raises
    ------
    ValueError
        A value is none of an enumeration's members, or a dataclass refuses
        its fields.
    """
    try:
        hints = typing.get_type_hints(inspect.unwrap(getattr(cls, "__init__")))  # noqa: B009 - as mypy wants it
    except Exception:  # an annotation that cannot be evaluated says nothing
        hints = {}
    return {name: _typed(value, hints.get(name), name) for name, value in parameters.items()}


def _typed(value: Any, hint: Any, name: str) -> Any:  # noqa: ANN401 - TOML in, anything out
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [h for h in typing.get_args(hint) if h is not type(None)]
        return _typed(value, options[0], name) if len(options) == 1 else value
    if origin is tuple and isinstance(value, list):
        items = typing.get_args(hint)
        same = len(items) == 2 and items[1] is ...
        wanted = [items[0]] * len(value) if same else [*items, *[None] * len(value)]
        return tuple(_typed(v, h, name) for v, h in zip(value, wanted, strict=False))
    if not isinstance(hint, type):
        return value
    if isinstance(hint, enum.EnumMeta):
        return _member(hint, value, name)
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _instance(hint, value, name)
    return hint(value) if issubclass(hint, Path) and isinstance(value, str) else value


def _member(hint: enum.EnumMeta, value: Any, name: str) -> Any:  # noqa: ANN401
    """Return the member of that name, else of that value."""
    members: Mapping[str, Any] = hint.__members__
    if isinstance(value, str) and value in members:
        return members[value]
    for member in members.values():
        if member.value == value and type(member.value) is type(value):
            return member
    raise ValueError(f"{name} is one of {', '.join(members)}, not {value!r}")


def _instance(hint: type, value: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401
    try:
        hints = typing.get_type_hints(hint)
    except Exception:  # as above
        hints = {}
    try:
        return hint(**{k: _typed(v, hints.get(k), f"{name}.{k}") for k, v in value.items()})
    except TypeError as error:
        raise ValueError(f"{name} cannot be made: {error}") from None
