"""Axes, expressions with units, spaces and goals: what a manifest says, and what it may not say."""

from __future__ import annotations

import math

import pytest

from flow.engine.manifest import load_design
from flow.model.errors import ConfigError
from flow.model.expression import Expression, ExpressionError
from flow.model.sweep import Axis
from flow.model.unit import parse_unit
from flow.sweep.goals import Goals
from flow.sweep.space import Space

UNITS = {name: parse_unit(unit) for name, unit in
         {"cycles": "count", "fmax": "MHz", "power": "W", "area": "um^2", "slack": "ns"}.items()}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("cycles / fmax", "us", 200.0),
        ("power * cycles / fmax", "uJ", 20.0),
        ("1 / (power * cycles / fmax)", "1/J", 50_000.0),
        ("fmax / cycles / area", "1/(mm^2*s)", 5000.0),
        ("sqrt(area)", "um", 1000.0),
        ("area * 2", "um^2", 2e6),
        ("slack + cycles / fmax", "ns", 200_002.0),
        ("max(slack, cycles / fmax)", "ns", 200_000.0),
        ("-slack", "ns", -2.0),
        ("power * slack", "nJ", 0.2),
    ],
)
def test_units_follow_from_an_expression(text, unit, value):
    expression = Expression(text)
    shown = expression.unit(UNITS).shown()
    assert shown.text == unit
    values = {"cycles": 100_000, "fmax": 500.0, "power": 0.1, "area": 1e6, "slack": 2.0}
    assert expression.evaluate(values, UNITS) / shown.scale == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slack + cycles", "slack is in ns, but cycles in count"),
        ("slack < power", "slack is in ns, but power in W"),
        ("log2(slack)", "log2 takes a plain number"),
        ("slack ** fmax", "an exponent is a plain number"),
        ("slack ** 0.5", "raised to a whole number"),
        ("sqrt(slack)", "has no root"),
        ("max(slack, 3)", "but 3 in no unit"),
    ],
)
def test_what_has_different_units_does_not_mix(text, said):
    with pytest.raises(ExpressionError, match=said.replace("*", r"\*")):
        Expression(text).unit(UNITS)


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "a.b", "a[0]", "lambda: 1", "[x for x in y]", "f(1)", "__import__('os')", "a := 1", "a & b",
     "b'x'",
     "1j", "max()", "abs(1, 2)", "max(1, key=2)", "(" * 500, "x" * 3000, "metric(a)"],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(ExpressionError):
        Expression(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a / zero", None), ("log2(zero)", None), ("sqrt(0 - a)", None), ("10 ** 400 * 1.0", None),
        ("gone + 1", None), ("gone > 1", None), ("not gone", None), ("max(a, gone)", None),
        ("1 if gone else 2", None),
        ("a % 2 == 0 and a > 3", True), ("a in (1, 6)", True),
        ("name in ('x', 'y')", True),
        ("name == 'z'", False),
        ("1 < a < 7", True), ("1 < a < 5", False), ("a // 4", 1),
        ("ceil(a / 4)", 2), ("a if a > 7 else 7", 7),
        ('metric("m__corner:ss") * 2', 6), ("zero or a", 6), ("zero and a", 0),
    ],
)  # fmt: skip
def test_what_has_no_value_gives_none_and_never_an_error(text, value):
    values = {"a": 6, "zero": 0, "gone": None, "name": "x", "m__corner:ss": 3}
    assert Expression(text).evaluate(values) == value


def test_text_is_not_computed_with():
    with pytest.raises(ExpressionError, match="text"):
        Expression("name * 2").evaluate({"name": "x"})


@pytest.mark.parametrize("text", ["ns*", "(ns", "ns)", "1/", "*", "n s", "3ns"])
def test_a_unit_that_is_none(text):
    with pytest.raises(ValueError, match="no unit"):
        parse_unit(text)


@pytest.mark.parametrize(
    "axis",
    [
        Axis(name="a", values=(4, 8, 16)),
        Axis(name="a", values=("x", "y")),
        Axis(name="a", values=(False, True)),
        Axis(name="a", low=20, high=32, step=4),
        Axis(name="a", low=0.5, high=2.0, step=0.1),
        Axis(name="a", low=1, high=64, step=1, log=True),
        Axis(name="a", low=1.0, high=8.0),
        Axis(name="a", low=1.0, high=1000.0, log=True),
        Axis(name="a", low=3, high=3),
    ],
)
def test_a_value_and_its_share_of_an_axis_lead_to_each_other(axis):
    if axis.size is None:
        for share in (0.0, 0.3, 1.0):
            assert axis.share(axis.at(share)) == pytest.approx(share)
        return
    levels = axis.levels()
    assert len(levels) == axis.size == len(set(levels))
    assert [axis.at(axis.share(v)) for v in levels] == list(levels)
    assert axis.at(0.0) == levels[0] and axis.at(1.0) == levels[-1]


