"""Coverage over nights: in the database, and on the page."""

from __future__ import annotations

from dataclasses import replace

from regress_sample import nights, regression

from flow.regress.history import History
from flow.regress.model import Regression
from flow.report.regress.page import render


def test_each_night_keeps_its_numbers_and_a_second_record_replaces_the_first(tmp_path):
    path = tmp_path / "history.sqlite"
    kept = History(path)
    for covered in (3, 4):
        kept.record(Regression(id="a", design="d", coverage={"kinds": {"functional": [covered, 5]}}))
    kept.record(Regression(id="b", design="d", coverage={"kinds": {"functional": [5, 5], "line": [1, 9]}}))
    kept.record(Regression(id="c", design="d"))
    kept.close()
    again = History(path)
    assert {night.id: night.coverage for night in again.nights("d")} == {
        "a": {"functional": [4, 5]},
        "b": {"functional": [5, 5], "line": [1, 9]},
        "c": {},
    }
    again.close()


def test_page_lists_coverage_of_the_nights_newest_first():
    before = nights()[-2:]
    tonight = replace(
        regression(),
        coverage={
            "runs": 1,
            "kinds": {"functional": [3, 4]},
            "groups": [{"name": "p", "covered": 3, "total": 4, "holes": [["x", 0, 1]], "more": 0}],
        },
    )
    covered = replace(before[-1], coverage={"functional": (1, 4)})
    page = render(tonight, [before[0], covered])
    page = page[page.index("Coverage over regressions") :]
    assert page.index("75.00 %") < page.index("25.00 %")
    assert "Coverage over regressions" not in render(tonight, before)
