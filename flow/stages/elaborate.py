"""Elaborate: an Amaranth component to Verilog, with source locations."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.model.tool import Command

__all__ = ["Elaborate"]


class Elaborate:
    """Turn ``package.module:Class`` into one Verilog file.

    Inputs: ``py``, the tree of Python sources. Parameters: ``top``, ``name``
    of the Verilog module, ``parameters`` of the constructor, ``manifest`` for
    messages, ``language``: ``verilog`` (the default), or ``rtlil``, which keeps
    assertions as they are. Outputs: ``rtl``, the Verilog; ``ports``, a JSON list.

    Only the files of the tree that were opened while the design was imported
    and elaborated decide whether it must be elaborated again.
    """

    kind = "elaborate"
    version = 2

    def execute(self, ctx: StepContext) -> None:
        """Elaborate in a child process.

        Raises
        ------
        ConfigError
            The top is not found or not a component, a parameter is refused,
            or the user's code raises; with the manifest's key or the place
            in the user's source.
        ToolError
            The child died without an answer.
        """
        params = ctx.params
        language = params.get("language", "verilog")
        rtl = ctx.workdir / f"{params['name']}.{'il' if language == 'rtlil' else 'v'}"
        answer_path = ctx.workdir / "answer.json"
        request = {
            "root": str(ctx.input("py")),
            "top": params["top"],
            "name": params["name"],
            "parameters": dict(params["parameters"]),
            "language": language,
            "rtl": str(rtl),
            "answer": str(answer_path),
        }
        result = ctx.run(
            Command(
                argv=(sys.executable, "-m", "flow.stages.elaborate_child", "request.json"),
                env={"PYTHONPATH": str(Path(__file__).parents[2])},
                files={"request.json": json.dumps(request)},
                log="elaborate.log",
            )
        )
        if not answer_path.is_file():
            raise ToolError(
                "elaborate", f"ended with exit code {result.returncode} and no answer", result.log,
                "The design's Python code may have ended the interpreter.",
            )  # fmt: skip
        answer: dict[str, Any] = json.loads(answer_path.read_text())
        if "error" in answer:
            raise _as_config_error(answer["error"], params["manifest"])
        for relative in answer["reads"]:
            ctx.read("py", relative)
        ports_path = ctx.workdir / "ports.json"
        ports_path.write_text(json.dumps(answer["ports"], indent=1))
        ctx.output("rtl", rtl)
        ctx.output("ports", ports_path)
        ctx.data("ports", answer["ports"])
        if "isa" in answer:
            ctx.data("isa", answer["isa"])


def _as_config_error(error: dict[str, str | None], manifest: str) -> ConfigError:
    where = error["where"]
    if where is None or where.startswith("design."):
        where = f"{manifest}: {where}" if where else manifest
    return ConfigError(str(error["what"]), where, error["remedy"])
