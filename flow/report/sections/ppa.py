"""Power, performance and area against the constraint, corner by corner, and the limits."""

from __future__ import annotations

from collections.abc import Sequence

from flow.model.metric import REGISTRY
from flow.report.marks import null, num, section, slack, state, table, th
from flow.report.markup import Child, Html, h, join
from flow.report.rundata import Corner, Num, Run, Target, bare, mapping, rows, text
from flow.report.units import (
    Scale,
    area_scale,
    count,
    fixed,
    number,
    plain,
    power_scale,
    power_text,
    significant,
)

__all__ = ["ppa"]


def _per_period(slack_ns: Num, period: Num) -> Html:
    """Return the slack as a share of the period, on an axis with zero in the middle."""
    if slack_ns.value is None or not period.value:
        return join()
    share = max(-1.0, min(1.0, slack_ns.value / period.value))
    left = 50 if share >= 0 else 50 + share * 50
    tone = "good" if share >= 0 else "bad"
    box = h("span", class_=tone, style=f"left:{left:.2f}%;width:{max(0.8, abs(share) * 50):.2f}%")
    percent = f"{fixed(slack_ns.value / period.value * 100, 1)} % of the period"
    return h("span", box, class_="axisbar", title=percent, role="img", aria_label=percent)


def _violations(setup: Num, hold: Num) -> Html:
    if setup.value is None and hold.value is None:
        return null(setup.reason)
    known = [v for v in (setup.value, hold.value) if v is not None]
    total = sum(known)
    hover = f"setup {text(setup.value, '—')}, hold {text(hold.value, '—')}"
    return h("span", count(total), class_="bad strong" if total else None, title=hover.replace(".0", ""))


def _watts(value: Num, scale: Scale, digits: int = 4) -> Html:
    shown, unit = power_text(value.value or 0.0, scale, digits)
    return num(value, shown, unit=unit)


def _activity(corner: Corner, share: Num) -> Html:
    """Return the share of annotated nets, or that the activity was a default."""
    if corner.activity == "default":
        return h(
            "span", "default", class_="u", title="A default toggle rate on every input, not a simulation"
        )
    return num(share, fixed(share.value or 0, 0))


def _corner_row(target: Target, corner: Corner, watt: Scale, lead: Sequence[Child]) -> Html:
    setup, hold = corner.num("timing__setup__ws"), corner.num("timing__hold__ws")
    period = corner.num("timing__clock__period")
    if period.value is None:
        period = target.period_ns
    fmax, power, leak = (corner.num(m) for m in ("timing__fmax", "power__total", "power__leakage__total"))
    share = corner.num("power__annotated__ratio")
    slow = fmax.value is not None and period.value and fmax.value < 1e3 / period.value * (1 - 1e-9)
    cells: list[Child] = [
        *lead[:1],
        h("th", corner.name or "default", scope="row", class_="corner"),
        h("td", num(period, plain(period.value or 0)), class_="n"),
        h("td", slack(setup), class_="n"),
        h("td", _per_period(setup, period), class_="g"),
        h("td", slack(hold), class_="n"),
        h("td", num(fmax, significant(fmax.value or 0)), class_="n bad" if slow else "n"),
        h(
            "td",
            _violations(corner.num("timing__setup_vio__count"), corner.num("timing__hold_vio__count")),
            class_="n",
        ),
        h("td", _watts(power, watt), class_="n"),
        h("td", _watts(leak, watt, 3), class_="n"),
        h("td", _activity(corner, share), class_="n"),
        *lead[1:],
    ]
    return h("tr", *cells)


def _target_body(target: Target, square: Scale, watt: Scale) -> Html:
    corners = target.corners or (Corner(""),)
    area, cells = target.num("design__instance__area"), target.num("design__instance__count")
    flops = target.num("design__instance__count__sequential")
    lead = (
        h("th", target.name, scope="rowgroup", rowspan=len(corners), class_="pdk"),
        h(
            "td",
            num(area, significant((area.value or 0) * square.factor)),
            class_="n",
            rowspan=len(corners),
        ),
        h(
            "td",
            num(cells, count(cells.value or 0)),
            h("span", count(flops.value), " flops", class_="more") if flops.value is not None else None,
            class_="n",
            rowspan=len(corners),
        ),
    )
    return h("tbody", *(_corner_row(target, c, watt, lead if i == 0 else ()) for i, c in enumerate(corners)))


