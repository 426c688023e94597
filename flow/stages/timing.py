"""Timing: setup, hold, worst paths and the highest frequency of a netlist at one corner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flow.model.check import Check, Severity
from flow.model.step import StepContext
from flow.stages.sta import constant_outputs, load_design, read_constraints, run_sta, write_constraints
from flow.tools.opensta import read_timing, timing_script

__all__ = ["Timing"]


class Timing:
    """The stage.

    Inputs: ``netlist``, ``lib0`` ... , ``macro0`` ..., and ``sdc``, a user's
    own constraints. Parameters: ``top``, ``constraints`` and ``roles``
    (``dataclasses.asdict`` of the model's classes), ``corner``. Outputs:
    ``sdc``, the constraints that were used, and ``report``, what OpenSTA
    printed.
    """

    kind = "timing"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Run timing; see the class."""
        constraints = read_constraints(ctx.params)
        design = load_design(ctx, constraints)
        sdc, scaled = write_constraints(ctx, design, constraints)
        period = constraints.clocks[0].period_ns
        script = timing_script(design.load, sdc=sdc, period_ns=period, scaled_sdc=scaled)
        text = run_sta(ctx, script, "timing", user_sdc=scaled is None)
        reading = read_timing(text)
        data = dict(reading.data)
        if data["unconstrained"]:
            # An output that is constant has no path, and needs no constraint.
            constant = constant_outputs(ctx, design)
            data["unconstrained"] = [name for name in data["unconstrained"] if name not in constant]
        for name, value in reading.metrics.items():
            ctx.metric(name, value)
        ctx.metric("timing__unconstrained__count", len(data["unconstrained"]))
        ctx.metric("timing__clock__period", period)
        data["fmax_method"] = "search" if scaled is not None else "slack"
        worst = reading.metrics.get("timing__setup__ws")
        if scaled is None and isinstance(worst, float) and period > worst:
            ctx.metric("timing__fmax", round(1000.0 / (period - worst), 4))
        slack = data["reg2reg_slack_ns"]
        data["reg2reg_fmax_mhz"] = (
            round(1000.0 / (period - slack), 4) if slack is not None and period > slack else None
        )
        data["wire_load_removed"] = design.wire_loads
        data["corner"] = ctx.params.get("corner")
        for name, value in data.items():
            ctx.data(name, value)
        _report(ctx, reading.metrics, data)
        ctx.output("sdc", ctx.workdir / sdc)
        report = ctx.workdir / "timing.rpt"
        report.write_text(_readable(text), encoding="utf-8")
        ctx.output("report", report)


def _readable(text: str) -> str:
    """Return the log without the lines that only this program reads."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(("@@setup", "@@hold"))) + "\n"


def _report(ctx: StepContext, metrics: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    for kind, remedy in (
        ("setup", "Lengthen the period, take the recipe 'speed', or pipeline the path."),
        ("hold", "Layout mends hold by adding delay; check the clock's uncertainty."),
    ):
        slack = metrics[f"timing__{kind}__ws"]
        paths = data[f"{kind}_paths"]
        place = f"{paths[0]['startpoint']} -> {paths[0]['endpoint']}" if paths else ""
        missed = slack is not None and slack < -1e-9
        ctx.check(
            Check(
                name=f"timing.{kind}",
                passed=not missed,
                # Before layout there is no clock tree, so hold says little yet.
                severity=Severity.ERROR if kind == "setup" else Severity.WARNING,
                message=f"worst {kind} slack is {slack} ns" if slack is not None else f"no {kind} path",
                place=place if missed else "",
                remedy=remedy if missed else "",
            )
        )
    unclocked = data["no_clock"]
    ctx.check(
        Check(
            name="timing.clocked",
            passed=not unclocked,
            message=f"{len(unclocked)} register pins have no clock"
            if unclocked
            else "every register has a clock",
            place=", ".join(unclocked[:3]),
            remedy="Name their clock: [clock] port, or one of [[clocks]]." if unclocked else "",
        )
    )
    if metrics["timing__setup__ws"] is None:
        ctx.check(
            Check(
                name="timing.constrained",
                passed=False,
                message="no path is constrained",
                remedy="Check the clock port, or give port = false for a combinational design.",
            )
        )
