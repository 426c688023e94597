"""Slack histograms, and the worst paths with their stages."""

from __future__ import annotations

from collections.abc import Iterator

from flow.report.charts import slack_histogram, waterfall
from flow.report.details import Histogram, Path, PathStage, histogram, paths
from flow.report.marks import num, section, slack, table, th
from flow.report.markup import Child, Html, h, join
from flow.report.rundata import Run, Target
from flow.report.units import count, fixed, significant

__all__ = ["histograms", "worst_paths"]

_PATHS_EACH = 10  # shown for a corner and a kind


def _of_kind(run: Run, kind: str) -> Iterator[tuple[str, str, Histogram]]:
    for target in run.targets:
        for corner in target.corners:
            for step in corner.timing:
                data = histogram(step, kind) if step.ok else None
                if data:
                    yield target.name, corner.name, data
                    break


def _figure(kind: str, target: str, corner: str, data: Histogram) -> Html:
    title = (
        f"{kind} slack of {count(data.total)} endpoints on {target} {corner}: "
        f"worst {fixed(data.worst)} ns, {count(data.violated)} violated"
    )
    many = h("b", f"{count(data.violated)} violated", class_="bad") if data.violated else "none violated"
    words = join(h("b", target), " ", h("span", corner, class_="corner"))
    tail = join(count(data.total), f" endpoint{'s' if data.total != 1 else ''}, ", many)
    return h("figure", h("figcaption", h("span", words), h("span", tail)), slack_histogram(data, title))


def histograms(run: Run) -> Html | None:
    """Return the endpoint slacks of every corner: worst setup corner of each PDK first."""
    found = list(_of_kind(run, "setup"))
    if not found:
        why = "No timing step reported the slack of its endpoints."
        return section("slack", "Slack", None, h("p", why, class_="empty"))
    worst: dict[str, tuple[str, str, Histogram]] = {}
    for item in found:
        if item[0] not in worst or item[2].worst < worst[item[0]][2].worst:
            worst[item[0]] = item
    first = list(worst.values())
    rest = [item for item in found if item not in first]
    hold = list(_of_kind(run, "hold"))
    more: list[Child] = []
    for title, items, kind in (("Setup in the other corners", rest, "Setup"), ("Hold", hold, "Hold")):
        if items:
            grid = h("div", *(_figure(kind, *i) for i in items), class_="figures")
            bad = sum(i[2].violated for i in items)
            said = f"{count(bad)} violated" if bad else "none violated"
            more.append(
                h(
                    "details",
                    h("summary", title, h("span", f"{len(items)} histograms, {said}", class_="more")),
                    grid,
                )
            )
    note = "Endpoints by setup slack in the worst corner of each PDK. Hatched columns left of zero miss it."
    grid = h("div", *(_figure("Setup", *i) for i in first), class_="figures")
    return section("slack", "Slack of endpoints", note, grid, *more)


def _stage_row(stage: PathStage, before: float, whole: float) -> Html:
    shown = waterfall(before, stage.delay, whole) if stage.delay is not None else join()
    pin = h("th", stage.pin, h("span", stage.place, class_="more") if stage.place else None, scope="row")
    edge = {"rise": "↑", "fall": "↓", "r": "↑", "f": "↓", "^": "↑", "v": "↓"}.get(
        stage.edge.lower(), stage.edge
    )
    lost = "the timer did not report it"
    optional = ((stage.fanout, 0), (stage.load, 4), (stage.slew, 3))
    return h(
        "tr",
        pin,
        h("td", h("code", stage.cell) if stage.cell else None),
        *(h("td", fixed(v, d) if v is not None else None, class_="n") for v, d in optional),
        h("td", num(stage.delay, reason=lost), class_="n"),
        h(
            "td",
            num(stage.arrival, reason=lost),
            " ",
            h("span", edge, class_="u") if edge else None,
            class_="n",
        ),
        h("td", shown, class_="g wide"),
    )


def _stages(path: Path) -> Html:
    whole = max([s.arrival or 0.0 for s in path.stages] + [1e-12])
    body, before = [], 0.0
    for stage in path.stages:
        start = before
        if stage.arrival is not None:
            start = stage.arrival - (stage.delay or 0.0)
            before = stage.arrival
        body.append(_stage_row(stage, start, whole))
    head = [
        th("Pin"),
        th("Cell"),
        th("Fanout", number=True),
        th("Load", number=True, unit="pF"),
        th("Slew", number=True, unit="ns"),
        th("Delay", number=True, unit="ns"),
        th("Arrival", number=True, unit="ns"),
        th("Waterfall"),
    ]
    return table(f"Stages from {path.start} to {path.end}", head, body, cls="stages")


def _depth(path: Path) -> int:
    """Count the cells on a path."""
    return sum(bool(s.cell) and bool(s.delay) for s in path.stages)


def _one(path: Path, number: int) -> Html:
    summary = h(
        "summary",
        h("span", f"{number}", class_="rank"),
        slack(path.slack, reason="the timer did not report the slack", unit="ns"),
        h("span", h("code", path.start or "?"), " → ", h("code", path.end or "?"), class_="ends"),
        h("span", f"{_depth(path)} stages" if path.stages else "", class_="more"),
    )
    facts = []
    if path.arrival is not None and path.required is not None:
        facts.append(
            f"arrives at {significant(path.arrival)} ns, required at {significant(path.required)} ns"
        )
    inner = (
        _stages(path) if path.stages else h("p", "The timer listed no stages for this path.", class_="empty")
    )
    return h("details", summary, h("p", *facts, class_="note") if facts else None, inner, class_="path")


def _group(title: Child, listed: list[Path]) -> list[Html]:
    return [h("h3", title), *(_one(p, i + 1) for i, p in enumerate(listed))]


def _worst_of(target: Target, *, opened: bool) -> Html | None:
    """Return the worst paths of one PDK: a group for each corner and kind."""
    inner: list[Html] = []
    worst: dict[str, float] = {}
    for kind in ("setup", "hold"):
        for corner in target.corners:
            listed = [p for step in corner.timing if step.ok for p in paths(step) if p.kind == kind]
            if listed:
                inner += _group(
                    f"{kind.capitalize()}, {corner.name or 'default corner'}", listed[:_PATHS_EACH]
                )
            for path in listed:
                if path.slack is not None:
                    worst[kind] = min(path.slack, worst.get(kind, path.slack))
    if not inner:
        return None
    heads = [join(" ", slack(v, unit=f"ns {k}")) for k, v in worst.items()]
    violated = any(v < 0 for v in worst.values())
    return h(
        "details", h("summary", h("b", target.name), *heads), *inner, open=opened or violated, class_="paths"
    )


def worst_paths(run: Run) -> Html | None:
    """Return the worst paths of every PDK, each one to expand."""
    blocks: list[Html] = []
    for target in run.targets:
        block = _worst_of(target, opened=not blocks)
        if block:
            blocks.append(block)
    if not blocks:
        why = "No timing step reported paths."
        return section("paths", "Worst paths", None, h("p", why, class_="empty"))
    note = "By name, worst first. Expand a path for its stages; bars show where its time goes."
    buttons = h("p", h("button", "Expand all", type="button", data_expand="#paths"), class_="tools js")
    return section("paths", "Worst paths", note, buttons, *blocks)
