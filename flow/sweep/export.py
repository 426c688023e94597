"""The points of a sweep as one table: CSV for any program, Parquet for data frames."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError

__all__ = ["Column", "columns", "csv_text", "write_csv", "write_export", "write_parquet"]

_POINT_COLUMNS = (
    ("id", "text", "", "Twelve hexadecimal digits that depend on the values alone"),
    ("status", "text", "", "What became of the point"),
    ("reason", "text", "", "Why, where it is not done"),
    ("fidelity", "text", "", "Highest level that was evaluated"),
    ("feasible", "bool", "", "Whether it can win"),
    ("missed", "text", "", "Limits that are not kept"),
    ("front", "bool", "", "Whether it is on the Pareto front"),
    ("rank", "int", "", "0 on the front, 1 on the front of what remains, and so on"),
    ("tool_s", "float", "s", "Time in tools"),
    ("wall_s", "float", "s", "Time of its steps"),
    ("command", "text", "", "What repeats it"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    name
        Its name without unit; unique in the table.
    group
        ``point``, ``axis``, ``derived``, ``objective`` or ``metric``.
    kind
        ``bool``, ``int``, ``float`` or ``text``.
    unit
        As in the registry; empty for none.
    description
        One sentence, or an expression.
    values
        One for each point, ``None`` where there is none.
    """

    name: str
    group: str
    kind: str
    unit: str
    description: str
    values: Sequence[Any]

    @property
    def header(self) -> str:
        """The name, with the unit in brackets where it has one."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


def _typed(name: str, group: str, unit: str, description: str, values: Sequence[Any]) -> Column:
    """Return a column of the narrowest kind that holds every value."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return Column(name, group, "bool", unit, description, values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        whole = bool(known) and all(isinstance(value, int) and abs(value) < 2**63 for value in known)
        made = values if whole else [None if value is None else float(value) for value in values]
        return Column(name, group, "int" if whole else "float", unit, description, made)
    text = [None if value is None else _text(value) for value in values]
    return Column(name, group, "text", unit, description, text)


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    # A lone surrogate cannot be written as UTF-8.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def columns(data: Mapping[str, Any]) -> list[Column]:
    """Return the table of ``sweep.json``, a row for each point.

    Parameters
    ----------
    data
        The content of ``sweep.json``.

    Returns
    -------
    list of Column
        What became of each point, its axes, derived values, objectives and
        metrics. Metrics are in the registry's units, objectives in theirs.
        A name that is taken gets its group before it (``objective.area``).
    """
    points = list(data.get("points") or ())
    found: list[Column] = []
    taken: set[str] = set()

    def add(name: str, group: str, unit: str, description: str, values: Sequence[Any]) -> None:
        unique = name if name not in taken else f"{group}.{name}"
        taken.add(unique)
        found.append(_typed(unique, group, unit, description, values))

    for name, kind, unit, description in _POINT_COLUMNS:
        values = [p.get(name) for p in points]
        taken.add(name)
        if kind == "text":
            values = [None if v is None else _text(v) for v in values]
        elif kind == "float":
            values = [None if v is None else float(v) for v in values]
        found.append(Column(name, "point", kind, unit, description, values))
    flows = {axis["name"]: axis for axis in data.get("axes") or ()}
    for name, axis in flows.items():
        own = [(p.get("point") or {}).get("values", {}).get(name) for p in points]
        add(name, "axis", axis.get("unit") or "", "flow option" if axis.get("flow") else "parameter", own)
    if "pdk" not in flows and any(p.get("pdk") for p in points):
        add("pdk", "point", "", "PDK", [p.get("pdk") for p in points])
    for name, expression in (data.get("derived") or {}).items():
        add(
            name,
            "derived",
            "",
            expression,
            [(p.get("point") or {}).get("derived", {}).get(name) for p in points],
        )
    for one in data.get("objectives") or ():
        own = [(p.get("objectives") or {}).get(one["name"]) for p in points]
        add(one["name"], "objective", one.get("unit") or "", one.get("expression") or "", own)
    for name, about in (data.get("metrics") or {}).items():
        own = [(p.get("metrics") or {}).get(name) for p in points]
        add(name, "metric", about.get("unit") or "", about.get("description") or "", own)
    return found


def csv_text(data: Mapping[str, Any]) -> str:
    """Return the table as CSV (RFC 4180), with units in the header; null is an empty cell."""
    table = columns(data)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.header for column in table])
    for row in zip(*(column.values for column in table), strict=True):
        writer.writerow(["" if v is None else _text(v) if isinstance(v, bool) else v for v in row])
    return out.getvalue()


def _replace(path: Path, content: bytes) -> Path:
    """Write `content` to `path`: wholly, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return path


def write_csv(data: Mapping[str, Any], path: Path) -> Path:
    """Write the table as CSV in UTF-8 to `path`, and return that."""
    return _replace(path, csv_text(data).encode())


def write_parquet(data: Mapping[str, Any], path: Path) -> Path:
    """Write the table as Parquet to `path`, and return that.

    Names of columns have no unit; it is in the metadata of the field, under
    ``unit``, beside ``description`` and ``group``.

    Raises
    ------
    ConfigError
        pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "Parquet needs pyarrow, which is not installed", path,
            "Install it with `pip install 'suzuri[parquet]'`, or write a .csv.",
        ) from None  # fmt: skip
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "text": pa.string()}
    table = columns(data)
    fields = [
        pa.field(
            c.name, types[c.kind], metadata={"unit": c.unit, "description": c.description, "group": c.group}
        )
        for c in table
    ]
    sweep = data.get("sweep") or {}
    about = {"sweep": str(sweep.get("name") or ""), "command": str(sweep.get("command") or "")}
    arrays = [pa.array(list(c.values), type=f.type) for c, f in zip(table, fields, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about)), sink)
    return _replace(path, sink.getvalue().to_pybytes())


def write_export(data: Mapping[str, Any], path: Path) -> Path:
    """Write the table in the format that the suffix of `path` says.

    Raises
    ------
    ConfigError
        The suffix is neither ``.csv`` nor ``.parquet``, or pyarrow is not
        installed.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return write_csv(data, path)
    if suffix == ".parquet":
        return write_parquet(data, path)
    raise ConfigError(f"no export is called {suffix!r}", path, "End the name with .csv or .parquet.")
