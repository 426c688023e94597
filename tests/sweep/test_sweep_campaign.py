"""Sweeps from the first point to the last: levels, shared steps, failures, interruption."""

from __future__ import annotations

import pytest

from flow.model.sweep import Fidelity
from flow.sweep.trial import TrialStatus


def printing(count: int) -> str:
    return f"printf '%0{count}d' 0"


def lengths(campaign) -> dict:
    return {tuple(t.point.values.values()): t.objectives.get("length") for t in campaign.trials.values()}


def test_every_point_is_evaluated_once_and_a_second_sweep_runs_nothing(bench):
    spec = bench.spec("x = [1, 2, 3]\ny = [10, 20]")

    def script(values, fidelity):
        return {"p{x}-{y}".format(**values): printing(values["x"] * values["y"])}

    first = bench.run(bench.campaign(spec, script))
    assert lengths(first) == {(x, y): x * y for x in (1, 2, 3) for y in (10, 20)}
    assert sorted(bench.started()) == sorted(f"p{x}-{y}" for x in (1, 2, 3) for y in (10, 20))
    assert first.ended == "done"
    again = bench.run(bench.campaign(spec, script))
    assert bench.started() == []
    assert lengths(again) == lengths(first)
    assert all(t.cached for t in again.trials.values()) and not any(t.cached for t in first.trials.values())


def test_points_that_share_a_step_run_it_once(bench):
    spec = bench.spec("x = [1, 2]\ny = [1, 2, 3]")

    def script(values, fidelity):
        return {f"shared{values['x']}": "true", "own{x}-{y}".format(**values): printing(values["y"])}

    campaign = bench.run(bench.campaign(spec, script))
    assert len(campaign.trials) == 6
    assert sorted(n for n in bench.started() if n.startswith("shared")) == ["shared1", "shared2"]


def test_a_point_that_fails_or_is_refused_has_no_score_and_the_others_go_on(bench):
    spec = bench.spec("x = [1, 2, 3, 4]")

    def script(values, fidelity):
        return {f"p{values['x']}": "exit 7" if values["x"] == 2 else printing(values["x"])}

    campaign = bench.campaign(spec, script)
    evaluator = campaign._evaluator
    evaluator.refused = {p.id for p in campaign._space.points() if p.values["x"] == 3}
    bench.run(campaign)
    found = {t.point.values["x"]: t for t in campaign.trials.values()}
    assert [found[x].status for x in (1, 2, 3, 4)] == [
        TrialStatus.DONE, TrialStatus.REFUSED, TrialStatus.REFUSED, TrialStatus.DONE
    ]  # fmt: skip
    assert "exit code 7" in found[2].reason and "not this one" in found[3].reason
    assert not found[2].feasible and not found[3].feasible and not found[2].objectives


def test_a_shared_step_that_fails_fails_every_point_that_needs_it(bench):
    spec = bench.spec("x = [1, 2]\ny = [1, 2]")

    def script(values, fidelity):
        return {
            f"shared{values['x']}": "exit 3" if values["x"] == 1 else "true",
            "q{x}-{y}".format(**values): "echo 1",
        }

    campaign = bench.run(bench.campaign(spec, script))
    feasible = {tuple(t.point.values.values()): t.feasible for t in campaign.trials.values()}
    assert feasible == {(1, 1): False, (1, 2): False, (2, 1): True, (2, 2): True}
    assert bench.started().count("shared1") == 1


def test_a_point_that_runs_for_ever_is_stopped_at_its_limit(bench):
    spec = bench.spec("x = [1, 2]")

    class Limited:
        def __call__(self, values, fidelity):
            return {f"p{values['x']}": "sleep 60" if values["x"] == 1 else printing(3)}

    campaign = bench.campaign(spec, Limited())
    plan = campaign._evaluator.plan

    def limited(point, fidelity):
        from dataclasses import replace

        found = plan(point, fidelity)
        steps = {n: replace(s, resources=replace(s.resources, wall_s=1.0)) for n, s in found.steps.items()}
        return replace(found, steps=steps)

    campaign._evaluator.plan = limited
    bench.run(campaign)
    found = {t.point.values["x"]: t for t in campaign.trials.values()}
    assert found[1].status is TrialStatus.TIMEOUT and "1 s" in found[1].reason
    assert found[2].feasible


def test_the_budget_in_points_ends_it_and_more_points_go_on_from_there(bench):
    def script(values, fidelity):
        return {f"p{values['x']}": printing(values["x"])}

    spec = bench.spec("x = { min = 1, max = 12 }", "points = 4")
    first = bench.run(bench.campaign(spec, script))
    assert len(first.trials) == 4 and first.ended == "out of points"
    wider = bench.spec("x = { min = 1, max = 12 }", "points = 8")
    earlier = [t.point for t in first.trials.values()]
    second = bench.run(bench.campaign(wider, script, earlier=earlier))
    assert len(second.trials) == 8
    assert len(bench.started()) == 4, "what was evaluated before is not evaluated again"
    assert set(first.trials) <= set(second.trials)


