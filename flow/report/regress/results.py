"""The table of all results: its controls and its frame; the script fills it from the data of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flow.regress.model import Bucket, Regression
from flow.report.marks import section
from flow.report.markup import Html, h
from flow.report.regress.words import STATES, VERDICTS

__all__ = ["results"]

_NOTE = "What failed comes first, by bucket. A row opens: message, traceback, waves, and what repeats it."
_COLUMNS = (
    ("verdict", "State", ""),
    ("name", "Test", ""),
    ("seed", "Seed", "n"),
    ("time", "Time", "n"),
    ("sim", "Simulated", "n"),
    ("message", "Message", ""),
)


def _verdicts(regression: Regression) -> Html:
    counts = regression.counts
    bad = sum(n for verdict, n in counts.items() if verdict.bad)
    flaky = sum(result.flaky for result in regression.results)
    kept = sum(result.quarantined for result in regression.results)
    options = [("", "All", len(regression.results)), ("bad", "All that failed", bad)]
    options += [(str(n), word, counts[v]) for n, (v, (_, word, _)) in enumerate(VERDICTS.items())]
    options += [("flaky", "Flaky", flaky), ("quarantined", "Quarantined", kept)]
    listed = [
        h("option", f"{word} ({many:,})", value=value) for value, word, many in options if many or not value
    ]
    return h("label", "Show ", h("select", *listed, id="r-verdict"))


def _tests(regression: Regression) -> Html:
    counted = Counter(result.test for result in regression.results)
    listed = [h("option", f"{name} ({n:,})", value=name) for name, n in sorted(counted.items())]
    return h("label", "Test ", h("select", h("option", "All", value=""), *listed, id="r-test"))


def _buckets(shown: Sequence[Bucket]) -> Html | None:
    listed = [
        h("option", f"{STATES[b.state][1]} {b.id}: {b.title[:60]} ({len(b.members):,})", value=number)
        for number, b in enumerate(shown)
        if b.members
    ]
    everything = [h("option", "All", value=""), h("option", "In none", value=-1)]
    return h("label", "Bucket ", h("select", *everything, *listed, id="r-bucket")) if listed else None


def results(regression: Regression, shown: Sequence[Bucket]) -> Html | None:
    """Return the frame of the table of results, or nothing where there are none."""
    if not regression.results:
        return None
    heads = [
        h(
            "span",
            h("button", word, type="button", data_sort=key),
            role="columnheader",
            class_=f"c-{key} {cls}".strip(),
        )
        for key, word, cls in _COLUMNS
    ]
    search = h("input", type="search", id="r-search", placeholder="name, seed, message, place")
    grid = h(
        "div",
        h("div", h("div", *heads, role="row", aria_rowindex=1, class_="r-head"), role="rowgroup"),
        h("div", h("div", id="r-rows", role="rowgroup"), id="r-body", tabindex="-1"),
        role="table",
        aria_label="All results",
        aria_rowcount=len(regression.results) + 1,
        id="r-table",
        class_="frame js",
    )
    tools = h(
        "div",
        h("label", "Filter ", search), _verdicts(regression), _tests(regression), _buckets(shown),
        h("span", class_="hits", role="status", id="r-hits"), class_="tools js",
    )  # fmt: skip
    without = h(
        "p",
        "The table of all results needs a script. Buckets and tests stand here without; all results are in "
        "regression.json beside this page.",
        class_="empty unscripted",
    )
    return section("results", "All results", _NOTE, tools, grid, without)
