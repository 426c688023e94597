"""The nights before: failures, buckets and time as columns, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence

from flow.regress.model import BucketState, Night, Verdict
from flow.report.charts import columns
from flow.report.marks import section, table, th
from flow.report.markup import Html, h
from flow.report.regress.words import short
from flow.report.units import count, duration

__all__ = ["trend"]

_MOST = 40


def _ran(night: Night) -> int:
    return sum(night.counts.values()) - night.counts.get(Verdict.SKIPPED, 0)


def _bad(night: Night) -> int:
    return sum(n for verdict, n in night.counts.items() if verdict.bad)


def _share(night: Night) -> float:
    return 100 * _bad(night) / _ran(night) if _ran(night) else 0.0


def _open(night: Night) -> tuple[int, int]:
    """Return how many buckets are new or back, and how many are known."""
    states = night.states
    fresh = states.get(BucketState.NEW, 0) + states.get(BucketState.BACK, 0)
    return fresh, states.get(BucketState.KNOWN, 0)


def _figure(title: str, unit: str, chart: Html, key: Sequence[tuple[str, str]] = ()) -> Html:
    named = [h("span", h("i", class_=cls), word) for cls, word in key]
    return h(
        "figure",
        h("figcaption", h("span", h("b", title)), h("span", unit)),
        chart,
        h("p", *named, class_="key") if named else None,
    )


def _row(night: Night) -> Html:
    fresh, known = _open(night)
    return h(
        "tr",
        h("th", night.started.replace("T", " ")[:16] or night.id, scope="row"),
        h("td", h("code", short(night.commit)) if night.commit else "—"),
        h("td", count(sum(night.counts.values())), class_="n"),
        h("td", count(_bad(night)), class_="n"),
        h("td", f"{_share(night):.2f}", class_="n"),
        h("td", count(fresh), class_="n"),
        h("td", count(known), class_="n"),
        h("td", count(night.states.get(BucketState.FIXED, 0)), class_="n"),
        h("td", count(night.flaky), class_="n"),
        h("td", duration(night.elapsed_s), class_="n"),
    )


def trend(nights: Sequence[Night]) -> Html | None:
    """Return the trend over `nights`, oldest first; nothing for fewer than two."""
    if len(nights) < 2:
        return None
    nights = nights[-_MOST:]
    names = [night.started[:10] or night.id for night in nights]
    bad = columns(
        names,
        [
            [("bad", _share(n), f"{count(_bad(n))} of {count(_ran(n))} failed, {_share(n):.2f} %")]
            for n in nights
        ],
        "Share of results that failed, by regression",
    )
    buckets = columns(
        names,
        [[("bad", new, f"{new} new"), ("known", old, f"{old} known")] for new, old in map(_open, nights)],
        "Buckets, by regression", whole=True,
    )  # fmt: skip
    times = columns(
        names,
        [
            [("", n.elapsed_s / 60, f"{duration(n.elapsed_s)}, {count(sum(n.counts.values()))} results")]
            for n in nights
        ],
        "Elapsed time in minutes, by regression",
    )
    head = [th("Started"), th("Commit"), th("Results", number=True), th("Failed", number=True),
            th("Share", number=True, unit="%"), th("New", number=True), th("Known", number=True),
            th("Fixed", number=True), th("Flaky", number=True), th("Elapsed", number=True)]  # fmt: skip
    listed = table("Regressions", head, [_row(night) for night in reversed(nights)])
    return section(
        "trend", "Trend", f"The last {len(nights)} regressions of this suite; the last column is this one.",
        h("div",
          _figure("Failed", "% of results", bad),
          _figure("Buckets", "count", buckets, [("bad", "new or back"), ("known", "known")]),
          _figure("Elapsed", "minutes", times), class_="figures"),
        h("details", h("summary", "As numbers"), listed),
    )  # fmt: skip
