"""The page and the terminal view of a sweep, without a browser."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from rich.console import Console
from strict_html import Page
from sweep_sample import HOSTILE, sweep

from flow.report.sweep import render, render_page, write_page
from flow.report.sweep.best import failures, scale_of, winners
from flow.report.sweep.pack import pack

DATA = sweep()


def shown(data: dict, width: int = 140) -> str:
    out = io.StringIO()
    render(data, Console(file=out, width=width))
    return out.getvalue()


def test_the_winner_is_the_best_of_the_highest_fidelity_of_its_pdk() -> None:
    won = winners(DATA)
    assert len(won) == 12
    for winner in won:
        name, most = winner.objective["name"], winner.objective["maximise"]
        own = [p for p in DATA["points"] if p["pdk"] == winner.pdk and p["feasible"]]
        top = [p["objectives"][name] for p in own if p["fidelity"] == "power"]
        assert winner.value == (max if most else min)(top)
        assert winner.point["feasible"] and winner.point["fidelity"] == "power"
        sign = 1 if most else -1
        low = [p["objectives"][name] for p in own if p["fidelity"] != "power"]
        better = [v for v in low if sign * v > sign * winner.value]
        assert winner.claims == len(better)


def test_a_lead_within_the_noise_is_no_difference() -> None:
    def made(lead: float) -> str:
        points = [
            {"id": str(v), "feasible": True, "fidelity": "timing", "pdk": "x", "objectives": {"f": v}}
            for v in (100.0 * (1 + lead), 100.0)
        ]
        data = {"objectives": [{"name": "f", "maximise": True}], "points": points,
                "noise": {"f": {"relative": 0.01, "n": 20}}}  # fmt: skip
        return winners(data)[0].certainty

    # 1.96 * sqrt(2) * 1 % is 2.8 %.
    assert made(0.027) == "no difference from 1 other (noise ± 2.8 %)"
    assert made(0.05) == "ahead of the next by 5.0 % ± 2.8 %"


def test_failures_group_by_reason_whatever_the_numbers_in_it() -> None:
    groups = failures(DATA)
    statuses = [p["status"] for p in DATA["points"]]
    yosys = next(g for g in groups if g.status == "failed")
    assert len(yosys.rows) == statuses.count("failed") > 5
    assert len(next(g for g in groups if g.status == "refused").rows) == statuses.count("refused")
    assert any(g.reason == "no value of energy" for g in groups)


def test_units_read_well() -> None:
    assert scale_of("W", [0.02, None, 0.03]) == (1e3, "mW")
    assert scale_of("um^2", [2e6]) == (1e-6, "mm²")
    assert scale_of("um^2", [900.0]) == (1.0, "µm²")
    assert scale_of("1/(s*mm^2)", [3e6]) == (1e-6, "10⁶/(s·mm²)")
    assert scale_of("count", []) == (1.0, "")


def test_packed_values_are_those_of_the_points() -> None:
    packed = json.loads(json.dumps(pack(DATA), allow_nan=False))
    columns = {c["key"]: c for c in packed["columns"]}
    for row, point in enumerate(DATA["points"]):
        fmax = point["metrics"].get("timing__fmax")
        assert columns["m:timing__fmax"]["values"][row] == (None if fmax is None else float(f"{fmax:.9g}"))
        pdk = columns["a:pdk"]
        assert pdk["levels"][pdk["values"][row]] == point["pdk"]
        assert " ".join(packed["words"][n] for n in packed["commands"][row]) == point["command"]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    text = write_page(DATA, tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert "alert('x')</script>" not in text and "<img" not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert sum(tag == "script" for tag, _ in page.elements) == 5
    assert HOSTILE.split("\u202e", maxsplit=1)[0] in "".join(page.text)


def test_a_sweep_that_found_nothing_says_so() -> None:
    assert "No point is a candidate" in render_page({"objectives": [{"name": "f", "expression": "x"}]})
    assert "No point is a candidate" in shown({"sweep": {"status": "interrupted"}})


def test_the_terminal_has_the_answer_the_front_and_the_reasons() -> None:
    text = shown(DATA)
    for winner in winners(DATA):
        assert winner.pdk in text
    assert "most throughput" in text and "least energy" in text and "\x1b" not in text
    for ident in DATA["front"][:12]:
        assert ident in text
    assert "◆" in text and "synthesis did not end within 600 s" in text
    assert "suzuri sweep rtl/tensor tile" in text
    assert max(map(len, shown(DATA, 80).splitlines())) <= 80
