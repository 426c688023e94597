"""Results by test case, and tests that have none."""

from __future__ import annotations

from flow.regress.model import Regression, Result, Verdict
from flow.report.marks import num, section, state, table, th
from flow.report.markup import Html, h
from flow.report.regress.words import VERDICTS
from flow.report.units import count, duration

__all__ = ["missing", "tests"]

_MOST, _LOST = 1_000, 200
_WIDTH = ("fail", "warn", "good")


def missing(regression: Regression) -> Html | None:
    """Return the tests that were asked for and have no result, or nothing where all have."""
    if not regression.missing:
        return None
    body = [
        h(
            "tr",
            h("td", state("fail", "No result")),
            h("th", name, scope="row"),
            h("td", reason, class_="wide"),
        )
        for name, reason in regression.missing[:_LOST]
    ]
    more = len(regression.missing) - _LOST
    note = "These tests were asked for and gave no result, so the regression fails."
    head = [th("State"), th("Test"), th("Reason")]
    rest = h("p", f"and {more:,} more", class_="note") if more > 0 else None
    return section("missing", "Without a result", note, table("Tests without a result", head, body), rest)


def _row(test: str, case: str, mine: list[Result]) -> tuple[tuple[float, str, str], Html]:
    kinds = {verdict: sum(result.verdict is verdict for result in mine) for verdict in VERDICTS}
    bad = sum(n for verdict, n in kinds.items() if verdict.bad)
    flaky = sum(result.flaky for result in mine)
    times = [result.time_s for result in mine if result.time_s is not None]
    worst = next((v for v in VERDICTS if kinds[v]), Verdict.PASS)
    tone, word, _ = VERDICTS[worst]
    passed = kinds[Verdict.PASS]
    what = [f"{count(n)} {VERDICTS[v][2]}" for v, n in kinds.items() if n and v is not Verdict.PASS]
    what += [f"{count(flaky)} flaky"] if flaky else []
    share = h(
        "span",
        *(h("span", style=f"width:{100 * n / len(mine):.2f}%", class_=cls)
          for n, cls in ((bad, "failed"), (len(mine) - bad - passed, "aside"), (passed, "passed")) if n),
        class_="bar stack verdicts", aria_hidden="true",
    )  # fmt: skip
    total, slowest = sum(times), max(times, default=0.0)
    shown = {"good": "pass", "bad": "fail", "calm": "cached", "mute": "skipped"}[tone]
    cells = h(
        "tr",
        h("td", state(shown, word), data_v=list(VERDICTS).index(worst)),
        h("th", test, h("span", f".{case}", class_="case") if case and case != test else None, scope="row"),
        h("td", f"{count(passed)} of {count(len(mine))}", class_="n", data_v=passed / len(mine)),
        h("td", share, class_="g"),
        h("td", ", ".join(what), class_="wide"),
        h("td", num(total if times else None, duration(total), reason="not timed"), class_="n", data_v=total),
        h(
            "td",
            num(slowest if times else None, duration(slowest), reason="not timed"),
            class_="n",
            data_v=slowest,
        ),
    )
    return (-bad / len(mine), test, case), cells


def tests(regression: Regression) -> Html | None:
    """Return one line for each test case over its seeds, the worst first."""
    by_name: dict[tuple[str, str], list[Result]] = {}
    for result in regression.results:
        by_name.setdefault((result.test, result.testcase), []).append(result)
    if not by_name:
        return None
    rows = sorted((_row(*name, mine) for name, mine in by_name.items()), key=lambda pair: pair[0])
    head = [th("State"), th("Test"), th("Passed", number=True), h("td", class_="g"), th("Of the others"),
            th("Time", number=True), th("Slowest", number=True)]  # fmt: skip
    more = len(rows) - _MOST
    rest = h("p", f"and {more:,} more that are no worse", class_="note") if more > 0 else None
    body = [cells for _, cells in rows[:_MOST]]
    return section(
        "tests", "Tests over their seeds", None,
        table("Tests over their seeds", head, body, ident="t-cases", cls="sortable", tall=True), rest,
    )  # fmt: skip
