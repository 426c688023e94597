"""Power of a netlist at one corner, with default or simulated activity."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

from flow.model.check import Check, Severity
from flow.model.constraint import Constraints
from flow.model.errors import ConfigError
from flow.model.step import StepContext
from flow.stages.sta import (
    StaDesign,
    load_design,
    read_constraints,
    read_netlist,
    run_sta,
    write_constraints,
)
from flow.tools._collector import without_collector
from flow.tools.activity import Activity, ActivityError, base_name, read_activity
from flow.tools.netlist.activity import Annotation, annotate
from flow.tools.netlist.flat import FlatNetlist, flatten
from flow.tools.netlist.outside import OUTSIDE
from flow.tools.opensta import power_script, read_power
from flow.tools.opensta.script import activity_lines, sta_path

__all__ = ["Power"]

_PINS = "activity.tcl"
_TOP_INSTANCES = 20
# Below this share of registers and ports, the simulation was of something else.
_FEW = 50.0


class Power:
    """The stage.

    Inputs: ``netlist``, ``lib0`` ..., ``macro0`` ..., ``sdc``, and
    ``activity``, SAIF or VCD of a simulation of the RTL; ``workload``, JSON
    with the ``cycles`` that one repetition of it takes. Parameters: ``top``,
    ``constraints``, ``roles``, ``corner``; ``workload``, the name of what was
    simulated, whose duration and energy are given; ``activity_scope``, path of the
    design in the simulation (found by its ports otherwise);
    ``default_activity``, toggles a cycle, and ``default_duty`` of inputs that
    nothing is known of. Output: ``report``, what OpenSTA printed.
    """

    kind = "power"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Run power; see the class."""
        params = ctx.params
        constraints = read_constraints(params)
        design = load_design(ctx, constraints)
        sdc, _ = write_constraints(ctx, design, constraints)
        activity = float(params.get("default_activity", 0.1))
        duty = float(params.get("default_duty", 0.5))
        if not (activity >= 0 and 0 <= duty <= 1):
            raise ConfigError(
                f"default_activity {activity} and default_duty {duty} must be at least 0, and from 0 to 1"
            )
        pins, cycles = (
            self._annotate(ctx, design, constraints, (activity, duty))
            if ctx.has_input("activity")
            else (None, 0.0)
        )
        if pins is None:
            ctx.metric("power__annotated__ratio", 0.0)
            ctx.data("activity", {"source": "default", "toggles_per_cycle": activity, "duty": duty})
        script = power_script(design.load, sdc=sdc, activity=activity, duty=duty, pins=pins)
        text = run_sta(ctx, script, "power", user_sdc=ctx.has_input("sdc"))
        watts = _results(ctx, text, design.kinds)
        if ctx.params.get("workload"):
            _energy(ctx, watts, constraints.clocks[0].period_ns, cycles)

    @without_collector
    def _annotate(
        self, ctx: StepContext, design: StaDesign, constraints: Constraints, default: tuple[float, float]
    ) -> tuple[str, float]:
        """Write activity of every pin; returns the file, and how many cycles were simulated."""
        path = ctx.input("activity")
        netlist = read_netlist(ctx)
        # The simulation had the memories that synthesis left outside.
        ports = [name for name in netlist.modules[netlist.top].ports if not name.startswith(OUTSIDE)]
        flat = flatten(netlist)
        names = {base_name(name) for known in flat.names.values() for name in known}
        try:
            activity = read_activity(path, scope=ctx.params.get("activity_scope"), ports=ports, names=names)
        except ActivityError as error:
            raise ConfigError(
                f"activity file {path.name} {error}", "activity", "Record the design under test."
            ) from error
        cycles, how = _cycles(activity, constraints)
        simulated = {name: (toggles / cycles, high) for name, (toggles, high) in activity.nets.items()}
        clocks = frozenset(
            bit for clock in constraints.clocks if clock.port for bit in design.ports.bits(clock.port)
        )
        found = annotate(flat, design.library, simulated, clocks, default=default)
        lines = _activity(flat, found)
        (ctx.workdir / _PINS).write_text(lines, encoding="utf-8")
        _report(ctx, activity, found, cycles, how)
        return _PINS, cycles


def _cycles(activity: Activity, constraints: Constraints) -> tuple[float, str]:
    """Return clock cycles in the simulation, whatever its clock's period was."""
    port = constraints.clocks[0].port
    if port is not None and activity.nets.get(port, (0, 0.0))[0] > 1:
        return activity.nets[port][0] / 2, f"toggles of {port}"
    if activity.duration_ns <= 0:
        raise ConfigError("the activity file covers no time", "activity", "Simulate for some clock cycles.")
    return activity.duration_ns / constraints.clocks[0].period_ns, "duration over the period"


