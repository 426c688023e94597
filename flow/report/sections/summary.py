"""The verdict, where to look, and the headline numbers of each PDK."""

from __future__ import annotations

from flow.report.coverage import coverage
from flow.report.details import testcases
from flow.report.findings import Finding, findings, test_counts
from flow.report.marks import icon, null, num, section, slack
from flow.report.markup import Child, Html, h, join
from flow.report.rundata import Num, Run, Target, rows, text
from flow.report.units import area_scale, count, duration, fixed, number, plain, power_scale, significant

__all__ = ["VERDICTS", "headline", "verdict"]

#: Tone, word and plain meaning of each verdict.
VERDICTS = {
    "pass": ("good", "Pass", "Every test passed; every check and limit that decides was met."),
    "fail": ("bad", "Fail", "The flow ran; the design missed what was asked of it."),
    "error": ("bad", "Error", "The flow could not finish: an input, a tool or a machine failed."),
    "cancelled": ("warn", "Cancelled", "The run was interrupted; what had finished is shown and is kept."),
}
_MOST, _REASONS = 12, 5


def _where_to_look(run: Run, found: list[Finding]) -> Html | None:
    if not found:
        return None
    items = [
        h(
            "li",
            h("a", f.what, href=f"#{f.section}"),
            h("span", f.where, class_="place") if f.where else None,
            h("span", f.remedy, class_="remedy") if f.remedy else None,
        )
        for f in found[:_MOST]
    ]
    more = len(found) - _MOST
    extra = h("p", f"and {more} more in the sections below", class_="note") if more > 0 else None
    title = "Passed, but look at" if run.status == "pass" else "Where to look"
    return h("div", h("h3", title), h("ul", *items), extra, class_="look")


def verdict(run: Run) -> Html:
    """Return the verdict, its reasons and where to look."""
    tone, word, meaning = VERDICTS.get(run.status, ("mute", "No verdict", "This run recorded no verdict."))
    given = run.verdict.get("reasons")
    reasons = [text(r) for r in given if r] if isinstance(given, list | tuple) else []
    found = findings(run)
    # A reason that only repeats a finding adds nothing to the linked list below it.
    reasons = [r for r in reasons if not any(f.what in r for f in found)]
    shown: Child = h("p", meaning, class_="meaning")
    if reasons:
        rest = h("li", f"and {len(reasons) - _REASONS} more") if len(reasons) > _REASONS else None
        shown = h("ul", *(h("li", r) for r in reasons[:_REASONS]), rest, class_="reasons")
    code = run.verdict.get("exit_code")
    title = h("h2", icon(tone), " ", word, id="verdict-h")
    facts = h("p", f"exit code {code}" if code is not None else None, class_="code")
    body = h(
        "div",
        h("div", title, facts, class_="stamp"),
        h("div", shown, _where_to_look(run, found), class_="why"),
    )
    return h(
        "section", body, _strip(run), id="verdict", class_=f"verdict {tone}", aria_labelledby="verdict-h"
    )


def _fact(name: str, value: Child, more: Child = None) -> Html:
    return h("div", h("dt", name), h("dd", value, h("span", more, class_="more") if more else None))


def _checks_fact(run: Run) -> Html:
    """Return how many checks failed, warned and passed."""
    found = [check for _, check in run.checks()]
    if not found:
        return _fact("Checks", null("no step made checks"))
    open_ = [text(c.get("severity"), "error") for c in found if c.get("passed") is False]
    failed, warned = open_.count("error"), open_.count("warning")
    warning = f"{warned} warning{'s' if warned != 1 else ''}" if warned else None
    return _fact(
        "Checks", f"{failed} of {len(found)} failed" if failed else f"{len(found) - warned} passed", warning
    )


