"""Numbers as a reader wants them: sensible units, aligned digits, a true minus."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "Scale",
    "area_scale",
    "count",
    "duration",
    "energy_text",
    "fixed",
    "number",
    "plain",
    "power_scale",
    "power_text",
    "significant",
]

MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Scale:
    """A display unit: the stored value times `factor`, written with `unit`."""

    unit: str
    factor: float


_POWER = (Scale("W", 1.0), Scale("mW", 1e3), Scale("µW", 1e6), Scale("nW", 1e9), Scale("pW", 1e12))


def number(value: object) -> float | None:
    """Return `value` as a finite float, or ``None`` when it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _signed(text: str) -> str:
    return MINUS + text[1:] if text.startswith("-") else text


def fixed(value: float, digits: int = 3) -> str:
    """Return `value` with a fixed number of decimals; never a negative zero."""
    text = f"{value:,.{digits}f}"
    if text.startswith("-") and not any(c in "123456789" for c in text):
        text = text[1:]
    return _signed(text)


def significant(value: float, digits: int = 4) -> str:
    """Return `value` with about `digits` significant digits, without exponent."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -6:
        return _signed(f"{value:.{digits - 1}e}")
    return _signed(f"{value:,.{max(0, digits - 1 - magnitude)}f}")


def plain(value: float) -> str:
    """Return a number that a person chose, as short as it can be written: ``0.8``, ``45``."""
    return _signed(f"{value:,.6g}") if abs(value) >= 1e-4 or value == 0 else significant(value)


def count(value: float) -> str:
    """Return a count with thousands separated."""
    return fixed(value, 0) if value == int(value) else significant(value)


def power_scale(values: Iterable[float | None]) -> Scale:
    """Return the unit in which the typical one of `values` (W) reads best."""
    known = sorted(abs(v) for v in values if v)
    if not known:
        return _POWER[1]
    middle = known[len(known) // 2]
    for scale in _POWER:
        if middle * scale.factor >= 1:
            return scale
    return _POWER[-1]


def power_text(value: float, scale: Scale, digits: int = 4) -> tuple[str, str]:
    """Return a power (W) in `scale`, and a unit of its own where it is too small for that."""
    if value == 0 or abs(value) * scale.factor >= 1e-3:
        return significant(value * scale.factor, digits), ""
    own = power_scale([value])
    return significant(value * own.factor, min(digits, 3)), own.unit


def energy_text(joules: float, digits: int = 4) -> tuple[str, str]:
    """Return an energy as a number and the unit in which it reads best."""
    for unit, factor in (("J", 1.0), ("mJ", 1e3), ("µJ", 1e6), ("nJ", 1e9)):
        if abs(joules) * factor >= 1:
            return significant(joules * factor, digits), unit
    return significant(joules * 1e12, digits), "pJ"


def area_scale(values: Iterable[float | None]) -> Scale:
    """Return um^2, or mm^2 when even the smallest of `values` is large."""
    known = [abs(v) for v in values if v]
    return Scale("mm²", 1e-6) if known and min(known) >= 1e6 else Scale("µm²", 1.0)


def duration(seconds: float) -> str:
    """Return a time span: ``0.31 s``, ``42 s``, ``3 min 05 s``, ``2 h 14 min``."""
    if 0 < seconds < 0.0005:
        return "< 1 ms"
    if seconds < 0.0995:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
