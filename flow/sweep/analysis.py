"""What the points of a sweep say together: which axes matter, and whether cheap levels can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from flow.model.sweep import Axis, Fidelity, Objective, Value
from flow.sweep.pareto import Floats
from flow.sweep.trial import Trial

__all__ = ["correlation", "sensitivity"]

_LEVELS = 8  # an axis with more values is cut into as many parts
_FEWEST = 3  # points that a correlation or a variance can be had from


def sensitivity(
    axes: Sequence[Axis], trials: Sequence[Trial], objectives: Sequence[Objective]
) -> list[dict[str, Any]]:
    """Return how much of each objective's variance each axis explains, and its mean by value.

    An additive model of all axes is fitted by least squares, so that what
    another axis does in points that were not chosen evenly is not laid to
    this one's account; an axis explains what the model loses without it,
    less what chance alone would explain (omega squared). Interactions are no
    axis' own: the shares of a space of products add up to less than one. An
    objective that is positive everywhere is taken by its logarithm.

    Returns
    -------
    list
        Rows ``axis``, ``objective``, ``share`` from 0 to 1, ``None`` where
        there are too few points to say, and ``effect``: value, mean of the
        objective in its unit, number of points.
    """
    done = [trial for trial in trials if trial.feasible]
    rows: list[dict[str, Any]] = []
    groups = [_groups(axis, done) for axis in axes]
    for objective in objectives:
        values = np.array([float(t.objectives[objective.name] or 0.0) for t in done])
        positive = bool(len(values)) and bool((values > 0).all())
        shares = _shares(groups, np.log(values) if positive else values)
        for axis, own, share in zip(axes, groups, shares, strict=True):
            effect = [[label, float(values[members].mean()), len(members)] for label, members in own.items()]
            rows.append({"axis": axis.name, "objective": objective.name, "share": share, "effect": effect})
    return rows


def _groups(axis: Axis, trials: Sequence[Trial]) -> dict[Value, list[int]]:
    """Return the trials with each value of an axis, in its order; of many values, with each part of them."""
    values = [trial.point.values[axis.name] for trial in trials]
    found: dict[Value, list[int]] = {}
    if axis.values:
        for value in axis.values:
            found[value] = [i for i, own in enumerate(values) if own == value and type(own) is type(value)]
    else:
        numbers = [float(value) for value in values]
        levels: list[Value] = sorted(set(values), key=float)
        if len(levels) > _LEVELS:
            edges = np.quantile(numbers, np.linspace(0, 1, _LEVELS + 1))
            parts = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, _LEVELS - 1)
            for part in range(_LEVELS):
                members = [i for i, own in enumerate(parts) if own == part]
                if members:
                    found[float(f"{np.mean([numbers[i] for i in members]):.4g}")] = members
        else:
            for level in levels:
                found[level] = [i for i, own in enumerate(values) if own == level]
    return {value: members for value, members in found.items() if members}


def _shares(groups: Sequence[Mapping[Value, list[int]]], values: Floats) -> list[float | None]:
    count = len(values)
    total = float(((values - values.mean()) ** 2).sum()) if count else 0.0
    freedom = sum(len(own) - 1 for own in groups)
    if count < _FEWEST or count - 1 - freedom < 1:
        return [None] * len(groups)
    if total <= 1e-18 * max(1.0, float(np.abs(values).max()) ** 2) * count:
        return [0.0] * len(groups)
    columns = [_columns(own, count) for own in groups]
    rest = _residual(columns, values)
    error = rest / (count - 1 - freedom)
    shares: list[float | None] = []
    for index, own in enumerate(groups):
        without = _residual([c for i, c in enumerate(columns) if i != index], values)
        explained = without - rest - (len(own) - 1) * error
        shares.append(float(np.clip(explained / (total + error), 0.0, 1.0)) if len(own) > 1 else 0.0)
    return shares


def _columns(groups: Mapping[Value, list[int]], count: int) -> Floats:
    """Return one column for each value but the first."""
    table = np.zeros((count, max(0, len(groups) - 1)))
    for column, members in enumerate(list(groups.values())[1:]):
        table[members, column] = 1.0
    return table


def _residual(columns: Sequence[Floats], values: Floats) -> float:
    """Return the sum of squares that an additive model leaves."""
    table = np.hstack([np.ones((len(values), 1)), *columns])
    fitted = table @ np.linalg.lstsq(table, values, rcond=None)[0]
    return float(((values - fitted) ** 2).sum())


def correlation(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """Return how the levels of fidelity agree, each with the next, on the points that both evaluated.

    Returns
    -------
    list
        Rows ``from``, ``to``, ``objective``, ``pearson``, ``spearman``
        (``None`` for fewer than three points, or where one level says the
        same of all) and ``n``.
    """
    rows: list[dict[str, Any]] = []
    levels = [str(f) for f in Fidelity if any(str(f) in trial.levels for trial in trials)]
    for low, high in pairwise(levels):
        for objective in objectives:
            pairs = [
                (trial.levels[low].get(objective.name), trial.levels[high].get(objective.name))
                for trial in trials
                if low in trial.levels and high in trial.levels
            ]
            known = [(a, b) for a, b in pairs if a is not None and b is not None]
            x, y = (np.array([pair[i] for pair in known], dtype=float) for i in (0, 1))
            rows.append({
                "from": low, "to": high, "objective": objective.name, "pearson": _pearson(x, y),
                "spearman": _pearson(_ranked(x), _ranked(y)), "n": len(known),
            })  # fmt: skip
    return rows


def _pearson(x: Floats, y: Floats) -> float | None:
    if len(x) < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def _ranked(values: Floats) -> Floats:
    """Return the rank of each value, equal ones sharing the mean of theirs."""
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    ranks: Floats = (low + high - 1) / 2
    return ranks
