"""Code coverage on the page of a regression."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from code_sample import Model, point
from regress_sample import nights, regression

from flow.cli.regress_coverage import coverage as command
from flow.model.coverage import CoverageWaiver
from flow.regress.codecov.collector import CodeCollector
from flow.regress.codecov.summary import code_summary
from flow.regress.model import Regression
from flow.report.regress.page import render

SOURCE = ["module a;", "  logic <b>;", "  if (x)", "    y = 1;", "endmodule"]
WAIVERS = (CoverageWaiver(match="z:*", reason="tied <off>"),)


def found(files: int = 1, lines: int = 1) -> dict[str, Any]:
    """Return what the record has of a model with a branch that was not taken and a bit that did not fall."""
    rows = [
        row
        for n in range(files)
        for m in range(lines)
        for row in (
            point("branch", 3 + m, "if", f"{4 + m}", f=f"in/src/rtl/a{n}.sv"),
            point("toggle", 2 + m, "b[1]:1->0", f=f"in/src/rtl/a{n}.sv"),
            point("toggle", 2 + m, "z:1->0", f=f"in/src/rtl/a{n}.sv"),
        )
    ]
    model = Model(rows)
    collector = CodeCollector(WAIVERS)
    hits = [int(files > 1 and n % 7 == 0) for n in range(len(rows))]
    unread = [(9, "it was killed")]
    collector.take([("t", 1), ("t", 9)], model.data({1: hits}, unread), model.load)
    code = code_summary(collector.merged(), WAIVERS, lambda file: SOURCE * lines)
    return {"runs": 0, "kinds": code["kinds"], "groups": [], "code": code}


def test_page_shows_source_around_holes_waivers_and_what_left_none() -> None:
    page = render(replace(regression(), coverage=found()), nights())
    page = page[page.index('id="coverage"') :]
    assert "Merged over 1 run," in page
    assert "t seed 9: it was killed" in page
    assert "logic &lt;b&gt;;" in page and "b[1] 1-&gt;0" in page
    assert 'class="c-line miss"' in page and 'class="c-line part"' in page
    assert page.index("<b>branch") > page.index("if (x)")
    assert "tied &lt;off&gt;" in page and "called z:*" in page
    assert 'href="#code-0"' in page and 'id="code-0"' in page
    assert "Coverpoints" not in page


def test_page_has_a_trend_of_each_kind() -> None:
    before = [replace(night, coverage={"line": (5, 10)}) for night in nights()[-2:]]
    page = render(replace(regression(), coverage=found()), before)
    assert "Line coverage that is missing, by regression" in page
    assert "50.00 % covered, 5 of 10 missing" in page


def test_the_record_survives_json() -> None:
    made = replace(regression(), coverage=found())
    again = Regression.from_json(json.loads(json.dumps(made.to_json())))
    assert render(again) == render(made)


def test_many_holes_keep_the_page_and_the_record_small() -> None:
    big = found(files=20, lines=400)
    assert sum(len(row["lines"]) for row in big["code"]["files"]) < 8_000
    assert all(row["more"] for row in big["code"]["files"][15:])
    page = render(replace(regression(), coverage=big))
    assert len(page) < 3_000_000 and page.count('class="c-line') < 8_000


def test_command_lists_files_and_holes(tmp_path: Path) -> None:
    path = tmp_path / "regression.json"
    path.write_text(json.dumps(replace(regression(), coverage=found()).to_json()))
    runner = CliRunner()
    listed = runner.invoke(command, [str(path)], catch_exceptions=False).output
    assert (
        "rtl/a0.sv" in listed
        and "0.00 %" in listed
        and "waived      1 points: called z:* (tied <off>)" in listed
    )
    holes = runner.invoke(command, [str(path), "--file", "a0.sv"], catch_exceptions=False).output
    assert "rtl/a0.sv:3: if (x)\n    branch     if\n" in holes
    assert "rtl/a0.sv:2: logic <b>;\n    toggle     b[1] 1->0\n" in holes
