"""Stages for tests of the engine, and a driver program that tests can kill.

Run as ``python engine_stages.py ROOT JOURNAL [SCHEDULER]``, it drives a graph
of real processes and prints the metrics as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from flow.engine.cache import Cache
from flow.engine.driver import Options, run_graph
from flow.model.check import Check
from flow.model.errors import ConfigError, InfraError
from flow.model.graph import Graph
from flow.model.step import OutputRef, Resources, Step, StepContext
from flow.model.tool import Command


class Shell:
    """Runs ``sh -c script``; every file that is a declared output is one."""

    kind = "shell"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        for name, path in ctx.inputs_matching(""):
            (ctx.workdir / name).symlink_to(path)
        if journal := ctx.params.get("journal"):
            with Path(journal).open("a") as file:
                file.write(f"{ctx.params['id']}\n")
        result = ctx.run(Command(argv=("sh", "-c", ctx.params["script"]), log="shell.log"))
        if result.returncode:
            raise ConfigError(f"exit code {result.returncode}", "script", "Mend it.")
        for name in ctx.params.get("outputs", []):
            ctx.output(name, ctx.workdir / name)
        for name in ctx.params.get("reads", []):
            ctx.read("tree", name)
        ctx.metric("sim__test__count", len(result.text()))
        ctx.check(Check(name="shell.ran", passed=True))


class Broken:
    """Raises something that no stage should."""

    kind = "broken"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        raise ZeroDivisionError("by design")


class Flaky:
    """Fails for lack of a machine."""

    kind = "flaky"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        raise InfraError("the machine is gone", "here", "Try again.")


class Late:
    """Finds that a test ran out of time."""

    kind = "late"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        ctx.check(Check(name="sim.test.timeout", passed=False))


def shell(name: str, script: str, *, inputs=None, outputs=(), reads=(), after=(), journal=None, **resources):
    """Return a step of the stage ``Shell``."""
    params = {"script": script, "outputs": [o for o in outputs if not o.endswith("?")], "id": name}
    if reads:
        params["reads"] = list(reads)
    if journal:
        params["journal"] = str(journal)
    return Step(
        name=name,
        kind="shell",
        stage="engine_stages:Shell",
        params=params,
        inputs=inputs or {},
        outputs=tuple(outputs),
        after=tuple(after),
        resources=Resources(**resources) if resources else Resources(),
    )


def diamond(journal: Path, width: int = 12) -> Graph:
    """One step, then `width` in parallel that use it, then one that uses them all."""
    steps = [shell("first", "sleep 0.05; echo seed > out", outputs=["out"], journal=journal)]
    for i in range(width):
        steps.append(
            shell(
                f"middle{i}",
                f"sleep 0.{1 + i % 3}; (cat seed; echo {i}) > out; cat out",
                inputs={"seed": OutputRef("first", "out")},
                outputs=["out"],
                journal=journal,
            )
        )
    inputs = {f"m{i}": OutputRef(f"middle{i}", "out") for i in range(width)}
    steps.append(shell("last", "cat m* > out; cat out", inputs=inputs, outputs=["out"], journal=journal))
    return Graph(steps)


def drive(root: Path, journal: Path, scheduler: str | None = None) -> dict[str, dict[str, object]]:
    """Run the diamond and return each step's status, key and metrics."""
    options = Options(run_id=f"run{os.getpid()}-{time.time_ns()}", keep=root / "failed", scheduler=scheduler)
    outcomes = run_graph(diamond(journal), Cache(root / "cache"), options, lambda event: None)
    return {
        name: {
            "status": str(o.status),
            "metrics": dict(o.metrics),
            "outputs": {n: v.digest for n, v in o.outputs.items()},
            "attempts": o.attempts,
            "error": o.error,
        }
        for name, o in outcomes.items()
    }


if __name__ == "__main__":
    target = sys.argv[3] if len(sys.argv) > 3 else None
    print(json.dumps(drive(Path(sys.argv[1]), Path(sys.argv[2]), target)))
