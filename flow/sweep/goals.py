"""Objectives and limits of a sweep, checked, and what they make of a point's metrics."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flow.model.errors import ConfigError
from flow.model.expression import Expression, ExpressionError
from flow.model.metric import REGISTRY
from flow.model.sweep import Objective, SweepLimit, SweepSpec
from flow.model.unit import PLAIN, Unit, parse_unit
from flow.sweep.space import Space, identifier
from flow.sweep.trial import Point

__all__ = ["Goals"]

#: Units of axes that have one.
_AXIS_UNITS = {"clock_period_ns": "ns"}


@dataclass(frozen=True, slots=True)
class _Figure:
    """An expression, its units, and the unit that its result is given in."""

    expression: Expression
    units: Mapping[str, Unit]
    shown: Unit

    def of(self, values: Mapping[str, Any]) -> float | None:
        result = self.expression.evaluate(values, self.units)
        if result is None or isinstance(result, str):
            return None
        return float(result) / self.shown.scale


class Goals:
    """What is wanted of points.

    Parameters
    ----------
    spec, space
        The sweep.
    where
        The place in the manifest, for messages.

    Attributes
    ----------
    objectives
        With their units.
    limits
        With theirs.
    metrics
        Names of the metrics that they use.

    Raises
    ------
    ConfigError
        An expression cannot be understood, names what is neither a metric
        nor an axis, or its units do not fit.
    """

    def __init__(self, spec: SweepSpec, space: Space, where: str = "") -> None:
        self._where = where or f"sweep {spec.name}"
        self._names = space.names
        self.metrics: tuple[str, ...] = ()
        named = [objective.name for objective in spec.objectives]
        for name in named:
            if named.count(name) > 1:
                raise ConfigError(f"objective {name!r} is defined twice", self._where, "Rename one.")
        self._figures = [self._figure(o.expression, o.unit, f"objective {o.name}") for o in spec.objectives]
        self._limits = [self._figure(x.expression, x.unit, "limit") for x in spec.limits]
        self.objectives: tuple[Objective, ...] = tuple(
            replace(objective, unit=str(figure.shown))
            for objective, figure in zip(spec.objectives, self._figures, strict=True)
        )
        self.limits: tuple[SweepLimit, ...] = tuple(
            replace(limit, unit=str(figure.shown))
            for limit, figure in zip(spec.limits, self._limits, strict=True)
        )

    def _figure(self, text: str, unit: str, key: str) -> _Figure:
        where = f"{self._where}.{key}"
        try:
            expression = Expression(text)
            units = {name: self._unit(name, where) for name in expression.names}
            own = expression.unit(units)
            shown = parse_unit(unit) if unit else own.shown()
        except ValueError as error:
            raise ConfigError(str(error), where, "Mend the expression or its unit.") from None
        if not shown.agrees(own):
            raise ConfigError(
                f"{text!r} is in {own.shown() or 'no unit'}, which cannot be shown in {unit!r}", where,
                f"Write unit = {str(own.shown())!r}, or leave it out.",
            )  # fmt: skip
        return _Figure(expression, units, shown)

    def _unit(self, name: str, where: str) -> Unit:
        if name in self._names:
            return parse_unit(_AXIS_UNITS.get(name, ""))
        known = REGISTRY.get(name)
        if known is None:
            near = difflib.get_close_matches(
                name, [*self._names, *(d.name for d in REGISTRY)], n=1, cutoff=0.5
            )
            remedy = f"Did you mean {near[0]!r}?" if near else "See docs/manifest.md for the metrics."
            raise ConfigError(f"{name!r} is neither a metric nor an axis", where, remedy)
        if name not in self.metrics:
            self.metrics = (*self.metrics, name)
        try:
            return parse_unit(known.unit)
        except ValueError:
            return PLAIN

    def judge(
        self, point: Point, metrics: Mapping[str, float | None]
    ) -> tuple[dict[str, float | None], tuple[str, ...]]:
        """Return the objectives of a point in their units, and the limits that it misses, in words."""
        values: dict[str, Any] = dict.fromkeys(self.metrics)
        values |= metrics
        values |= {identifier(name): value for name, value in point.values.items()}
        values |= point.derived
        try:
            found = {o.name: f.of(values) for o, f in zip(self.objectives, self._figures, strict=True)}
            missed = self._missed(values)
        except ExpressionError as error:
            raise ConfigError(str(error), self._where, "Mend the expression.") from None
        return found, missed

    def _missed(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        missed: list[str] = []
        for limit, figure in zip(self.limits, self._limits, strict=True):
            value = figure.of(values)
            unit = f" {limit.unit}" if limit.unit else ""
            if value is None:
                missed.append(f"{limit.expression} was not measured")
            elif limit.min is not None and value < limit.min:
                missed.append(f"{limit.expression} is {value:.4g}{unit}, must be at least {limit.min:g}")
            elif limit.max is not None and value > limit.max:
                missed.append(f"{limit.expression} is {value:.4g}{unit}, must be at most {limit.max:g}")
        return tuple(missed)

    def unknown(self, trials: Sequence[Mapping[str, float | None]]) -> list[str]:
        """Return the objectives that no trial has, of those given."""
        return [o.name for o in self.objectives if all(t.get(o.name) is None for t in trials)]
