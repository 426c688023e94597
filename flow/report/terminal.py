"""A run's summary for a terminal, as rich renderables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flow.report.details import TestRow, testcases
from flow.report.extras import Workload, outside_bits, workloads
from flow.report.findings import findings, test_counts
from flow.report.rundata import Corner, Num, Run, StepRun, Target, mapping, rows, text
from flow.report.units import (
    Scale,
    area_scale,
    count,
    duration,
    energy_text,
    fixed,
    number,
    plain,
    power_scale,
    significant,
)

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["styled", "summary"]

_STYLE = {"pass": "bold green", "fail": "bold red", "error": "bold red", "cancelled": "bold yellow"}
_MARK = {"pass": "✔", "fail": "✘", "error": "✘", "cancelled": "!"}
_MOST = 12


def styled(*parts: tuple[str, str] | str) -> Text:
    """Return styled text; what a design or a tool said is never read as markup."""
    from rich.text import Text  # noqa: PLC0415 - rich costs time

    printable = [
        "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in p)
        if isinstance(p, str)
        else ("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in p[0]), p[1])
        for p in parts
    ]
    return Text.assemble(*printable)


def _verdict(run: Run) -> Text:
    word = run.status
    elapsed = number(run.info.get("elapsed_s"))
    done, cached = (sum(s.status == w for s in run.steps) for w in ("done", "cached"))
    tail = f"  {run.name}: {done} {'step' if done == 1 else 'steps'} ran, {cached} cached"
    if elapsed is not None:
        tail += f", {duration(elapsed)}"
    return styled((f"{_MARK.get(word, '?')} {word.upper()}", _STYLE.get(word, "bold")), tail)


def _cell(value: Num, shown: str, style: str = "") -> Text:
    return styled(("—", "dim")) if value.value is None else styled((shown, style))


def _slack(value: Num) -> Text:
    met = value.value is not None and value.value >= 0
    sign = "▲" if met else "▼"
    return _cell(value, f"{sign} {fixed(value.value or 0)}", "green" if met else "bold red")


def _row(target: Target, corner: Corner, square: Scale, watt: Scale, *, first: bool) -> list[Text]:
    area = target.num("design__instance__area")
    fmax, power = corner.num("timing__fmax"), corner.num("power__total")
    period = corner.num("timing__clock__period")
    period = period if period.value is not None else target.period_ns
    return [
        styled((target.name, "bold") if first else ""),
        _cell(area, significant((area.value or 0) * square.factor)) if first else styled(""),
        styled(corner.name or "default"),
        _cell(period, plain(period.value or 0)),
        _slack(corner.num("timing__setup__ws")),
        _slack(corner.num("timing__hold__ws")),
        _cell(fmax, significant(fmax.value or 0)),
        _cell(power, significant((power.value or 0) * watt.factor)),
    ]


def _ppa(run: Run) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    square = area_scale([t.num("design__instance__area").value for t in run.targets])
    watt = power_scale([c.num("power__total").value for t in run.targets for c in t.corners])
    # Units below the names and no padding beside the box: eighty columns are enough.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("PDK", no_wrap=True)
    table.add_column(f"Area\n{square.unit}", justify="right", no_wrap=True)
    table.add_column("Corner", no_wrap=True)
    for name in ("Clock\nns", "Setup\nns", "Hold\nns", "Fmax\nMHz", f"Power\n{watt.unit}"):
        table.add_column(name, justify="right", no_wrap=True)
    for target in run.targets:
        for index, corner in enumerate(target.corners or (Corner(""),)):
            table.add_row(*_row(target, corner, square, watt, first=index == 0))
    return table


def _outside(run: Run) -> list[Text]:
    """Say which figures lack memories."""
    left: dict[int, list[str]] = {}
    for target in run.targets:
        if bits := outside_bits(target):
            left.setdefault(bits, []).append(target.name)
    return [
        styled(
            (f"{', '.join(names)}: without {count(bits)} bits of memory, which are left outside", "yellow")
        )
        for bits, names in left.items()
    ]


def _energies(work: Sequence[Workload]) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0)
    for name in ("Workload", "PDK", "Corner"):
        table.add_column(name, no_wrap=True)
    for name in ("Cycles", "Time\nµs", "Power\nmW", "Energy"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in work:
        joules, unit = energy_text(row.joules.value or 0.0)
        table.add_row(
            styled((row.name, "bold")),
            styled(row.pdk),
            styled(row.corner),
            _cell(row.cycles, count(row.cycles.value or 0)),
            _cell(row.seconds, significant((row.seconds.value or 0) * 1e6)),
            _cell(row.watts, significant((row.watts.value or 0) * 1e3)),
            _cell(row.joules, f"{joules} {unit}", "bold"),
        )
    return table


def _tests(listed: list[TestRow]) -> Text:
    counts = test_counts(listed)
    ran = counts["pass"] + counts["fail"]
    if not listed:
        return styled(("No test ran.", "yellow"))
    said = f"Tests: {count(counts['pass'])} of {count(ran)} passed"
    style = "red" if counts["fail"] else "green" if ran else "yellow"
    rest = [f"{counts[k]} {word}" for k, word in (("skip", "skipped"), ("none", "not run")) if counts[k]]
    return styled((said, style), ", ".join(["", *rest]))


def _proofs(steps: Sequence[StepRun]) -> Text:
    held = sum(step.ok and mapping(step.data.get("formal")).get("status") == "passed" for step in steps)
    style = "green" if held == len(steps) else "red"
    return styled((f"Proofs: {count(held)} of {count(len(steps))} hold", style))


def summary(run: Mapping[str, Any], report: str | None = None) -> list[RenderableType]:
    """Return what to print when a run has ended.

    Parameters
    ----------
    run
        The content of ``run.json``.
    report
        Path of the HTML report, named in the last line; ``None`` where the
        caller prints it.

    Returns
    -------
    list
        Verdict, PPA table, tests, then what failed with place and remedy.
    """
    seen = Run(run)
    found: list[RenderableType] = [_verdict(seen)]
    if seen.targets:
        found.append(_ppa(seen))
        found += _outside(seen)
    if work := list(workloads(seen)):
        found.append(_energies(work))
    if seen.steps:
        found.append(_tests(testcases(seen.of("simulate"))))
        if proofs := seen.of("formal"):
            found.append(_proofs(proofs))
    problems = list(findings(seen))
    for problem in problems[:_MOST]:
        parts: list[tuple[str, str] | str] = [("✘ ", "red"), problem.what]
        if problem.where:
            parts.append((f"\n  at {problem.where}", "dim"))
        if problem.remedy:
            parts.append(f"\n  {problem.remedy}")
        found.append(styled(*parts))
    if len(problems) > _MOST:
        found.append(styled((f"  and {len(problems) - _MOST} more in the report", "dim")))
    reasons = seen.verdict.get("reasons")
    if not problems and isinstance(reasons, list | tuple):
        found += [styled(("! ", "yellow"), text(reason)) for reason in reasons[:_MOST]]
    for left in rows(seen.raw.get("skipped_pdks")):
        found.append(styled((f"{text(left.get('name'))} was not run: {text(left.get('reason'))}", "dim")))
    for left in rows(seen.raw.get("left_out")):
        found.append(styled((f"{text(left.get('name'))} was left out: {text(left.get('reason'))}", "dim")))
    if report is not None:
        found.append(styled("Report: ", (report, "bold")))
    return found
