"""Read a whole Liberty file: units, operating conditions, and what each cell is and does.

Timing, power and noise tables are not kept: timing and power belong to the
tools that read the files themselves. 12.8 MB take about 0.3 s.

Source
------
Synopsys Liberty User Guide and Reference Manual, release 2017.06.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from flow.formats.liberty.cell import SPANS, WANTED, LibertyCell, cell_from_group, finite
from flow.formats.liberty.scan import Group, LibertySyntaxError, scan
from flow.model.errors import ConfigError

__all__ = ["Library", "OperatingConditions", "parse_library", "read_library"]

_UNIT = re.compile(r"^\s*([\d.eE+-]*)\s*([munpfk]?)(s|v|w|f|a)\s*$", re.IGNORECASE)
_PREFIX = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_MAX_BYTES = 1 << 30
_REMEDY = "Install the PDK again; the download or the copy did not finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingConditions:
    """One named set of operating conditions: volts and degrees Celsius."""

    name: str
    process: float | None
    voltage_v: float | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One Liberty file.

    Attributes
    ----------
    name
        Of the library group.
    time_unit_ns, cap_unit_pf, leakage_unit_nw, voltage_unit_v
        What one of the file's own units is.
    nom_process, nom_voltage_v, nom_temperature_c
        Nominal conditions, or ``None`` where the file does not say.
    conditions
        Its ``operating_conditions`` groups.
    default_conditions
        Name of the default one, or ``None``.
    cells
        By name, in the file's order.
    duplicates
        Cells that the file defines more than once; the last one counts.
    """

    name: str
    time_unit_ns: float
    cap_unit_pf: float
    leakage_unit_nw: float
    voltage_unit_v: float
    nom_process: float | None
    nom_voltage_v: float | None
    nom_temperature_c: float | None
    conditions: tuple[OperatingConditions, ...] = ()
    default_conditions: str | None = None
    cells: Mapping[str, LibertyCell] = field(default_factory=dict)
    duplicates: tuple[str, ...] = ()


def read_library(path: str | Path) -> Library:
    """Read a Liberty file, plain or gzip (told apart by content, not by name).

    The result is kept as long as the file does not change.

    Raises
    ------
    ConfigError
        The file is missing, unreadable, empty, binary, cut, or not Liberty;
        the message gives file and line, and what to do.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise ConfigError(f"cannot open this Liberty file ({error.strerror})", path, _REMEDY) from error
    return _read(str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=24)
def _read(name: str, mtime_ns: int, size: int) -> Library:
    path = Path(name)
    return parse_library(_load(path), path)


def _load(path: Path) -> str:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    data = stream.read(_MAX_BYTES + 1)
            else:
                data = raw.read(_MAX_BYTES + 1)
    except EOFError as error:
        raise ConfigError("this gzip file ends too early: it was cut", path, _REMEDY) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"this gzip file is damaged ({error})", path, _REMEDY) from error
    except OSError as error:
        raise ConfigError(f"cannot read this Liberty file ({error.strerror})", path, _REMEDY) from error
    if len(data) > _MAX_BYTES:
        raise ConfigError("this Liberty file is larger than 1 GiB unpacked", path, "Check what the file is")
    zero = data.find(b"\0")
    if zero >= 0:
        raise ConfigError(f"this is not a Liberty file: byte {zero + 1} is binary", path, _REMEDY)
    if not data.strip():
        raise ConfigError("this Liberty file is empty", path, _REMEDY)
    return data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def parse_library(text: str, path: str | Path = "<text>") -> Library:
    """Return the library that `text` describes; `path` is named in errors.

    Raises
    ------
    ConfigError
        It is not Liberty, or was cut.
    """
    offset = 0
    try:
        root = scan(text, WANTED, SPANS)
        return _library(text, root)
    except LibertySyntaxError as error:
        reason, offset = error.reason, error.offset
    except _ValueAt as error:
        reason, offset = str(error), error.offset
    line = text.count("\n", 0, offset) + 1
    raise ConfigError(reason, f"{path}:{line}", _REMEDY)


class _ValueAt(ValueError):
    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.offset = offset


def _number(group: Group, name: str) -> float | None:
    raw = group.attrs.get(name)
    if raw is None or not raw:
        return None
    try:
        return finite(raw)
    except ValueError:
        where = " ".join((group.kind, *group.args))
        raise _ValueAt(f"{name} of {where} is not a number: {raw!r}", group.offset) from None


def _unit(group: Group, name: str, base: float, default: float) -> float:
    raw = group.attrs.get(name)
    if raw is None:
        return default
    match = _UNIT.match(raw)
    if match is None:
        raise _ValueAt(f"{name} is not a unit: {raw!r}", group.offset)
    return _scaled(match.group(1), match.group(2), base, group)


def _scaled(number: str, prefix: str, base: float, group: Group) -> float:
    try:
        value = finite(number or "1")
    except ValueError:
        raise _ValueAt(f"a unit of the library is not a number: {number!r}", group.offset) from None
    if value <= 0:
        raise _ValueAt(f"a unit of the library is {value}", group.offset)
    # Rounding keeps 1 ps exactly 0.001 ns.
    return float(f"{value * _PREFIX[prefix.lower()] / base:.12g}")


def _cap_unit(group: Group) -> float:
    args = group.last("capacitive_load_unit")
    if args is None:
        return 1.0  # Liberty's default
    match = _UNIT.match("".join(args))
    if match is None:
        raise _ValueAt(f"capacitive_load_unit is not a unit: {' '.join(args)!r}", group.offset)
    return _scaled(match.group(1), match.group(2), 1e-12, group)


def _library(text: str, root: Group) -> Library:
    if root.last("include_file") is not None:
        raise _ValueAt("include_file is not supported: give one complete file", root.offset)
    cap, leak = _cap_unit(root), _unit(root, "leakage_power_unit", 1e-9, 1.0)
    widths = {g.args[0]: int(_number(g, "bit_width") or 1) for g in root.all("type") if g.args}
    cells: dict[str, LibertyCell] = {}
    duplicates: list[str] = []
    for group in root.all("cell"):
        try:
            cell = cell_from_group(text, group, cap, leak, widths)
        except ValueError as error:
            raise _ValueAt(str(error), group.offset) from None
        if cell.name in cells:
            duplicates.append(cell.name)
        cells[cell.name] = cell
    return Library(
        name=root.args[0] if root.args else "",
        time_unit_ns=_unit(root, "time_unit", 1e-9, 1.0),
        cap_unit_pf=cap,
        leakage_unit_nw=leak,
        voltage_unit_v=_unit(root, "voltage_unit", 1.0, 1.0),
        nom_process=_number(root, "nom_process"),
        nom_voltage_v=_number(root, "nom_voltage"),
        nom_temperature_c=_number(root, "nom_temperature"),
        conditions=tuple(_conditions(g) for g in root.all("operating_conditions")),
        default_conditions=root.attrs.get("default_operating_conditions"),
        cells=cells,
        duplicates=tuple(duplicates),
    )


def _conditions(group: Group) -> OperatingConditions:
    return OperatingConditions(
        name=group.args[0] if group.args else "",
        process=_number(group, "process"),
        voltage_v=_number(group, "voltage"),
        temperature_c=_number(group, "temperature"),
    )