def test_every_value_of_an_axis_gets_an_equal_part_of_it():
    axis = Axis(name="a", low=20, high=32, step=4)
    found = [axis.at((i + 0.5) / 400) for i in range(400)]
    assert {v: found.count(v) for v in axis.levels()} == {20: 100, 24: 100, 28: 100, 32: 100}


def manifest(tmp_path, sweep, design=""):
    (tmp_path / "b.v").write_text("module b #(parameter rows = 4)(input clk); endmodule\n")
    text = f'[design]\nname = "b"\ntop = "b"\nsources = ["b.v"]\n{design}\n[[sweep]]\nname = "s"\n{sweep}\n'
    (tmp_path / "suzuri.toml").write_text(text)
    return load_design(tmp_path).sweeps[0]


OBJECTIVE = '[[sweep.objective]]\nmaximise = "timing__fmax"\n'


def test_a_space_keeps_to_its_constraints_and_derives_values(tmp_path):
    spec = manifest(tmp_path, f"""
constraints = ["macs <= 32", "rows >= columns or mode == 'wide'"]
[sweep.derive]
macs = "rows * columns"
depth = "ceil(log2(rows))"
[sweep.parameters]
rows = [2, 4, 8]
columns = {{ min = 2, max = 8, step = 2 }}
mode = ["wide", "deep"]
{OBJECTIVE}""")  # fmt: skip
    space = Space(spec)
    points = list(space.points())
    assert space.size == 24
    wanted = [(r, c, m) for r in (2, 4, 8) for c in (2, 4, 6, 8) for m in ("wide", "deep")
              if r * c <= 32 and (r >= c or m == "wide")]  # fmt: skip
    assert [tuple(p.values.values()) for p in points] == wanted
    assert all(p.derived == {"macs": p.values["rows"] * p.values["columns"],
                             "depth": int(math.log2(p.values["rows"]))} for p in points)  # fmt: skip
    assert len({p.id for p in points}) == len(points)
    assert space.make({"rows": 8, "columns": 8, "mode": "wide"}) is None
    for point in points:
        assert space.at(space.shares(point)) == point
        assert space.holds(point)


