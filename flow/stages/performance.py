"""Performance: what a design's own model says of its workloads, without simulating them."""

from __future__ import annotations

import difflib
import json
import math
import sys
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError, ToolError
from flow.model.metric import REGISTRY
from flow.model.step import StepContext
from flow.model.tool import Command

__all__ = ["Performance"]


class Performance:
    """Call ``package.module:function`` with the design's parameters.

    The function is given the parameters, and the files of each workload by
    its name; it returns metrics by their registered names, such as
    ``workload__kws__cycles``. A ``ValueError`` says that the design cannot be
    like that.

    Inputs: ``py``, the tree of Python sources; ``WORKLOAD.N``, its files.
    Parameters: ``model``, ``parameters``, ``workloads`` (names of files by
    workload), ``manifest`` for messages. No outputs.
    """

    kind = "performance"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Call the model in a child process.

        Raises
        ------
        ConfigError
            The model is not found, refuses the parameters, raises, or
            returns what is no metric.
        ToolError
            The child died without an answer.
        """
        params = ctx.params
        answer_path = ctx.workdir / "answer.json"
        request = {
            "root": str(ctx.input("py")),
            "model": params["model"],
            "parameters": dict(params["parameters"]),
            "workloads": {
                name: [str(ctx.input(f"{name}.{i}")) for i in range(len(files))]
                for name, files in params["workloads"].items()
            },
            "answer": str(answer_path),
        }
        result = ctx.run(
            Command(
                argv=(sys.executable, "-m", "flow.stages.performance_child", "request.json"),
                env={"PYTHONPATH": str(Path(__file__).parents[2])},
                files={"request.json": json.dumps(request)},
                log="performance.log",
            )
        )
        if not answer_path.is_file():
            raise ToolError(
                "performance", f"ended with exit code {result.returncode} and no answer", result.log,
                "The model may have ended the interpreter.",
            )  # fmt: skip
        answer: dict[str, Any] = json.loads(answer_path.read_text())
        for relative in answer["reads"]:
            ctx.read("py", relative)
        if "error" in answer:
            error = answer["error"]
            raise ConfigError(str(error["what"]), error["where"] or params["manifest"], error["remedy"])
        for name, value in answer["metrics"].items():
            if REGISTRY.get(name) is None:
                near = difflib.get_close_matches(name, [d.name for d in REGISTRY], n=1, cutoff=0.5)
                raise ConfigError(
                    f"the performance model returns {name!r}, which is no metric", params["manifest"],
                    f"Did you mean {near[0]!r}?" if near else None,
                )  # fmt: skip
            ctx.metric(name, value if value is not None and math.isfinite(value) else None)