def _strip(run: Run) -> Html:
    """Return the facts that hold for the whole run."""
    tests = testcases(run.of("simulate"))
    counts = test_counts(tests)
    covered = coverage(run.of("simulate"))
    bins, hit = covered.total, covered.covered
    done, cached = (sum(s.status == w for s in run.steps) for w in ("done", "cached"))
    broken = [
        f"{sum(s.status == w for s in run.steps)} {w}" for w in ("failed", "infra", "skipped", "cancelled")
    ]
    broken = [b for b in broken if not b.startswith("0 ")]
    elapsed = number(run.info.get("elapsed_s"))
    missed = sum(bool(limit.get("passed") is False) for limit in run.limits)
    ran = len(tests) - counts["none"] - counts["skip"]
    return h(
        "dl",
        _fact(
            "Tests passed",
            f"{counts['pass']} of {ran}" if ran else null("no test ran"),
            ", ".join(f"{n} {w}" for w, n in (("failed", counts["fail"]), ("not run", counts["none"])) if n),
        ),
        _fact(
            "Coverage",
            f"{fixed(100 * hit / bins, 1)} %" if bins else null("no test recorded functional coverage"),
            f"{bins - hit} of {bins} bins never hit" if bins > hit else None,
        ),
        _checks_fact(run),
        _fact("Limits", f"{missed} of {len(run.limits)} missed" if missed else f"{len(run.limits)} met")
        if run.limits
        else None,
        _fact("Steps", f"{len(run.steps)}", ", ".join([f"{done} ran", f"{cached} cached", *broken])),
        _fact(
            "Elapsed",
            duration(elapsed) if elapsed is not None else null("the run did not record when it ended"),
        ),
        class_="strip",
    )


def _card(target: Target, tests: Html | None) -> Html:
    area = target.num("design__instance__area")
    ws, corner = target.worst("timing__setup__ws")
    hold, hold_corner = target.worst("timing__hold__ws")
    fmax, _ = target.worst("timing__fmax")
    power, power_corner = target.worst("power__total", highest=True)
    period = target.period_ns
    a, p = area_scale([area.value]), power_scale([power.value])
    values = [v.value for v in (ws, hold) if v.value is not None]
    bad = any(v < 0 for v in values) or any(s.status in ("failed", "infra") for s in target.steps)
    tone = "bad" if bad else "good" if len(values) == 2 and not target.broken else "mute"
    info = target.info
    node = number(info.get("node_nm"))
    about = [f"{plain(node)} nm" if node else "", text(info.get("library"))]
    word = {"bad": "needs attention", "good": "met", "mute": "incomplete"}[tone]
    clock = (
        join("clock ", plain(period.value), " ns, ", significant(1e3 / period.value, 4), " MHz")
        if period.value
        else join("clock ", null(period.reason))
    )
    where = [
        c if n.value is not None else None
        for n, c in ((ws, corner), (hold, hold_corner), (power, power_corner))
    ]
    return h(
        "article",
        h("header", icon(tone), h("h3", target.name), h("span", word, class_="vh")),
        h("p", " · ".join(filter(None, about)), class_="about"),
        h("p", clock, class_="about"),
        h(
            "dl",
            _fact("Area", num(area, significant((area.value or 0) * a.factor), unit=a.unit)),
            _fact("Fmax", num(fmax, significant(fmax.value or 0), unit="MHz")),
            _fact("Setup slack", slack(ws, unit="ns"), where[0]),
            _fact("Hold slack", slack(hold, unit="ns"), where[1]),
            _fact("Power", num(power, significant((power.value or 0) * p.factor), unit=p.unit), where[2]),
            _fact("Tests", tests) if tests else _cells(target),
        ),
        class_=f"card {tone}",
    )


def _cells(target: Target) -> Html:
    cells: Num = target.num("design__instance__count")
    return _fact("Cells", num(cells, count(cells.value or 0)))


def headline(run: Run) -> Html | None:
    """Return one card for each PDK, and the PDKs that were left out."""
    cards = []
    for target in run.targets:
        counts = test_counts(testcases(target.of("simulate")))
        ran = counts["pass"] + counts["fail"]
        cards.append(_card(target, join(f"{counts['pass']} of {ran}") if ran else None))
    skipped = rows(run.raw.get("skipped_pdks"))
    out = [
        h("li", h("b", text(s.get("name"))), " ", h("span", text(s.get("reason")) or "no reason recorded"))
        for s in skipped
    ]
    left = h("div", h("h3", "Not run"), h("ul", *out), class_="skipped") if out else None
    if not cards and not left:
        return section("numbers", "Headline numbers", None, h("p", "No PDK was run.", class_="empty"))
    note = (
        "Worst corner of each PDK. An em dash means that there is no such number; point at it for the reason."
    )
    return section(
        "numbers", "Headline numbers", note if cards else None, h("div", *cards, class_="cards"), left
    )
