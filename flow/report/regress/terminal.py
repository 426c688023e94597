"""Summaries for a terminal, of a regression and of two compared, as rich renderables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flow.regress.diff import Change, Diff
from flow.regress.model import Bucket, BucketState, Regression, Result, Verdict
from flow.report.regress.coverage import percent
from flow.report.regress.words import (
    STATES,
    VERDICTS,
    commit,
    name_of,
    open_first,
    reasons,
    said_of,
    seeds_of,
    short,
)
from flow.report.terminal import styled
from flow.report.units import count, duration

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

__all__ = ["comparison", "summary"]

_MOST, _LOST = 12, 5
_STYLE = {"good": "green", "bad": "red", "warn": "yellow", "calm": "dim", "mute": "dim"}


def _plural(n: int, word: str) -> str:
    return f"{count(n)} {word}{'' if n == 1 else 's'}"


def _verdict(regression: Regression) -> Text:
    passed = regression.passed
    name = " ".join(part for part in (regression.design, regression.suite) if part)
    tail = f"  {name}: {_plural(len(regression.results), 'result')}"
    tests = len({(result.test, result.testcase) for result in regression.results})
    tail += f" of {_plural(tests, 'test case')}, {duration(regression.elapsed_s)}"
    if tested := commit(regression):
        tail += f", {tested}"
    return styled(("✔ PASS" if passed else "✘ FAIL", "bold green" if passed else "bold red"), tail)


def _counts(regression: Regression) -> Text:
    counts = regression.counts
    parts: list[tuple[str, str] | str] = []
    for verdict in [Verdict.PASS, *(v for v in VERDICTS if v is not Verdict.PASS)]:
        if counts[verdict]:
            tone, _, words = VERDICTS[verdict]
            parts += [", " if parts else "", (f"{count(counts[verdict])} {words}", _STYLE[tone])]
    for words, n in (
        ("flaky", sum(result.flaky for result in regression.results)),
        ("quarantined", sum(result.quarantined and result.verdict.bad for result in regression.results)),
    ):
        if n:
            parts += [", ", (f"{count(n)} {words}", "yellow")]
    return styled(*parts) if parts else styled(("Nothing ran.", "yellow"))


def _bucket(bucket: Bucket, first: Result | None) -> Text:
    tone, word = STATES[bucket.state]
    mark = "✔" if bucket.state is BucketState.FIXED else "✘"
    parts: list[tuple[str, str] | str] = [
        (f"{mark} {word.lower():5} ", _STYLE[tone]),
        (f"{bucket.id} ", "dim"),
        bucket.title or VERDICTS[bucket.verdict][1],
    ]
    about = [seeds_of(bucket) if bucket.members else "", bucket.place]
    if bucket.first_seen:
        about.append(f"first seen at {short(bucket.first_seen)}")
    if bucket.last_good:
        about.append(f"last good {short(bucket.last_good)}")
    about += [f"owner {bucket.owner}" if bucket.owner else "", bucket.note]
    if said := ", ".join(part for part in about if part):
        parts.append((f"\n    {said}", "dim"))
    if first is not None and first.command and bucket.state is not BucketState.FIXED:
        parts.append(f"\n    {first.command}")
    return styled(*parts)


def summary(regression: Regression, report: str | None = None) -> list[RenderableType]:
    """Return what to print when a regression has ended.

    Parameters
    ----------
    regression
        What ran.
    report
        Path of the HTML report, named in the last line; ``None`` where the
        caller prints it.

    Returns
    -------
    list
        Verdict, counts, buckets with the command that repeats each (new ones
        first), then tests without a result.
    """
    found: list[RenderableType] = [_verdict(regression), _counts(regression)]
    by_key = {result.key: result for result in regression.results}
    buckets = open_first(regression.buckets)
    for bucket in buckets[:_MOST]:
        found.append(_bucket(bucket, by_key.get(bucket.members[0]) if bucket.members else None))
    if len(buckets) > _MOST:
        found.append(styled((f"  and {len(buckets) - _MOST} more buckets in the report", "dim")))
    for name, reason in regression.missing[:_LOST]:
        found.append(styled(("✘ ", "red"), f"{name} has no result: {reason}"))
    if len(regression.missing) > _LOST:
        more = len(regression.missing) - _LOST
        found.append(styled((f"  and {_plural(more, 'more test')} without a result", "dim")))
    # Failures that go into no bucket are the machine's and the manifest's; none must go unsaid.
    for verdict in (Verdict.INFRA, Verdict.XPASS):
        mine = [result for result in regression.results if result.verdict is verdict]
        for result in mine[:3]:
            said = f"{result.test}: {VERDICTS[verdict][1].lower()}"
            said += f", {result.message}" if result.message else ""
            found.append(styled(("✘ ", "red"), said))
        if len(mine) > 3:
            found.append(styled((f"  and {len(mine) - 3} more {VERDICTS[verdict][2]}", "dim")))
    if not regression.passed and not buckets:
        found += [styled(("! ", "yellow"), reason) for reason in reasons(regression)]
    for kind, (covered, total) in regression.coverage.get("kinds", {}).items():
        said = f"{percent(covered, total)} ({count(covered)} of {count(total)})"
        found.append(styled(f"Coverage, {kind}: {said}"))
    if report is not None:
        found.append(styled("Report: ", (report, "bold")))
    return found


def _good(regression: Regression) -> int:
    return sum(not result.verdict.bad for result in regression.results)


def _lines(mark: str, style: str, changes: Sequence[Change], word: str) -> list[RenderableType]:
    found: list[RenderableType] = []
    for change in changes[:_MOST]:
        result = change.after or change.before
        if result is None:
            continue
        was = change.before.verdict if change.before is not None else "not run"
        now = change.after.verdict if change.after is not None else "not run"
        tail = f": {result.message}" if result.message else ""
        found.append(
            styled(
                (f"{mark} ", style),
                f"{name_of(result)} seed {result.seed}",
                (f"  {was} → {now}", "dim"),
                tail,
            )
        )
        if result.command and style == "red":
            found.append(styled(f"    {result.command}"))
    if len(changes) > _MOST:
        found.append(styled((f"  and {_plural(len(changes) - _MOST, 'more result')} {word}", "dim")))
    return found


def comparison(diff: Diff, report: str | None = None) -> list[RenderableType]:
    """Return what to print of a comparison, as rich renderables.

    Parameters
    ----------
    diff
        Two regressions.
    report
        Path of the page, named in the last line; ``None`` without one.

    Returns
    -------
    list
        Verdict, both regressions, buckets that came and went, then results
        that changed. What is alike in both is counted only.
    """
    head = ("✘ WORSE", "bold red") if diff.worse else ("✔ NO WORSE", "bold green")
    tail = f"  {_plural(len(diff.broken), 'result')} broken, {count(len(diff.mended))} mended, "
    tail += f"{count(len(diff.changed))} changed, {count(len(diff.still))} still bad; "
    tail += f"{_plural(len(diff.new), 'bucket')} new, {count(len(diff.gone))} gone, "
    tail += f"{count(len(diff.kept))} in both"
    found: list[RenderableType] = [styled(head, tail)]
    for word, regression in (("earlier", diff.a), ("later", diff.b)):
        passed = f"{count(_good(regression))} of {_plural(len(regression.results), 'result')} good"
        found.append(styled((f"  {word}: {said_of(regression)}, {passed}", "dim")))
    for buckets, mark, style, word in ((diff.new, "✘", "red", "new"), (diff.gone, "✔", "green", "gone")):
        found += [styled((f"{mark} {word} ", style), (f"{b.id} ", "dim"), b.title) for b in buckets[:_MOST]]
        if len(buckets) > _MOST:
            found.append(styled((f"  and {_plural(len(buckets) - _MOST, 'more bucket')} {word}", "dim")))
    found += [styled(("✘ lost ", "red"), f"{name}: {reason}") for name, reason in diff.lost[:_MOST]]
    if len(diff.lost) > _MOST:
        found.append(styled((f"  and {_plural(len(diff.lost) - _MOST, 'more test')} lost", "dim")))
    found += _lines("✘", "red", diff.broken, "broken")
    found += _lines("!", "yellow", diff.changed, "changed")
    found += _lines("✔", "green", diff.mended, "mended")
    if alone := len(diff.failing_only_a) + len(diff.failing_only_b):
        found.append(styled((f"  {_plural(alone, 'failure')} with a seed that only one of them ran", "dim")))
    if lone := len(diff.only_a) + len(diff.only_b):
        found.append(styled((f"  {_plural(lone, 'test case')} that only one of them ran", "dim")))
    if report is not None:
        found.append(styled("Report: ", (report, "bold")))
    return found
