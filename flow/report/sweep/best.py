"""Which point is best for each objective on each PDK, and whether noise lets one say so."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flow.model.sweep import Fidelity
from flow.report.units import number, plain, significant

__all__ = ["Group", "Winner", "failures", "goal", "parameters", "pretty", "scale_of", "winners"]

_LEVELS = [str(level) for level in Fidelity]
_DIGITS = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_PREFIXED = {
    "W": ((1.0, "W"), (1e3, "mW"), (1e6, "µW"), (1e9, "nW")),
    "J": ((1.0, "J"), (1e3, "mJ"), (1e6, "µJ"), (1e9, "nJ"), (1e12, "pJ")),
    "s": ((1.0, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns")),
}


def pretty(unit: str) -> str:
    """Return `unit` as it is printed: ``um^2`` is ``µm²``; a count has none."""
    if unit in ("count", "1"):
        return ""
    text = unit.replace("^2", "²").replace("^3", "³").replace("*", "·")
    return re.sub(r"\bu(?=[a-zA-Z])", "µ", text)


def scale_of(unit: str, values: Sequence[float | None]) -> tuple[float, str]:
    """Return the factor and the unit in which the typical one of `values` reads best."""
    known = sorted(abs(v) for v in values if v)
    if not known:
        return 1.0, pretty(unit)
    middle = known[len(known) // 2]
    if unit in _PREFIXED:
        return next(((f, u) for f, u in _PREFIXED[unit] if middle * f >= 1), _PREFIXED[unit][-1])
    if unit == "um^2" and middle >= 1e5:
        return 1e-6, "mm²"
    if unit.startswith("1/") and middle >= 1e5:
        power = 3 * (int(math.log10(middle)) // 3)
        digits = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return 10.0**-power, f"10{digits}{pretty(unit)[1:]}"
    return 1.0, pretty(unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best point of a PDK for an objective.

    Attributes
    ----------
    objective, pdk
        Of what; `pdk` is empty where the sweep has none.
    point
        The point.
    value
        Of the objective, in its unit.
    rivals
        How many candidates of the same fidelity it was compared with.
    lead
        How far it is ahead of the next, as a share; ``None`` without one.
    margin
        Half the width of the 95 % interval of `lead`; ``None`` where the
        noise is not known.
    level
        Points that noise does not tell apart from it.
    claims
        Points that were looked at less closely and claim to be better.
    """

    objective: Mapping[str, Any]
    pdk: str
    point: Mapping[str, Any]
    value: float
    rivals: int
    lead: float | None
    margin: float | None
    level: int
    claims: int

    @property
    def certainty(self) -> str:
        """How certain it is, in words."""
        if self.lead is None:
            said = "the only candidate"
        elif self.margin is None:
            said = f"{_percent(self.lead)} ahead of the next; noise not measured"
        elif self.lead > self.margin:
            said = f"ahead of the next by {_percent(self.lead)} ± {_percent(self.margin)}"
        else:
            others = "1 other" if self.level == 1 else f"{self.level} others"
            said = f"no difference from {others} (noise ± {_percent(self.margin)})"
        if self.claims:
            said += f"; {self.claims} promised more at a lower fidelity"
        return said


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)} %" if share < 10 else f"{significant(1 + share, 3)} times"


def goal(objective: Mapping[str, Any]) -> str:
    """Return an objective as a person says it: ``throughput, most``."""
    return f"{objective['name']}: {'most' if objective.get('maximise') else 'least'}"


