"""Formal: prove a design's assertions, or show a counterexample."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flow.model.check import Check
from flow.model.errors import ConfigError, ToolError
from flow.model.step import ProcessResult, StepContext
from flow.model.tool import Message, Reading
from flow.stages.rtl import rtl_sources
from flow.stages.synthesis_input import SafeFiles, safe_top
from flow.tools import abc
from flow.tools.smtbmc import (
    MODEL,
    MODES,
    SOLVERS,
    TRACE,
    CheckPlan,
    check_command,
    model_lines,
    read_log,
    read_trace,
)
from flow.tools.yosys import Frontend, Yosys
from flow.tools.yosys.log import read_log as read_yosys_log

__all__ = ["Formal"]

_LAST_CYCLES = 12


class Formal:
    """Ask a solver for a way to break an assertion, or to reach a cover statement.

    Inputs: ``rtl``, RTLIL that ``elaborate`` wrote, or ``src`` (see
    ``flow.stages.rtl``). Parameters: ``name``; ``top``; ``mode``, of
    :data:`~flow.tools.smtbmc.MODES`; ``depth`` in cycles; ``solver``;
    ``timeout_s``; ``reset``, a port that is active in the first cycle, while
    registers hold anything, and inactive afterwards; without it, registers
    begin with the initial values in the source. Outputs: ``log``; of a
    counterexample ``trace?`` (VCD) and ``counterexample?`` (its last cycles
    as text); of ``cover``, ``trace?``. Metrics: ``formal__depth``,
    ``formal__assert__count__failed``, ``formal__cover__count`` and
    ``...__unreached``. Data: ``formal``.
    """

    kind = "formal"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Write the model, then ask.

        Raises
        ------
        ConfigError
            The sources cannot be read, or there is nothing to prove.
        ToolError
            Yosys or the solver broke, or gave no answer within the limit.
        """
        mode, depth = ctx.params["mode"], int(ctx.params["depth"])
        if mode not in MODES:
            raise ConfigError(f"mode {mode!r} is none of {', '.join(MODES)}", f"formal {ctx.params['name']}")
        reset = self._model(ctx)
        if ctx.params["solver"] == "abc":
            self._report(ctx, [self._ask_abc(ctx, mode, depth, reset)])
            return
        results = []
        for kind in ("bmc", "induction") if mode == "prove" else (mode,):
            plan = CheckPlan(mode=kind, depth=depth, reset=reset)
            result = self._ask(ctx, plan)
            reading = read_log(result.text())
            results.append((plan, result, reading))
            _answered(ctx, result, reading)
            if reading.data["status"] == "failed":
                break
        self._report(ctx, results)

    def _model(self, ctx: StepContext) -> str | None:
        """Write the model; return its reset, which logic without registers has not."""
        yosys, top = ctx.tool("yosys"), safe_top(ctx.params["top"])
        sources = rtl_sources(ctx)
        names = SafeFiles(ctx.workdir, sources, copy=yosys.flavour == "yowasp")
        if ctx.has_input("rtl"):
            # Instances of the user's Verilog, if any, then what Python wrote.
            files = [f"read_verilog -sv -formal {n}" for n in names.sources[1:]]
            lines = [*files, f"read_rtlil {names.sources[0]}"]
        else:
            front = Frontend(
                files=names.sources,
                top=top,
                include_dirs=names.include_dirs,
                defines=sources.defines,
                parameters=sources.parameters,
            )
            lines = [line.replace("-sv -defer", "-sv -formal -defer") for line in front.lines()]
        reset: str | None = ctx.params.get("reset")
        any_start, cover = reset is not None, ctx.params["mode"] == "cover"
        maps: Mapping[str, str] = {}
        if ctx.params["solver"] == "abc":
            # Logic without registers has no reset, and the commands name one only where it is.
            if reset is not None and not _has_port(ctx.input("rtl"), reset):
                reset = None
            lines += abc.graph_lines(top, reset=reset, any_start=any_start, cover=cover)
            maps = abc.MAPS
        else:
            lines += model_lines(top, any_start=any_start)
        command = Yosys().command(yosys, "model.ys", "\n".join(lines) + "\n", "model.log")
        result = ctx.run(replace(command, files={**command.files, **maps}))
        reading = read_yosys_log(result.text(), names.real)
        if result.returncode != 0 or reading.errors:
            first = next(iter(reading.errors), None)
            if first is None or first.code == "yosys":
                raise ToolError("yosys", first.text if first else "ended without a model", result.log)
            raise ConfigError(first.text, first.place or top, "Mend the source and run again")
        model = (ctx.workdir / MODEL).read_text(errors="replace")
        wanted = "cover" if cover else "assert"
        if f"yosys-smt2-{wanted} " not in model:
            what = f"{top} has no {wanted} statement, so there is nothing to show"
            raise ConfigError(what, f"formal {ctx.params['name']}", f"Add {wanted} statements, or mend top")
        if ctx.params["solver"] == "abc":
            return reset
        return reset if f"; yosys-smt2-input {reset} " in model else None

    def _ask_abc(
        self, ctx: StepContext, mode: str, depth: int, reset: str | None
    ) -> tuple[CheckPlan, ProcessResult, Reading]:
        """Answer by ABC: the first cycle, of reset, is already over in its model."""
        first = 0 if reset is None else 1
        frames = max(depth - first, 1)
        tool, limit = ctx.tool("abc"), float(ctx.params.get("timeout_s", 600.0))
        places = abc.statements((ctx.workdir / abc.MAP).read_text(), (ctx.workdir / MODEL).read_text())
        try:
            result = ctx.run(replace(abc.prove_command(tool, mode, frames), wall_s=limit))
            reading = abc.read_log(result.text(), mode, places, first)
            if result.returncode not in (0, 1):  # it crashed, whatever it had said by then
                raise ToolError("abc", f"ended with status {result.returncode}", result.log)
            _answered(ctx, result, reading)
            if mode != "cover" and reading.data["status"] == "passed":
                text = ctx.run(replace(abc.possible_command(tool, frames), wall_s=limit)).text()
                if few := abc.states_visited(text):  # so few states that it did not go that deep
                    text = ctx.run(replace(abc.possible_command(tool, few), wall_s=limit)).text()
                reading = abc.check_possible(reading, text, depth)
        except ToolError as error:
            raise ToolError(
                "abc", f"formal {ctx.params['name']} {error.reason}", error.log,
                "Lower the depth, split the property, or give it a larger timeout_s",
            ) from None  # fmt: skip
        if mode != "cover" and any(m.code == "ASSERT" for m in reading.errors):
            # yosys-smtbmc knows all lines of it but this one, the register that marks the first cycle.
            names = ctx.workdir / abc.NAMES
            kept = [line for line in names.read_text().splitlines() if not line.startswith("ninitff")]
            names.write_text("\n".join(kept) + "\n")
            ctx.run(abc.trace_command(ctx.tool("smtbmc"), ctx.tool("yices"), TRACE))
        kind = "unbounded" if mode == "prove" else mode
        return CheckPlan(mode=kind, depth=depth, reset=reset), result, reading

    def _ask(self, ctx: StepContext, plan: CheckPlan) -> ProcessResult:
        solver = ctx.params["solver"]
        if solver not in SOLVERS:
            raise ConfigError(f"solver {solver!r} is none of {', '.join(SOLVERS)}", "solver")
        command = check_command(ctx.tool("smtbmc"), ctx.tool(solver), plan)
        try:
            return ctx.run(replace(command, wall_s=float(ctx.params.get("timeout_s", 600.0))))
        except ToolError as error:
            log = ctx.workdir / command.log
            step = read_log(log.read_text(errors="replace")).data["step"] if log.is_file() else -1
            how_far = f"; it had come to cycle {step}" if step >= 0 else ""
            raise ToolError(
                solver, f"formal {ctx.params['name']} {error.reason}{how_far}", error.log,
                "Lower the depth, split the property, or give it a larger timeout_s",
            ) from None  # fmt: skip

    def _report(self, ctx: StepContext, results: Sequence[tuple[CheckPlan, ProcessResult, Reading]]) -> None:
        plan, _, reading = results[-1]
        name = ctx.params["name"]
        with (ctx.workdir / "formal.log").open("wb") as whole:
            for _, result, _ in results:
                with result.log.open("rb") as part:
                    shutil.copyfileobj(part, whole)
        ctx.output("log", ctx.workdir / "formal.log")
        trace = ctx.workdir / TRACE
        if trace.is_file():
            ctx.output("trace", trace)
        for check in _checks(name, plan, reading):
            ctx.check(check)
        failed = [m for m in reading.errors if m.code == "ASSERT"]
        if failed and trace.is_file():
            ctx.output("counterexample", _counterexample(trace, failed))
        unreached = sum(m.code == "COVER" for m in reading.errors)
        ctx.metric("formal__depth", plan.depth)
        ctx.metric("formal__assert__count__failed", len(failed))
        if plan.mode == "cover":
            ctx.metric("formal__cover__count", len(reading.data["covered"]) + unreached)
            ctx.metric("formal__cover__count__unreached", unreached)
        ctx.data(
            "formal",
            {
                "name": name,
                "mode": ctx.params["mode"],
                "depth": plan.depth,
                "status": reading.data["status"],
                "seconds": round(sum(result.wall_s for _, result, _ in results), 1),
                "covered": reading.data["covered"],
                "failed": [m.place.removeprefix("in/src/") for m in reading.errors],
            },
        )


