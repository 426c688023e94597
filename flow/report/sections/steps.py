"""The steps of the run on a time axis: what ran, what came from the cache, what broke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flow.report.marks import TONES, num, section, state, table, th
from flow.report.markup import Child, Html, h, join, log_href
from flow.report.rundata import Run, StepRun, text
from flow.report.units import duration, fixed, number

__all__ = ["steps"]

_ALONE = 70  # shown one by one; beyond, the uneventful ones are summed by kind


def _instant(value: object) -> float | None:
    found = number(value)
    if found is not None or not isinstance(value, str):
        return found
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None


def _starts(run: Run) -> dict[str, float]:
    """Return the start of each step, in seconds after the first, if the run has them."""
    found = {}
    for step in run.steps:
        for key in ("started_s", "start_s", "started", "start"):
            when = _instant(step.raw.get(key))
            if when is not None:
                found[step.name] = when
                break
    origin = min(found.values(), default=0.0)
    return {name: when - origin for name, when in found.items()}


def _seconds(step: StepRun, key: str = "wall_s") -> float | None:
    return number(step.raw.get(key))


def _bar(step: StepRun, start: float | None, whole: float) -> Html:
    wall = _seconds(step) or 0.0
    if whole <= 0 or not wall or (step.status == "cached" and start is None):
        return join()
    left = min(99.5, (start or 0.0) / whole * 100)
    width = max(0.4, min(100 - left, wall / whole * 100))
    box = h("span", class_=f"st-{step.status}", style=f"margin-left:{left:.2f}%;width:{width:.2f}%")
    return h("span", box, class_="bar gantt", aria_hidden="true")


def _row(step: StepRun, start: float | None, whole: float, *, hosts: bool) -> Html:
    error = step.error
    href, up = log_href(step.raw.get("log"))
    problem: list[Child] = []
    if error.get("what"):
        tail = [text(error.get(k)) for k in ("where", "remedy")]
        problem = [h("p", h("b", text(error["what"])), *(h("span", t) for t in tail if t), class_="error")]
    cached = step.status == "cached"
    wall, tool, peak = (_seconds(step, k) for k in ("wall_s", "tool_s", "peak_mb"))
    lost = "served from the cache" if cached else f"the step {step.status}"
    attempts = number(step.raw.get("attempts")) or 1
    more = [f"{attempts:.0f} attempts" if attempts > 1 else "", text(step.raw.get("host")) if hosts else ""]
    return h(
        "tr",
        h("td", state(step.status)),
        h(
            "th",
            step.label,
            h("span", step.name, class_="more") if step.label != step.name else None,
            *problem,
            scope="row",
        ),
        h("td", num(None if cached and not wall else wall, duration(wall or 0), reason=lost), class_="n"),
        h("td", num(tool or None, duration(tool or 0), reason=lost), class_="n"),
        h("td", num(peak or None, fixed(peak or 0, 0), reason=lost), class_="n"),
        h("td", _bar(step, start, whole), class_="g wide"),
        h(
            "td",
            h("a", "log", href=href, data_up=up or None) if href else None,
            h("span", ", ".join(filter(None, more)), class_="more"),
        ),
        class_="broken" if step.status in ("failed", "infra") else None,
    )


def _sum_row(kind: str, status: str, mine: Sequence[StepRun], whole: float) -> Html:
    wall = sum(_seconds(s) or 0 for s in mine)
    tool = sum(_seconds(s, "tool_s") or 0 for s in mine)
    peak = max((_seconds(s, "peak_mb") or 0 for s in mine), default=0)
    lost = "served from the cache" if status == "cached" else f"the steps {status}"
    return h(
        "tr",
        h("td", state(status)),
        h("th", f"{len(mine)} further {kind} steps", h("span", "summed up", class_="more"), scope="row"),
        h("td", num(wall or None, duration(wall), reason=lost), class_="n"),
        h("td", num(tool or None, duration(tool), reason=lost), class_="n"),
        h("td", num(peak or None, fixed(peak, 0), reason=lost), class_="n"),
        h("td"),
        h("td"),
        class_="rest",
    )


def _split(listed: Sequence[StepRun]) -> tuple[list[StepRun], dict[tuple[str, str], list[StepRun]]]:
    """Split into steps shown alone (broken, and the longest) and the rest by kind and status."""
    if len(listed) <= _ALONE:
        return list(listed), {}
    ranked = sorted(listed, key=lambda s: (s.status not in ("failed", "infra"), -(_seconds(s) or 0)))
    keep = {id(s) for s in ranked[: _ALONE - 10]}
    rest: dict[tuple[str, str], list[StepRun]] = {}
    for step in listed:
        if id(step) not in keep:
            rest.setdefault((step.kind, step.status), []).append(step)
    return [s for s in listed if id(s) in keep], rest


def steps(run: Run) -> Html | None:
    """Return the timeline of the steps."""
    if not run.steps:
        return section("steps", "Steps", None, h("p", "The run ended before any step began.", class_="empty"))
    starts = _starts(run)
    alone, rest = _split(run.steps)
    if starts:
        alone.sort(key=lambda s: starts.get(s.name, float("inf")))
    whole = max(((starts.get(s.name) or 0.0) + (_seconds(s) or 0.0) for s in run.steps), default=0.0)
    hosts = len({text(s.raw.get("host")) for s in run.steps}) > 1
    body = [_row(s, starts.get(s.name), whole, hosts=hosts) for s in alone]
    body += [_sum_row(k, status, mine, whole) for (k, status), mine in rest.items()]
    axis = f"0 to {duration(whole)}" if whole else ""
    head = [
        th("State"),
        th("Step"),
        th("Wall", number=True),
        th("In tools", number=True),
        th("Peak", number=True, unit="MB"),
        th(("Timeline " if starts else "Duration "), unit=axis),
        th("Log"),
    ]
    counts = {s: sum(x.status == s for x in run.steps) for s in TONES}
    said = ", ".join(f"{n} {TONES[s][1].lower()}" for s, n in counts.items() if n)
    grid = table("Steps", head, body, ident="t-steps", cls="steps", tall=len(body) > 30)
    return section(
        "steps",
        "Steps",
        f"{said}. Cached steps were not run again." if counts["cached"] else f"{said}.",
        grid,
    )
