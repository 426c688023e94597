"""Metrics: METRICS2.1 names with a unit and a direction, from one registry.

A name is ``stage__category__name`` with optional ``__modifier:value`` parts
(``timing__setup__ws__corner:tt_025C_1v80``). A metric that could not be
measured is null with a reason, never zero and never a sentinel.

Source: METRICS2.1 (IEEE CEDA DATC), with additions in the same grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["REGISTRY", "MetricDef", "MetricRegistry", "MetricValue", "base_name"]

MetricValue = float | int | str | None

_NAME = re.compile(r"^[a-z0-9_]+(?:__[A-Za-z0-9_]+)*(?:__[a-z_]+:[^\s]+)*$")


def base_name(name: str) -> str:
    """Return `name` without its ``__modifier:value`` parts."""
    head, colon, _ = name.partition(":")
    return head.rpartition("__")[0] if colon else name


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDef:
    """What a metric means.

    Attributes
    ----------
    name
        Name without modifiers; ``*`` stands for one free part.
    unit
        ``ns``, ``um^2``, ``W``, ``MHz``, ``count``, ``%`` ... or empty.
    higher_is_better
        Direction, or ``None`` where neither is better.
    aggregate
        How values of several corners or tests combine: ``min``, ``max``,
        ``sum`` or ``last``.
    description
        One sentence for a reader of the report.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    description: str
    aggregate: str = "last"


class MetricRegistry:
    """All known metrics by name."""

    def __init__(self) -> None:
        self._defs: dict[str, MetricDef] = {}

    def add(self, definition: MetricDef) -> None:
        """Register `definition`.

        Raises
        ------
        ValueError
            The name does not follow the grammar or is taken.
        """
        if not _NAME.match(definition.name.replace("*", "x")):
            raise ValueError(f"metric {definition.name!r} does not follow stage__category__name")
        if definition.name in self._defs:
            raise ValueError(f"metric {definition.name!r} is registered twice")
        self._defs[definition.name] = definition

    def get(self, name: str) -> MetricDef | None:
        """Return the definition of `name` (modifiers ignored), or ``None``."""
        base = base_name(name)
        if base in self._defs:
            return self._defs[base]
        parts = base.split("__")
        for definition in self._defs.values():
            pattern = definition.name.split("__")
            if len(pattern) == len(parts) and all(p in ("*", q) for p, q in zip(pattern, parts, strict=True)):
                return definition
        return None

    def __iter__(self) -> Iterator[MetricDef]:
        return iter(self._defs.values())

    def as_mapping(self) -> Mapping[str, MetricDef]:
        """All definitions by name."""
        return dict(self._defs)


REGISTRY = MetricRegistry()

for _name, _unit, _better, _agg, _text in (
    ("design__instance__count", "count", None, "last", "Cells in the mapped netlist"),
    ("design__instance__count__stdcell", "count", None, "last", "Standard cells"),
    ("design__instance__count__sequential", "count", None, "last", "Flip-flops and latches"),
    ("design__instance__count__buffer", "count", None, "last", "Buffers and inverters added for fanout"),
    ("design__instance__area", "um^2", False, "last", "Cell area of the mapped netlist"),
    ("design__instance__area__sequential", "um^2", False, "last", "Area of flip-flops and latches"),
    ("design__instance__area__macros", "um^2", False, "last", "Area of hard macros"),
    ("design__gate_equivalents", "count", False, "last", "Area over that of the smallest 2-input NAND"),
    ("design__memory_bits__outside", "bit", None, "last", "Bits of memory that are no part of the netlist"),
    ("design__io", "count", None, "last", "Bits of ports"),
    ("design__lint_error__count", "count", False, "sum", "Lint errors"),
    ("design__lint_warning__count", "count", False, "sum", "Lint warnings that are not waived"),
    ("design__lint_waived__count", "count", None, "sum", "Lint warnings that are waived"),
    ("design__inferred_latch__count", "count", False, "sum", "Inferred latches"),
    ("synthesis__undriven__count", "count", False, "sum", "Undriven nets that are read"),
    ("synthesis__unmapped__count", "count", False, "sum", "Cells without a library cell"),
    ("synthesis__multidriven__count", "count", False, "sum", "Nets with several drivers"),
    ("synthesis__comb_loop__count", "count", False, "sum", "Combinational loops"),
    ("synthesis__max_fanout", "count", False, "max", "Largest fanout of a signal net"),
    ("timing__setup__ws", "ns", True, "min", "Worst setup slack"),
    ("timing__setup__tns", "ns", True, "min", "Total negative setup slack"),
    ("timing__setup_vio__count", "count", False, "max", "Endpoints that miss setup"),
    ("timing__hold__ws", "ns", True, "min", "Worst hold slack"),
    ("timing__hold__tns", "ns", True, "min", "Total negative hold slack"),
    ("timing__hold_vio__count", "count", False, "max", "Endpoints that miss hold"),
    ("timing__unconstrained__count", "count", False, "max", "Endpoints without a constraint"),
    ("timing__clock__period", "ns", None, "last", "Clock period asked for"),
    ("timing__fmax", "MHz", True, "min", "Highest frequency that meets setup"),
    ("power__total", "W", False, "max", "Total power"),
    ("power__internal__total", "W", False, "max", "Internal power"),
    ("power__switching__total", "W", False, "max", "Switching power"),
    ("power__leakage__total", "W", False, "max", "Leakage power"),
    ("power__annotated__ratio", "%", True, "min", "Nets whose activity came from simulation"),
    ("workload__*__cycles", "count", False, "last", "Clock cycles of one repetition of a workload"),
    ("workload__*__duration", "s", False, "last", "Time of one repetition at the clock asked for"),
    ("workload__*__energy", "J", False, "max", "Energy of one repetition: its mean power times its time"),
    ("sim__test__count", "count", None, "sum", "Tests that ran"),
    ("sim__test__count__passed", "count", None, "sum", "Tests that passed"),
    ("sim__test__count__failed", "count", False, "sum", "Tests that failed"),
    ("sim__coverage__functional", "%", True, "last", "Functional coverage reached"),
    ("sim__coverage__line", "%", True, "last", "Source lines that were executed"),
    ("sim__coverage__toggle", "%", True, "last", "Bits of signals that rose, and that fell"),
    ("sim__coverage__branch", "%", True, "last", "Branches that were taken"),
    ("sim__coverage__expression", "%", True, "last", "Rows of the truth tables of expressions that occurred"),
    ("sim__cycles", "count", None, "sum", "Clock cycles simulated"),
    ("formal__depth", "count", True, "min", "Cycles within which assertions were proved"),
    ("formal__assert__count__failed", "count", False, "sum", "Assertions with a counterexample"),
    ("formal__cover__count", "count", None, "sum", "Cover statements"),
    ("formal__cover__count__unreached", "count", False, "sum", "Cover statements that nothing reaches"),
    ("flow__runtime__total", "s", False, "sum", "Wall-clock time"),
    ("flow__mem__peak", "MB", False, "max", "Largest resident memory of a step"),
):
    REGISTRY.add(
        MetricDef(name=_name, unit=_unit, higher_is_better=_better, aggregate=_agg, description=_text)
    )
