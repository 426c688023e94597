"""Pareto fronts: ranks, hypervolume and crowding, and the fronts of trials.

Arrays hold one row for each point and one column for each objective, and
*less is better* in every column; :func:`costs` makes such an array of
trials. A row with a NaN stands for a point that cannot win.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from flow.model.sweep import Objective, Value
from flow.sweep.trial import Trial

__all__ = [
    "Floats",
    "costs",
    "crowding",
    "front",
    "fronts_by",
    "hypervolume",
    "hypervolume_share",
    "rank_trials",
    "ranks",
    "reference_point",
]

#: Numbers in an array.
Floats: TypeAlias = NDArray[np.float64]
_Flags: TypeAlias = NDArray[np.bool_]

_BLOCK = 256  # rows that are compared with all before them at once
_MARGIN = 0.1  # of the range of an objective, between its worst value and the reference point


def costs(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Floats:
    """Return what each trial costs: shape (trials, objectives), less is better.

    An objective to maximise is negated. The row of an infeasible trial is NaN.
    """
    table: Floats = np.full((len(trials), len(objectives)), np.nan)
    for row, trial in zip(table, trials, strict=True):
        if not trial.feasible:
            continue
        for column, objective in enumerate(objectives):
            value = trial.objectives.get(objective.name)
            if value is not None:
                row[column] = -value if objective.maximise else value
    return table


def ranks(table: Floats) -> NDArray[np.int64]:
    """Return the rank of each row: 0 on the front, 1 on the front of what remains, and so on.

    Equal rows have equal ranks. A row with a NaN or an infinite value has
    rank -1 and dominates nothing.

    Notes
    -----
    Distinct rows are sorted by their first column, then the second, and so
    on, so that one can only be dominated by those before it; its rank is one
    more than the highest of theirs. Takes n²/2 comparisons in blocks.
    """
    table = np.asarray(table, dtype=float)
    result: NDArray[np.int64] = np.full(len(table), -1, dtype=np.int64)
    known = np.isfinite(table).all(axis=1)
    if not known.any():
        return result
    distinct, inverse = np.unique(table[known], axis=0, return_inverse=True)
    own: NDArray[np.int64] = np.zeros(len(distinct), dtype=np.int64)
    later = distinct[:, 1:]  # what the sort has not settled yet
    for start in range(0, len(distinct), _BLOCK):
        block = later[start : start + _BLOCK]
        if start:
            dominated = _all_at_most(later[:start], block)
            own[start : start + _BLOCK] = np.where(dominated, own[:start, None] + 1, 0).max(axis=0)
        within = np.triu(_all_at_most(block, block), 1)
        for index in range(1, len(block)):
            above = within[:index, index]
            if above.any():
                best = own[start : start + index][above].max() + 1
                own[start + index] = max(own[start + index], best)
    result[known] = own[inverse.reshape(-1)]
    return result


def _all_at_most(left: Floats, right: Floats) -> _Flags:
    """Return, for each row of `left` and each of `right`, whether it is nowhere the larger one."""
    result: _Flags = np.ones((len(left), len(right)), dtype=bool)
    for column in range(left.shape[1]):
        result &= left[:, column, None] <= right[None, :, column]
    return result


def reference_point(table: Floats) -> Floats:
    """Return a reference point for hypervolumes: a tenth of the range behind the worst of the front.

    The front's worst values, not those of all points, so that a point far
    behind does not make every front look alike; the tenth lets the ends of
    the front count. Where all of the front agree on an objective, the range
    is the size of that value, or 1 where it is zero.

    Raises
    ------
    ValueError
        No row is finite.
    """
    best = np.asarray(table, dtype=float)[ranks(table) == 0]
    if not len(best):
        raise ValueError("there is no front: no point has all objectives")
    worst, spread = best.max(axis=0), np.ptp(best, axis=0)
    spread = np.where(spread > 0, spread, np.where(worst != 0, np.abs(worst), 1.0))
    point: Floats = worst + _MARGIN * spread
    return point


def hypervolume(table: Floats, reference: Sequence[float] | Floats) -> float:
    """Return the volume that the rows dominate, up to `reference`; exact for any number of objectives.

    Rows that are not better than `reference` in every objective add nothing.

    Notes
    -----
    Two objectives are swept in n log n steps and three in n slices of two.
    With more, the volume is the sum of what each point adds to those after
    it, which is its own box less the hypervolume of the others clipped to
    that box (While, Bradstreet and Barone, "A fast way of calculating exact
    hypervolumes", IEEE Trans. Evol. Comp. 16(1), 2012). That takes
    exponential time at worst: 4 objectives and 200 points on the front are
    fine, 8 and 200 are not.
    """
    limit = np.asarray(reference, dtype=float)
    rows = np.asarray(table, dtype=float).reshape(-1, len(limit))
    rows = rows[np.isfinite(rows).all(axis=1)]
    rows = rows[(rows < limit).all(axis=1)]
    return float(_volume(_first_front(rows), limit)) if len(rows) else 0.0


def _first_front(rows: Floats) -> Floats:
    """Return the rows that none dominates, each once, in order of the first column."""
    rest = np.unique(rows, axis=0)
    kept = []
    while len(rest):
        kept.append(rest[0])
        rest = rest[1:][(rest[1:] < rest[0]).any(axis=1)]
    return np.array(kept)


def _volume(rows: Floats, limit: Floats) -> float:
    """Return the hypervolume of rows that do not dominate each other, in order of the first column."""
    if len(rows) == 1:
        return float(np.prod(limit - rows[0]))
    if rows.shape[1] == 1:
        return float(limit[0] - rows[:, 0].min())
    if rows.shape[1] == 2:
        upper = np.concatenate([limit[1:], rows[:-1, 1]])
        return float(np.sum((limit[0] - rows[:, 0]) * (upper - rows[:, 1])))
    if rows.shape[1] == 3:
        depth: Floats = np.diff(np.append(rows[:, 0], limit[0]))
        return float(
            sum(
                thick * _volume(_first_front(rows[: index + 1, 1:]), limit[1:])
                for index, thick in enumerate(depth)
                if thick > 0
            )
        )
    total = 0.0
    for index, row in enumerate(rows):
        total += float(np.prod(limit - row))
        others = np.maximum(rows[index + 1 :], row)
        if len(others):
            total -= _volume(_first_front(others), limit)
    return total


def hypervolume_share(found: Floats, true: Floats) -> float:
    """Return how much of the hypervolume of `true` the rows `found` reach, from 0 to 1.

    Both are measured up to the reference point of `true`, which holds the
    rows of the whole space.

    Raises
    ------
    ValueError
        No row of `true` is finite.
    """
    limit = reference_point(true)
    return hypervolume(found, limit) / hypervolume(true, limit)


def crowding(table: Floats) -> Floats:
    """Return the crowding distance of each row among all: more is lonelier, the ends are infinite.

    Source
    ------
    Deb et al., "A fast and elitist multiobjective genetic algorithm:
    NSGA-II", IEEE Trans. Evol. Comp. 6(2), 2002, section III.B.
    """
    rows = np.asarray(table, dtype=float)
    distance: Floats = np.zeros(len(rows))
    for column in rows.T if len(rows) else ():
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if spread > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance


def rank_trials(trials: Sequence[Trial], objectives: Sequence[Objective]) -> dict[str, int | None]:
    """Return the rank of each trial by the id of its point; ``None`` for one that cannot win."""
    found = ranks(costs(trials, objectives))
    return {t.point.id: None if r < 0 else int(r) for t, r in zip(trials, found, strict=True)}


def front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Return the trials that none dominates, the best of the first objective first; ties stay."""
    table = costs(trials, objectives)
    best = [int(i) for i in np.flatnonzero(ranks(table) == 0)]
    return [trials[i] for i in sorted(best, key=lambda i: (*table[i], trials[i].point.id))]


def fronts_by(
    trials: Iterable[Trial], objectives: Sequence[Objective], axis: str = "pdk"
) -> Mapping[Value, list[Trial]]:
    """Return the front among the trials of each value of an axis, in the order that the values come.

    A trial without that axis is left out. A value none of whose trials can
    win has an empty front.
    """
    groups: dict[Value, list[Trial]] = {}
    for trial in trials:
        if axis in trial.point.values:
            groups.setdefault(trial.point.values[axis], []).append(trial)
    return {value: front(group, objectives) for value, group in groups.items()}