def test_a_continuous_space_cannot_be_counted_and_a_grid_of_it_is_refused(tmp_path):
    axes = f"[sweep.flow]\nclock_scale = {{ min = 0.5, max = 2.0 }}\n{OBJECTIVE}"
    with pytest.raises(ConfigError, match="continuous"):
        manifest(tmp_path, axes)
    space = Space(manifest(tmp_path, 'sampler = "random"\n' + axes))
    assert space.size is None
    with pytest.raises(ValueError, match="clock_scale is continuous"):
        next(space.points())
    assert space.at([0.5]).values == {"clock_scale": 1.25}


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ("", "it has no axis"),
        ("[sweep.parameters]\nrows = []\n", "the axis has no value"),
        ("[sweep.parameters]\nrows = [1, 1]\n", "twice"),
        ("[sweep.parameters]\nrows = [[1]]\n", "not a list"),
        ("[sweep.parameters]\nrows = { min = 1 }\n", "'max' is missing"),
        ("[sweep.parameters]\nrows = { min = 4, max = 1 }\n", "min 4 is above max 1"),
        ("[sweep.parameters]\nrows = { min = 1, max = 4, stp = 1 }\n", "unknown key 'stp'|not a table"),
        ("[sweep.parameters]\nrows = { min = 0, max = 4, step = 1, log = true }\n", "must be positive"),
        ("[sweep.flow]\nrecipes = ['area']\n", "Did you mean 'recipe'"),
        ("[sweep.flow]\nrecipe = [1]\n", "recipe is text"),
        ("[sweep.flow]\nclock_scale = [0]\n", "must be positive"),
        ("[sweep.flow]\nclock_scale = [1.0]\nclock_period_ns = [2.0]\n", "exclude each other"),
        ("[sweep.flow]\npdk = { min = 1, max = 2 }\n", "which has no range"),
        ("sampler = 'gird'\n[sweep.parameters]\nrows = [1]\n", "Did you mean 'grid'"),
        ("fidelity = ['power', 'timing']\n[sweep.parameters]\nrows = [1]\n", "in this order"),
        ("points = 0\n[sweep.parameters]\nrows = [1]\n", "points must be at least 1"),
        ("promote = 2\n[sweep.parameters]\nrows = [1]\n", "promote is a share"),
        ("time_s = -1\n[sweep.parameters]\nrows = [1]\n", "must be positive"),
        ("sampels = 3\n[sweep.parameters]\nrows = [1]\n", "unknown key 'sampels'"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused_by_name(tmp_path, sweep, said):
    with pytest.raises(ConfigError, match=said):
        manifest(tmp_path, f"{sweep}{OBJECTIVE}")


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        ("", "no objective"),
        ("[[sweep.objective]]\nname = 'x'\n", "either maximise or minimise"),
        ("[[sweep.objective]]\nmaximise = 'a'\nminimise = 'b'\n", "either maximise or minimise"),
    ],
)
def test_an_objective_says_which_way(tmp_path, objective, said):
    with pytest.raises(ConfigError, match=said):
        manifest(tmp_path, f"[sweep.parameters]\nrows = [1]\n{objective}")


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ("rows > 100", "'rows > 100' is true of no point"),
        ("rwos > 1", "Did you mean 'rows'"),
        ("timing__fmax > 1", r"It is a metric: what concerns metrics is a \[\[sweep.limit\]\]"),
        ("rows >", "no expression"),
    ],
)
def test_constraints_that_contradict_or_name_what_is_not_there(tmp_path, constraint, said):
    spec = manifest(
        tmp_path, f"constraints = ['{constraint}']\n[sweep.parameters]\nrows = [1, 2]\n{OBJECTIVE}"
    )
    with pytest.raises(ConfigError, match=said):
        Space(spec)


def test_constraints_that_exclude_each_other_are_said_to(tmp_path):
    spec = manifest(
        tmp_path, f"constraints = ['rows > 1', 'rows < 2']\n[sweep.parameters]\nrows = [1, 2]\n{OBJECTIVE}"
    )
    with pytest.raises(ConfigError, match="together the constraints allow no point"):
        Space(spec)


def goals(tmp_path, text):
    spec = manifest(
        tmp_path, f"[sweep.parameters]\nrows = [1, 2]\n[sweep.flow]\nclock_period_ns = [2.0]\n{text}"
    )
    space = Space(spec)
    return Goals(spec, space), space


def test_objectives_and_limits_of_a_point(tmp_path):
    found, space = goals(tmp_path, """
[[sweep.objective]]
name = "time"
minimise = "rows * workload__kws__cycles / timing__fmax"
unit = "ms"
[[sweep.objective]]
name = "slack share"
maximise = "timing__setup__ws / clock_period_ns"
[[sweep.limit]]
expression = "power__total"
max = 5
unit = "mW"
[[sweep.limit]]
expression = "timing__setup__ws"
min = 0
""")  # fmt: skip
    point = list(space.points())[1]
    metrics = {
        "workload__kws__cycles": 1e6,
        "timing__fmax": 500.0,
        "timing__setup__ws": -0.1,
        "power__total": 0.006,
    }
    objectives, missed = found.judge(point, metrics)
    assert objectives == {"time": pytest.approx(4.0), "slack share": pytest.approx(-0.05)}
    assert missed == (
        "power__total is 6 mW, must be at most 5",
        "timing__setup__ws is -0.1 ns, must be at least 0",
    )
    assert [o.unit for o in found.objectives] == ["ms", ""]
    objectives, missed = found.judge(point, {"timing__setup__ws": 0.1, "power__total": 0.001})
    assert objectives["time"] is None and missed == ()
    assert found.unknown([objectives]) == ["time"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("maximise = 'timing__fmx'", "Did you mean 'timing__fmax'"),
        ("maximise = 'timing__fmax'\nunit = 'ns'", "cannot be shown in 'ns'"),
        ("maximise = 'timing__fmax'\nunit = 'n s'", "is no unit"),
        ("maximise = 'timing__fmax + power__total'", "is in MHz, but power__total in W"),
    ],
)
def test_an_objective_that_cannot_be_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        goals(tmp_path, f"[[sweep.objective]]\n{text}\n")