def _answered(ctx: StepContext, result: ProcessResult, reading: Reading) -> None:
    """Raise unless the solver came to an answer."""
    if not reading.data["status"]:
        said = reading.errors[0].text if reading.errors else f"ended with status {result.returncode}"
        raise ToolError(ctx.params["solver"], said, result.log)


def _has_port(rtlil: Path, name: str) -> bool:
    """Whether the RTLIL has an input of this name; that of a part is that of the top as well."""
    pattern = re.compile(rf"^\s*wire .*\binput \d+\s+\\{re.escape(name)}$", re.MULTILINE)
    return pattern.search(rtlil.read_text(encoding="utf-8", errors="replace")) is not None


def _checks(name: str, plan: CheckPlan, reading: Reading) -> list[Check]:
    if reading.data["status"] == "passed":
        said = {
            "bmc": f"no assertion fails within {plan.depth} cycles",
            "induction": "no assertion ever fails",
            "unbounded": "no assertion ever fails",
            "cover": f"every cover statement is reached within {plan.depth} cycles",
        }[plan.mode]
        return [Check(name=f"formal.{name}", passed=True, message=said)]
    return [_failure(name, plan, message) for message in reading.errors] or [
        Check(name=f"formal.{name}", passed=False, message="the proof failed", remedy="See its log")
    ]


