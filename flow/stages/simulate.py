"""Simulate: run cocotb tests on a built simulator, and judge them by what they left behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages.rtl import place_data
from flow.stages.sim_build import SimBuild, SimRuntime
from flow.stages.sim_coverage import CODE_COVERAGE, Left, report_code, report_functional
from flow.stages.sim_verdict import Verdict, judge
from flow.tools import icarus
from flow.tools._probe import cache_dir
from flow.tools.cocotb import (
    COCOTB,
    Record,
    SimRun,
    merge_junit,
    read_record,
    run_command,
)

__all__ = ["SimBuild", "SimRuntime", "Simulate"]

_LOG = "sim.log"
_TRACE = "recorded"
_FORK_MARGIN_S = 30.0
_TIMEOUT_S = 300.0


class Simulate:
    """Run one test: a module of cocotb tests, with one seed or several.

    Inputs: ``simulator`` of ``sim_build``; ``tb``, the tree that Python
    modules come from; optionally ``data``, a tree that ``data_files`` come
    from. Parameters: ``test`` (its name), ``module``, ``testcase`` (regular
    expression or null), ``seed`` or ``seeds``, ``top``, ``simulator``,
    ``parameters`` (JSON in ``SUZURI_PARAMETERS``), ``plusargs``, ``env``,
    ``timeout_s`` (or ``each_s`` of its resources), ``waves``, ``activity``,
    ``coverage`` (kinds of code coverage), ``repeat`` (of the same run, for a result of its own),
    ``data_files`` (see :func:`~flow.stages.rtl.place_data`); ``files``, names
    under which the inputs ``file0`` ... are put into the run's folder;
    ``workload``, its name when it is one, whose bench writes its cycles to the
    file that ``SUZURI_WORKLOAD_FILE`` names. Outputs: ``results`` (JUnit XML),
    ``log``, ``waves?``, ``activity?`` (SAIF or VCD), ``coverage?``
    (functional, JSON), ``code_points?`` (see :mod:`flow.stages.sim_coverage`), ``workload?`` (JSON).
    Metrics: ``sim__test__count``, ``...__passed``, ``...__failed``, ``sim__coverage__functional``,
    ``...__line`` and so on. Data:
    ``tests``, a row for each test case and seed; ``runs``, one for each seed,
    with its wall-clock time, and what is wrong that no test case says;
    ``coverage``, with the hits of each seed in ``runs`` where there are
    several; ``code_coverage``, the hits of each seed. Tools: ``cocotb``, and ``icarus`` where it simulates.
    """

    kind = "simulate"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Simulate, and report a check for everything that failed.

        Raises
        ------
        ConfigError
            The bench cannot be imported, has no tests, or the test case
            selects none; or its coverage file is malformed.
        ToolError
            The simulation passed its wall-clock, memory or output limit.
        """
        plan = _Plan.of(ctx)
        _place_data(ctx, plan)
        run = plan.run(ctx)
        command = run_command(
            run,
            COCOTB.locate(),
            _argv(ctx, plan),
            workdir=ctx.workdir,
            log=_LOG,
            wall_s=plan.wall_s,
            log_mb=ctx.resources.log_mb,
        )
        try:
            result = ctx.run(command)
        except ToolError as error:
            raise ToolError(
                "cocotb", f"test {plan.test} (seed {plan.seeds[0]}) {error.reason}", error.log,
                "See the end of its log: it may wait for what never comes; or give the test a larger limit",
            ) from None  # fmt: skip
        record = read_record(_read(ctx.workdir / "record.jsonl"))
        ends = _ends(ctx, plan, record, result.returncode)
        verdicts = [
            judge(plan.test, folder, code, seed, record=record, testcase=plan.testcase, timed_out=late,
                  bench_root=run.bench_root, modules=run.modules)
            for seed, folder, code, late in ends
        ]  # fmt: skip
        ctx.data("runs", _runs(verdicts, record, result.wall_s))
        _report(ctx, plan, verdicts, run.bench_root)
        left = [
            Left(seed=seed, folder=folder, killed=_killed(code, late=late))
            for seed, folder, code, late in ends
        ]
        report_functional(ctx, left)
        if kinds := plan.params.get("coverage"):
            report_code(ctx, left, kinds)
        for name in sorted(record.reads or ()):
            ctx.read("tb", name)  # also when the bench has deleted it since


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The parameters of the step, checked."""

    test: str
    simulator: str
    seeds: tuple[int, ...]
    testcase: str | None
    timeout_s: float
    traced: bool
    params: Mapping[str, Any]

    @classmethod
    def of(cls, ctx: StepContext) -> _Plan:
        params = ctx.params
        seeds = tuple(params["seeds"]) if "seeds" in params else (params["seed"],)
        plan = cls(
            test=params.get("test") or params["module"],
            simulator=params.get("simulator", "verilator"),
            seeds=seeds,
            testcase=params.get("testcase"),
            timeout_s=_limit(ctx),
            traced=bool(params.get("waves") or params.get("activity")),
            params=params,
        )
        if plan.traced and len(seeds) > 1:
            raise ConfigError("waves and activity are recorded for one seed at a time", f"test {plan.test}")
        return plan

    @property
    def wall_s(self) -> float:
        if len(self.seeds) == 1:
            return self.timeout_s
        return self.timeout_s * len(self.seeds) + _FORK_MARGIN_S

    def folders(self, ctx: StepContext) -> list[Path]:
        if len(self.seeds) == 1:
            return [ctx.workdir]
        return [ctx.workdir / f"run_{index}" for index in range(len(self.seeds))]

    def run(self, ctx: StepContext) -> SimRun:
        try:
            return SimRun(
                modules=(self.params["module"],),
                top=self.params["top"],
                bench_root=ctx.input("tb"),
                seeds=self.seeds,
                testcase=self.testcase,
                parameters=self.params.get("parameters"),
                env=self.params.get("env"),
                timeout_s=self.timeout_s,
                code_cache=cache_dir() / "bench-code",
                trust_inertial_writes=self.simulator == "verilator",
            )
        except ValueError as error:
            raise ConfigError(str(error), f"test {self.test}") from None


def _limit(ctx: StepContext) -> float:
    """Return the limit of one run: the lower one of what the parameters and the resources say."""
    limits = [limit for limit in (ctx.params.get("timeout_s"), ctx.resources.each_s) if limit is not None]
    return min(map(float, limits), default=_TIMEOUT_S)


def _argv(ctx: StepContext, plan: _Plan) -> list[str]:
    simulator, params = ctx.input("simulator"), plan.params
    plusargs = [p if p.startswith(("+", "-")) else f"+{p}" for p in params.get("plusargs", ())]
    if plan.simulator == "icarus":
        tool = ctx.tool("icarus")
        library = COCOTB.locate().libs / "libcocotbvpi_icarus.so"
        argv = [icarus.ICARUS.vvp(tool), "-n", "-m", str(library), str(simulator)]
        if plan.traced:
            kind = "vcd" if params.get("activity") else "fst"
            argv += [f"-{kind}", f"+{icarus.DUMP_MODULE}={_TRACE}.{kind}"]  # or vvp appends it
        else:
            argv.append("-none")
        return argv + plusargs
    argv = [str(_executable(ctx, simulator))]
    if plan.traced:
        argv += ["--trace", "--trace-file", _TRACE]
    if params.get("coverage"):
        argv.append(f"+verilator+coverage+file+{CODE_COVERAGE}")
    return argv + plusargs


def _executable(ctx: StepContext, simulator: Path) -> Path:
    """Return a simulator that may be executed: a cache need not keep that permission."""
    if os.access(simulator, os.X_OK):
        return simulator
    copy = ctx.workdir / "simulator"
    shutil.copyfile(simulator, copy)
    copy.chmod(0o755)
    return copy


def _place_data(ctx: StepContext, plan: _Plan) -> None:
    """Link the files that the RTL or the bench reads by relative name, such as ``$readmemh`` images."""
    tree = "data" if ctx.has_input("data") else "tb"
    files = plan.params.get("data_files", {})
    if files:
        place_data(files, ctx.input(tree), plan.folders(ctx))
    for name in files.values():
        ctx.read(tree, name)
    for folder in plan.folders(ctx):
        folder.mkdir(exist_ok=True)
        for index, name in enumerate(plan.params.get("files", ())):
            (folder / name).symlink_to(ctx.input(f"file{index}"))


def _ends(
    ctx: StepContext, plan: _Plan, record: Record, returncode: int
) -> list[tuple[int, Path, int, bool]]:
    """Return seed, folder, exit status and whether it was stopped, of each run."""
    folders = plan.folders(ctx)
    if len(plan.seeds) == 1:
        return [(plan.seeds[0], folders[0], returncode, False)]
    ends = {end.index: end for end in record.forks}
    if not ends and record.error is None:
        raise ToolError(
            "cocotb",
            f"test {plan.test}: the simulator ended with exit status {returncode} before any test",
            ctx.workdir / _LOG,
        )
    return [
        (seed, folder, ends[i].returncode, ends[i].timed_out)
        if i in ends
        else (seed, folder, returncode or 1, False)
        for i, (seed, folder) in enumerate(zip(plan.seeds, folders, strict=True))
    ]


def _killed(returncode: int, *, late: bool) -> str:
    """Return why a run could not write its code coverage, which it does when it ends."""
    return "it was stopped at its limit" if late else "it was killed" if returncode < 0 else ""


def _runs(verdicts: Sequence[Verdict], record: Record, wall_s: float) -> list[dict[str, Any]]:
    """Return a row for each run: its seed, how long it took, whether it passed, and if not, why."""
    walls = {end.seed: end.wall_s for end in record.forks}
    rows: list[dict[str, Any]] = []
    for verdict in verdicts:
        row: dict[str, Any] = {
            "seed": verdict.seed,
            "passed": verdict.good,
            "wall_s": walls.get(verdict.seed, wall_s),
        }
        if verdict.failed == 0 and not verdict.good:  # no test case tells it
            check = next(check for check in verdict.checks if check.failed)
            row |= {"message": check.message or "", "place": check.place or "", "check": check.name}
        rows.append(row)
    return rows


def _report(ctx: StepContext, plan: _Plan, verdicts: Sequence[Verdict], bench_root: Path) -> None:
    for verdict in verdicts:
        for check in verdict.checks:
            ctx.check(check)
    ctx.metric("sim__test__count", sum(v.ran for v in verdicts))
    ctx.metric("sim__test__count__passed", sum(v.passed for v in verdicts))
    ctx.metric("sim__test__count__failed", sum(v.failed for v in verdicts))
    ctx.data("tests", [row for v in verdicts for row in v.rows])
    results = merge_junit([({"test": plan.test, "seed": str(v.seed)}, v.xml) for v in verdicts])
    path = ctx.workdir / "junit.xml"
    path.write_text(results.replace(f"{bench_root}{os.sep}", ""), encoding="utf-8")
    ctx.output("results", path)
    ctx.output("log", _joined_log(ctx, plan))
    _report_workload(ctx, plan)
    _report_traces(ctx, plan)


def _joined_log(ctx: StepContext, plan: _Plan) -> Path:
    log = ctx.workdir / _LOG
    if len(plan.seeds) > 1:
        with log.open("ab") as whole:
            for seed, folder in zip(plan.seeds, plan.folders(ctx), strict=True):
                whole.write(f"\n===== seed {seed} =====\n".encode())
                part = folder / _LOG
                if part.is_file():
                    with part.open("rb") as stream:
                        shutil.copyfileobj(stream, whole)
    return log


def _report_workload(ctx: StepContext, plan: _Plan) -> None:
    """Give the cycles that a workload's bench counted, if it did."""
    name = plan.params.get("workload")
    path = plan.folders(ctx)[0] / plan.params.get("env", {}).get("SUZURI_WORKLOAD_FILE", "workload.json")
    if not name or not path.is_file():
        return
    try:
        cycles = json.loads(_read(path))["cycles"]
    except (ValueError, TypeError, KeyError):
        cycles = None
    if isinstance(cycles, bool) or not isinstance(cycles, int) or cycles < 1:
        raise ConfigError(
            'the file that SUZURI_WORKLOAD_FILE names must hold {"cycles": N}, N at least 1',
            f"workload {name}",
            "Mend the bench; without the file, all clock cycles of the simulation count.",
        )
    ctx.metric(f"workload__{name}__cycles", cycles)
    ctx.output("workload", path)


def _report_traces(ctx: StepContext, plan: _Plan) -> None:
    recorded = next(iter(sorted(ctx.workdir.glob(f"{_TRACE}*"))), None)
    if not plan.traced or recorded is None:
        return
    wanted = [name for name in ("activity", "waves") if plan.params.get(name)]
    suffix = _trace_suffix(recorded)
    for name in wanted[1:]:
        copy = ctx.workdir / f"{name}.{suffix}"
        shutil.copyfile(recorded, copy)
        ctx.output(name, copy)
    ctx.output(wanted[0], recorded.rename(ctx.workdir / f"{wanted[0]}.{suffix}"))


def _trace_suffix(path: Path) -> str:
    """Return ``fst``, ``saif`` or ``vcd``, from how the file begins: the build chose."""
    with path.open("rb") as stream:
        start = stream.read(64).lstrip()
    if start[:1] == b"\0":
        return "fst"
    return "saif" if b"SAIF" in start[:16].upper() or start.startswith(b"//") else "vcd"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