def _activity(flat: FlatNetlist, found: Annotation) -> str:
    """Return the Tcl that sets the activity of every pin and input port that has a rate."""
    rates = {
        net: (toggles, min(1.0, max(0.0, high)))
        for net, (toggles, high) in found.rates.items()
        if net not in found.clocks
    }
    instances = ((sta_path(cell.path), cell.pins) for cell in flat.cells)
    inputs = {name: net for name, net in flat.ports.items() if net in flat.inputs}
    return activity_lines(chain(instances, [("", inputs)]), rates)


def _report(ctx: StepContext, activity: Activity, found: Annotation, cycles: float, how: str) -> None:
    known, count = found.nets
    ratio = 100.0 * known / count if count else 0.0
    seen = found.registers[0] + found.ports[0]
    of = found.registers[1] + found.ports[1]
    share = 100.0 * seen / of if of else 0.0
    ctx.metric("power__annotated__ratio", round(ratio, 3))
    ctx.data(
        "activity",
        {
            "source": "simulation",
            "scope": activity.scope,
            "duration_ns": activity.duration_ns,
            "cycles": cycles,
            "cycles_from": how,
            "nets": {"annotated": known, "all": count},
            "registers": {"annotated": found.registers[0], "all": found.registers[1]},
            "ports": {"annotated": found.ports[0], "all": found.ports[1]},
            "registers_and_ports_percent": round(share, 3),
        },
    )
    ctx.check(
        Check(
            name="power.annotated",
            passed=share >= _FEW,
            severity=Severity.WARNING,
            message=f"{share:.1f} % of registers and ports were simulated ({ratio:.1f} % of all nets)",
            remedy="" if share >= _FEW else "Check activity_scope, and that this RTL was simulated.",
        )
    )


@without_collector
def _results(ctx: StepContext, text: str, kinds: Mapping[str, str]) -> float | None:
    """Report what OpenSTA printed; returns the power in watts, ``None`` where it gave no number."""
    reading = read_power(text)
    figures = {name: _finite(value) for name, value in reading.metrics.items()}
    for name, figure in figures.items():
        ctx.metric(name, figure)
    if None in figures.values():
        reason = "OpenSTA gave no finite number"
        ctx.data("reasons", {name: reason for name, figure in figures.items() if figure is None})
    instances = {
        name: [_finite(value) or 0.0 for value in values]
        for name, values in reading.data["instances"].items()
    }
    groups = reading.data["by_group"]
    ctx.data("by_group", [{k: v if k == "group" else _finite(v) for k, v in row.items()} for row in groups])
    ctx.data("by_module", _by_module(instances))
    ctx.data("top_instances", _top(instances, kinds))
    ctx.data("corner", ctx.params.get("corner"))
    report = ctx.workdir / "power.rpt"
    report.write_text("\n".join(x for x in text.splitlines() if not x.startswith("@@instance")) + "\n")
    ctx.output("report", report)
    return figures["power__total"]


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _energy(ctx: StepContext, watts: float | None, period_ns: float, simulated: float) -> None:
    """Report what one repetition of the workload takes at the clock that is asked for.

    The power is the mean over the whole simulation; `simulated` are its cycles, which count
    unless the bench said how many are the workload's.
    """
    name = ctx.params["workload"]
    cycles = simulated
    if ctx.has_input("workload"):
        cycles = float(json.loads(ctx.input("workload").read_text(encoding="utf-8"))["cycles"])
    seconds = cycles * period_ns * 1e-9
    ctx.metric(f"workload__{name}__duration", seconds)
    ctx.metric(f"workload__{name}__energy", None if watts is None else watts * seconds)
    ctx.data("workload", {"name": name, "cycles": cycles, "simulated_cycles": simulated})


def _by_module(instances: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    """Sum power by instance path; gates of a flattened netlist count for the top."""
    rows: dict[str, list[float]] = {}
    for name, values in instances.items():
        path = name.replace("/", ".").rpartition(".")[0]
        row = rows.setdefault(path, [0.0] * 4)
        for index, value in enumerate(values):
            row[index] += value
    keys = ("internal", "switching", "leakage", "total")
    return [{"path": path, **dict(zip(keys, row, strict=True))} for path, row in sorted(rows.items())]


def _top(instances: Mapping[str, list[float]], kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    worst = sorted(instances.items(), key=lambda item: -item[1][3])[:_TOP_INSTANCES]
    return [{"instance": name, "cell": kinds.get(name, ""), "total": values[3]} for name, values in worst]
