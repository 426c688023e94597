"""``suzuri sweep`` as a user runs it, on real synthesis and timing."""

from __future__ import annotations

import json
import shlex

import pytest
from click.testing import CliRunner
from sweep_adder import MANIFEST, VERILOG, available

from flow.cli.main import suzuri
from flow.model.errors import ConfigError
from flow.sweep.trial import trial_from_json

pytestmark = pytest.mark.skipif(
    not available("yosys", "opensta"), reason="needs Yosys, OpenSTA and osu018: suzuri doctor"
)


@pytest.fixture
def design(tmp_path, monkeypatch):
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "adder"
    folder.mkdir()
    (folder / "adder.v").write_text(VERILOG)

    def write(axes="WIDTH = [2, 3]", sweep=""):
        (folder / "suzuri.toml").write_text(MANIFEST.format(axes=axes, sweep=sweep))
        return folder

    return write


def invoke(*words, code=0):
    result = CliRunner().invoke(suzuri, [str(w) for w in words])
    if isinstance(result.exception, ConfigError):
        assert code == 2, result.exception
        return str(result.exception)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def read(folder, name="widths"):
    return json.loads((folder / "build" / "sweeps" / name / "sweep.json").read_text())


def test_a_sweep_of_verilog_then_the_same_again_then_more(design):
    folder = design()
    text = invoke("sweep", folder, "-q")
    assert "4 points, 4 candidates" in text
    data = read(folder)
    assert [p["status"] for p in data["points"]] == ["done"] * 4
    assert data["sweep"]["status"] == "done" and data["sweep"]["points_per_hour"] > 0
    assert data["objectives"][1]["unit"] == "um^2"
    by_id = {p["id"]: p for p in data["points"]}
    front = [by_id[i] for i in data["front"]]
    figures = [(p["objectives"]["speed"], p["objectives"]["area per bit"]) for p in data["points"]]
    for point in front:  # nothing is better in both
        speed, area = point["objectives"]["speed"], point["objectives"]["area per bit"]
        assert not any(s > speed and a < area for s, a in figures)
    for point in data["points"]:
        area = point["metrics"]["design__instance__area"]
        assert point["objectives"]["area per bit"] == pytest.approx(area / point["point"]["values"]["WIDTH"])
        assert trial_from_json(point).as_json()["id"] == point["id"]
        report = folder / "build" / "sweeps" / "widths" / point["report"]
        assert point["command"].replace("'", "") in report.read_text().replace("&#x27;", "").replace(
            "&quot;", '"'
        )

    invoke("sweep", folder, "-q")
    again = read(folder)
    assert all(p["cached"] for p in again["points"]) and again["sweep"]["points_per_hour"] is None
    assert {p["id"]: p["objectives"] for p in again["points"]} == {
        i: p["objectives"] for i, p in by_id.items()
    }

    design("WIDTH = [2, 3, 4]")
    invoke("sweep", folder, "-q")
    more = read(folder)
    assert sum(p["cached"] for p in more["points"]) == 4 and len(more["points"]) == 6


def test_the_command_of_a_point_gives_its_figures(design):
    folder = design("WIDTH = [3]")
    invoke("sweep", folder, "--points", 1, "-q")
    (point,) = read(folder)["points"]
    words = shlex.split(point["command"])
    assert words[:2] == ["suzuri", "run"]
    record = json.loads(invoke(*words[1:], "--json", code=0))
    found = {k: v for step in record["steps"] for k, v in step["metrics"].items()}
    assert found["design__instance__area"] == point["metrics"]["design__instance__area"]
    assert all(step["status"] == "cached" for step in record["steps"])


def test_a_point_that_the_design_refuses_does_not_end_the_sweep(design):
    folder = design("WIDTH = [2, 16]")
    text = invoke("sweep", folder, "-q")
    assert "4 points, 2 candidates" in text
    bad = [p for p in read(folder)["points"] if p["point"]["values"]["WIDTH"] == 16]
    assert len(bad) == 2 and all("broken" in p["reason"] for p in bad)
    assert not any(p["feasible"] or p["front"] for p in bad)


def test_a_limit_that_no_point_keeps_ends_with_1_and_says_why(design):
    folder = design("WIDTH = [2]")
    manifest = folder / "suzuri.toml"
    manifest.write_text(manifest.read_text() + '[[sweep.limit]]\nexpression = "timing__fmax"\nmin = 90000\n')
    text = invoke("sweep", folder, "-q", code=1)
    assert "must be at least 90000" in text and "2 points, 0 candidates" in text
    assert read(folder)["front"] == []


def test_levels_from_estimate_to_timing(design):
    folder = design("WIDTH = [2, 3, 4, 5]", 'fidelity = ["estimate", "timing"]\npromote = 0.5')
    invoke("sweep", folder, "-q")
    data = read(folder)
    levels = [set(p["levels"]) for p in data["points"]]
    assert 1 <= levels.count({"estimate", "timing"}) <= 4 and {"estimate"} in levels
    by_id = {p["id"]: p for p in data["points"]}
    assert data["front"] and all(by_id[i]["fidelity"] == "timing" for i in data["front"])


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ("WIDHT = [2]", "Did you mean 'WIDTH'"),
        ("WIDTH = [2]\nNOTHING = [1]", "takes no parameter 'NOTHING'"),
    ],
)
def test_a_parameter_that_the_top_does_not_take(design, axes, said):
    folder = design(axes)
    text = (folder / "suzuri.toml").read_text().replace("area / WIDTH", "area")
    (folder / "suzuri.toml").write_text(text)
    assert said in invoke("sweep", folder, code=2)