def _failure(name: str, plan: CheckPlan, message: Message) -> Check:
    remedies = {
        "ASSERT": "Open the trace, or read counterexample.txt: its last cycles lead to it",
        "COVER": f"Raise the depth above {plan.depth}, or look for an assumption that excludes it",
        "ASSUME": "Weaken the assumptions: nothing is proved while none can hold",
    }
    text = message.text
    if plan.mode == "induction":
        text = (
            f"an assertion may fail {plan.depth} cycles after it held, from a state that may be unreachable"
        )
        remedies["ASSERT"] = "Assert what excludes the first state of the trace, or raise the depth"
    return Check(
        name=f"formal.{name}",
        passed=False,
        message=f"{name}: {text}",
        place=message.place.removeprefix("in/src/"),
        remedy=remedies.get(message.code, "See the log"),
    )


def _counterexample(trace: Path, failed: Sequence[Message]) -> Path:
    """Write the last cycles of the trace as text."""
    path = trace.with_name("counterexample.txt")
    found = read_trace(trace.read_text(encoding="utf-8", errors="replace"))
    said = "\n".join(f"{m.place.removeprefix('in/src/') or 'an assertion'}: {m.text}" for m in failed)
    path.write_text(f"{said}\n\n{found.table(last=_LAST_CYCLES)}", encoding="utf-8")
    return path
