"""Build simulators: once per RTL, parameters, simulator and options, for all tests and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages._sources import SourceTree
from flow.tools import icarus, verilator
from flow.tools.cocotb import COCOTB
from flow.tools.verilator import OBJ_DIR, RUNTIME_PARTS, Trace

__all__ = ["LEVELS", "SimBuild", "SimRuntime", "runtime_params", "trace_kind"]

#: Optimisation by name: how the model's C++ is compiled.
LEVELS: Mapping[str, str] = {"debug": "O0", "balanced": "Os", "speed": "O3"}


def _level(params: Mapping[str, Any]) -> str:
    name = params.get("optimise", "balanced")
    if name not in LEVELS:
        raise ConfigError(f"optimise {name!r} is none of {', '.join(LEVELS)}", "optimise")
    return LEVELS[name]


def trace_kind(params: Mapping[str, Any], *, fst: bool = True) -> Trace:
    """Return what a Verilator model must record for a test's ``waves`` and ``activity``.

    One model records one kind: a VCD serves both at once.
    """
    if params.get("activity"):
        return Trace.VCD if params.get("waves") else Trace.SAIF
    if params.get("waves"):
        return Trace.FST if fst else Trace.VCD
    return Trace.NONE


def runtime_params(build: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the ``sim_runtime`` step that serves a ``sim_build`` with `build`."""
    return {"optimise": build.get("optimise", "balanced")}


class SimRuntime:
    """Compile what all Verilator models share: the run-time library, and the headers.

    No inputs. Parameters: ``optimise``, as in the builds that it serves.
    Outputs: ``runtime``, an archive; ``pch``, the precompiled headers. Tools:
    ``verilator``, ``cxx``.
    """

    kind = "sim_runtime"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Compile the library.

        Raises
        ------
        ToolError
            The compiler failed.
        """
        root = verilator.VERILATOR.environment(ctx.tool("verilator")).get("VERILATOR_ROOT")
        if root is None:
            raise ToolError("verilator", "its installation has no headers beside the executable")
        result = ctx.run(
            verilator.runtime_command(
                ctx.tool("cxx"), root, level=_level(ctx.params), jobs=ctx.resources.cores
            )
        )
        if result.returncode != 0:
            errors = verilator.read_compile_log(result.text()).errors
            what = errors[0].text if errors else f"make ended with exit status {result.returncode}"
            raise ToolError("cxx", f"the simulation library does not compile: {what}", result.log)
        ctx.output("runtime", ctx.workdir / "simrt.a")
        ctx.output("pch", ctx.workdir / "simrt.h.gch")


class SimBuild:
    """Build one simulator.

    Inputs: ``rtl`` or ``src`` (see ``flow.stages.rtl``); for Verilator
    optionally ``runtime`` and ``pch`` of ``sim_runtime``, which make it some
    five times faster. Parameters: ``simulator``; ``waves``, ``activity``
    (false); ``coverage``, of line, toggle, branch, expression, user; ``timescale``
    (1ns/1ps); ``optimise``, of debug, balanced, speed; ``public`` (true);
    ``extra_args``. Output: ``simulator``, one file that depends on no folder.
    Data: ``build`` with ``simulator``, ``trace``. Tools: ``verilator``,
    ``cxx`` and ``cocotb``, or ``icarus``.
    """

    kind = "sim_build"
    version = 1

    def execute(self, ctx: StepContext) -> None:
        """Build the simulator.

        Raises
        ------
        ConfigError
            The sources cannot be read, or use what the simulator lacks.
        ToolError
            The simulator's compiler or the C++ compiler broke.
        """
        simulator = ctx.params.get("simulator", "verilator")
        source = SourceTree(ctx)
        if simulator == "verilator":
            _build_verilator(ctx, source)
        elif simulator == "icarus":
            _build_icarus(ctx, source)
        else:
            raise ConfigError(f"simulator {simulator!r} is neither verilator nor icarus", "simulator")


def _build_verilator(ctx: StepContext, source: SourceTree) -> None:
    params = ctx.params
    trace = _choose_trace(ctx)
    try:
        command = verilator.verilate_command(
            ctx.tool("verilator"),
            source.hdl,
            trace=trace,
            coverage=params.get("coverage", ()),
            timescale=params.get("timescale", "1ns/1ps"),
            public=params.get("public", True),
            uncovered=_uncovered(source) if params.get("coverage") else "",
            extra=params.get("extra_args", ()),
        )
    except ValueError as error:
        raise ConfigError(str(error), "coverage") from None
    result = ctx.run(command)
    if result.returncode != 0:
        raise source.error(
            "verilator",
            verilator.read_log(result.text()).messages,
            result.log,
            fallback=f"ended with exit status {result.returncode}",
        )
    objects = ctx.workdir / OBJ_DIR
    source.report_reads(verilator.read_files(_text(objects / "Vtop__verFiles.dat")))
    try:
        model = verilator.read_model(
            *(_text(objects / n) for n in ("Vtop.mk", "Vtop_classes.mk", "Vtop.cpp"))
        )
    except ValueError as error:
        raise ToolError("verilator", str(error), result.log) from None
    _compile(ctx, source, model)
    ctx.data("build", {"simulator": "verilator", "trace": trace.value})


def _uncovered(source: SourceTree) -> str:
    """Return what of elaborated RTL is no code of its user's."""
    if not source.elaborated:
        return ""
    file = source.rtl.files[0]
    return verilator.uncovered_text(_text(file), file.name)


