"""Units of metrics, as far as expressions need them: a scale, and dimensions that must agree.

A unit is written as in the registry: ``ns``, ``um^2``, ``MHz``, ``1/s``,
``1/(J*s)``. What is not known (``dB``) is a dimension of its own, so that it
is carried through an expression instead of being refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PLAIN", "Unit", "parse_unit"]

_PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip
_BASE: Mapping[str, Mapping[str, int]] = {
    "s": {"s": 1}, "Hz": {"s": -1}, "J": {"J": 1}, "W": {"J": 1, "s": -1}, "m": {"m": 1},
    "V": {"V": 1}, "F": {"F": 1}, "B": {"B": 1},
}  # fmt: skip
_FIXED: Mapping[str, tuple[float, Mapping[str, int]]] = {
    "": (1.0, {}), "1": (1.0, {}), "count": (1.0, {}), "%": (1.0, {}), "bit": (1.0, {"bit": 1}),
    "min": (60.0, {"s": 1}), "h": (3600.0, {"s": 1}),
}  # fmt: skip
_TOKEN = re.compile(r"\s*(?:([A-Za-z%]+|1(?![0-9.]))(?:\^(-?\d+))?|([*/()]))")
#: Named units, by dimensions, that a result is shown in.
_NAMES = (("s", {"s": 1}), ("Hz", {"s": -1}), ("J", {"J": 1}), ("W", {"J": 1, "s": -1}), ("m", {"m": 1}))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit.

    Attributes
    ----------
    scale
        What one of it is in base units (s, J, m ...).
    dimensions
        Exponent of each base unit, none of them zero.
    text
        As it is written; empty for one that was computed.
    """

    scale: float = 1.0
    dimensions: Mapping[str, int] = field(default_factory=dict)
    text: str = field(default="", compare=False)

    def __mul__(self, other: Unit) -> Unit:
        return Unit(self.scale * other.scale, _joined(self.dimensions, other.dimensions, 1))

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(self.scale / other.scale, _joined(self.dimensions, other.dimensions, -1))

    def __pow__(self, exponent: int) -> Unit:
        return Unit(self.scale**exponent, {k: v * exponent for k, v in self.dimensions.items() if exponent})

    def agrees(self, other: Unit) -> bool:
        """Whether values in both can be added."""
        return dict(self.dimensions) == dict(other.dimensions)

    def shown(self) -> Unit:
        """Return the unit to show such values in: this one where it has a name, else one near it that has."""
        if self.text:
            return self
        dimensions = dict(self.dimensions)
        if not dimensions:
            return Unit(1.0, {}, "")
        for name, own in _NAMES:
            if own == dimensions:
                return _prefixed(name, dimensions, self.scale)
        if dimensions == {"m": 2}:
            return Unit(1e-12, dimensions, "um^2") if self.scale < 1e-9 else Unit(1e-6, dimensions, "mm^2")
        over: list[str] = []
        under: list[str] = []
        scale = 1.0
        for name, exponent in sorted(dimensions.items()):
            # Chips have areas of square millimetres, and none of square metres.
            word, factor = ("mm", 1e-3) if name == "m" else (name, 1.0)
            scale *= factor**exponent
            (over if exponent > 0 else under).append(
                word + (f"^{abs(exponent)}" if abs(exponent) > 1 else "")
            )
        text = "*".join(over) or "1"
        if under:
            text += "/" + (under[0] if len(under) == 1 else f"({'*'.join(under)})")
        return Unit(scale, dimensions, text)

    def __str__(self) -> str:
        return self.text or self.shown().text


#: A plain number.
PLAIN = Unit()


def _joined(first: Mapping[str, int], second: Mapping[str, int], sign: int) -> dict[str, int]:
    result = dict(first)
    for name, exponent in second.items():
        result[name] = result.get(name, 0) + sign * exponent
    return {name: exponent for name, exponent in result.items() if exponent}


def _prefixed(name: str, dimensions: Mapping[str, int], scale: float) -> Unit:
    """Return the unit with the prefix at or below `scale`."""
    wanted = math.floor(round(math.log10(scale) / 3, 6)) * 3
    prefix, factor = min(_PREFIXES.items(), key=lambda item: abs(math.log10(item[1]) - wanted))
    return Unit(factor, dimensions, prefix + name)


def parse_unit(text: str) -> Unit:
    """Return the unit that `text` says.

    Raises
    ------
    ValueError
        It is not a product or quotient of units.
    """
    position, tokens = 0, []
    stripped = text.strip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise ValueError(f"{text!r} is no unit; write it like ns, um^2 or 1/(J*s)")
        tokens.append((match[1], match[2], match[3]))
        position = match.end()
    if not tokens:
        return Unit(1.0, {}, "")
    unit, rest = _product(tokens, text)
    if rest:
        raise ValueError(f"{text!r} is no unit; write it like ns, um^2 or 1/(J*s)")
    return Unit(unit.scale, unit.dimensions, stripped)


_Tokens = list[tuple[str | None, str | None, str | None]]


def _product(tokens: _Tokens, text: str) -> tuple[Unit, _Tokens]:
    unit, tokens = _factor(tokens, text)
    while tokens and tokens[0][2] in ("*", "/"):
        sign = tokens[0][2]
        other, tokens = _factor(tokens[1:], text)
        unit = unit * other if sign == "*" else unit / other
    return unit, tokens


def _factor(tokens: _Tokens, text: str) -> tuple[Unit, _Tokens]:
    if not tokens or tokens[0][2] not in (None, "("):
        raise ValueError(f"{text!r} is no unit; write it like ns, um^2 or 1/(J*s)")
    name, exponent, sign = tokens[0]
    if sign == "(":
        unit, rest = _product(tokens[1:], text)
        if not rest or rest[0][2] != ")":
            raise ValueError(f"{text!r} is no unit: a bracket is open")
        return unit, rest[1:]
    return _named(name or "") ** int(exponent or 1), tokens[1:]


def _named(name: str) -> Unit:
    if name in _FIXED:
        scale, dimensions = _FIXED[name]
        return Unit(scale, dimensions)
    for base, dimensions in _BASE.items():
        prefix = name.removesuffix(base)
        if prefix != name and prefix in _PREFIXES:
            return Unit(_PREFIXES[prefix], dimensions)
    return Unit(1.0, {name: 1})