def parameters(
    data: Mapping[str, Any], point: Mapping[str, Any], *, pdk: bool = False
) -> list[tuple[str, str, str]]:
    """Return name, value and unit on each axis, the PDK left out unless `pdk`."""
    values = (point.get("point") or {}).get("values") or {}
    found = []
    for axis in data.get("axes") or ():
        name = axis["name"]
        if name not in values or (name == "pdk" and not pdk):
            continue
        value = values[name]
        text = plain(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
        text = text.lower() if isinstance(value, bool) else text
        found.append((name, text, axis.get("unit") or ""))
    return found


def _noise(data: Mapping[str, Any], name: str, value: float) -> float | None:
    """Return the noise of an objective as a share of `value`."""
    own = (data.get("noise") or {}).get(name) or {}
    relative, sigma = number(own.get("relative")), number(own.get("sigma"))
    if relative is not None:
        return relative
    return abs(sigma / value) if sigma is not None and value else None


def _level(point: Mapping[str, Any]) -> int:
    fidelity = point.get("fidelity")
    return _LEVELS.index(fidelity) if fidelity in _LEVELS else -1


def winners(data: Mapping[str, Any]) -> list[Winner]:
    """Return the best point of each objective on each PDK, in the order of objectives, then of PDKs.

    Only candidates of the highest fidelity that the PDK's candidates have
    are compared: an estimate does not win against a measurement.
    """
    found = []
    points = [p for p in data.get("points") or () if p.get("feasible")]
    pdks = list(dict.fromkeys([*(data.get("pdks") or {}), *(str(p.get("pdk") or "") for p in points)]))
    for objective in data.get("objectives") or ():
        name, sign = objective["name"], 1 if objective.get("maximise") else -1
        for pdk in pdks:
            own = []
            for point in points:
                value = number((point.get("objectives") or {}).get(name))
                if str(point.get("pdk") or "") == pdk and value is not None:
                    own.append((_level(point), sign * value, point))
            if own:
                found.append(_winner(data, objective, pdk, own))
    return found


def _winner(
    data: Mapping[str, Any],
    objective: Mapping[str, Any],
    pdk: str,
    own: Sequence[tuple[int, float, Mapping[str, Any]]],
) -> Winner:
    top = max(level for level, _, _ in own)
    high = sorted(((s, p) for level, s, p in own if level == top), key=lambda pair: -pair[0])
    score, best = high[0]
    leads = [abs(score - s) / abs(s) if s else math.inf for s, _ in high[1:]]
    noise = _noise(data, objective["name"], score)
    margin = None if noise is None else 1.96 * math.sqrt(2) * noise
    return Winner(
        objective=objective, pdk=pdk, point=best, value=abs(score) if score else 0.0, rivals=len(leads),
        lead=leads[0] if leads else None, margin=margin,
        level=0 if margin is None else sum(lead <= margin for lead in leads),
        claims=sum(level < top and s > score for level, s, _ in own),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Points that came to the same end for the same reason.

    Attributes
    ----------
    status
        As in a trial; ``infeasible`` for one that is done and no candidate.
    reason
        Of the first, as it stands.
    rows
        Places of the points.
    """

    status: str
    reason: str
    rows: tuple[int, ...]


def failures(data: Mapping[str, Any]) -> list[Group]:
    """Return points that cannot win, grouped by reason; reasons that differ in numbers alone are one."""
    groups: dict[tuple[str, str], list[int]] = {}
    first: dict[tuple[str, str], str] = {}
    for row, point in enumerate(data.get("points") or ()):
        if point.get("feasible"):
            continue
        status = str(point.get("status") or "failed")
        reasons = [str(point.get("reason") or "no reason was given")]
        if status == "done":
            status = "infeasible"
            missing = [n for n, v in (point.get("objectives") or {}).items() if v is None]
            reasons = list(map(str, point.get("missed") or ())) or [
                f"no value of {', '.join(missing) or 'its objectives'}"
            ]
        for reason in reasons:
            key = (status, _DIGITS.sub("#", reason))
            groups.setdefault(key, []).append(row)
            first.setdefault(key, reason)
    made = [Group(status=k[0], reason=first[k], rows=tuple(rows)) for k, rows in groups.items()]
    return sorted(made, key=lambda g: -len(g.rows))