def test_names_and_options_that_are_not_there(design):
    folder = design()
    assert "Did you mean 'widths'" in invoke("sweep", folder, "width", code=2)
    assert "no sweep was run here" in invoke("sweep", "show", folder, code=2)
    assert "no place-and-route engine" in invoke("sweep", folder, "--fidelity", "layout", code=2)
    assert "widths" in invoke("sweep", "list", folder)
    (folder / "suzuri.toml").write_text((folder / "suzuri.toml").read_text().split("[[sweep]]")[0])
    assert "has no [[sweep]]" in invoke("sweep", folder, code=2)


def test_what_is_kept_of_earlier_runs_may_be_damaged(design):
    folder = design("WIDTH = [2]")
    invoke("sweep", folder, "-q")
    kept = folder / "build" / "sweeps" / "widths"
    (kept / "sweep.json").write_text("{]")
    (kept / "trials.jsonl").write_text('{"id": 1}\nnot json\n[]\n')
    assert "cannot be read" in invoke("sweep", "show", folder, code=2)
    invoke("sweep", folder, "-q")
    assert all(p["cached"] for p in read(folder)["points"])


@pytest.mark.nightly
def test_the_clock_of_each_point_is_searched(design):
    folder = design("WIDTH = [3, 4]", "search_clock = true")
    invoke("sweep", folder, "-q")
    data = read(folder)
    assert len(data["points"]) == 4 and all(p["feasible"] for p in data["points"])
    for point in data["points"]:
        assert point["metrics"]["timing__setup__ws"] is not None
        words = shlex.split(point["command"])
        period = float(words[words.index("--clock") + 1])
        assert point["metrics"]["timing__clock__period"] == pytest.approx(period)
    # No try that was made is better than the point that is shown for it.
    fixed = read_fixed(design, folder)
    best = {p["point"]["values"]["recipe"]: p["objectives"]["speed"] for p in data["points"]}
    for point in fixed:
        assert best[point["point"]["values"]["recipe"]] >= point["objectives"]["speed"] * 0.99
    invoke("sweep", folder, "-q")


def read_fixed(design, folder):
    design("WIDTH = [4]")
    invoke("sweep", folder, "--fresh", "-q")
    return read(folder)["points"]


def test_search_clock_leaves_no_axis_for_clocks(design):
    folder = design("WIDTH = [2]", "search_clock = true")
    text = (folder / "suzuri.toml").read_text().replace("[sweep.flow]", "[sweep.flow]\nclock_scale = [1.0]")
    (folder / "suzuri.toml").write_text(text)
    assert "search_clock finds the clock" in invoke("sweep", folder, code=2)


COMPONENT = """
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Counter(wiring.Component):
    def __init__(self, *, width: int = 4) -> None:
        super().__init__({"enable": In(1), "count": Out(width)})

    def elaborate(self, platform):
        m = Module()
        with m.If(self.enable):
            m.d.sync += self.count.eq(self.count + 1)
        return m


def cycles(parameters, workloads):
    if parameters["width"] == 7:
        raise ValueError("seven brings bad luck")
    return {"workload__wrap__cycles": 2 ** parameters["width"]}


def wrong(parameters, workloads):
    return {"workload_wrap_cycles": 1}
"""
AMARANTH = """
[design]
name = "counter"
top = "counter:Counter"
[clock]
period_ns = 10.0
[[sweep]]
name = "wrap"
model = "counter:{model}"
[sweep.parameters]
width = [2, 3, 7]
[[sweep.objective]]
name = "time to wrap"
minimise = "workload__wrap__cycles / timing__fmax"
[[sweep.objective]]
maximise = "workload__wrap__cycles"
"""


@pytest.mark.nightly  # Amaranth's elaboration takes its time
@pytest.mark.parametrize("model", ["cycles", "wrong", "gone"])
def test_a_performance_model_gives_metrics_of_workloads(tmp_path, monkeypatch, model):
    monkeypatch.setenv("SUZURI_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "counter"
    folder.mkdir()
    (folder / "counter.py").write_text(COMPONENT)
    (folder / "suzuri.toml").write_text(AMARANTH.format(model=model))
    text = invoke("sweep", folder, "-q", code=0 if model == "cycles" else 1)
    points = {p["point"]["values"]["width"]: p for p in read(folder, "wrap")["points"]}
    if model != "cycles":
        assert ("which is no metric" if model == "wrong" else "was not found") in text
        return
    assert points[7]["status"] == "refused" and "seven brings bad luck" in points[7]["reason"]
    for width in (2, 3):
        point = points[width]
        assert point["objectives"]["workload__wrap__cycles"] == 2**width
        assert point["objectives"]["time to wrap"] == pytest.approx(
            1e3 * 2**width / point["metrics"]["timing__fmax"] / 1e3
        )