def _choose_trace(ctx: StepContext) -> Trace:
    trace = trace_kind(ctx.params)
    if trace is Trace.FST and ctx.run(verilator.fst_probe_command(ctx.tool("cxx"))).returncode != 0:
        return trace_kind(ctx.params, fst=False)  # the headers of lz4 and zlib are not installed
    return trace


def _compile(ctx: StepContext, source: SourceTree, model: verilator.Model) -> None:
    where = COCOTB.locate()
    archive: str | None = None
    if ctx.has_input("runtime"):
        (ctx.workdir / "simrt.a").symlink_to(ctx.input("runtime"))
        archive = "simrt.a"
    pch = ctx.has_input("pch")
    if pch:
        (ctx.workdir / "simrt.h.gch").symlink_to(ctx.input("pch"))
    result = ctx.run(
        verilator.compile_command(
            ctx.tool("cxx"),
            model,
            main=str(where.main),
            libraries=str(where.libs),
            archive=archive,
            archived=RUNTIME_PARTS,
            pch=pch,
            level=_level(ctx.params),
            jobs=ctx.resources.cores,
        )
    )
    if result.returncode != 0:
        raise source.error(
            "cxx",
            verilator.read_compile_log(result.text()).messages,
            result.log,
            fallback=f"the model does not compile: make ended with exit status {result.returncode}",
        )
    ctx.output("simulator", ctx.workdir / "simulator")


def _build_icarus(ctx: StepContext, source: SourceTree) -> None:
    params = ctx.params
    if params.get("coverage"):
        raise ConfigError("Icarus Verilog has no code coverage", "coverage", "Use simulator = 'verilator'")
    command = icarus.build_command(
        ctx.tool("icarus"),
        source.hdl,
        timescale=params.get("timescale", "1ns/1ps"),
        dump=bool(params.get("waves") or params.get("activity")),
        extra=params.get("extra_args", ()),
    )
    result = ctx.run(command)
    messages = icarus.read_log(result.text()).messages
    output = ctx.workdir / "simulator"
    unknown = [m for m in messages if m.code == "PARAMETER"]
    if unknown:  # Icarus only warns, and goes on without it
        raise ConfigError(unknown[0].text, "parameters", "Mend the name in the manifest")
    if result.returncode != 0 or not output.is_file():
        raise source.error(
            "icarus", messages, result.log, fallback=f"ended with exit status {result.returncode}"
        )
    _report_icarus_reads(ctx, source)
    ctx.output("simulator", output)
    kind = Trace.FST if params.get("waves") and not params.get("activity") else Trace.VCD
    traced = bool(params.get("waves") or params.get("activity"))
    ctx.data("build", {"simulator": "icarus", "trace": kind.value if traced else Trace.NONE.value})


def _report_icarus_reads(ctx: StepContext, source: SourceTree) -> None:
    dependencies = ctx.workdir / "dependencies.txt"
    if dependencies.is_file():
        source.report_reads(_lines(_text(dependencies)))


def _lines(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
