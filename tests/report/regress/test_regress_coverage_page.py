"""Coverage on the page of a regression and in the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

from regress_sample import regression
from rich.console import Console

from flow.report.regress.coverage import percent
from flow.report.regress.page import render
from flow.report.regress.terminal import summary

FOUND = {
    "runs": 12,
    "kinds": {"functional": [3, 5]},
    "groups": [
        {"name": "opcode", "covered": 2, "total": 2, "holes": [], "more": 0},
        {"name": "<level>", "covered": 1, "total": 3, "holes": [["full", 1, 4], ["empty & idle", 0, 1]],
         "more": 0},
    ],
}  # fmt: skip


def test_page_lists_the_least_covered_coverpoint_first_with_its_holes() -> None:
    page = render(replace(regression(), coverage=FOUND))
    assert 'id="coverage"' in page and 'href="#coverage"' in page
    assert page.index("&lt;level&gt;") < page.index(">opcode<")
    assert "full (1 of 4), empty &amp; idle" in page and "60.00 %" in page
    assert "Merged over 12 runs" in page


def test_page_of_a_regression_without_coverage_has_no_such_section() -> None:
    assert 'id="coverage"' not in render(regression())


def test_terminal_has_a_line_for_each_kind() -> None:
    console = Console(file=io.StringIO(), width=200)
    for part in summary(replace(regression(), coverage=FOUND)):
        console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Coverage, functional: 60.00 % (3 of 5)" in text


def test_no_hole_is_rounded_away() -> None:
    assert percent(1_000_000, 1_000_000) == "100 %"
    assert percent(999_999, 1_000_000) == "99.99 %"
