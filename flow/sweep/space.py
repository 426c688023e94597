"""The space of a sweep: its points, and which of them the constraints allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from flow.model.errors import ConfigError
from flow.model.expression import Expression, ExpressionError
from flow.model.sweep import Axis, SweepSpec, Value
from flow.sweep.trial import Point

__all__ = ["Space", "identifier"]

_ENOUGH = 100_000  # points that are looked at before a space is called empty


def identifier(axis: str) -> str:
    """Return what an axis is called in expressions: ``config.rows`` is ``config_rows``."""
    return axis.replace(".", "_")


class Space:
    """The points of a sweep.

    Parameters
    ----------
    spec
        The sweep.
    where
        The place in the manifest, for messages.

    Attributes
    ----------
    size
        The product of the axes' sizes, constraints left aside; ``None``
        where an axis is continuous.

    Raises
    ------
    ConfigError
        An expression cannot be understood or names what is no axis, a
        constraint compares text with a number, or no point is allowed.
    """

    def __init__(self, spec: SweepSpec, where: str = "") -> None:
        self.spec, self._where = spec, where or f"sweep {spec.name}"
        self.axes: tuple[Axis, ...] = spec.axes
        sizes = [axis.size for axis in self.axes]
        self.size = None if None in sizes else math.prod(s for s in sizes if s is not None)
        known = [identifier(axis.name) for axis in self.axes]
        self._derived: list[tuple[str, Expression]] = []
        for name, text in spec.derived.items():
            self._derived.append((name, self._parse(text, known, f"derive.{name}")))
            known.append(name)
        self._constraints = [self._parse(text, known, "constraints") for text in spec.constraints]
        self.names = tuple(known)
        self._refuse_empty()

    def _parse(self, text: str, known: Sequence[str], key: str) -> Expression:
        import difflib  # noqa: PLC0415

        where = f"{self._where}.{key}"
        try:
            expression = Expression(text)
        except ExpressionError as error:
            raise ConfigError(str(error), where, "Mend the expression.") from None
        for name in expression.names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
                if "__" in name:
                    remedy = "It is a metric: what concerns metrics is a [[sweep.limit]]."
                raise ConfigError(f"{text!r} names {name!r}, which is no axis", where, remedy)
        return expression

    def _refuse_empty(self) -> None:
        """Refuse constraints that allow nothing, and say which one it is that does not."""
        looked = 0
        broken = [0] * len(self._constraints)
        for values in self._raw():
            looked += 1
            found, why = self._judge(values)
            if found is not None:
                return
            if why is not None:
                broken[why] += 1
            if looked >= _ENOUGH:
                return  # not known to be empty
        if not self._constraints:
            return
        always = [c.text for c, n in zip(self._constraints, broken, strict=True) if n == looked]
        said = f"{always[0]!r} is true of no point" if always else "together the constraints allow no point"
        raise ConfigError(
            said,
            f"{self._where}.constraints",
            f"{looked} points were looked at; relax it, or widen the axes.",
        )

    def _raw(self) -> Iterator[dict[str, Value]]:
        """Yield points whether they are allowed or not: all, or many that fill a continuous space."""
        if self.size is not None:
            for combination in itertools.product(*(axis.levels() for axis in self.axes)):
                yield dict(zip((axis.name for axis in self.axes), combination, strict=True))
            return
        for index in range(1, _ENOUGH + 1):
            shares = (_halton(index, base) for base in _primes(len(self.axes)))
            yield {a.name: a.at(s) for a, s in zip(self.axes, shares, strict=True)}

    def points(self) -> Iterator[Point]:
        """Yield every point that the constraints allow, the last axis changing fastest.

        Raises
        ------
        ValueError
            An axis is continuous.
        """
        if self.size is None:
            name = next(axis.name for axis in self.axes if axis.size is None)
            raise ValueError(f"the points of a space cannot be counted: axis {name} is continuous")
        for values in self._raw():
            point, _ = self._judge(values)
            if point is not None:
                yield point

    def make(self, values: Mapping[str, Value]) -> Point | None:
        """Return the point with these values, ``None`` where a constraint forbids it."""
        return self._judge({axis.name: values[axis.name] for axis in self.axes})[0]

    def at(self, shares: Sequence[float]) -> Point | None:
        """Return the point at these shares of the axes, each from 0 to 1; ``None`` where it is forbidden."""
        return self.make({axis.name: axis.at(s) for axis, s in zip(self.axes, shares, strict=True)})

    def shares(self, point: Point) -> list[float]:
        """Return where a point lies on each axis, from 0 to 1."""
        return [axis.share(point.values[axis.name]) for axis in self.axes]

    def holds(self, point: Point) -> bool:
        """Whether a point, perhaps of an earlier form of the sweep, is one of this space."""
        if set(point.values) != {axis.name for axis in self.axes}:
            return False
        try:
            self.shares(point)
        except (ValueError, TypeError):
            return False
        return self.make(point.values) is not None

    def _judge(self, values: dict[str, Value]) -> tuple[Point | None, int | None]:
        """Return the point, or the constraint that it breaks."""
        known: dict[str, Value] = {identifier(name): value for name, value in values.items()}
        derived: dict[str, Value] = {}
        for name, expression in self._derived:
            value = self._value(expression, known)
            if value is None:
                return None, None
            known[name] = derived[name] = value
        for index, constraint in enumerate(self._constraints):
            if not self._value(constraint, known):
                return None, index
        return Point(values, derived), None

    def _value(self, expression: Expression, known: Mapping[str, Value]) -> Value | None:
        try:
            value: Value | None = expression.evaluate(known)
        except ExpressionError as error:
            raise ConfigError(str(error), self._where, "Mend the expression.") from None
        return value


def _halton(index: int, base: int) -> float:
    """Return an element of Halton's sequence, which fills the unit interval evenly."""
    share, factor = 0.0, 1.0
    while index:
        factor /= base
        index, digit = divmod(index, base)
        share += factor * digit
    return share


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found
