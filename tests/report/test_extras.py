"""Energy of workloads, and memories that are left outside, in what a run prints and in its report."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from flow.report.extras import memories, outside_bits, workloads
from flow.report.html import render
from flow.report.metrics import metrics_json
from flow.report.rundata import Run
from flow.report.terminal import summary
from flow.report.units import energy_text

_SPEC = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("sample.py"))
assert _SPEC is not None and _SPEC.loader is not None
sample = sys.modules.setdefault("report_sample", importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(sample)


def with_extras() -> dict[str, Any]:
    """Return the sample's good run with one workload, and a memory outside."""
    run: dict[str, Any] = sample.load("pass")
    power = next(s for s in run["steps"] if s["kind"] == "power")
    synthesize = next(
        s for s in run["steps"] if s["kind"] == "synthesize" and s["tags"]["pdk"] == power["tags"]["pdk"]
    )
    power["tags"] |= {"workload": "kws", "activity": "simulated"}
    power["metrics"] |= {
        "power__total": 0.05, "workload__kws__duration": 1.25e-4, "workload__kws__energy": 6.25e-6,
    }  # fmt: skip
    power["data"]["workload"] = {"name": "kws", "cycles": 50_000.0, "simulated_cycles": 50_100.0}
    synthesize["metrics"]["design__memory_bits__outside"] = 131_072
    synthesize["data"]["memories"] = [
        {"name": "few", "words": 4, "width": 8, "bits": 32, "place": "", "made_of": "registers"},
        {"name": "bank0", "words": 2048, "width": 64, "bits": 131_072, "place": "", "made_of": "outside"},
    ]
    run["left_out"] = [{"name": "vww", "reason": "the environment variable NETWORKS is not set"}]
    return run


def printed(run: dict[str, Any]) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=120)
    for part in summary(run):
        console.print(part)
    return stream.getvalue()


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_workloads_have_their_figures() -> None:
    (work,) = workloads(Run(with_extras()))
    assert (work.name, work.cycles.value) == ("kws", 50_000)
    assert (work.seconds.value, work.watts.value, work.joules.value) == (1.25e-4, 0.05, 6.25e-6)
    assert list(workloads(Run(sample.load("pass")))) == []


def test_the_terminal_shows_energy_and_what_is_left_out() -> None:
    said = printed(with_extras())
    assert re.search(r"kws\s.*50,000\s+125\.0\s+50\.00\s+6\.250 µJ", said)
    assert "without 131,072 bits of memory, which are left outside" in said
    assert "vww was left out: the environment variable NETWORKS is not set" in said
    before = printed(sample.load("pass"))
    assert "Energy" not in before
    assert "outside" not in before


def test_the_report_shows_energy_and_memories() -> None:
    text = plain(render(with_extras()))
    assert re.search(r"kws .* 50,000 125\.0 µs 50\.00 mW 6\.250 µJ", text)
    assert "bank0 2,048 × 64 131,072 left outside: not in area, timing, power" in text
    assert "few 4 × 8 32 flip-flops" in text
    assert "and 131,072 bits of memory outside" in text
    assert "No workload was simulated" in plain(render(sample.load("pass")))


def test_metrics_of_workloads_have_units_and_say_which() -> None:
    found = metrics_json(with_extras())["metrics"]
    (name,) = [n for n in found if n.startswith("workload__kws__energy")]
    assert "__workload:kws" in name
    assert (found[name]["unit"], found[name]["higher_is_better"]) == ("J", False)


def test_memories_are_listed_the_largest_first() -> None:
    run = Run(with_extras())
    step = next(s for t in run.targets for s in t.of("synthesize") if s.data.get("memories"))
    assert [m.name for m in memories(step)] == ["bank0", "few"]
    assert sum(outside_bits(t) for t in run.targets) == 131_072


def test_energies_read_well() -> None:
    assert energy_text(6.25e-6) == ("6.250", "µJ")
    assert energy_text(2.5) == ("2.500", "J")
    assert energy_text(3e-10) == ("300.0", "pJ")
