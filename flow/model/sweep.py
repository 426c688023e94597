"""Sweeps: which points of a design's space to evaluate, how closely, and what is wanted of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "FLOW_AXES",
    "Axis",
    "Fidelity",
    "Objective",
    "SamplerName",
    "SweepLimit",
    "SweepSpec",
    "Value",
]

#: What a point has on an axis.
Value = bool | int | float | str

#: Axes that are not parameters of the design, and what they are.
FLOW_AXES: Mapping[str, str] = {
    "pdk": "PDK",
    "corner": "timing corner, the one that synthesis and power use",
    "recipe": "synthesis recipe",
    "hierarchy": "flatten or keep",
    "clock_period_ns": "clock period asked for",
    "clock_scale": "clock period over the one that the manifest has for the PDK",
    "max_fanout": "largest fanout that synthesis leaves unbuffered",
}


class Fidelity(StrEnum):
    """How closely a point is looked at, the cheapest first."""

    ESTIMATE = "estimate"
    TIMING = "timing"
    POWER = "power"
    LAYOUT = "layout"


class SamplerName(StrEnum):
    """Ways to choose points."""

    GRID = "grid"
    RANDOM = "random"
    LATIN = "latin"
    BAYES = "bayes"
    EVOLVE = "evolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One dimension of a space: either a list of values or a range of numbers.

    Attributes
    ----------
    name
        A parameter of the design's top (``config.rows`` for one inside a
        table), or one of :data:`FLOW_AXES`.
    flow
        Whether it is one of :data:`FLOW_AXES`.
    values
        The values, in their order; empty for a range.
    low, high
        Bounds of a range, both included.
    step
        Distance of a range's values; ``None`` for a continuous one.
    log
        Whether the range is even in its logarithm.
    """

    name: str
    flow: bool = False
    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        if self.values:
            if len({(type(v), v) for v in self.values}) != len(self.values):
                raise ValueError(f"axis {self.name}: a value is there twice")
            return
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"axis {self.name}: min and max must be finite")
        if self.low > self.high:
            raise ValueError(f"axis {self.name}: min {self.low:g} is above max {self.high:g}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"axis {self.name}: step must be positive, not {self.step:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"axis {self.name}: with log, min must be positive, not {self.low:g}")
        if self.size is not None and self.size > 1_000_000:
            raise ValueError(f"axis {self.name}: {self.size} values are too many")

    @property
    def size(self) -> int | None:
        """How many values it has; ``None`` where it is continuous."""
        if self.values:
            return len(self.values)
        if self.step is None:
            return 1 if self.low == self.high else None
        return math.floor((self.high - self.low) / self.step * (1 + 1e-12)) + 1

    def levels(self) -> tuple[Value, ...]:
        """Return its values in order.

        Raises
        ------
        ValueError
            It is continuous.
        """
        if self.values:
            return self.values
        size = self.size
        if size is None:
            raise ValueError(f"axis {self.name} is continuous: give it a step, or values")
        return tuple(self._number(index) for index in range(size))

    def _number(self, index: int) -> Value:
        """Return the value at `index`: an integer where all of the range's are."""
        if self.step is None:
            return self.low
        value = self.low + index * self.step
        whole = float(self.low).is_integer() and float(self.step).is_integer()
        return round(value) if whole else float(f"{value:.12g}")

    def at(self, share: float) -> Value:
        """Return the value at `share` of the axis, from 0 to 1."""
        share = min(max(share, 0.0), 1.0)
        size = self.size
        if size is not None and not (self.log and not self.values):
            index = min(int(share * size), size - 1)
            return self.values[index] if self.values else self._number(index)
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        if self.step is None:
            return float(f"{min(max(value, self.low), self.high):.12g}")
        assert size is not None
        return self._number(min(max(round((value - self.low) / self.step), 0), size - 1))

    def share(self, value: Value) -> float:
        """Return where `value` lies on the axis, from 0 to 1: the middle of its cell where it has cells.

        Raises
        ------
        ValueError
            The axis has no such value.
        """
        if self.values:
            for index, own in enumerate(self.values):
                if own == value and isinstance(own, bool) == isinstance(value, bool):
                    return (index + 0.5) / len(self.values)
            raise ValueError(f"axis {self.name} has no value {value!r}")
        if isinstance(value, bool | str):
            raise ValueError(f"axis {self.name} has no value {value!r}")
        if self.low == self.high:
            return 0.5
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        size = self.size
        if size is not None and self.step is not None:
            return (round((value - self.low) / self.step) + 0.5) / size
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A figure to make large or small.

    Attributes
    ----------
    name
        What the report calls it.
    expression
        Over metrics, axes and derived values: ``workload__kws__cycles / timing__fmax``.
    maximise
        Whether more is better.
    unit
        Unit to show it in; empty for the one that follows from the expression.
    """

    name: str
    expression: str
    maximise: bool
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLimit:
    """What a point must keep to, or it is no candidate.

    Attributes
    ----------
    expression
        As an objective's.
    min, max
        Bounds in `unit`, at least one.
    unit
        Unit of the bounds; empty for the one that follows from the expression.
    """

    expression: str
    min: float | None = None
    max: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        if not bounds:
            raise ValueError(f"limit on {self.expression}: give min, max or both")
        if not all(map(math.isfinite, bounds)):
            raise ValueError(f"limit on {self.expression}: min and max must be finite")
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise ValueError(f"limit on {self.expression}: min {self.min:g} is above max {self.max:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSpec:
    """A sweep as its manifest has it.

    Attributes
    ----------
    name, description
        What it is called, and what it asks.
    axes
        Dimensions of the space.
    derived
        Values by name, each an expression over axes and those before it.
    constraints
        Expressions that must be true of a point.
    objectives
        What is wanted, at least one.
    limits
        What a candidate must keep to.
    sampler
        How points are chosen.
    points
        Budget in points; ``None`` for all of a space that can be counted.
    time_s
        Budget in seconds, ``None`` without.
    fidelity
        Levels that points are evaluated at, the cheapest first.
    promote
        Share of the points of a level that the next one evaluates.
    seed
        Of the sampler.
    point_timeout_s
        Wall-clock limit of each step of a point; ``None`` for the step's own.
    workloads
        Tests and workloads that are simulated where a level needs activity or cycles.
    model
        ``package.module:function`` of a performance model, or empty.
    search_clock
        Whether the clock of each point is searched for the highest frequency.
    """

    name: str
    axes: tuple[Axis, ...]
    objectives: tuple[Objective, ...]
    description: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    limits: tuple[SweepLimit, ...] = ()
    sampler: SamplerName = SamplerName.GRID
    points: int | None = None
    time_s: float | None = None
    fidelity: tuple[Fidelity, ...] = (Fidelity.TIMING,)
    promote: float = 0.25
    seed: int = 1
    point_timeout_s: float | None = None
    workloads: tuple[str, ...] = ()
    model: str = ""
    search_clock: bool = False

    def __post_init__(self) -> None:
        if not self.axes:
            raise ValueError(f"sweep {self.name}: it has no axis")
        if not self.objectives:
            raise ValueError(f"sweep {self.name}: it has no objective")
        if list(self.fidelity) != sorted(set(self.fidelity), key=list(Fidelity).index) or not self.fidelity:
            order = ", ".join(Fidelity)
            raise ValueError(f"sweep {self.name}: fidelity names levels once, in this order: {order}")
        if not 0 < self.promote <= 1:
            raise ValueError(f"sweep {self.name}: promote is a share above 0, up to 1, not {self.promote:g}")
        if self.points is not None and self.points < 1:
            raise ValueError(f"sweep {self.name}: points must be at least 1, not {self.points}")
        for bound in (self.time_s, self.point_timeout_s):
            if bound is not None and not bound > 0:
                raise ValueError(f"sweep {self.name}: a time must be positive, not {bound:g}")
        names = [axis.name for axis in self.axes] + list(self.derived)
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"sweep {self.name}: {name!r} is defined twice")
        self._check_axes()

    def _check_axes(self) -> None:
        clocks = {"clock_period_ns", "clock_scale"} & {axis.name for axis in self.axes if axis.flow}
        if self.search_clock and clocks:
            raise ValueError(
                f"sweep {self.name}: search_clock finds the clock; {min(clocks)} is no axis then"
            )
        if self.sampler is SamplerName.GRID:
            for axis in self.axes:
                if axis.size is None:
                    raise ValueError(
                        f"sweep {self.name}: a grid needs a step or values on axis {axis.name!r}, "
                        "which is continuous"
                    )
