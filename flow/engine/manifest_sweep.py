"""Reads ``[[sweep]]`` of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flow.engine.manifest_table import Table, build, kind_of
from flow.model.errors import ConfigError
from flow.model.sweep import FLOW_AXES, Axis, Fidelity, Objective, SamplerName, SweepLimit, SweepSpec

__all__ = ["choice", "sweep_of"]

_KEYS = (
    "name", "description", "sampler", "points", "time_s", "fidelity", "promote", "seed", "point_timeout_s",
    "workloads", "model", "search_clock", "constraints", "parameters", "flow", "derive", "objective", "limit",
)  # fmt: skip
_RANGE = ("min", "max", "step", "log")
_NUMBER = (int, float)
#: Flow axes whose values are text.
_TEXT = ("pdk", "corner", "recipe", "hierarchy")

E = TypeVar("E", bound=StrEnum)


def sweep_of(table: Table) -> SweepSpec:
    """Return the sweep that `table` describes.

    Raises
    ------
    ConfigError
        A key is unknown or missing, a value is of the wrong type or out of
        range.
    """
    table.only(_KEYS)
    if not table.get("name", str):
        raise ConfigError("the key 'name' is missing", table.place("name"), 'Add name = "..." there.')
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str, "description": str, "points": int, "time_s": _NUMBER, "promote": _NUMBER, "seed": int,
        "point_timeout_s": _NUMBER, "model": str, "search_clock": bool,
    }  # fmt: skip
    values: dict[str, Any] = {k: table.get(k, kind) for k, kind in kinds.items() if k in table.data}
    values["constraints"] = table.strings("constraints")
    values["workloads"] = table.strings("workloads")
    if "sampler" in table.data:
        values["sampler"] = choice(SamplerName, table.get("sampler", str), table.place("sampler"))
    if "fidelity" in table.data:
        where = table.place("fidelity")
        values["fidelity"] = tuple(choice(Fidelity, name, where) for name in table.strings("fidelity"))
    values["axes"] = _axes(table)
    derived = table.table("derive")
    values["derived"] = {name: str(derived.get(name, (str, int, float))) for name in derived.data}
    values["objectives"] = tuple(_objective(t) for t in table.tables("objective"))
    values["limits"] = tuple(_limit(t) for t in table.tables("limit"))
    sweep: SweepSpec = build(SweepSpec, table, values)
    return sweep


def choice(kind: type[E], text: str, where: str) -> E:
    """Return the member of `kind` that `text` names.

    Raises
    ------
    ConfigError
        It names none.
    """
    import difflib  # noqa: PLC0415

    try:
        return kind(text)
    except ValueError:
        near = difflib.get_close_matches(text, list(kind), n=1)
        remedy = f"Did you mean {str(near[0])!r}?" if near else f"One of: {', '.join(kind)}."
        raise ConfigError(f"there is no {text!r} here", where, remedy) from None


def _axes(table: Table) -> tuple[Axis, ...]:
    parameters, flow = table.table("parameters"), table.table("flow")
    flow.only(tuple(FLOW_AXES))
    axes = [
        *(_axis(parameters, name, value) for name, value in _flat(parameters.data)),
        *(_axis(flow, name, value, flow=True) for name, value in flow.data.items()),
    ]
    if not axes:
        raise ConfigError(
            "it has no axis", table.place(), "Add [sweep.parameters] with rows = [4, 8], or [sweep.flow]."
        )
    if {"clock_period_ns", "clock_scale"} <= {axis.name for axis in axes}:
        raise ConfigError(
            "clock_period_ns and clock_scale exclude each other", flow.place("clock_scale"), "Keep one."
        )
    return tuple(axes)


def _flat(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return parameters by name; ``config.rows = [...]`` is a table inside a table."""
    found: list[tuple[str, Any]] = []
    for name, value in data.items():
        if isinstance(value, dict) and not any(isinstance(value.get(key), int | float) for key in _RANGE):
            found += _flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found


def _axis(table: Table, name: str, value: object, *, flow: bool = False) -> Axis:
    where = table.place(name)
    if isinstance(value, dict):
        return _range(Table(value, table.file, f"{table.key}.{name}"), name, flow=flow)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ConfigError("the axis has no value", where, "Give at least one.")
    for item in items:
        if not isinstance(item, bool | int | float | str):
            raise ConfigError(f"a value is a number, text, true or false, not {kind_of(item)}", where)
        if flow and isinstance(item, str) != (name in _TEXT):
            raise ConfigError(f"{name} is {'text' if name in _TEXT else 'a number'}, not {item!r}", where)
        if flow and not isinstance(item, str) and (isinstance(item, bool) or item <= 0):
            raise ConfigError(f"{name} must be positive, not {item!r}", where)
    axis: Axis = build(Axis, table, {"name": name, "flow": flow, "values": tuple(items)})
    return axis


def _range(table: Table, name: str, *, flow: bool) -> Axis:
    table.only(_RANGE)
    if flow and name in _TEXT:
        raise ConfigError(f"{name} is text, which has no range", table.place(), "Give a list.")
    for key in ("min", "max"):
        if key not in table.data:
            raise ConfigError(f"the key {key!r} is missing", table.place(), "A range has min and max.")
    low, high = table.get("min", _NUMBER), table.get("max", _NUMBER)
    step = table.get("step", _NUMBER)
    # Whole bounds without a step are whole numbers, as a constructor's widths are; 1.0 is a real one.
    if step is None and isinstance(low, int) and isinstance(high, int):
        step = 1
    if flow and low <= 0:
        raise ConfigError(f"{name} must be positive, not {low!r}", table.place("min"))
    values = {"name": name, "flow": flow, "low": float(low), "high": float(high)}
    values |= {"step": None if step is None else float(step), "log": table.get("log", bool, False)}
    axis: Axis = build(Axis, table, values)
    return axis


def _objective(table: Table) -> Objective:
    table.only(("name", "maximise", "minimise", "unit"))
    given = [key for key in ("maximise", "minimise") if key in table.data]
    if len(given) != 1:
        raise ConfigError(
            "an objective has either maximise or minimise", table.place(),
            'For example: minimise = "workload__kws__cycles / timing__fmax".',
        )  # fmt: skip
    expression = table.get(given[0], str)
    return Objective(
        name=table.get("name", str, expression),
        expression=expression,
        maximise=given[0] == "maximise",
        unit=table.get("unit", str, ""),
    )


def _limit(table: Table) -> SweepLimit:
    table.only(("expression", "min", "max", "unit"))
    if not table.get("expression", str):
        raise ConfigError(
            "the key 'expression' is missing", table.place(), 'For example: expression = "timing__setup__ws".'
        )
    values: dict[str, Any] = {key: table.get(key, str) for key in ("expression", "unit") if key in table.data}
    for key in ("min", "max"):
        value = table.get(key, _NUMBER)
        values[key] = None if value is None else float(value)
    limit: SweepLimit = build(SweepLimit, table, values)
    return limit
