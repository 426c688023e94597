"""One Liberty cell: its pins, its kind, its state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["LibertyCell", "LibertyPin", "parse_cell"]

_TOKEN = re.compile(
    r"(?P<group>[A-Za-z_]\w*)\s*\((?P<args>[^(){};]*)\)\s*\{"
    r"|(?P<name>[A-Za-z_]\w*)\s*:\s*(?P<value>\"[^\"]*\"|[^;{}\n\"]+)"
    r"|(?P<close>\})"
    r"|(?P<open>\{)"
)
# Timing and power tables are most of a cell's text and are not wanted here.
_SKIPPED = frozenset(
    {
        "timing",
        "internal_power",
        "leakage_power",
        "leakage_current",
        "receiver_capacitance",
        "intrinsic_parasitic",
        "dynamic_current",
    }
)
_TABLES = re.compile(r"\b(?:values|index_\d)\s*\([^()]*\)\s*;?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LibertyPin:
    """One pin of a cell; capacitances in pF, ``function`` as written."""

    name: str
    direction: str
    capacitance_pf: float = 0.0
    max_capacitance_pf: float | None = None
    function: str | None = None
    three_state: str | None = None
    clock: bool = False


@dataclass(frozen=True, kw_only=True)
class LibertyCell:
    """One cell.

    Attributes
    ----------
    kind
        ``comb``, ``flop``, ``latch``, ``gate`` (integrated clock gate),
        ``macro`` or ``other`` (fillers, taps, antennas).
    state
        Text of the state groups, blanks removed: equal for all drives of one
        flop.
    clocks
        Pins that clock or enable the state.
    """

    name: str
    area: float
    kind: str
    pins: Mapping[str, LibertyPin]
    state: str = ""
    clocks: frozenset[str] = frozenset()
    state_names: tuple[str, ...] = ()

    @cached_property
    def outputs(self) -> tuple[LibertyPin, ...]:
        """Output and bidirectional pins."""
        return tuple(p for p in self.pins.values() if p.direction in ("output", "inout"))

    @cached_property
    def inputs(self) -> tuple[LibertyPin, ...]:
        """Input pins."""
        return tuple(p for p in self.pins.values() if p.direction == "input")

    @property
    def sequential(self) -> bool:
        """Whether it holds state."""
        return self.kind in ("flop", "latch")

    @property
    def buffer(self) -> bool:
        """Whether it is a plain buffer."""
        return self._repeats("{}")

    @property
    def inverter(self) -> bool:
        """Whether it is a plain inverter."""
        return self._repeats("!{}", "{}'")

    def _repeats(self, *forms: str) -> bool:
        if self.kind != "comb" or len(self.inputs) != 1 or len(self.outputs) != 1:
            return False
        out, pin = self.outputs[0], self.inputs[0].name
        text = re.sub(r"[\s()]", "", out.function or "")
        return out.three_state is None and text in [form.format(pin) for form in forms]


@dataclass(slots=True)
class _Group:
    kind: str
    args: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Group] = field(default_factory=list)


def _tree(text: str) -> _Group:
    """Parse the groups of a cell, without its tables."""
    root = _Group("", "")
    stack = [root]
    position = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        if match.lastgroup == "open":
            stack.append(_Group("?", ""))
        elif match.group("group"):
            kind = match.group("group")
            if kind in _SKIPPED:
                position = _skip(text, position)
                continue
            group = _Group(kind, match.group("args").replace('"', "").strip())
            stack[-1].children.append(group)
            stack.append(group)
        elif match.group("close"):
            if len(stack) > 1:
                stack.pop()
        else:
            value = match.group("value").strip().strip('"').strip()
            stack[-1].attributes.setdefault(match.group("name"), value)
    return root.children[0] if root.children else root


def _skip(text: str, position: int) -> int:
    depth = 1
    while depth:
        close = text.find("}", position)
        if close < 0:
            return len(text)
        depth += text.count("{", position, close) - 1
        position = close + 1
    return position


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _pins(group: _Group, unit_pf: float) -> dict[str, LibertyPin]:
    pins: dict[str, LibertyPin] = {}
    for child in group.children:
        if child.kind in ("bus", "bundle"):
            nested = _pins(child, unit_pf)
            direction = child.attributes.get("direction", "input")
            if not nested:
                nested = {
                    child.args: LibertyPin(
                        name=child.args,
                        direction=direction,
                        capacitance_pf=(_number(child.attributes.get("capacitance")) or 0.0) * unit_pf,
                    )
                }
            pins.update(nested)
            continue
        if child.kind != "pin":
            continue
        for name in re.split(r"[\s,]+", child.args):
            attributes = child.attributes
            limit = _number(attributes.get("max_capacitance"))
            pins[name] = LibertyPin(
                name=name,
                direction=attributes.get("direction") or group.attributes.get("direction", "input"),
                capacitance_pf=(_number(attributes.get("capacitance")) or 0.0) * unit_pf,
                max_capacitance_pf=None if limit is None else limit * unit_pf,
                function=attributes.get("function"),
                three_state=attributes.get("three_state"),
                clock=attributes.get("clock", "").lower() == "true",
            )
    return pins


def _kind(group: _Group, pins: Mapping[str, LibertyPin]) -> str:  # noqa: PLR0911 - one return a kind
    kinds = {child.kind for child in group.children}
    if "clock_gating_integrated_cell" in group.attributes:
        return "gate"
    if kinds & {"ff", "ff_bank"}:
        return "flop"
    if kinds & {"latch", "latch_bank"}:
        return "latch"
    if "memory" in kinds or kinds & {"bus"} or "interface_timing" in group.attributes:
        return "macro"
    if any(pin.function for pin in pins.values()):
        return "comb"
    if "statetable" in kinds:
        return "flop"
    return "other"


def parse_cell(name: str, text: str, unit_pf: float) -> LibertyCell:
    """Parse the text of one cell group; capacitances come in units of `unit_pf`."""
    group = _tree(_TABLES.sub("", text))
    pins = _pins(group, unit_pf)
    states = [c for c in group.children if c.kind in ("ff", "ff_bank", "latch", "latch_bank")]
    clocks = {pin.name for pin in pins.values() if pin.clock}
    names: list[str] = []
    for state in states:
        names += [part for part in re.split(r"[\s,]+", state.args) if part and not part.isdigit()]
        for key in ("clocked_on", "clocked_on_also", "enable"):
            clocks |= {p for p in re.findall(r"\w+", state.attributes.get(key, "")) if p in pins}
    flat = ";".join(
        f"{s.kind}:" + ",".join(f"{k}={re.sub(chr(32), '', v)}" for k, v in sorted(s.attributes.items()))
        for s in states
    )
    return LibertyCell(
        name=name,
        area=_number(group.attributes.get("area")) or 0.0,
        kind=_kind(group, pins),
        pins=pins,
        state=flat,
        clocks=frozenset(clocks),
        state_names=tuple(names),
    )
