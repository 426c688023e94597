"""Reading the detail tables of stages, in every spelling that is understood."""

from __future__ import annotations

from typing import Any

import pytest

from flow.report import details
from flow.report.coverage import coverage
from flow.report.details import cells_by_type, histogram, modules, paths, power_rows
from flow.report.rundata import Run, StepRun, bare
from flow.report.units import area_scale, count, duration, fixed, number, plain, power_scale, significant


def step(**raw: Any) -> StepRun:
    return StepRun({"name": "s", "status": "done", **raw})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (fixed(-0.12), "−0.120"),
        (fixed(-0.0001), "0.000"),
        (significant(1234567.0), "1,234,567"),
        (significant(0.0012345), "0.001234"),
        (significant(3e-9), "3.000e-09"),
        (significant(0), "0"),
        (plain(0.8), "0.8"),
        (plain(45.0), "45"),
        (count(12345), "12,345"),
        (duration(0), "0 ms"),
        (duration(0.0002), "< 1 ms"),
        (duration(0.034), "34 ms"),
        (duration(0.62), "0.62 s"),
        (duration(6.4), "6.4 s"),
        (duration(42), "42 s"),
        (duration(185), "3 min 05 s"),
        (duration(8040), "2 h 14 min"),
        (power_scale([2e-3, 4e-1, 9e-3]).unit, "mW"),
        (power_scale([0.25]).unit, "mW"),
        (power_scale([3e-6]).unit, "µW"),
        (power_scale([None]).unit, "mW"),
        (area_scale([2e6, 3e6]).unit, "mm²"),
        (area_scale([2e6, 3e2]).unit, "µm²"),
    ],
)
def test_numbers_as_shown(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize("value", [True, None, "x", float("nan"), float("inf"), [], {}])
def test_what_is_no_number(value: object) -> None:
    assert number(value) is None


@pytest.mark.parametrize(
    "data",
    [
        {"endpoint_slacks": [-0.5, 0.1, 0.2]},
        {"endpoint_slacks": {"setup": [-0.5, 0.1, 0.2]}},
        {"setup_slacks": {"a": -0.5, "b": 0.1, "c": 0.2}},
        {"endpoint_slacks": [{"endpoint": "a", "slack_ns": -0.5}, {"slack": 0.1}, {"slack": 0.2}]},
        {"endpoints": [["a", -0.5], ["b", 0.1], ["c", 0.2]]},
        {"slack_histogram": {"setup": {"edges": [-0.5, 0.0, 0.5], "counts": [1, 2]}}},
    ],
)
def test_slacks_of_any_shape(data: dict[str, Any]) -> None:
    found = histogram(step(data=data))
    assert found is not None
    assert (found.total, found.violated, found.worst) == (3, 1, -0.5)


def test_no_column_mixes_met_and_violated() -> None:
    found = histogram(step(data={"endpoint_slacks": [-0.31, -0.01, 0.0, 0.02, 1.7]}))
    assert found is not None
    assert any(abs(edge) < 1e-12 for edge in found.edges)
    left = sum(n for n, right in zip(found.counts, found.edges[1:], strict=True) if right <= 1e-12)
    assert left == found.violated == 2


def test_slacks_not_said_to_be_of_hold_are_not_shown_as_hold() -> None:
    assert histogram(step(data={"endpoint_slacks": [1.0]}), "hold") is None


def test_all_slacks_equal() -> None:
    found = histogram(step(data={"endpoint_slacks": [0.0, 0.0]}))
    assert found is not None and sum(found.counts) == 2


def test_paths_sorted_setup_first_with_arrivals_added_up() -> None:
    stages = [{"pin": "a", "cell": "inv", "delay_ns": 0.25}, {"pin": "b", "cell": "buf", "delay": 0.5}]
    data = {
        "paths": {
            "hold": [{"slack": 0.01}],
            "setup": [{"slack_ns": 0.3}, {"slack_ns": -0.1, "stages": stages}],
        }
    }
    found = paths(step(data=data))
    assert [(p.kind, p.slack) for p in found] == [("setup", -0.1), ("setup", 0.3), ("hold", 0.01)]
    assert [s.arrival for s in found[0].stages] == [0.25, 0.75]


def test_paths_in_one_list_say_their_kind() -> None:
    found = paths(
        step(data={"paths": [{"kind": "hold", "slack_ns": 1}, {"path_type": "max", "slack_ns": 2}]})
    )
    assert [p.kind for p in found] == ["setup", "hold"]


@pytest.mark.parametrize(
    "data",
    [
        {"area_by_module": [{"module": "m", "area_um2": 3.5, "cells": 2}]},
        {"modules": {"m": {"area": 3.5, "cells": 2}}},
    ],
)
def test_areas_of_any_shape(data: dict[str, Any]) -> None:
    (found,) = modules(step(data=data))
    assert (found.name, found.area, found.cells) == ("m", 3.5, 2)


def test_cells_by_type_may_be_counts_alone() -> None:
    found = cells_by_type(step(data={"cells_by_type": {"inv": 2, "nand": 9}}))
    assert [(c.name, c.cells) for c in found] == [("nand", 9), ("inv", 2)]


def test_power_groups_leave_out_the_total_and_add_up_parts() -> None:
    data = {"by_group": {"Clock": {"internal": 1, "switching": 2, "leakage": 3}, "Total": {"total": 6}}}
    (found,) = power_rows(step(data=data))
    assert (found.name, found.total) == ("Clock", 6)


def test_a_simulation_without_testcases_is_a_failure_and_a_skipped_one_is_not_run() -> None:
    ran, skipped = details.testcases([step(kind="simulate"), step(kind="simulate", status="skipped")])
    assert (ran.status, ran.message) == ("fail", "the simulation reported no testcase")
    assert skipped.status == "none"


def test_a_row_says_its_own_seed() -> None:
    (row,) = details.testcases(
        [step(tags={"test": "t", "seed": 1}, data={"tests": [{"name": "a", "seed": 7, "status": "timeout"}]})]
    )
    assert (row.seed, row.status) == ("7", "fail")


def test_coverage_adds_up_and_keeps_each_bins_goal() -> None:
    def run(hits: int) -> StepRun:
        bins = [{"name": "x", "hits": hits, "goal": 3}, {"name": "y", "hits": 0}]
        return step(data={"coverage": {"version": 1, "coverpoints": [{"name": "p", "bins": bins}]}})

    found = coverage([run(1), run(2)])
    assert (found.total, found.covered, found.points[0].holes) == (2, 1, ("y",))


def test_coverage_from_holes_alone_keeps_what_every_run_missed() -> None:
    def run(*holes: str) -> StepRun:
        return step(
            data={"coverage": {"covered": 4 - len(holes), "total": 4, "holes": [["p", h] for h in holes]}}
        )

    found = coverage([run("a", "b"), run("b", "c")])
    assert (found.total, found.covered, found.complete) == (4, 3, False)
    assert found.points[0].holes == ("b",)


def test_corners_keep_the_order_of_the_pdk() -> None:
    steps = [{"kind": "timing", "tags": {"pdk": "p", "corner": c}} for c in ("ff", "ss", "extra")]
    run = Run({"pdks": [{"name": "p", "corners": ["ss", "tt", "ff"]}], "steps": steps})
    assert [c.name for c in run.targets[0].corners] == ["ss", "ff", "extra"]


def test_corner_may_be_in_the_metrics_name() -> None:
    metrics = {"timing__setup__ws__corner:ss": -1.0, "timing__setup__ws__corner:ff": 2.0}
    run = Run({"steps": [{"kind": "timing", "status": "done", "tags": {"pdk": "p"}, "metrics": metrics}]})
    assert [(c.name, c.num("timing__setup__ws").value) for c in run.targets[0].corners] == [
        ("ss", -1.0),
        ("ff", 2.0),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("timing__setup__ws", "timing__setup__ws"),
        ("timing__setup__ws__corner:tt_025C_1v80", "timing__setup__ws"),
        ("power__total__pdk:p__corner:a__b", "power__total"),
    ],
)
def test_modifiers_are_no_part_of_a_metric(name: str, expected: str) -> None:
    assert bare(name) == expected


