"""Samplers: what they ask for, and how much of a front they find; fronts and hypervolumes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from flow.model.sweep import Axis, Fidelity, Objective, SamplerName, SweepSpec
from flow.sweep.pareto import (
    costs,
    front,
    hypervolume,
    hypervolume_share,
    rank_trials,
    ranks,
    reference_point,
)
from flow.sweep.samplers import make_sampler
from flow.sweep.space import Space
from flow.sweep.trial import Trial, TrialStatus

OBJECTIVES = (
    Objective(name="throughput", expression="timing__fmax", maximise=True),
    Objective(name="area", expression="design__instance__area", maximise=False),
)
AXES = (
    Axis(name="rows", values=(2, 4, 6, 8)),
    Axis(name="width", low=20, high=32, step=4),
    Axis(name="stages", values=(0, 1, 2)),
    Axis(name="recipe", values=("area", "balanced", "speed")),
)
ALL = list(SamplerName)


def spec(sampler, points=None, axes=AXES, seed=1, **values):
    return SweepSpec(name="s", axes=axes, objectives=OBJECTIVES, sampler=SamplerName(sampler), points=points,
                     seed=seed, **values)  # fmt: skip


def tile(point):
    """A tile of multipliers: throughput and area as a mapper would scatter them by a few per cent."""
    rows, width, stages = (point.values[name] for name in ("rows", "width", "stages"))
    recipe = ("area", "balanced", "speed").index(point.values["recipe"])
    depth = math.log2(rows) * (1.2 + width / 40) / (1 + 0.8 * stages) + (2.2, 1.6, 1.0)[recipe] * 2
    noise = int(point.id, 16) % 1000 / 1000 - 0.5
    area = rows * (100 + width * (4, 4.6, 6)[recipe]) + 30 * stages * rows + 500
    return {"throughput": rows * 3000 / depth * (1 + 0.04 * noise), "area": area * (1 + 0.02 * noise)}


def done(point, objectives=None, status=TrialStatus.DONE, missed=()):
    found = (tile(point) if objectives is None else objectives) if status is TrialStatus.DONE else {}
    return Trial(point=point, status=status, fidelity=Fidelity.TIMING, objectives=found, missed=missed)


def drive(sampler, count, batch=3, judge=done):
    trials = []
    while len(trials) < count:
        asked = sampler.ask(min(batch, count - len(trials)))
        if not asked:
            break
        assert len(asked) <= batch
        found = [judge(point) for point in asked]
        for trial in reversed(found):  # they end in any order
            sampler.tell(trial)
        trials += found
    return trials


def made(own, objectives=OBJECTIVES):
    space = Space(own)
    return make_sampler(own, space, objectives), space


@pytest.fixture(autouse=True)
def optuna_is_there(request):
    if "SamplerName.EVOLVE" in str(request.node.name) or "evolve" in request.node.name:
        pytest.importorskip("optuna")


@pytest.mark.parametrize("name", ALL)
def test_a_finite_space_is_exhausted_and_no_point_comes_twice(name):
    own = spec(name, axes=AXES[:3], constraints=("rows + stages < 9",))
    sampler, space = made(own)
    every = {point.id for point in space.points()}
    trials = drive(
        sampler, 1000, judge=lambda p: done(p, {"throughput": p.values["rows"], "area": p.values["width"]})
    )
    assert [t.point.id for t in trials] == list(dict.fromkeys(t.point.id for t in trials))
    assert {t.point.id for t in trials} == every and len(every) < 48


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_asks_for_the_same_and_another_for_other_points(name):
    def ids(seed):
        return [t.point.id for t in drive(made(spec(name, 12, seed=seed))[0], 12)]

    assert ids(1) == ids(1)
    if name is not SamplerName.GRID:
        assert ids(1) != ids(2)


@pytest.mark.parametrize("name", [n for n in ALL if n is not SamplerName.GRID])
def test_a_continuous_axis_and_a_constraint(name):
    axes = (Axis(name="x", low=0.0, high=1.0), Axis(name="clock", low=1.0, high=100.0, log=True))
    sampler, _ = made(spec(name, 12, axes=axes, constraints=("x * 100 < clock",)))
    trials = drive(
        sampler, 12, judge=lambda p: done(p, {"throughput": p.values["clock"], "area": 1 + p.values["x"]})
    )
    assert len(trials) == 12
    assert all(t.point.values["x"] * 100 < t.point.values["clock"] for t in trials)


@pytest.mark.parametrize("name", ALL)
def test_points_that_are_told_before_are_not_asked_for(name):
    own = spec(name, 30)
    space = Space(own)
    before = [done(point) for point in itertools.islice(space.points(), 40)]
    sampler = make_sampler(own, space, OBJECTIVES)
    for trial in before:
        sampler.tell(trial)
    asked = drive(sampler, 30)
    assert asked and not {t.point.id for t in asked} & {t.point.id for t in before}


def test_a_grid_with_a_budget_spans_the_space():
    trials = drive(made(spec("grid", 24))[0], 24)
    assert len(trials) == 24
    for axis in AXES:
        assert {t.point.values[axis.name] for t in trials} == set(axis.levels())


def test_a_latin_hypercube_uses_every_value_as_often():
    trials = drive(made(spec("latin", 24))[0], 24)
    for axis in AXES:
        counts = [sum(t.point.values[axis.name] == v for t in trials) for v in axis.levels()]
        assert max(counts) - min(counts) <= 2, axis.name


def test_bayes_leaves_alone_what_fails():
    """A third of the space fails, and would be the best of it."""

    def judge(point):
        return done(point, status=TrialStatus.FAILED) if point.values["recipe"] == "speed" else done(point)

    trials = drive(made(spec("bayes", 50))[0], 50, judge=judge)
    late = trials[20:]
    assert sum(t.status is TrialStatus.FAILED for t in late) < len(late) / 3


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "least"), [("bayes", 0.95), ("evolve", 0.85)])
def test_a_quarter_of_the_space_finds_the_front(name, least):
    axes = (*AXES, Axis(name="columns", values=(1, 2, 3)))
    every = [done(point) for point in Space(spec("grid", axes=axes)).points()]
    true = costs(every, OBJECTIVES)
    shares = []
    for seed in range(5):
        trials = drive(made(spec(name, len(every) // 4, axes=axes, seed=seed))[0], len(every) // 4)
        shares.append(hypervolume_share(costs(trials, OBJECTIVES), true))
    assert len(every) >= 300 and np.mean(shares) >= least


# -- fronts ------------------------------------------------------------------


def test_ranks_by_hand():
    table = np.array([[1, 4], [2, 2], [4, 1], [3, 3], [5, 5], [2, 2], [np.nan, 0]], dtype=float)
    assert ranks(table).tolist() == [0, 0, 0, 1, 2, 0, -1]


def test_ranks_agree_with_the_definition():
    random = np.random.default_rng(3)
    table = random.integers(0, 8, (300, 3)).astype(float)
    left = list(range(len(table)))
    wanted = np.full(len(table), -1)
    for rank in range(1000):
        if not left:
            break
        best = [
            i
            for i in left
            if not any((table[j] <= table[i]).all() and (table[j] < table[i]).any() for j in left)
        ]
        wanted[best] = rank
        left = [i for i in left if i not in set(best)]
    assert ranks(table).tolist() == wanted.tolist()


def test_hypervolumes_by_hand_and_by_chance():
    assert hypervolume(np.array([[1.0, 1.0]]), [3, 3]) == 4
    assert hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), [3, 3]) == 3
    assert hypervolume(np.array([[0.0, 0.0, 0.0]]), [2, 3, 4]) == 24
    assert hypervolume(np.array([[5.0, 5.0]]), [3, 3]) == 0
    random = np.random.default_rng(1)
    table = random.random((12, 3))
    drawn = random.random((200_000, 3))
    covered = (table[None, :, :] <= drawn[:, None, :]).all(axis=2).any(axis=1).mean()
    assert hypervolume(table, [1, 1, 1]) == pytest.approx(covered, abs=0.005)
    worse = np.vstack([table, table.max(axis=0)])
    assert hypervolume(worse, [1, 1, 1]) == pytest.approx(hypervolume(table, [1, 1, 1]))


def test_only_what_can_win_is_on_the_front():
    points = list(Space(spec("grid")).points())[:5]
    best = {"throughput": 1e9, "area": 1e-9}
    trials = [done(p) for p in points[:2]]
    trials += [done(points[2], best, missed=("too hot",)), done(points[3], status=TrialStatus.FAILED),
               done(points[4], {"throughput": None, "area": 1.0})]  # fmt: skip
    on_front = front(trials, OBJECTIVES)
    assert on_front and all(t.point.id in {p.id for p in points[:2]} for t in on_front)
    assert [rank_trials(trials, OBJECTIVES)[p.id] for p in points[2:]] == [None, None, None]
    table = costs(trials, OBJECTIVES)
    assert (reference_point(table) >= np.nanmax(table[ranks(table) == 0], axis=0)).all()
