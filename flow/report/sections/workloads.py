"""What each workload takes on each PDK: cycles, time, power, energy."""

from __future__ import annotations

from flow.report.extras import Workload, workloads
from flow.report.marks import num, section, table, th
from flow.report.markup import Html, h
from flow.report.rundata import Run
from flow.report.units import count, energy_text, power_scale, power_text, significant

__all__ = ["energy"]


def _row(work: Workload) -> Html:
    watts = work.watts.value or 0.0
    power, unit = power_text(watts, power_scale([watts]))
    joules, of = energy_text(work.joules.value or 0.0)
    return h(
        "tr",
        h("th", work.name, scope="row"),
        h("td", work.pdk),
        h("td", work.corner, class_="corner"),
        h("td", num(work.cycles, count(work.cycles.value or 0)), class_="n"),
        h("td", num(work.seconds, significant((work.seconds.value or 0) * 1e6), unit="µs"), class_="n"),
        h("td", num(work.watts, power, unit=unit or power_scale([watts]).unit), class_="n"),
        h("td", num(work.joules, joules, unit=of), class_="n strong"),
    )


def energy(run: Run) -> Html:
    """Return the energy of each workload on each PDK."""
    body = [_row(work) for work in workloads(run)]
    if not body:
        empty = h("p", "No workload was simulated; the manifest has them as [[workload]].", class_="empty")
        return section("energy", "Workloads", None, empty)
    head = [
        th("Workload"),
        th("PDK"),
        th("Corner"),
        th("Cycles", number=True),
        th("Time", number=True),
        th("Power", number=True),
        th("Energy", number=True),
    ]
    note = (
        "One repetition of each workload at the clock asked for: cycles as its bench counted them, "
        "mean power over its simulation, and the energy that both give."
    )
    return section("energy", "Workloads", note, table("Energy of workloads", head, body))
