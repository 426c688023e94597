"""The verdict, where to look, and the headline numbers of each PDK."""

from __future__ import annotations

from collections.abc import Iterator

from flow.report.details import TestRow, coverage, testcases
from flow.report.markup import Child, Html, h, join
from flow.report.marks import icon, null, num, section, slack
from flow.report.rundata import Num, Run, Target, rows, text
from flow.report.units import area_scale, count, duration, fixed, number, power_scale, significant

__all__ = ["VERDICTS", "findings", "headline", "test_counts", "verdict"]

#: Tone, word and plain meaning of each verdict.
VERDICTS = {
    "pass": ("good", "Pass", "Every check, test and limit was met."),
    "fail": ("bad", "Fail", "The flow ran; the design missed what was asked of it."),
    "error": ("bad", "Error", "The flow could not finish: an input, a tool or a machine failed."),
    "cancelled": ("warn", "Cancelled", "The run was interrupted; what had finished is shown and is kept."),
}
_MOST = 12


def test_counts(tests: list[TestRow]) -> dict[str, int]:
    """Return how many of `tests` passed, failed, were skipped, or never ran."""
    return {s: sum(t.status == s for t in tests) for s in ("pass", "fail", "skip", "none")}


def _limit_text(limit: dict[str, object]) -> str:
    bounds = [f"at {'least' if k == 'min' else 'most'} {limit[k]}" for k in ("min", "max") if limit.get(k) is not None]
    place = " ".join(text(limit.get(k)) for k in ("pdk", "corner") if limit.get(k))
    value = number(limit.get("value"))
    got = significant(value) if value is not None else "no value"
    return f"{text(limit.get('metric'))}{' on ' + place if place else ''}: {got}, asked for {' and '.join(bounds)}"


def findings(run: Run) -> Iterator[tuple[str, str, str, str]]:
    """Yield what is wrong as ``(section, what, where, remedy)``, most telling first."""
    for step in run.steps:
        if step.status in ("failed", "infra"):
            error = step.error
            what = text(error.get("what")) or f"{step.label} {step.status}"
            yield "steps", f"{step.name}: {what}", text(error.get("where")), text(error.get("remedy"))
    for limit in run.limits:
        if limit.get("passed") is False:
            yield "ppa", _limit_text(dict(limit)), "", ""
    for target in run.targets:
        for corner in target.corners:
            for kind in ("setup", "hold"):
                value = corner.num(f"timing__{kind}__ws").value
                if value is not None and value < 0:
                    where = f"{target.name} {corner.name}".strip()
                    yield "paths", f"{kind} slack of {fixed(value)} ns", where, ""
    for row in testcases(run.of("simulate")):
        if row.status == "fail" and row.step.ok:
            name = ".".join(filter(None, (row.test, row.case))) + (f", seed {row.seed}" if row.seed else "")
            yield "tests", f"{name} failed", row.message.strip().split("\n")[0][:200], ""
    for step, check in run.checks():
        if check.get("passed") is False and text(check.get("severity"), "error") == "error":
            what = text(check.get("message")) or text(check.get("name"))
            yield "checks", what, text(check.get("place")) or step.name, text(check.get("remedy"))


def _where_to_look(run: Run) -> Html | None:
    found = list(findings(run))
    if not found:
        return None
    items = []
    for ident, what, where, remedy in found[:_MOST]:
        items.append(
            h(
                "li",
                h("a", what, href=f"#{ident}"),
                h("span", where, class_="place") if where else None,
                h("span", remedy, class_="remedy") if remedy else None,
            )
        )
    more = len(found) - _MOST
    extra = h("p", f"and {more} more in the sections below", class_="note") if more > 0 else None
    return h("div", h("h3", "Where to look"), h("ul", *items), extra, class_="look")


def verdict(run: Run) -> Html:
    """Return the verdict, its reasons and where to look."""
    tone, word, meaning = VERDICTS.get(run.status, ("mute", "No verdict", "This run recorded no verdict."))
    given = run.verdict.get("reasons")
    reasons = [text(r) for r in given if r] if isinstance(given, list | tuple) else []
    shown: Child = h("p", meaning, class_="meaning")
    if reasons:
        rest = h("li", f"and {len(reasons) - _MOST} more") if len(reasons) > _MOST else None
        shown = h("ul", *(h("li", r) for r in reasons[:_MOST]), rest, class_="reasons")
    code = run.verdict.get("exit_code")
    title = h("h2", icon(tone), " ", word, id="verdict-h")
    facts = h("p", f"exit code {code}" if code is not None else None, class_="code")
    body = h("div", h("div", title, facts, class_="stamp"), h("div", shown, _where_to_look(run), class_="why"))
    return h("section", body, _strip(run), id="verdict", class_=f"verdict {tone}", aria_labelledby="verdict-h")


def _fact(name: str, value: Child, more: Child = None) -> Html:
    return h("div", h("dt", name), h("dd", value, h("span", more, class_="more") if more else None))


def _strip(run: Run) -> Html:
    """Return the facts that hold for the whole run."""
    tests = testcases(run.of("simulate"))
    counts = test_counts(tests)
    points = coverage(run.of("simulate"))
    bins = sum(len(p.bins) for p in points)
    hit = bins - sum(len(p.holes) for p in points)
    failed = sum(1 for _, c in run.checks() if c.get("passed") is False)
    checks = sum(len(rows(s.raw.get("checks"))) for s in run.steps)
    done, cached = (sum(s.status == w for s in run.steps) for w in ("done", "cached"))
    broken = [f"{sum(s.status == w for s in run.steps)} {w}" for w in ("failed", "infra", "skipped", "cancelled")]
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
        _fact(
            "Checks",
            f"{failed} of {checks} failed" if failed else f"{checks} clean" if checks else null("no step made checks"),
        ),
        _fact("Limits", f"{missed} of {len(run.limits)} missed" if missed else f"{len(run.limits)} met")
        if run.limits
        else None,
        _fact("Steps", f"{done} ran, {cached} cached", ", ".join(broken)),
        _fact(
            "Elapsed", duration(elapsed) if elapsed is not None else null("the run did not record when it ended")
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
    about = [f"{significant(node, 3)} nm" if node else "", text(info.get("library"))]
    word = {"bad": "needs attention", "good": "met", "mute": "incomplete"}[tone]
    clock = (
        join("at ", significant(1e3 / period.value, 4), " MHz, ", significant(period.value, 4), " ns")
        if period.value
        else join("clock ", null(period.reason))
    )
    return h(
        "article",
        h("header", icon(tone), h("h3", target.name), h("span", word, class_="vh")),
        h("p", " · ".join(filter(None, about)), class_="about"),
        h(
            "dl",
            _fact("Area", num(area, significant((area.value or 0) * a.factor), unit=a.unit)),
            _fact("Fmax", num(fmax, significant(fmax.value or 0), unit="MHz")),
            _fact("Setup slack", slack(ws, unit="ns"), clock),
            _fact("Hold slack", slack(hold, unit="ns"), hold_corner if hold.value is not None else None),
            _fact(
                "Power",
                num(power, significant((power.value or 0) * p.factor), unit=p.unit),
                power_corner if power.value is not None else None,
            ),
            _fact("Tests", tests) if tests else _cells(target),
        ),
        h("p", "worst setup in ", corner, class_="about foot") if corner and ws.value is not None else None,
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
        return section("numbers", "Headline numbers", None, h("p", "No PDK was asked for.", class_="empty"))
    note = "Worst corner of each PDK. An em dash means that there is no such number; point at it for the reason."
    return section("numbers", "Headline numbers", note, h("div", *cards, class_="cards"), left)