def _clock_text(run: Run) -> str:
    """Say what the design was timed against."""
    constraints = mapping(run.design.get("constraints"))
    parts = []
    sdc = constraints.get("sdc")
    if sdc:
        return f"Constrained by {sdc}."
    uncertainty = [number(c.get("uncertainty_ns")) for c in rows(constraints.get("clocks"))]
    if uncertainty and uncertainty[0]:
        parts.append(f"clock uncertainty {plain(uncertainty[0])} ns")
    for key, word in (("input_delay", "inputs"), ("output_delay", "outputs")):
        value = number(constraints.get(key))
        if value is not None:
            parts.append(f"{word} given {fixed(value * 100, 0)} % of the period outside")
    return (", ".join(parts) + ".").capitalize() if parts else ""


def _limits(run: Run) -> Html | None:
    if not run.limits:
        return None
    body = []
    for limit in sorted(run.limits, key=lambda r: r.get("passed") is not False):
        metric = text(limit.get("metric"))
        known = REGISTRY.get(bare(metric))
        value = number(limit.get("value"))
        low, high = number(limit.get("min")), number(limit.get("max"))
        bounds = [
            f"≥ {plain(low)}" if low is not None else "",
            f"≤ {plain(high)}" if high is not None else "",
        ]
        missing = text(limit.get("reason")) or "the run has no value for it, so the limit counts as missed"
        body.append(
            h(
                "tr",
                h(
                    "th",
                    h("code", metric),
                    h("span", known.description if known else "", class_="more"),
                    scope="row",
                ),
                h("td", " ".join(filter(None, (text(limit.get("pdk")), text(limit.get("corner"))))) or "all"),
                h("td", num(value, plain(value or 0), reason=missing), class_="n"),
                h("td", " and ".join(filter(None, bounds)), class_="n"),
                h("td", known.unit.replace("^2", "²") if known else ""),
                h(
                    "td",
                    state(
                        "pass" if limit.get("passed") else "fail", "Met" if limit.get("passed") else "Missed"
                    ),
                ),
            )
        )
    head = [
        th("Metric"),
        th("Where"),
        th("Value", number=True),
        th("Limit", number=True),
        th("Unit"),
        th("State"),
    ]
    return join(h("h3", "Limits"), table("Limits", head, body, ident="t-limits"))


def ppa(run: Run) -> Html | None:
    """Return the PPA table, one body for each PDK and one row for each corner."""
    if not run.targets:
        return section("ppa", "PPA", None, h("p", "No PDK was run.", class_="empty"), _limits(run))
    square = area_scale([t.num("design__instance__area").value for t in run.targets])
    watt = power_scale([c.num("power__total").value for t in run.targets for c in t.corners])
    head = [
        th("PDK"),
        th("Corner"),
        th("Clock", number=True, unit="ns", title="Period asked for"),
        th("Setup slack", number=True, unit="ns", title="Worst setup slack; more is better"),
        th("of period", title="Setup slack as a share of the period, zero in the middle"),
        th("Hold slack", number=True, unit="ns", title="Worst hold slack; more is better"),
        th("Fmax", number=True, unit="MHz", title="Highest frequency that meets setup; more is better"),
        th("Violations", number=True, title="Endpoints that miss setup or hold"),
        th("Power", number=True, unit=watt.unit, title="Total power; less is better"),
        th("Leakage", number=True, unit=watt.unit, title="Part of the total"),
        th("Activity", number=True, unit="%", title="Share of nets whose activity came from simulation"),
        th("Area", number=True, unit=square.unit, title="Cell area of the mapped netlist; less is better"),
        th("Cells", number=True),
    ]
    body = [_target_body(t, square, watt) for t in run.targets]
    note = "Against the clock asked for. ▲ met, ▼ violated. " + _clock_text(run)
    grid = table("Power, performance and area by PDK and corner", head, body, ident="t-ppa", cls="grouped")
    return section("ppa", "PPA against the constraint", note, grid, _limits(run))
