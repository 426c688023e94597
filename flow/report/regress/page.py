"""The morning's page: what broke, since when, what is one bug, and which command repeats it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from flow.regress.model import Bucket, BucketState, Night, Regression, Verdict
from flow.report.document import document, write_text
from flow.report.marks import icon, null
from flow.report.markup import Child, Html, h
from flow.report.regress.buckets import buckets as buckets_section
from flow.report.regress.coverage import coverage
from flow.report.regress.data import columns, ordered, script
from flow.report.regress.pictures import Key, pictures
from flow.report.regress.results import results
from flow.report.regress.testplan import testplan
from flow.report.regress.tests import missing, tests
from flow.report.regress.trend import trend
from flow.report.regress.words import STATES, VERDICTS, commit, open_first, reasons
from flow.report.units import count, duration, fixed

__all__ = ["render", "write"]

_LOOK = 6


def _masthead(regression: Regression) -> Html:
    facts = [
        f"suite {regression.suite}" if regression.suite else "",
        regression.started.replace("T", " ")[:16],
        commit(regression),
        f"master seed {regression.master_seed}",
    ]
    return h(
        "header",
        h("p", "Suzuri regression report", class_="brand"),
        h("h1", regression.design),
        h("p", *(h("span", fact) for fact in facts if fact), class_="facts-line"),
        class_="masthead",
    )


def _fact(name: str, value: Child, more: str = "") -> Html:
    return h("div", h("dt", name), h("dd", value, h("span", more, class_="more") if more else None))


def _strip(regression: Regression) -> Html:
    """Return the facts that hold for the whole regression."""
    counts = regression.counts
    ran = len(regression.results) - counts[Verdict.SKIPPED]
    bad = sum(n for verdict, n in counts.items() if verdict.bad)
    others = {Verdict.TIMEOUT, Verdict.CRASH, Verdict.INFRA, Verdict.XPASS}
    kinds = [f"{count(counts[v])} {VERDICTS[v][2]}" for v in VERDICTS if v in others and counts[v]]
    aside = [f"{count(counts[v])} {VERDICTS[v][2]}" for v in (Verdict.SKIPPED, Verdict.XFAIL) if counts[v]]
    here = [bucket for bucket in regression.buckets if bucket.state is not BucketState.FIXED]
    per_state = Counter(bucket.state for bucket in regression.buckets)
    states = [f"{per_state[state]} {word.lower()}" for state, (_, word) in STATES.items() if per_state[state]]
    flaky = sum(result.flaky for result in regression.results)
    kept = sum(result.quarantined and result.verdict.bad for result in regression.results)
    rate = f"{fixed(100 * counts[Verdict.PASS] / ran, 2)} %" if ran else null("nothing ran")
    per_s = len(regression.results) / regression.elapsed_s if regression.elapsed_s > 0 else 0
    return h(
        "dl",
        _fact("Results", count(len(regression.results)), ", ".join(aside)),
        _fact("Passed", rate, f"{count(counts[Verdict.PASS])} of {count(ran)}"),
        _fact("Failed", count(bad), ", ".join(kinds)),
        _fact("Buckets", count(len(here)), ", ".join(states)),
        _fact(
            "Flaky",
            count(flaky),
            f"{count(kept)} failure{'s' if kept != 1 else ''} in quarantine" if kept else "",
        ),
        _fact("Elapsed", duration(regression.elapsed_s), f"{per_s:.1f} results a second" if per_s else ""),
        class_="strip",
    )


def _verdict(regression: Regression, shown: Sequence[Bucket]) -> Html:
    passed = regression.passed
    tone = "good" if passed else "bad"
    fresh = [b for b in shown if b.state in (BucketState.NEW, BucketState.BACK)]
    fixed_now = sum(b.state is BucketState.FIXED for b in shown)
    if passed:
        why: Child = h(
            "p", "Everything that was asked for ran, and nothing failed that counts.", class_="meaning"
        )
    else:
        why = h("ul", *(h("li", reason) for reason in reasons(regression)), class_="reasons")
    items = [
        h("li", h("a", h("b", STATES[b.state][1]), " ", b.title or b.id, href=f"#b-{b.id}"),
          h("span", b.place, class_="place") if b.place else None)
        for b in fresh[:_LOOK]
    ]  # fmt: skip
    more = [f"and {len(fresh) - _LOOK} more below"] if len(fresh) > _LOOK else []
    more += [f"{fixed_now} bucket{'s' if fixed_now != 1 else ''} fixed since"] if fixed_now else []
    look = (
        h("div", h("h3", "New since the last regression"), h("ul", *items), class_="look") if items else None
    )
    if not items and not passed:
        more.insert(0, "No bucket is new.")
    return h(
        "section",
        h("div",
          h("div", h("h2", icon(tone), " ", "Pass" if passed else "Fail", id="verdict-h"), class_="stamp"),
          h("div", why, look, h("p", ", ".join(more), class_="note") if more else None, class_="why")),
        _strip(regression),
        id="verdict", class_=f"verdict {tone}", aria_labelledby="verdict-h",
    )  # fmt: skip


def _footer(regression: Regression) -> Html:
    """Return what repeats the regression."""
    command = h(
        "div",
        h("pre", h("code", regression.command, id="again")),
        h("button", "Copy", type="button", data_copy="again", class_="js"),
        class_="command",
    )
    return h(
        "footer",
        h("p", "Suzuri · regression ", h("code", regression.id)),
        command if regression.command else None,
    )


def render(
    regression: Regression, history: Sequence[Night] = (), pictures: Mapping[Key, Html] | None = None
) -> str:
    """Return the report of `regression` as one self-contained HTML document.

    Parameters
    ----------
    regression
        What ran.
    history
        Regressions of the same suite before it, oldest first.
    pictures
        Waves around failures, by the key of the result.
    """
    pictures = pictures or {}
    shown = open_first(regression.buckets)
    rows = ordered(regression, shown)
    by_key = {result.key: result for result, _ in rows}
    drawn = (
        {row: f"waves-{row}" for row, (result, _) in enumerate(rows) if result.key in pictures}
        if pictures
        else {}
    )
    figures = {rows[row][0].key: h("figure", pictures[rows[row][0].key], class_="waves", id=ident)
               for row, ident in drawn.items()}  # fmt: skip
    nights = [*history, Night.of(regression)]
    made = [
        ("verdict", "Verdict", _verdict(regression, shown)),
        ("buckets", "Buckets", buckets_section(shown, by_key, figures)),
        ("missing", "Missing", missing(regression)),
        ("results", "Results", results(regression, shown)),
        ("tests", "Tests", tests(regression)),
        ("testplan", "Test plan", testplan(regression.coverage.get("testplan", ()))),
        ("coverage", "Coverage", coverage(regression.coverage, nights)),
        ("trend", "Trend", trend(nights)),
    ]
    shown_sections = [(ident, name, body) for ident, name, body in made if body is not None]
    links = [h("li", h("a", name, href=f"#{ident}")) for ident, name, _ in shown_sections]
    mark = icon("good" if regression.passed else "bad")
    name = f"{regression.design} {regression.suite}".strip()
    return document(
        f"{name}: {'pass' if regression.passed else 'fail'} · Suzuri",
        nav=h("nav", h("p", mark, " ", h("b", regression.design)), h("ul", *links), aria_label="Sections"),
        main=[_masthead(regression), *(body for _, _, body in shown_sections), _footer(regression)],
        target="verdict",
        styles=("report.css", "regress.css"),
        scripts=("report.js", "regress.js"),
        data=script("rows", columns(rows, drawn)),
    )


def write(regression: Regression, path: Path, history: Sequence[Night] = ()) -> Path:
    """Write the report of `regression` to `path`: wholly, or not at all.

    Parameters
    ----------
    regression
        What ran. Logs and waves are looked for relative to the folder of `path`.
    path
        Of the page.
    history
        Regressions of the same suite before it, oldest first.

    Returns
    -------
    Path
        `path`.
    """
    return write_text(render(regression, history, pictures(regression, path.parent)), path)
