"""The flat metrics document and the terminal summary."""
# ruff: noqa: E501 - tables and scripts read better unwrapped

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from flow.model.metric import REGISTRY
from flow.report.metrics import metrics_json
from flow.report.rundata import bare
from flow.report.terminal import summary

_SPEC = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("sample.py"))
assert _SPEC is not None and _SPEC.loader is not None
sample = sys.modules.setdefault("report_sample", importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(sample)


def shown(name: str, width: int = 110) -> str:
    from rich.console import Console

    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    with console.file:
        run = sample.hostile() if name == "hostile" else sample.load(name)
        for renderable in summary(run, "build/report.html"):
            console.print(renderable)
        return console.export_text()


def test_every_metric_has_value_unit_direction_and_a_step() -> None:
    document = json.loads(json.dumps(metrics_json(sample.load("pass"))))
    assert document["schema"] == {"name": "suzuri-metrics", "version": 1, "grammar": "METRICS2.1"}
    for name, entry in document["metrics"].items():
        known = REGISTRY.get(bare(name))
        assert known is not None
        assert entry["unit"] == known.unit and entry["higher_is_better"] == known.higher_is_better
        steps = [entry["step"]] if "step" in entry else entry["steps"]
        assert all(step in document["steps"] for step in steps)


def test_names_carry_pdk_and_corner() -> None:
    metrics = metrics_json(sample.load("pass"))["metrics"]
    entry = metrics["timing__setup__ws__pdk:sky130A__corner:ss_100C_1v60"]
    assert (entry["value"], entry["unit"], entry["step"]) == (0.56, "ns", "timing.sky130A.ss_100C_1v60")
    assert metrics["design__instance__area__pdk:asap7"]["value"] == 1012.6


def test_corners_and_tests_are_combined_as_the_registry_says() -> None:
    metrics = metrics_json(sample.load("failing"))["metrics"]
    assert metrics["timing__setup__ws__pdk:sky130A"]["value"] == -0.72
    assert metrics["timing__setup__ws__pdk:sky130A"]["aggregate"] == "min"
    assert metrics["sim__test__count"]["value"] == 96
    assert metrics["sim__test__count__failed"]["value"] == 3


def test_a_null_keeps_its_reason() -> None:
    entry = metrics_json(sample.load("failing"))["metrics"][
        "power__annotated__ratio__pdk:osu018__corner:tt_025C_1v80"
    ]
    assert entry["value"] is None
    assert entry["reason"] == "no test has activity = true"


def test_default_activity_stays_apart_from_simulated() -> None:
    steps = [sample.step(f"power.{a}", "power", a, metrics={"power__total": w}, tags={"pdk": "p", "corner": "tt", "activity": a})
             for a, w in (("default", 1.0), ("simulated", 2.0))]  # fmt: skip
    metrics = metrics_json({"steps": steps})["metrics"]
    assert metrics["power__total__pdk:p__corner:tt__activity:default"]["value"] == 1.0
    assert metrics["power__total__pdk:p__corner:tt__activity:simulated"]["value"] == 2.0


def test_an_empty_run_is_a_document_too() -> None:
    document = metrics_json({})
    assert document["metrics"] == {} and document["steps"] == {}


def test_summary_of_a_failure_says_what_where_and_what_to_do() -> None:
    text = shown("failing")
    assert text.startswith("✘ FAIL  tile: 47 steps ran, 18 cached, 1 min 01 s")
    assert "▼ −0.720" in text and "▲ 3.100" in text
    assert "Tests: 93 of 96 passed" in text
    assert "at rtl/tensor/weights.py:57" in text and "Give the signal a value on every branch." in text
    assert "asap7 was not run: not installed" in text
    assert text.rstrip().endswith("Report: build/report.html")


def test_summary_of_a_pass_is_short() -> None:
    text = shown("pass")
    assert text.startswith("✔ PASS") and "✘" not in text


@pytest.mark.parametrize("name", ["cancelled", "empty", "bare", "hostile"])
def test_summary_of_any_run(name: str) -> None:
    text = shown(name, 60)
    assert "\x1b" not in text and "\x00" not in text and "\u202e" not in text


def test_summary_says_why_a_run_stopped_at_its_input() -> None:
    assert "! blinky/suzuri.toml: key 'tpo' is unknown. Did you mean 'top'?" in shown("empty")


def test_importing_the_report_is_light() -> None:
    code = (
        "import sys, flow.report.html, flow.report.metrics, flow.report.terminal; print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in ("'rich'", "'jinja2'", "'numpy'", "'flow.engine'", "'flow.stages'", "'sqlalchemy'"):
        assert heavy not in done.stdout
