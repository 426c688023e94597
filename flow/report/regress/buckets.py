"""Failures by bug: one entry for each bucket, with what repeats it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flow.regress.model import Bucket, BucketState, Result
from flow.report.marks import icon, section
from flow.report.markup import Child, Html, h, log_href
from flow.report.regress.words import STATES, VERDICTS, seeds_of, short

__all__ = ["buckets"]

_MOST, _OPEN, _TRACE = 300, 3, 6_000
_NOTE = "Failures that look like one bug stand together. The command repeats the shortest of them."


def _fact(name: str, value: Child) -> Html | None:
    return h("div", h("dt", name), h("dd", value)) if value else None


def _link(path: str, word: str) -> Html | None:
    href, _ = log_href(path)
    return h("a", word, href=href) if href else None


def _facts(bucket: Bucket, first: Result | None) -> Html:
    seen = [h("code", short(bucket.first_seen))] if bucket.first_seen else []
    if bucket.since:
        seen.append(h("span", " " + bucket.since.replace("T", " ")[:16], class_="u"))
    files = [] if first is None else [_link(first.log, "log"), " ", _link(first.waves, "waves")]
    tests = list(dict.fromkeys(f"{test}.{case}" if case else test for test, case, _ in bucket.members))
    named = ", ".join(tests[:6]) + (f" and {len(tests) - 6} more" if len(tests) > 6 else "")
    return h(
        "dl",
        _fact("First seen", seen),
        _fact("Last good", h("code", short(bucket.last_good)) if bucket.last_good else None),
        _fact("Place", h("code", bucket.place) if bucket.place else None),
        _fact("Owner", bucket.owner),
        _fact("Note", bucket.note),
        _fact("Tests", named),
        _fact("Files", files if any(isinstance(f, Html) for f in files) else None),
        class_="facts",
    )


def _body(bucket: Bucket, first: Result | None, number: int, picture: Html | None) -> list[Child]:
    found: list[Child] = [_facts(bucket, first)]
    if first is None:
        return found
    if first.command:
        ident = f"c-{bucket.id}"
        found.append(
            h(
                "div",
                h("pre", h("code", first.command, id=ident)),
                h("button", "Copy", type="button", data_copy=ident, class_="js"),
                class_="command",
            )
        )
    if first.message:
        found.append(h("p", h("b", f"seed {first.seed}: "), first.message[:2000], class_="message"))
    if picture is not None:
        found.append(picture)
    if trace := first.traceback[-_TRACE:].strip():
        found.append(h("details", h("summary", "Traceback"), h("pre", trace), class_="message trace"))
    words = (
        "Show it in the table"
        if len(bucket.members) == 1
        else f"Show all {len(bucket.members):,} in the table"
    )
    found.append(h("p", h("button", words, type="button", data_bucket=number, class_="js")))
    return found


def _entry(bucket: Bucket, first: Result | None, number: int, picture: Html | None, *, opened: bool) -> Html:
    tone, word = STATES[bucket.state]
    about = [
        h("span", VERDICTS[bucket.verdict][1]),
        h("span", seeds_of(bucket)) if bucket.members else None,
        h("span", f"since {bucket.since[:10]}") if bucket.since else None,
        h("span", f"at {short(bucket.first_seen)}") if bucket.first_seen else None,
        h("span", f"owner {bucket.owner}") if bucket.owner else None,
    ]
    summary = h(
        "summary",
        h("span", icon(tone), " ", word, class_=f"state {tone}"),
        h(
            "span",
            h("span", bucket.title or first.message if first else bucket.title or bucket.id, class_="title"),
            h("span", *about, class_="facts-line"),
            class_="what",
        ),
        h("code", bucket.id, class_="u"),
    )
    return h(
        "details",
        summary,
        h("div", *_body(bucket, first, number, picture), class_="inside"),
        class_=f"bucket {bucket.state}",
        id=f"b-{bucket.id}",
        open=opened,
    )


def buckets(
    shown: Sequence[Bucket],
    by_key: Mapping[tuple[str, str, int], Result],
    pictures: Mapping[tuple[str, str, int], Html],
) -> Html | None:
    """Return the buckets in the given order, or nothing where there are none."""
    if not shown:
        return None
    entries = [
        _entry(
            bucket,
            by_key.get(bucket.members[0]) if bucket.members else None,
            number,
            next((pictures[member] for member in bucket.members if member in pictures), None),
            opened=number < _OPEN and bucket.state in (BucketState.NEW, BucketState.BACK),
        )
        for number, bucket in enumerate(shown[:_MOST])
    ]
    more = len(shown) - _MOST
    rest = (
        h("p", f"and {more:,} more, which the table of results can choose", class_="note")
        if more > 0
        else None
    )
    return section("buckets", "Buckets", _NOTE, h("div", *entries, class_="buckets"), rest)
