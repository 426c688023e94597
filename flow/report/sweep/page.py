"""The page of a sweep: what is best and how certain that is, then every point to look at from any side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow.report.document import document, write_text
from flow.report.marks import icon, null, section, table, th
from flow.report.markup import Child, Html, h, log_href
from flow.report.regress.data import script
from flow.report.sweep.best import failures, goal, parameters, pretty, scale_of, winners
from flow.report.sweep.effects import sensitivity
from flow.report.sweep.frames import explore, parallel, per_pdk, points_table
from flow.report.sweep.pack import pack
from flow.report.units import count, duration, number, plain, significant

__all__ = ["render_page", "write_page"]

_TONES = {
    "failed": "bad",
    "timeout": "bad",
    "infra": "bad",
    "refused": "mute",
    "cancelled": "mute",
    "infeasible": "warn",
}


def _masthead(data: Mapping[str, Any]) -> Html:
    sweep = data.get("sweep") or {}
    commit = str(sweep.get("commit") or "")[:8]
    facts = [
        str(sweep.get("design") or ""),
        str(sweep.get("started") or "").replace("T", " ")[:16],
        f"commit {commit}{' + changes' if sweep.get('dirty') else ''}" if commit else "",
        f"{sweep.get('sampler')} sampler, seed {sweep.get('seed')}" if sweep.get("sampler") else "",
    ]
    return h(
        "header",
        h("p", "Suzuri sweep report", class_="brand"),
        h("h1", str(sweep.get("name") or "Sweep")),
        h("p", str(sweep["description"]), class_="described") if sweep.get("description") else None,
        h("p", *(h("span", fact) for fact in facts if fact), class_="facts-line"),
        class_="masthead",
    )


def _fact(name: str, value: Child, more: str = "") -> Html:
    return h("div", h("dt", name), h("dd", value, h("span", more, class_="more") if more else None))


def _strip(data: Mapping[str, Any]) -> Html:
    sweep, points = data.get("sweep") or {}, list(data.get("points") or ())
    feasible = sum(bool(p.get("feasible")) for p in points)
    levels = Counter(str(p.get("fidelity")) for p in points if p.get("status") == "done")
    elapsed, tool = number(sweep.get("elapsed_s")), number(sweep.get("tool_s"))
    outside, rate = number(sweep.get("outside_share")), number(sweep.get("points_per_hour"))
    failed = sum(p.get("status") in ("failed", "timeout", "infra") for p in points)
    return h(
        "dl",
        _fact("Points", count(len(points)), ", ".join(f"{count(n)} at {name}" for name, n in levels.items())),
        _fact("Candidates", count(feasible), f"{count(len(data.get('front') or ()))} on the Pareto front"),
        _fact("Failed", count(failed), f"{count(len(points) - feasible - failed)} refused or no candidate"),
        _fact("Elapsed", null("not recorded") if elapsed is None else duration(elapsed),
              f"{significant(rate, 3)} points an hour" if rate else ""),
        _fact("In tools", null("not recorded") if tool is None else duration(tool),
              f"{significant(100 * outside, 2)} % of the time outside them" if outside is not None else ""),
        class_="strip",
    )  # fmt: skip


def _params(data: Mapping[str, Any], point: Mapping[str, Any]) -> Html:
    return h(
        "span",
        *(h("span", h("span", name, class_="pn"), " ", value, f" {pretty(unit)}" if unit else "", class_="pv")
          for name, value, unit in parameters(data, point)),
        class_="params",
    )  # fmt: skip


def _best(data: Mapping[str, Any]) -> Html:
    """Return the answer: for each objective and PDK the best point."""
    won = winners(data)
    sweep = data.get("sweep") or {}
    status = str(sweep.get("status") or "")
    note = (
        ""
        if status in ("done", "")
        else f"The sweep ended early ({status}): this is the best of what it saw."
    )
    bodies = []
    for objective in data.get("objectives") or ():
        own = [w for w in won if w.objective is objective]
        factor, unit = scale_of(objective.get("unit") or "", [w.value for w in own])
        rows = []
        for n, w in enumerate(own):
            report, _ = log_href(w.point.get("report"))
            rows.append(h(
                "tr",
                h("th", h("b", goal(objective)), h("code", objective.get("expression"), class_="more"),
                  scope="rowgroup", rowspan=len(own), class_="pdk") if n == 0 else None,
                h("td", w.pdk or "—", class_="pdkname"),
                h("td", h("b", significant(w.value * factor)), h("span", f" {unit}", class_="u"), class_="n"),
                h("td", _params(data, w.point), class_="wide"),
                h("td", str(w.point.get("fidelity") or "")),
                h("td", w.certainty, class_="wide sure"),
                h("td", h("button", "Show", type="button", class_="js", data_point=str(w.point.get("id")),
                          aria_label=f"Show point {w.point.get('id')}"), " ",
                  h("a", "run report", href=report) if report else None, class_="go"),
            ))  # fmt: skip
        if rows:
            bodies.append(h("tbody", *rows))
    heads = [th("Objective"), th("PDK"), th("Value", number=True), th("Parameters"), th("Fidelity"),
             th("How certain"), th("")]  # fmt: skip
    body: Child = (
        table("Best points", heads, bodies, cls="grouped")
        if bodies
        else h("p", icon("warn"), " No point is a candidate: see why below.", class_="empty")
    )
    said = "The best candidate of each objective on each PDK, of those evaluated most closely. "
    said += "“No difference” means that the lead is within the 95 % interval of the noise."
    return section(
        "best",
        "What is best",
        said,
        h("p", note, class_="warn") if note else None,
        body,
        h("div", _strip(data), class_="card-strip"),
    )


def _failures(data: Mapping[str, Any]) -> Html | None:
    groups = failures(data)
    skipped = list(data.get("skipped") or ())
    if not groups and not skipped:
        return None
    points = list(data.get("points") or ())
    rows = []
    for n, group in enumerate(groups):
        shared = []
        for axis in data.get("axes") or ():
            seen = {
                str((points[r].get("point") or {}).get("values", {}).get(axis["name"])) for r in group.rows
            }
            if len(seen) == 1 and len(group.rows) > 1:
                shared.append(f"{axis['name']} = {next(iter(seen))}")
        command = str(points[group.rows[0]].get("command") or "")
        copy = h("button", "Copy", type="button", data_copy=f"why-{n}", class_="js")
        why = f"{group.status}: {group.reason[:200]}"
        show = h("button", "Show points", type="button", data_why=why, class_="js")
        rows.append(h(
            "tr",
            h("td", icon(_TONES.get(group.status, "mute")), " ", group.status, class_="state"),
            h("td", count(len(group.rows)), class_="n"),
            h("th", group.reason, h("span", f"all: {', '.join(shared)}", class_="more") if shared else None,
              scope="row", class_="wide"),
            h("td", h("code", command, id=f"why-{n}"), class_="wide"),
            h("td", copy if command else None, " ",
              show,
              class_="go"),
        ))  # fmt: skip
    heads = [
        th("What became of them"),
        th("Points", number=True),
        th("Why"),
        th("Command of the first"),
        th(""),
    ]
    left = [h("li", h("b", str(o.get("what"))), f" was left out: {o.get('reason')}") for o in skipped]
    return section(
        "failures",
        "Not candidates",
        "Points that cannot win, by reason; reasons that differ in numbers alone are one.",
        table("Points that are no candidates, by reason", heads, rows) if rows else None,
        h("ul", *left, class_="skipped") if left else None,
    )


def _space(data: Mapping[str, Any]) -> Html:
    """Return what was asked: axes, constraints, objectives, limits; then the PDKs and the noise."""
    facts: list[tuple[str, Child]] = []
    for axis in data.get("axes") or ():
        if axis.get("values"):
            said = ", ".join(map(str, axis["values"]))
        else:
            step = f", step {plain(axis['step'])}" if axis.get("step") else ""
            said = f"{plain(axis.get('low') or 0)} to {plain(axis.get('high') or 0)}{step}"
            said += ", even in its logarithm" if axis.get("log") else ""
        facts.append((axis["name"], f"{said} {pretty(axis.get('unit') or '')}".strip()))
    facts += [(name, h("code", f"= {text}")) for name, text in (data.get("derived") or {}).items()]
    facts += [("Constraint", h("code", text)) for text in data.get("constraints") or ()]
    for one in data.get("objectives") or ():
        facts.append((goal(one), [h("code", one.get("expression")), f" {pretty(one.get('unit') or '')}"]))
    for one in data.get("limits") or ():
        ends = [f"at least {one['min']:g}" if one.get("min") is not None else "",
                f"at most {one['max']:g}" if one.get("max") is not None else ""]  # fmt: skip
        said = f" {' and '.join(e for e in ends if e)} {pretty(one.get('unit') or '')}"
        facts.append(("Limit", [h("code", one.get("expression")), said]))
    for name, about in (data.get("pdks") or {}).items():
        told = [f"{about['node_nm']} nm" if about.get("node_nm") else "", str(about.get("library") or ""),
                "SRAM macros" if about.get("macros") else "no SRAM macros: memories are flops",
                *map(str, about.get("notes") or ())]  # fmt: skip
        facts.append((name, "; ".join(dict.fromkeys(s for s in told if s))))
    for name, about in (data.get("noise") or {}).items():
        relative = number(about.get("relative"))
        sigma = f"{significant(100 * relative, 2)} %" if relative is not None else str(about.get("sigma"))
        facts.append((f"Noise of {name}", f"σ {sigma}, from {about.get('n')} replicates"))
    return section(
        "space", "What was asked", "Axes, constraints, objectives and limits; PDKs; noise of the figures.",
        h("dl", *(h("div", h("dt", name), h("dd", value)) for name, value in facts), class_="facts"),
    )  # fmt: skip


def _correlation(data: Mapping[str, Any]) -> Html | None:
    pairs = list(data.get("correlation") or ())
    if not pairs:
        return None
    figures = []
    for n, one in enumerate(pairs):
        r, rho = number(one.get("pearson")), number(one.get("spearman"))
        said = f"r = {r:.3f}, " if r is not None else ""
        said += f"rank correlation {rho:.3f}, " if rho is not None else ""
        label = f"{one.get('objective')}: {one.get('from')} to {one.get('to')}"
        figures.append(h(
            "figure",
            h("figcaption", h("b", label),
              h("span", f"{said}{one.get('n')} points", class_="r")),
            h("div", class_="plot small js", data_pair=n, data_label=f"{label}, {said}"),
        ))  # fmt: skip
    return section(
        "fidelity", "Estimates against measurements",
        "Points that were evaluated at both levels. On the line, both agree.",
        h("div", *figures, class_="figures"),
    )  # fmt: skip


def render_page(data: Mapping[str, Any]) -> str:
    """Return the page of a sweep as one self-contained HTML document.

    Parameters
    ----------
    data
        The content of ``sweep.json``. Missing entries are shown as such.

    Returns
    -------
    str
        The document. The same `data` gives the same text.
    """
    sweep = data.get("sweep") or {}
    some = bool(data.get("points"))
    packed = pack(data)
    made: list[tuple[str, str, Html | None]] = [
        ("best", "Best", _best(data)),
        ("explore", "Explore", explore() if some else None),
        ("parallel", "Parallel axes", parallel() if some else None),
        ("pdks", "PDKs", per_pdk(packed) if some else None),
        ("sensitivity", "Sensitivity", sensitivity(data)),
        ("fidelity", "Fidelity", _correlation(data)),
        ("points", "Points", points_table(len(packed["ids"])) if some else None),
        ("failures", "Not candidates", _failures(data)),
        ("space", "Space", _space(data)),
    ]
    shown = [(ident, name, body) for ident, name, body in made if body is not None]
    links = [h("li", h("a", name, href=f"#{ident}")) for ident, name, _ in shown]
    name = str(sweep.get("name") or "Sweep")
    command = str(sweep.get("command") or "")
    footer = h(
        "footer",
        h("p", "Suzuri · sweep ", h("code", str(sweep.get("id") or "?")), f" · {sweep.get('host') or ''}"),
        h("div", h("pre", h("code", command, id="again")),
          h("button", "Copy", type="button", data_copy="again", class_="js"), class_="command")
        if command else None,
    )  # fmt: skip
    return document(
        f"{name} · Suzuri",
        nav=h("nav", h("p", h("b", name)), h("ul", *links), aria_label="Sections"),
        main=[_masthead(data), *(body for _, _, body in shown), footer],
        target="best",
        styles=("report.css", "sweep.css"),
        scripts=("report.js", "sweep.js", "sweep_plots.js", "sweep_table.js") if some else ("report.js",),
        data=script("sweep-data", packed) if some else None,
    )


def write_page(data: Mapping[str, Any], path: Path) -> Path:
    """Write the page of a sweep to `path`: wholly, or not at all.

    Parameters
    ----------
    data
        The content of ``sweep.json``. Run reports are linked relative to the folder of `path`.
    path
        Of the page.

    Returns
    -------
    Path
        `path`.
    """
    return write_text(render_page(data), path)