def test_the_timers_count_of_violations_wins_where_a_bin_contains_zero() -> None:
    data = {"histogram": {"edges": [-0.3, 0.2, 0.7], "counts": [4, 2]}}
    found = histogram(step(data=data, metrics={"timing__setup_vio__count": 3}))
    assert found is not None and (found.violated, found.total, found.worst) == (3, 6, -0.3)


def test_a_flattened_netlists_areas_are_marked_as_estimates() -> None:
    rows = [
        {"path": "", "cells": 3, "area": 2.0, "estimated": True},
        {"path": "a.b", "cells": 1, "area": 1.0},
    ]
    found = modules(step(data={"area_by_module": rows}))
    assert [(m.name, m.estimated) for m in found] == [("(top)", True), ("a.b", False)]


def test_rows_of_a_path_as_the_timer_names_them() -> None:
    row = {
        "pin": "u/Q",
        "cell": "DFF",
        "edge": "rise",
        "time_ns": 0.4,
        "delay_ns": 0.3,
        "transition_ns": 0.1,
        "fanout": 2,
    }
    (found,) = paths(
        step(data={"setup_paths": [{"startpoint": "a", "endpoint": "b", "slack_ns": 1, "rows": [row]}]})
    )
    (stage,) = found.stages
    assert (stage.arrival, stage.delay, stage.slew, stage.fanout) == (0.4, 0.3, 0.1, 2)
