"""Tests by seed, and functional coverage with its holes."""

from __future__ import annotations

from collections.abc import Sequence

from flow.report.coverage import Coverage, CoverPoint, coverage
from flow.report.details import TestRow, testcases
from flow.report.findings import test_counts
from flow.report.marks import bar, filter_tools, null, num, section, state, table, th
from flow.report.markup import Html, h, join
from flow.report.rundata import Run
from flow.report.units import count, duration, fixed, significant

__all__ = ["tests"]

_ROWS, _HOLES, _TICKS = 1500, 40, 400
_WORDS = {"fail": "Failed", "none": "Not run", "skip": "Skipped", "pass": "Passed"}
_ORDER = {"fail": 0, "none": 1, "skip": 2, "pass": 3}


def _sim_time(value: float | None) -> Html:
    if value is None:
        return null("the simulator did not report it")
    if value >= 1e6:
        return num(value, significant(value / 1e6, 4), unit="ms")
    if value >= 1e3:
        return num(value, significant(value / 1e3, 4), unit="µs")
    return num(value, significant(value, 4), unit="ns")


def _message(row: TestRow) -> Html | None:
    text = row.message.strip()
    long = row.detail.strip() or (text if len(text) > 160 else "")
    place = h("code", row.place, class_="more") if row.place else None
    if not long:
        return h("span", text, place, class_="message") if text else None
    first = text.split("\n", 1)[0][:160]
    return h("details", h("summary", first or "Details", place), h("pre", long[-6000:]), class_="message")


def _row(row: TestRow) -> Html:
    pdk = row.step.tag("pdk")
    name = [row.test, h("span", "." + row.case, class_="case") if row.case and row.case != row.test else None]
    return h(
        "tr",
        h("td", state(row.status), data_v=_ORDER[row.status]),
        h("th", *name, h("span", pdk, class_="more") if pdk else None, scope="row"),
        h("td", row.seed or null("the run did not record a seed"), class_="n seed"),
        h(
            "td",
            num(row.time_s, duration(row.time_s or 0), reason="not timed"),
            class_="n",
            data_v=row.time_s or 0,
        ),
        h("td", _sim_time(row.sim_ns), class_="n", data_v=row.sim_ns or 0),
        h("td", _message(row), class_="wide"),
        data_state=row.status,
    )


def _overview(listed: Sequence[TestRow]) -> Html | None:
    """Return one line for each testcase with a tick for each seed."""
    by_name: dict[tuple[str, str], list[TestRow]] = {}
    for row in listed:
        by_name.setdefault((row.test, row.case), []).append(row)
    if len(by_name) == len(listed) or len(by_name) > 60:
        return None
    body = []
    for (test, case), mine in by_name.items():
        counts = test_counts(mine)
        ticks = [
            h(
                "i",
                class_=r.status,
                title=f"seed {r.seed or '?'}: {r.status}{': ' + r.message[:120] if r.message else ''}",
            )
            for r in mine[:_TICKS]
        ]
        status = (
            "fail" if counts["fail"] else "none" if counts["none"] else "pass" if counts["pass"] else "skip"
        )
        known = [r.time_s for r in mine if r.time_s is not None]
        body.append(
            h(
                "tr",
                h("td", state(status)),
                h(
                    "th",
                    test,
                    h("span", "." + case, class_="case") if case and case != test else None,
                    scope="row",
                ),
                h("td", f"{counts['pass']} of {len(mine)}", class_="n"),
                h(
                    "td",
                    num(sum(known) if known else None, duration(sum(known)), reason="not timed"),
                    class_="n",
                ),
                h("td", h("span", *ticks, class_="ticks", aria_hidden="true"), class_="wide"),
            )
        )
    head = [th("State"), th("Test"), th("Passed", number=True), th("Time", number=True), th("Seeds")]
    return table("Tests over their seeds", head, body)


def _holes(point: CoverPoint) -> Html:
    holes = point.holes
    if not holes:
        return h("span", "none", class_="u")
    shown = [h("code", name) for name in holes[:_HOLES]]
    more = f" and {len(holes) - _HOLES} more" if len(holes) > _HOLES else None
    return h("span", *(join(s, " ") for s in shown), more, class_="holes")


def _point_row(point: CoverPoint, *, complete: bool) -> Html:
    full = len(point.bins)
    hit = full - len(point.holes)
    share = hit / full
    lost = "the simulation reported only its holes"
    return h(
        "tr",
        h("td", state("warning" if point.holes else "pass", "Holes" if point.holes else "Full")),
        h("th", h("code", point.name), scope="row"),
        h("td", num(hit if complete else None, f"{hit} of {full}", reason=lost), class_="n"),
        h("td", num(share if complete else None, fixed(share * 100, 1), reason=lost), class_="n"),
        h("td", bar(share, "warn" if point.holes else "") if complete else None, class_="g"),
        h(
            "td",
            num(1 if complete else None, count(sum(b.hits for b in point.bins)), reason=lost),
            class_="n",
        ),
        h("td", _holes(point), class_="wide"),
    )


def _coverage(found: Coverage) -> Html:
    if found.percent is None:
        return h("p", "No test recorded functional coverage.", class_="empty")
    said = f"{found.covered} of {found.total} bins were hit often enough: {fixed(found.percent, 1)} %."
    head = [
        th("State"),
        th("Coverpoint"),
        th("Bins hit", number=True),
        th("Share", number=True, unit="%"),
        h("td", class_="g"),
        th("Samples", number=True),
        th("Bins not covered"),
    ]
    points = sorted(found.points, key=lambda p: (not p.holes, p.name))
    body = [_point_row(p, complete=found.complete) for p in points]
    grid = table("Functional coverage", head, body, ident="t-coverage") if body else None
    return join(h("p", said, class_="note"), grid)


def tests(run: Run) -> Html | None:
    """Return the tests by seed, with what went wrong, and the functional coverage."""
    steps = run.of("simulate")
    listed = testcases(steps)
    if not listed:
        why = "No test was run, so nothing here says that the design works."
        return section("tests", "Tests", None, h("p", why, class_="empty"))
    listed.sort(key=lambda r: (_ORDER[r.status], r.test, r.case))
    counts = test_counts(listed)
    options = [(k, word, counts[k]) for k, word in _WORDS.items()]
    head = [
        th("State"),
        th("Test"),
        th("Seed", number=True),
        th("Time", number=True),
        th("Simulated", number=True),
        th("Message"),
    ]
    shown = listed[:_ROWS]
    lost = len(listed) - len(shown)
    rest = (
        h("p", f"{lost} more rows are in run.json; failures come first here.", class_="note")
        if lost
        else None
    )
    grid = table(
        "Tests", head, [_row(r) for r in shown], ident="t-tests", cls="sortable", tall=len(shown) > 25
    )
    master = run.info.get("master_seed")
    note = (
        f"Seeds derive from the master seed {master}, the test's name and an index."
        if master is not None
        else None
    )
    return section(
        "tests",
        "Tests and coverage",
        note,
        _overview(listed),
        filter_tools("t-tests", options, "name, seed, message") if len(listed) > 5 else None,
        grid,
        rest,
        h("h3", "Functional coverage"),
        _coverage(coverage(steps)),
    )
