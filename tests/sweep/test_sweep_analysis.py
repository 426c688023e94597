"""Which axes matter, and how levels of fidelity agree."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from flow.model.sweep import Axis, Fidelity, Objective
from flow.sweep.analysis import correlation, sensitivity
from flow.sweep.trial import Point, Trial, TrialStatus

F = Objective(name="f", expression="timing__fmax", maximise=True)


def trial(values, f, levels=None, status=TrialStatus.DONE):
    objectives = {"f": f} if f is not None else {}
    return Trial(point=Point(values), status=status, fidelity=Fidelity.TIMING, objectives=objectives,
                 levels=levels or {"timing": objectives})  # fmt: skip


AXES = (
    Axis(name="a", values=(1, 2, 4)),
    Axis(name="b", values=("x", "y")),
    Axis(name="c", low=0, high=3, step=1),
)


def full(function):
    combinations = itertools.product(*(axis.levels() for axis in AXES))
    return [trial({"a": a, "b": b, "c": c}, function(a, b, c)) for a, b, c in combinations]


def shares(trials):
    return {row["axis"]: row["share"] for row in sensitivity(AXES, trials, [F])}


def test_an_axis_that_does_everything_has_all_and_the_others_nothing():
    assert shares(full(lambda a, b, c: 10.0 * a)) == {
        "a": pytest.approx(1.0), "b": pytest.approx(0.0), "c": pytest.approx(0.0)
    }  # fmt: skip


def test_shares_of_factors_are_those_of_the_variance_of_their_logarithms():
    found = shares(full(lambda a, b, c: a * (3.0 if b == "y" else 1.0)))
    a = np.var([math.log(v) for v in (1, 2, 4)])
    b = np.var([0.0, math.log(3.0)])
    assert found["a"] == pytest.approx(a / (a + b), abs=1e-6)
    assert found["b"] == pytest.approx(b / (a + b), abs=1e-6)


def test_uneven_points_do_not_lay_one_axis_to_anothers_account():
    """Only a matters, but large values of it were mostly tried with y."""

    def tried(a, b, c):
        return b == ("y" if a > 1 else "x") or c == 0

    trials = [t for t in full(lambda a, b, c: float(a)) if tried(**t.point.values)]
    found = shares(trials)
    assert found["a"] > 0.2 and found["b"] == pytest.approx(0.0, abs=1e-9)


def test_pure_noise_is_no_effect():
    random = np.random.default_rng(5)
    means = [shares(full(lambda a, b, c: float(np.exp(random.normal())))) for _ in range(100)]
    for axis in "abc":
        assert np.mean([m[axis] for m in means]) < 0.06


def test_a_constant_too_few_points_and_points_that_cannot_win():
    assert shares(full(lambda a, b, c: 7.0)) == {"a": 0.0, "b": 0.0, "c": 0.0}
    assert set(shares(full(lambda a, b, c: float(a))[:4]).values()) == {None}
    assert set(shares([]).values()) == {None}
    good = full(lambda a, b, c: float(a))
    bad = [trial({"a": 1, "b": "y", "c": 0}, None, status=TrialStatus.FAILED)]
    assert shares(good + bad) == shares(good)


def test_effects_are_means_in_the_objectives_own_unit():
    rows = {row["axis"]: row["effect"] for row in sensitivity(AXES, full(lambda a, b, c: a + 10.0 * c), [F])}
    assert rows["a"] == [[1, 16.0, 8], [2, 17.0, 8], [4, 19.0, 8]]
    assert [value for value, _, _ in rows["c"]] == [0, 1, 2, 3]


def test_an_axis_with_many_values_is_cut_into_parts():
    axis = Axis(name="clock", low=1.0, high=3.0)
    trials = [trial({"clock": 1 + i / 50}, float(i + 1)) for i in range(100)]
    (row,) = sensitivity([axis], trials, [F])
    assert len(row["effect"]) == 8 and sum(n for _, _, n in row["effect"]) == 100
    assert [m for _, m, _ in row["effect"]] == sorted(m for _, m, _ in row["effect"])
    assert row["share"] > 0.8


def test_levels_that_agree_in_order_but_not_in_size():
    trials = [
        trial({"a": i}, float(i**3), {"estimate": {"f": float(i)}, "timing": {"f": float(i**3)}})
        for i in range(1, 9)
    ]
    trials.append(trial({"a": 99}, 5.0, {"estimate": {"f": 1.0}}))
    trials.append(trial({"a": 98}, None, {"estimate": {"f": 1.0}, "timing": {}}, TrialStatus.FAILED))
    (row,) = correlation(trials, [F])
    assert (row["from"], row["to"], row["n"]) == ("estimate", "timing", 8)
    assert row["spearman"] == pytest.approx(1.0) and 0.9 < row["pearson"] < 0.99


def test_no_correlation_from_two_points_or_from_a_constant():
    pairs = [({"estimate": {"f": float(i)}, "timing": {"f": 2.0}}) for i in range(5)]
    for levels in (pairs, pairs[:2]):
        (row,) = correlation([trial({"a": i}, 2.0, own) for i, own in enumerate(levels)], [F])
        assert row["pearson"] is None and row["spearman"] is None
    assert correlation([trial({"a": 1}, 1.0)], [F]) == []
