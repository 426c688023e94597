"""Run programs on a core in lockstep with Spike; and add up what they covered."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flow.isa.elf import read_elf
from flow.isa.image import MemoryMap, image_text
from flow.isa.simulation import Ending, RunOptions, plusargs, read_result
from flow.model.check import Check
from flow.model.errors import ToolError
from flow.model.step import StepContext
from flow.tools.cocotb.coverage import Bin, Coverage
from flow.tools.spike import compare_command, read_report

__all__ = ["Lockstep", "LockstepCoverage", "add_counters", "against_goals"]

Counters = dict[str, Counter[str]]


def add_counters(parts: Iterable[Mapping[str, Mapping[str, int]]]) -> Counters:
    """Return the sums of what the comparator counted in several runs."""
    total: Counters = {}
    for part in parts:
        for point, bins in part.items():
            total.setdefault(point, Counter()).update(bins)
    return total


def against_goals(
    counters: Mapping[str, Mapping[str, int]], goals: Mapping[str, Mapping[str, int]]
) -> Coverage:
    """Return coverage in the project's form; what has no goal is left out."""
    return Coverage(
        points={
            point: {
                name: Bin(hits=counters.get(point, {}).get(name, 0), goal=goal) for name, goal in bins.items()
            }
            for point, bins in goals.items()
        }
    )


class Lockstep:
    """Run some programs, one after the other, each against Spike.

    Inputs: ``comparator``, ``simulator``, ``table`` (the instructions),
    ``programs``, a tree of ELF files. Parameters: ``programs``, rows with
    ``file``, ``seed`` and ``plusargs``; ``options`` of the comparator;
    ``limit`` and ``watchdog`` in cycles. Outputs: ``counters`` (JSON). Data:
    ``lockstep``, a row for each program. The first mismatch ends the step.
    """

    kind = "lockstep"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Run them.

        Raises
        ------
        ToolError
            The simulator or the comparator broke.
        """
        parts: list[Mapping[str, Mapping[str, int]]] = []
        rows: list[dict[str, Any]] = []
        for row in ctx.params["programs"]:
            report, counters = self._run(ctx, row)
            parts.append(counters)
            rows.append(report)
            if report["status"] != "match":
                ctx.check(
                    Check(
                        name="lockstep.mismatch",
                        passed=False,
                        message=_headline(report),
                        place=f"seed {row['seed']}",
                        remedy="Run this seed alone with 'suzuri isa random --programs 1'",
                    )
                )
                break
        else:
            ctx.check(Check(name="lockstep.mismatch", passed=True))
        (ctx.workdir / "counters.json").write_text(json.dumps(add_counters(parts)))
        ctx.output("counters", ctx.workdir / "counters.json")
        ctx.data("lockstep", rows)

    def _run(self, ctx: StepContext, row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the report and the counters of one program."""
        folder = ctx.workdir / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        file = ctx.input("programs") / row["file"]
        ctx.read("programs", row["file"])
        program = read_elf(file.read_bytes(), row["file"])
        memory = MemoryMap.for_program(program)
        image = folder / "image.hex"
        image.write_text(image_text(program.segments, memory))
        options = RunOptions(
            limit=ctx.params["limit"], watchdog=ctx.params["watchdog"], seed=row["seed"] % (1 << 31),
            **row["plusargs"],
        )  # fmt: skip
        files = {"image": Path("run/image.hex"), "result": Path("run/result")}
        simulator = [str(ctx.input("simulator")), *plusargs(options, files, memory.plusargs())]
        regions = [text for r in memory.regions for text in ("--memory", f"{r.base:#x}:{r.size:#x}")]
        outputs = ["--table", str(ctx.input("table")), "--report", "run/report.json"]
        outputs += ["--coverage", "run/counters.json"]
        result = ctx.run(
            compare_command(
                str(ctx.input("comparator")),
                str(file),
                [*ctx.params["options"], *regions, *outputs],
                simulator,
            )
        )
        try:
            report = read_report((folder / "report.json").read_text())
        except (OSError, ValueError):
            said = result.text().strip().splitlines()
            reason = said[-1] if said else f"ended with exit status {result.returncode}"
            raise ToolError("lockstep", f"seed {row['seed']}: {reason}", result.log) from None
        counters = json.loads((folder / "counters.json").read_text())
        if report["status"] == "match":
            report["status"] = self._ending(folder / "result")
        elif report["status"] != "mismatch":
            raise ToolError("simulator", f"seed {row['seed']}: {report['status']} trace", result.log)
        return {**report, "seed": row["seed"]}, counters

    @staticmethod
    def _ending(path: Path) -> str:
        """How a program ended whose instructions were all right: ``match`` when as it may.

        One that goes on for ever in the core and in Spike alike, which random programs may, is right
        as far as it went; a core that is stuck ends by the watchdog.
        """
        try:
            ending = read_result(path.read_text()).ending
        except (OSError, ValueError):
            return "broken"
        return "match" if ending in (Ending.EXIT, Ending.LIMIT, Ending.LOOP) else str(ending)


def _headline(report: Mapping[str, Any]) -> str:
    if report["status"] != "mismatch":
        return f"the program did not end by itself: {report['status']}"
    text: str = report["mismatch"]["text"]
    return " ".join(part.strip() for part in text.splitlines()[:2])


class LockstepCoverage:
    """Add up what several steps counted, and compare it with the goals.

    Inputs: ``goals`` (JSON, coverpoint to bin to hits needed) and
    ``counters`` of any number of steps, as ``counters_0`` and so on. Output:
    ``coverage``, in the project's form. Metric:
    ``sim__coverage__functional``. Data: ``coverage``, a row for each
    coverpoint with its holes.
    """

    kind = "lockstep_coverage"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Add up."""
        parts = [json.loads(path.read_text()) for _, path in ctx.inputs_matching("counters_")]
        total = against_goals(add_counters(parts), json.loads(ctx.input("goals").read_text()))
        target = ctx.workdir / "coverage.json"
        target.write_text(json.dumps(total.to_json()))
        ctx.output("coverage", target)
        ctx.metric("sim__coverage__functional", total.percent)
        ctx.data("coverage", coverage_rows(total))


def coverage_rows(total: Coverage) -> Sequence[dict[str, Any]]:
    """Return a row for each coverpoint: name, bins, how many are covered, names of the others."""
    return [
        {
            "name": point,
            "bins": len(bins),
            "covered": sum(b.covered for b in bins.values()),
            "holes": [name for name, entry in bins.items() if not entry.covered],
        }
        for point, bins in total.points.items()
    ]
