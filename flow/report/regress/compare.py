"""Two regressions side by side, as a page: what broke, what was mended, which buckets came and went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from flow.regress.diff import Change, Diff
from flow.regress.model import Bucket, Regression, Result, Verdict
from flow.report.document import document, write_text
from flow.report.marks import filter_tools, icon, section, state, table, th
from flow.report.markup import Child, Html, h
from flow.report.regress.words import VERDICTS, commit, name_of, said_of, seeds_of
from flow.report.units import count, duration

__all__ = ["render", "write"]

_ROWS, _BUCKETS = 1_000, 300
_SHOWN = {"good": "pass", "bad": "fail", "calm": "cached", "mute": "skipped"}


def _verdict_cell(result: Result | None) -> Html:
    if result is None:
        return h("td", h("span", "not run", class_="u"))
    tone, word, _ = VERDICTS[result.verdict]
    return h("td", state(_SHOWN[tone], word))


def _change_row(change: Change) -> Html:
    result = change.after or change.before
    if result is None:
        return h("tr")
    told = change.after if change.after is not None and change.after.message else change.before or result
    return h(
        "tr",
        _verdict_cell(change.before),
        _verdict_cell(change.after),
        h("th", name_of(result), scope="row"),
        h("td", str(result.seed), class_="n seed"),
        h(
            "td",
            h("span", told.message[:300], class_="message"),
            h("code", result.command, class_="more") if result.command else None,
            class_="wide",
        ),
        data_state=_state(change),
    )


def _state(change: Change) -> str:
    return str(change.after.verdict) if change.after is not None else "none"


def _changes(ident: str, title: str, note: str, changes: Sequence[Change]) -> Html | None:
    if not changes:
        return None
    head = [th("Before"), th("After"), th("Test"), th("Seed", number=True), th("Message and command")]
    body = [_change_row(change) for change in changes[:_ROWS]]
    more = len(changes) - _ROWS
    rest = h("p", f"and {count(more)} more", class_="note") if more > 0 else None
    kinds = Counter(_state(change) for change in changes[:_ROWS])
    options = [
        (kind, VERDICTS[Verdict(kind)][1] if kind != "none" else "Not run", n) for kind, n in kinds.items()
    ]
    tools = filter_tools(f"t-{ident}", options, "test, seed, message") if len(body) > 20 else None
    return section(
        ident, f"{title} ({count(len(changes))})", note, tools,
        table(title, head, body, ident=f"t-{ident}", cls="sortable changes", tall=True), rest,
    )  # fmt: skip


def _bucket(bucket: Bucket, by_key: Mapping[tuple[str, str, int], Result], tone: str, word: str) -> Html:
    first = by_key.get(bucket.members[0]) if bucket.members else None
    command = None
    if first is not None and first.command:
        command = h(
            "div",
            h("pre", h("code", first.command, id=f"c-{bucket.id}")),
            h("button", "Copy", type="button", data_copy=f"c-{bucket.id}", class_="js"),
            class_="command",
        )
    about = [VERDICTS[bucket.verdict][1], seeds_of(bucket) if bucket.members else "", bucket.place,
             f"owner {bucket.owner}" if bucket.owner else "", bucket.note]  # fmt: skip
    summary_ = h(
        "summary",
        h("span", icon(tone), " ", word, class_=f"state {tone}"),
        h("span",
          h("span", bucket.title or bucket.id, class_="title"),
          h("span", *(h("span", part) for part in about if part), class_="facts-line"), class_="what"),
        h("code", bucket.id, class_="u"),
    )  # fmt: skip
    cls = {"bad": "new", "warn": "known", "good": "fixed"}[tone]
    return h(
        "details", summary_, h("div", command, class_="inside"), class_=f"bucket {cls}", open=tone == "bad"
    )


def _buckets(diff: Diff) -> Html | None:
    groups = (
        (diff.new, diff.b, "bad", "New"),
        (diff.gone, diff.a, "good", "Gone"),
        (diff.kept, diff.b, "warn", "In both"),
    )
    made = []
    for buckets, regression, tone, word in groups:
        by_key = {result.key: result for result in regression.results}
        made += [_bucket(bucket, by_key, tone, word) for bucket in buckets[:_BUCKETS]]
    if not made:
        return None
    left = sum(max(0, len(buckets) - _BUCKETS) for buckets, *_ in groups)
    rest = h("p", f"and {count(left)} more", class_="note") if left else None
    return section(
        "buckets",
        "Buckets",
        "A bucket is one bug, as its failures tell.",
        h("div", *made, class_="buckets"),
        rest,
    )


def _cases(diff: Diff) -> Html | None:
    rows = [
        (word, *case) for word, cases in (("earlier", diff.only_a), ("later", diff.only_b)) for case in cases
    ]
    body = [
        h("tr", h("td", f"without a result: {reason}"), h("th", test, scope="row"))
        for test, reason in diff.lost[:_ROWS]
    ]
    body += [
        h("tr", h("td", f"only the {word}"), h("th", f"{test}.{case}" if case else test, scope="row"))
        for word, test, case in rows[:_ROWS]
    ]
    if not body:
        return None
    note = (
        "Test cases that only one of the two ran: what differs there is the choice of tests, not the design. "
        "A test without a result was asked for, and could not run."
    )
    return section(
        "cases", "Tests", note, table("Tests that only one ran", [th("Which"), th("Test")], body, tall=True)
    )


def _side_by_side(diff: Diff) -> Html:
    def row(name: str, value: Callable[[Regression], Child]) -> Html:
        return h(
            "tr",
            h("th", name, scope="row"),
            h("td", value(diff.a), class_="n"),
            h("td", value(diff.b), class_="n"),
        )

    rows = [
        row("Regression", lambda r: r.id),
        row("Suite", lambda r: r.suite or "—"),
        row("Sources", lambda r: commit(r) or "—"),
        row("Started", lambda r: r.started.replace("T", " ")[:16] or "—"),
        row("Master seed", lambda r: str(r.master_seed)),
        row("Elapsed", lambda r: duration(r.elapsed_s)),
        row("Results", lambda r: count(len(r.results))),
    ]
    a, b = diff.a.counts, diff.b.counts
    for verdict in [Verdict.PASS, *(v for v in VERDICTS if v is not Verdict.PASS)]:
        if a[verdict] or b[verdict]:
            words = VERDICTS[verdict][2]
            cells = [h("td", count(n[verdict]), class_="n") for n in (a, b)]
            rows.append(h("tr", h("th", words.capitalize(), scope="row"), *cells))
    head = [h("td"), th("Earlier", number=True), th("Later", number=True)]
    return section("sides", "Side by side", None, table("The two regressions", head, rows, cls="tight"))


def _verdict(diff: Diff) -> Html:
    tone, word = ("bad", "Worse") if diff.worse else ("good", "No worse")
    facts = (
        ("Broken", len(diff.broken), "good before, bad now"),
        ("Mended", len(diff.mended), "bad before, good now"),
        ("Changed", len(diff.changed), "bad in another way"),
        ("Still bad", len(diff.still), "alike in both"),
        ("New buckets", len(diff.new), f"{len(diff.gone)} gone, {len(diff.kept)} in both"),
        ("Bad with other seeds", len(diff.failing_only_b), f"{count(len(diff.failing_only_a))} before"),
    )
    cells = [
        h("div", h("dt", name), h("dd", count(n), h("span", more, class_="more"))) for name, n, more in facts
    ]
    both = h(
        "ul", h("li", f"earlier: {said_of(diff.a)}"), h("li", f"later: {said_of(diff.b)}"), class_="reasons"
    )
    body = h(
        "div",
        h("div", h("h2", icon(tone), " ", word, id="verdict-h"), class_="stamp"),
        h("div", both, class_="why"),
    )
    return h("section", body, h("dl", *cells, class_="strip"), id="verdict", class_=f"verdict {tone}",
             aria_labelledby="verdict-h")  # fmt: skip


def render(diff: Diff) -> str:
    """Return the comparison as one self-contained HTML document."""
    name = diff.b.design or diff.a.design
    others = [Change(before=None, after=r) for r in diff.failing_only_b]
    others += [Change(before=r, after=None) for r in diff.failing_only_a]
    changes = (
        ("broken", "Broken", "The same seed passed before and fails now.", diff.broken),
        ("mended", "Mended", "The same seed failed before and passes now.", diff.mended),
        ("changed", "Changed", "The same seed fails in another way.", diff.changed),
        ("other", "With other seeds", "Failures whose seed only one of the two ran.", others),
        ("still", "Still bad", "The same seed fails alike in both.", diff.still),
    )
    made = [
        ("verdict", "Verdict", _verdict(diff)),
        ("buckets", "Buckets", _buckets(diff)),
        *((ident, title, _changes(ident, title, note, listed)) for ident, title, note, listed in changes),
        ("cases", "Tests", _cases(diff)),
        ("sides", "Side by side", _side_by_side(diff)),
    ]
    shown = [(ident, word, body) for ident, word, body in made if body is not None]
    links = [h("li", h("a", word, href=f"#{ident}")) for ident, word, _ in shown]
    masthead = h(
        "header", h("p", "Suzuri comparison of regressions", class_="brand"), h("h1", name), class_="masthead"
    )
    footer = h("footer", h("p", h("code", diff.a.id), " and ", h("code", diff.b.id)))
    return document(
        f"{name}: {diff.a.id} and {diff.b.id} · Suzuri",
        nav=h("nav", h("p", h("b", name)), h("ul", *links), aria_label="Sections"),
        main=[masthead, *(body for _, _, body in shown), footer],
        target="verdict",
        styles=("report.css", "regress.css"),
    )


def write(diff: Diff, path: Path) -> Path:
    """Write the comparison to `path`: wholly, or not at all; return `path`."""
    return write_text(render(diff), path)