def test_no_new_point_starts_when_time_is_up(bench):
    spec = bench.spec("x = { min = 1, max = 50 }", "time_s = 1.5")
    campaign = bench.run(bench.campaign(spec, lambda v, f: {f"p{v['x']}": f"sleep 0.5; echo {v['x']}"}))
    assert 2 <= len(campaign.trials) < 30
    assert campaign.ended == "out of time"
    assert all(t.status is TrialStatus.DONE for t in campaign.trials.values())


def test_an_interruption_keeps_what_is_done_and_the_rest_follows(bench):
    spec = bench.spec("x = { min = 1, max = 9 }")

    def script(values, fidelity):
        return {f"p{values['x']}": printing(values["x"])}

    def told(trial):
        if len(campaign.trials) == 4:
            raise KeyboardInterrupt

    campaign = bench.campaign(spec, script, told=told)
    bench.run(campaign)
    assert campaign.ended == "interrupted"
    done = [t for t in campaign.trials.values() if t.status is TrialStatus.DONE]
    assert 4 <= len(done) < 9
    rest = [t for t in campaign.all_trials() if t.status is TrialStatus.CANCELLED]
    assert not any(t.feasible for t in rest)
    again = bench.run(bench.campaign(spec, script))
    assert lengths(again) == {(x,): x for x in range(1, 10)}
    finished = {f"p{t.point.values['x']}" for t in done}
    assert not finished & set(bench.started()), "nothing is recomputed"


def two_levels(values, fidelity):
    """Estimate three times too long, and a little off; what y does, only the second level knows."""
    x, y = values["x"], values["y"]
    if fidelity == "estimate":
        return {f"quick{x}": printing(3 * (x + x % 3) + 5)}
    return {f"full{x}-{y}": printing(10 * x * (2 if y == "slow" else 1) + 5)}


LEVELS = 'fidelity = ["estimate", "timing"]\npromote = 0.4'


def test_winners_are_promoted_and_losers_stop_early(bench):
    spec = bench.spec('x = { min = 1, max = 20 }\ny = ["fast", "slow"]', LEVELS)
    campaign = bench.run(bench.campaign(spec, two_levels))
    started = bench.started()
    assert sum(n.startswith("quick") for n in started) == 20, (
        "points that differ in nothing there share a step"
    )
    full = [n for n in started if n.startswith("full")]
    assert 0 < len(full) <= 16, "no more than the share that may be promoted"
    best = min((t for t in campaign.trials.values() if t.fidelity is Fidelity.TIMING),
               key=lambda t: t.objectives["length"])  # fmt: skip
    assert best.point.values == {"x": 1, "y": "fast"}
    assert set(best.levels) == {"estimate", "timing"}
    assert best.levels["estimate"]["length"] != best.objectives["length"]
    low = [t for t in campaign.trials.values() if t.fidelity is Fidelity.ESTIMATE]
    assert len(low) == 40 - len(full) and all(set(t.levels) == {"estimate"} for t in low)


def test_a_promoted_point_that_fails_does_not_win_by_its_estimate(bench):
    spec = bench.spec('x = { min = 1, max = 10 }\ny = ["fast", "slow"]', LEVELS)

    def script(values, fidelity):
        if fidelity == "timing" and values["x"] == 1:
            return {f"full1-{values['y']}": "exit 9"}
        return two_levels(values, fidelity)

    campaign = bench.run(bench.campaign(spec, script))
    failed = [
        t for t in campaign.trials.values() if t.point.values["x"] == 1 and t.fidelity is Fidelity.TIMING
    ]
    assert failed and not any(t.feasible for t in failed)
    best = min((t for t in campaign.trials.values() if t.fidelity is Fidelity.TIMING and t.feasible),
               key=lambda t: t.objectives["length"])  # fmt: skip
    assert best.point.values == {"x": 2, "y": "fast"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_trials_do_not_depend_on_the_number_of_workers(bench, jobs):
    spec = bench.spec("x = [3, 1, 2]\ny = [1, 2]")
    campaign = bench.run(
        bench.campaign(spec, lambda v, f: {"p{x}{y}".format(**v): printing(v["x"] * v["y"])}), jobs=jobs
    )
    assert lengths(campaign) == {(x, y): x * y for x in (1, 2, 3) for y in (1, 2)}
    assert {t.command for t in campaign.trials.values()} >= {'evaluate {"x": 3, "y": 1} timing'}
