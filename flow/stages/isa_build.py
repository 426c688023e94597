"""Build the simulator that runs programs on a core: the core, the harness, and a main program."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from flow.isa.wrapper import MissingPorts, harness_core
from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages._sources import SourceTree
from flow.tools import icarus, verilator
from flow.tools._hdl import HdlFiles, verilog_literal
from flow.tools.verilator import OBJ_DIR, RUNTIME_PARTS, Trace

__all__ = ["HARNESS_MAIN", "HARNESS_TOP", "IsaBuild", "build_verilator"]

HARNESS_TOP = "harness"
HARNESS_MAIN = "main.cpp"
_WRAPPER = "harness_core.v"
_LEVEL = "O2"


class IsaBuild:
    """Build one simulator.

    Inputs: ``rtl`` or ``src`` (see ``flow.stages.rtl``); ``harness``, a tree
    with Verilog and ``main.cpp``; ``ports`` of the core, or ``wrapper``, a
    file with the module ``harness_core``; for Verilator ``runtime`` of
    ``sim_runtime``. Parameters: ``simulator``; ``waves`` (false);
    ``memory_words``, how much memory an Icarus simulation has at most.
    Output: ``simulator``, one file. Data: ``build`` with ``simulator``,
    ``trace``. Tools: ``verilator`` and ``cxx``, or ``icarus``.
    """

    kind = "isa_build"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Build the simulator.

        Raises
        ------
        ConfigError
            The core lacks ports of the contract, or cannot be read.
        ToolError
            A compiler broke.
        """
        source = SourceTree(ctx)
        self._wrap(ctx)
        hdl = self._sources(ctx, source)
        if ctx.params["simulator"] == "verilator":
            build_verilator(ctx, source, hdl)
        else:
            _build_icarus(ctx, source, hdl)

    @staticmethod
    def _wrap(ctx: StepContext) -> None:
        target = ctx.workdir / _WRAPPER
        if ctx.has_input("wrapper"):
            target.symlink_to(ctx.input("wrapper"))
            return
        ports = json.loads(ctx.input("ports").read_text())
        try:
            target.write_text(harness_core(ctx.params["top"], ports))
        except MissingPorts as error:
            few, more = ", ".join(error.names[:3]), len(error.names) - 3
            raise ConfigError(
                f"the core lacks the ports {few}{f' and {more} more' if more > 0 else ''} of the harness",
                ctx.params["top"],
                "Give it native buses (bus = 'native'), or a wrapper of its own in [isa]",
            ) from None

    @staticmethod
    def _sources(ctx: StepContext, source: SourceTree) -> HdlFiles:
        harness = ctx.input("harness")
        below = Path(os.path.relpath(harness, ctx.workdir))
        files = sorted(f for f in harness.glob("*.v") if "endmodule" in f.read_text(encoding="utf-8"))
        defines = {f"CORE_{name}": verilog_literal(v) for name, v in source.rtl.parameters.items()}
        for file in harness.iterdir():
            ctx.read("harness", file.name)
        return replace(
            source.hdl,
            files=(*source.hdl.files, *(str(below / f.name) for f in files)),
            include_dirs=(".", str(below), *source.hdl.include_dirs),
            defines={**source.hdl.defines, **defines},
            parameters={},
            top=HARNESS_TOP,
        )


def build_verilator(ctx: StepContext, source: SourceTree, hdl: HdlFiles) -> None:
    """Build a model and the harness's main program into the output ``simulator``.

    Raises
    ------
    FlowError
        A compiler refuses the sources, or breaks.
    """
    trace = _choose_trace(ctx)
    # The last of contradicting options counts: no VPI and no assertions here, speed alone.
    extra = ("--no-assert", "--no-timing", "--x-initial", "fast", "-O3")
    command = verilator.verilate_command(ctx.tool("verilator"), hdl, trace=trace, public=False, extra=extra)
    result = ctx.run(command)
    if result.returncode != 0:
        raise source.error(
            "verilator", verilator.read_log(result.text()).messages, result.log,
            fallback=f"ended with exit status {result.returncode}",
        )  # fmt: skip
    objects = ctx.workdir / OBJ_DIR
    source.report_reads(verilator.read_files(_text(objects / "Vtop__verFiles.dat")))
    try:
        model = verilator.read_model(
            *(_text(objects / n) for n in ("Vtop.mk", "Vtop_classes.mk", "Vtop.cpp"))
        )
    except ValueError as error:
        raise ToolError("verilator", str(error), result.log) from None
    (ctx.workdir / "simrt.a").symlink_to(ctx.input("runtime"))
    main = os.path.relpath(ctx.input("harness") / HARNESS_MAIN, ctx.workdir / OBJ_DIR)
    result = ctx.run(
        verilator.compile_command(
            ctx.tool("cxx"), model, main=main, libraries=None, archive="simrt.a", archived=RUNTIME_PARTS,
            level=_LEVEL, jobs=ctx.resources.cores,
        )
    )  # fmt: skip
    if result.returncode != 0:
        raise source.error(
            "cxx", verilator.read_compile_log(result.text()).messages, result.log,
            fallback=f"the model does not compile: make ended with exit status {result.returncode}",
        )  # fmt: skip
    ctx.output("simulator", ctx.workdir / "simulator")
    ctx.data("build", {"simulator": "verilator", "trace": trace.value})


def _choose_trace(ctx: StepContext) -> Trace:
    if not ctx.params.get("waves"):
        return Trace.NONE
    found = ctx.run(verilator.fst_probe_command(ctx.tool("cxx"))).returncode == 0
    return Trace.FST if found else Trace.VCD  # without the headers of lz4 and zlib


def _build_icarus(ctx: StepContext, source: SourceTree, hdl: HdlFiles) -> None:
    defines = {**hdl.defines, "HARNESS_MEMORY_WORDS": str(ctx.params["memory_words"])}
    if ctx.params.get("waves"):
        defines["HARNESS_WAVES"] = ""
    hdl = replace(hdl, defines=defines, files=(*_awake(ctx, source), *hdl.files[len(source.hdl.files) :]))
    result = ctx.run(icarus.build_command(ctx.tool("icarus"), hdl))
    output = ctx.workdir / "simulator"
    if result.returncode != 0 or not output.is_file():
        raise source.error(
            "icarus", icarus.read_log(result.text()).messages, result.log,
            fallback=f"ended with exit status {result.returncode}",
        )  # fmt: skip
    dependencies = ctx.workdir / "dependencies.txt"
    if dependencies.is_file():
        source.report_reads(line for line in _text(dependencies).splitlines() if line)
    ctx.output("simulator", output)
    ctx.data("build", {"simulator": "icarus", "trace": "vcd" if ctx.params.get("waves") else "none"})


def _awake(ctx: StepContext, source: SourceTree) -> tuple[str, ...]:
    """Return the core's files, the elaborated one as Icarus needs it."""
    if not source.elaborated:
        return source.hdl.files
    copy = ctx.workdir / "elaborated.v"
    copy.write_text(icarus.awake(_text(source.rtl.files[0])))
    return (copy.name, *source.hdl.files[1:])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
