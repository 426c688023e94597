"""Read of LEF what planning needs: sites, routing layers, and the size and pins of macros.

Source
------
LEF/DEF 5.8 Language Reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flow.model.errors import ConfigError
from flow.model.pdk import Layer, Site

__all__ = ["LefMacro", "LefPin", "TechLef", "read_macros", "read_tech"]

_REMEDY = "Install the PDK again; the download or the copy did not finish"
_COMMENT = re.compile(r"#[^\n]*")
_SIZE = r"SIZE\s+([\d.eE+-]+)\s+BY\s+([\d.eE+-]+)"
_SITE = re.compile(r"^[ \t]*SITE\s+(\S+)\s*\n(.*?)^[ \t]*END\s+\1\b", re.MULTILINE | re.DOTALL)
_LAYER = re.compile(r"^[ \t]*LAYER\s+(\S+)\s*\n(.*?)^[ \t]*END\s+\1\b", re.MULTILINE | re.DOTALL)
_MACRO = re.compile(r"^[ \t]*MACRO[ \t]+([^\s;]+)[ \t]*\r?$", re.MULTILINE)
# Statements may share a line, so a keyword is one that follows a blank or a semicolon.
_EVENT = re.compile(
    rf"""(?<![^\s;])(?:(?P<pin>PIN)\s+(?P<name>[^\s;]+)
      | (?P<key>CLASS|SITE|DIRECTION|USE)\s+(?P<value>[^;"]+?)\s*;
      | {_SIZE}
      | END[ \t]+(?P<end>[^\s;]+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TechLef:
    """Core sites and routing layers, bottom layer first."""

    sites: tuple[Site, ...]
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LefPin:
    """A pin: LEF's own words for direction and use, in lower case."""

    name: str
    direction: str
    use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LefMacro:
    """A macro: its size in micrometres, and its pins by name."""

    name: str
    cls: str
    site: str | None
    width_um: float
    height_um: float
    pins: Mapping[str, LefPin]

    @property
    def signals(self) -> frozenset[str]:
        """Names of the pins that are neither power nor ground."""
        return frozenset(p.name for p in self.pins.values() if p.use not in ("power", "ground"))


def _load(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot open this LEF file ({error.strerror})", path, _REMEDY) from error
    if b"\0" in data:
        raise ConfigError("this is not a LEF file: it is binary", path, _REMEDY)
    return data.decode("latin-1")


def read_tech(path: str | Path) -> TechLef:
    """Read sites and routing layers; a cell LEF that holds them will do.

    Raises
    ------
    ConfigError
        The file is missing, binary, or has neither sites nor layers.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise ConfigError(f"cannot open this LEF file ({error.strerror})", path, _REMEDY) from error
    return _read_tech(str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _read_tech(name: str, mtime_ns: int, size: int) -> TechLef:
    path = Path(name)
    text = _COMMENT.sub("", _load(path))
    # Sites of a cell LEF stand before its first macro, where SITE means a reference.
    first = _MACRO.search(text)
    head = text[: first.start()] if first else text
    sites = tuple(site for m in _SITE.finditer(head) if (site := _site(m)) is not None)
    layers = tuple(layer for m in _LAYER.finditer(head) if (layer := _layer(m)) is not None)
    if not sites and not layers and "END LIBRARY" not in text and first is None:
        raise ConfigError("this LEF file has no site, layer or macro: it was cut or is none", path, _REMEDY)
    return TechLef(sites=sites, layers=layers)


def _site(match: re.Match[str]) -> Site | None:
    body = match.group(2)
    size = re.search(_SIZE, body)
    cls = re.search(r"CLASS\s+(\w+)", body)
    if size is None or (cls is not None and cls.group(1).upper() != "CORE"):
        return None
    return Site(name=match.group(1), width_um=float(size.group(1)), height_um=float(size.group(2)))


def _layer(match: re.Match[str]) -> Layer | None:
    body = match.group(2)
    if not re.search(r"^\s*TYPE\s+ROUTING\s*;", body, re.MULTILINE):
        return None
    direction = re.search(r"^\s*DIRECTION\s+(\w+)", body, re.MULTILINE)
    pitches = re.search(r"^\s*PITCH\s+([\d.eE+-]+)(?:\s+([\d.eE+-]+))?", body, re.MULTILINE)
    width = re.search(r"^\s*WIDTH\s+([\d.eE+-]+)\s*;", body, re.MULTILINE)
    if direction is None or pitches is None or width is None:
        return None  # a local interconnect that routers do not use
    way = direction.group(1).lower()
    # Two pitches are for x and y: a horizontal layer's tracks are spaced in y.
    pitch = pitches.group(2) if pitches.group(2) and way == "horizontal" else pitches.group(1)
    return Layer(name=match.group(1), direction=way, pitch_um=float(pitch), width_um=float(width.group(1)))


def read_macros(path: str | Path) -> Mapping[str, LefMacro]:
    """Read the macros of a LEF file, by name, in its order.

    Raises
    ------
    ConfigError
        The file is missing or binary, or a macro in it never ends.
    """
    path = Path(path)
    text = _COMMENT.sub("", _load(path))
    starts = [(m.start(), m.end(), m.group(1)) for m in _MACRO.finditer(text)]
    macros: dict[str, LefMacro] = {}
    for index, (start, begin, name) in enumerate(starts):
        stop = starts[index + 1][0] if index + 1 < len(starts) else len(text)
        macro = _macro(text, begin, stop, name)
        if macro is None:
            line = text.count("\n", 0, start) + 1
            raise ConfigError(f"the macro {name} never ends: the file was cut", f"{path}:{line}", _REMEDY)
        macros[name] = macro
    if not macros and "END LIBRARY" not in text:
        raise ConfigError("this LEF file has no macro: it was cut or is none", path, _REMEDY)
    return macros


def _macro(text: str, begin: int, stop: int, name: str) -> LefMacro | None:
    facts: dict[str, str] = {}
    pins: dict[str, LefPin] = {}
    pin: str | None = None
    pin_facts: dict[str, str] = {}
    size = (0.0, 0.0)
    for match in _EVENT.finditer(text, begin, stop):
        if match.group("pin"):
            pin, pin_facts = match.group("name"), {}
        elif match.group("key"):
            (facts if pin is None else pin_facts).setdefault(match.group("key"), match.group("value").strip())
        elif (end := match.group("end")) is None:
            size = (float(match.group(5)), float(match.group(6)))
        elif pin is not None and end == pin:
            direction = pin_facts.get("DIRECTION", "INPUT").split()[0].lower()
            pins[pin] = LefPin(name=pin, direction=direction, use=pin_facts.get("USE", "SIGNAL").lower())
            pin = None
        elif end == name:
            return LefMacro(
                name=name, cls=facts.get("CLASS", "").lower(), site=facts.get("SITE"),
                width_um=size[0], height_um=size[1], pins=pins,
            )  # fmt: skip
    return None
