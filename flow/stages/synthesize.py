"""Synthesis: RTL in, a netlist of one library's cells out, and what is wrong with the RTL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flow.formats.liberty import CellLibrary, LibertyCell
from flow.model.errors import ConfigError, ToolError
from flow.model.step import StepContext
from flow.stages.libraries import read_libraries
from flow.stages.rtl import RtlSources, rtl_sources
from flow.stages.synthesis_input import SafeFiles, cells_used, check_parameters, explain, safe_top
from flow.stages.synthesis_memories import MemoryPlan, compose_memories
from flow.stages.synthesis_report import Mapped, report_design, report_netlist
from flow.tools._collector import without_collector
from flow.tools.netlist import (
    Fanout,
    Links,
    Netlist,
    NetlistError,
    Outside,
    Ties,
    balance_buffers,
    buffer_fanout,
    move_outside,
    read_yosys_json,
    repair,
    resize_flops,
    write_verilog,
)
from flow.tools.yosys import (
    RECIPES,
    Frontend,
    Yosys,
    elaborate_script,
    jitter,
    map_script,
    recipe,
    shuffle_cells,
)
from flow.tools.yosys import Mapping as MapPlan
from flow.tools.yosys.adapter import has_slang
from flow.tools.yosys.log import read_log
from flow.tools.yosys.memories import macro_outline
from flow.tools.yosys.script import FRONT

__all__ = ["SynthesisParams", "Synthesize"]

_WIRES_BY_AREA = re.compile(r"\bdefault_wire_load_selection\s*:[^;\n]*;?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisParams:
    """Parameters of the stage, as JSON gives them.

    Attributes
    ----------
    hierarchy
        ``flatten``, ``keep``, or ``None`` for the recipe's choice.
    clock_period_ns
        Target of the main clock; ``None`` aims at the fastest.
    driving_cell, load_pf
        Override what `roles` say.
    roles
        ``dataclasses.asdict`` of the PDK's ``CellRoles``; found in the
        library where empty.
    dont_use
        Shell patterns, added to the roles'.
    frontend
        ``verilog``, ``slang``, or ``None`` to choose by file name and result.
    allow_latches, allow_undriven
        Whether those findings are warnings instead of errors.
    memory_limit_bits
        Bits of memories that may become flip-flops, all together: more would take hours.
    memories
        ``auto`` composes memories of the PDK's macros where these take less
        area, ``registers`` never does; ``outside`` does, and leaves what no
        macro serves, from `outside_bits` on, out of the design.
    outside_bits
        Bits of the smallest memory that is left outside.
    macros
        ``dataclasses.asdict`` of the PDK's macros, those that say what their
        pins are, with their views left out.
    nand2_area
        Area of a gate equivalent; found in the library when ``None``.
    netlist_json
        Whether to give the netlist as JSON too.
    perturbation
        Which replicate, 0 for none: cells are taken in another order, and the
        target is up to half a per cent off. The function stays.
    """

    top: str
    recipe: str = "balanced"
    hierarchy: str | None = None
    clock_period_ns: float | None = None
    max_fanout: int = 16
    roles: Mapping[str, Any] = field(default_factory=dict)
    dont_use: tuple[str, ...] = ()
    driving_cell: str | None = None
    load_pf: float | None = None
    frontend: str | None = None
    allow_latches: bool = False
    allow_undriven: bool = False
    memory_limit_bits: int = 1 << 18
    memories: str = "auto"
    outside_bits: int = 2048
    macros: tuple[Mapping[str, Any], ...] = ()
    nand2_area: float | None = None
    netlist_json: bool = False
    perturbation: int = 0

    def __post_init__(self) -> None:
        try:
            recipe(self.recipe)
        except KeyError:
            raise ValueError(f"recipe {self.recipe!r} is none of {', '.join(RECIPES)}") from None
        if self.hierarchy not in (None, "flatten", "keep"):
            raise ValueError(f"hierarchy {self.hierarchy!r} is neither 'flatten' nor 'keep'")
        if self.frontend not in (None, "verilog", "slang"):
            raise ValueError(f"frontend {self.frontend!r} is neither 'verilog' nor 'slang'")
        if self.memories not in ("auto", "registers", "outside"):
            raise ValueError(f"memories {self.memories!r} is none of auto, registers, outside")
        if self.memories == "outside" and not self.flatten:
            raise ValueError("memories are left outside of a flattened design alone: hierarchy is 'keep'")
        if self.perturbation < 0:
            raise ValueError(f"perturbation must not be negative, as {self.perturbation} is")
        if self.max_fanout < 2:
            raise ValueError(f"max_fanout must be at least 2, not {self.max_fanout}")
        if self.clock_period_ns is not None and not self.clock_period_ns > 0:
            raise ValueError(f"clock_period_ns must be positive, not {self.clock_period_ns}")

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> SynthesisParams:
        """Take the stage's own parameters out of a step's; the rest belongs to the sources."""
        merged = {**(params.get("constraints") or {}), **params}
        known = {k: v for k, v in merged.items() if k in cls.__dataclass_fields__ and v is not None}
        for key in ("dont_use", "macros"):
            known[key] = tuple(known.get(key, ()))
        try:
            return cls(**known)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"synthesis: {error}", None, "Correct the design's [synthesis] table."
            ) from error

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Patterns of cells that must not be used."""
        return (*self.roles.get("dont_use", ()), *self.dont_use)

    @property
    def flatten(self) -> bool:
        """Whether modules are dissolved."""
        return recipe(self.recipe).flatten if self.hierarchy is None else self.hierarchy == "flatten"

    @property
    def memory_plan(self) -> MemoryPlan:
        """What memories may become."""
        return MemoryPlan(
            described=() if self.memories == "registers" else self.macros,
            limit=self.memory_limit_bits,
            outside_bits=self.outside_bits if self.memories == "outside" else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """The library as this run uses it."""

    library: CellLibrary
    macros: CellLibrary | None
    usable: list[str]
    buffers: tuple[LibertyCell, ...]

    def everything(self) -> CellLibrary:
        parts = self.library.parts + (self.macros.parts if self.macros else ())
        return CellLibrary(parts)


class Synthesize:
    """The stage.

    Inputs: ``rtl`` or ``src``; ``lib0``, ``lib1`` ... (Liberty, plain or
    gzip), ``macro0`` ... (Liberty of hard macros), ``abc_script`` (a user's
    own ABC script; ``{D}`` and ``{F}`` stand for the target in ps and the
    fanout). Outputs: ``netlist`` (Verilog), ``stat`` (JSON), ``log``, and
    ``netlist_json`` when asked for.
    """

    kind = "synthesize"
    version = 2

    def execute(self, ctx: StepContext) -> None:
        """Run synthesis; see the class."""
        params = SynthesisParams.read(ctx.params)
        sources = rtl_sources(ctx)
        files = SafeFiles(ctx.workdir, sources, copy=ctx.tool("yosys").flavour == "yowasp")
        cells = _load_cells(ctx, params)
        self._elaborate(ctx, params, sources, files, cells)
        outside = compose_memories(ctx, files, cells.library, cells.macros, cells.usable, params.memory_plan)
        if params.perturbation:
            _perturb(ctx.workdir / FRONT, params.perturbation)
        self._map(ctx, params, files, cells)
        report_design(ctx, files.real, params.allow_latches, params.allow_undriven)
        _finish(ctx, params, cells, outside)

    def _elaborate(
        self, ctx: StepContext, params: SynthesisParams, sources: RtlSources, files: SafeFiles, cells: _Cells
    ) -> None:
        check_parameters(sources)
        identity = ctx.tool("yosys")
        slang = has_slang(identity)
        names = [str(f) for f in sources.files]
        modern = any(name.endswith((".sv", ".svh")) for name in names)
        wanted = params.frontend or ("slang" if modern and slang else "verilog")
        if wanted == "slang" and not slang:
            raise ConfigError(
                f"Yosys {identity.version} ({identity.flavour}) has no slang front end",
                None,
                "Install pyosys 0.68 or later, or take frontend = 'verilog'.",
            )
        order = [wanted]
        if params.frontend is None and slang:
            order.append("verilog" if wanted == "slang" else "slang")
        first: ConfigError | None = None
        for choice in order:
            frontend = Frontend(
                files=files.sources,
                include_dirs=files.include_dirs,
                top=safe_top(sources.top),
                defines=sources.defines,
                parameters=sources.parameters,
                libraries=_instantiated(ctx, cells.library, sources),
                outlines=_outlines(ctx, cells.macros, sources),
                slang=choice == "slang",
            )
            try:
                script = elaborate_script(frontend, flatten=params.flatten)
            except ValueError as error:
                raise ConfigError(str(error), None, "Correct the design's sources or parameters.") from error
            command = Yosys().command(identity, f"elaborate_{choice}.ys", script, f"elaborate_{choice}.log")
            result = ctx.run(command)
            if result.returncode == 0:
                ctx.data("frontend", choice)
                break
            problem = explain(read_log(result.text(), files.real), sources, result.log)
            if isinstance(problem, ToolError):
                raise problem
            first = first or problem
            # Another parser may know a construct that this one does not; it never finds a missing module.
            if problem.what.startswith(("module ", "top ", "file ", "parameter ")):
                break
        else:
            raise first or ToolError("yosys", "no front end could be tried")
        if first is not None and result.returncode != 0:
            raise first

    def _map(self, ctx: StepContext, params: SynthesisParams, files: SafeFiles, cells: _Cells) -> None:
        identity = ctx.tool("yosys")
        way = recipe(params.recipe)
        period = (params.clock_period_ns or 0.0) * jitter(params.perturbation)
        target = way.target_ps(period) if period else 1
        plan = MapPlan(
            recipe=way,
            version=tuple(int(n) for n in identity.version.split(".")[:2] if n.isdigit()),
            top=params.top,
            target_ps=target,
            sequential=any(cells.library.is_sequential(n) for n in cells.usable),
        )
        library = cells.library
        comb = library.excerpt({n for n in cells.usable if not library.is_sequential(n)}.__contains__)
        # By area, ABC takes the wires of a whole chip for every net, and puts a buffer behind every gate.
        comb = _WIRES_BY_AREA.sub("", comb)
        seq = library.excerpt({n for n in cells.usable if library.is_sequential(n)}.__contains__)
        for name, text in (
            (plan.comb, comb),
            (plan.seq, seq),
            (plan.constraints, _abc_constraints(cells)),
        ):
            (ctx.workdir / name).write_text(text, encoding="utf-8")
        if ctx.has_input("abc_script"):
            runs = [self._map_once(ctx, files, plan, _abc_script(ctx, target, params.max_fanout))]
        else:
            runs = []
            attempt: int | None = 0
            while attempt is not None:
                script = way.abc_script(target, params.max_fanout, attempt)
                runs.append(self._map_once(ctx, files, replace(plan, attempt=attempt), script))
                reached = [max((r["delay_ps"] for r in run), default=0.0) for run in runs]
                attempt = way.after(attempt, reached[-1], reached[0], target)
        ctx.data("abc", runs[-1])

    @staticmethod
    def _map_once(ctx: StepContext, files: SafeFiles, plan: MapPlan, abc: str) -> list[dict[str, float]]:
        """Map once; return what each run of ABC reached."""
        identity = ctx.tool("yosys")
        (ctx.workdir / plan.abc).write_text(abc, encoding="utf-8")
        result = ctx.run(Yosys().command(identity, "map.ys", map_script(plan), "map.log"))
        reading = read_log(result.text(), files.real)
        if result.returncode != 0 or not (ctx.workdir / "mapped.json").exists():
            errors = reading.errors
            said = errors[0].text if errors else f"it ended with status {result.returncode}"
            if any(e.code == "abc" for e in errors) and ctx.has_input("abc_script"):
                said = next(e.text for e in errors if e.code == "abc")
                raise ConfigError(f"ABC refused the script: {said}", "abc_script", f"See {result.log}.")
            if any(e.code == "liberty" for e in errors):
                raise ConfigError(f"Yosys cannot read the library: {said}", "lib0", f"See {result.log}.")
            raise ToolError("yosys", said, result.log)
        runs: list[dict[str, float]] = reading.data["abc"]
        return runs


def _perturb(front: Path, seed: int) -> None:
    text = front.read_text(encoding="utf-8")
    front.write_text(shuffle_cells(text, seed), encoding="utf-8")


def _load_cells(ctx: StepContext, params: SynthesisParams) -> _Cells:
    library = read_libraries(ctx, "lib")
    if library is None:
        raise ConfigError(
            "synthesis needs at least one Liberty file", "lib0", "Name a PDK that is installed."
        )
    usable = library.usable(params.forbidden)
    named = [c for n in params.roles.get("buffers", ()) if (c := library.get(n)) and c.buffer]
    if not named:
        plain = [c for n in usable if not library.is_sequential(n) and (c := library.get(n)) and c.buffer]
        named = sorted(plain, key=lambda c: c.area_um2)
    return _Cells(library=library, macros=read_libraries(ctx, "macro"), usable=usable, buffers=tuple(named))


def _instantiated(ctx: StepContext, library: CellLibrary, sources: RtlSources) -> tuple[str, ...]:
    """Write an excerpt with the library cells that the RTL names itself."""
    used = cells_used(sources, library)
    if not used:
        return ()
    (ctx.workdir / "cells.lib").write_text(library.excerpt(used.__contains__), encoding="utf-8")
    return ("cells.lib",)


def _outlines(ctx: StepContext, macros: CellLibrary | None, sources: RtlSources) -> tuple[str, ...]:
    """Write the outlines of the macros that the RTL names itself."""
    used = sorted(cells_used(sources, macros)) if macros else []
    if not macros or not used:
        return ()
    text = "".join(macro_outline(cell) for name in used if (cell := macros.get(name)))
    (ctx.workdir / "named_macros.v").write_text(text, encoding="utf-8")
    return ("named_macros.v",)


def _abc_constraints(cells: _Cells) -> str:
    """Say what drives the logic (a buffer about as strong as a flip-flop) and what it drives."""
    lines = []
    allowed = set(cells.usable)
    buffers = [c.name for c in cells.buffers if c.name in allowed]
    if buffers:
        lines.append(f"set_driving_cell {buffers[min(1, len(buffers) - 1)]}")
    flops = [
        c
        for n in cells.usable
        if cells.library.is_sequential(n) and (c := cells.library.get(n)) and c.register
    ]
    loads = sorted(p.capacitance_pf or 0.0 for c in flops for p in c.inputs if p.name not in c.clocks)
    load_ff = 1000 * loads[len(loads) // 2] if loads else 1.0
    lines.append(f"set_load {load_ff:.6g}")
    return "\n".join(lines) + "\n"


def _abc_script(ctx: StepContext, target_ps: int, max_fanout: int) -> str:
    text = ctx.input("abc_script").read_text(encoding="utf-8", errors="replace")
    return text.replace("{D}", str(target_ps)).replace("{F}", str(max_fanout))


@without_collector
def _finish(ctx: StepContext, params: SynthesisParams, cells: _Cells, outside: list[Outside]) -> None:
    """Mend, report and write the mapped netlist."""
    mapped = _mended(ctx, params, cells, outside)
    report_netlist(ctx, mapped, params.nand2_area)
    _write(ctx, params, mapped.netlist)


def _mended(ctx: StepContext, params: SynthesisParams, cells: _Cells, outside: list[Outside]) -> Mapped:
    """Mend the mapped netlist: names, constants, ports, fanout, drives."""
    mapped = ctx.workdir / "mapped.json"
    try:
        netlist = read_yosys_json(mapped.read_text(encoding="utf-8"), params.top)
    except NetlistError as error:
        raise ToolError("yosys", str(error), mapped) from error
    move_outside(netlist, outside)
    library = cells.everything()
    roles = params.roles
    ties = Ties(
        high=_tie(roles.get("tie_hi"), library),
        low=_tie(roles.get("tie_lo"), library),
        buffer=cells.buffers[0] if cells.buffers else None,
        limit=params.max_fanout,
    )
    links = repair(netlist, library, ties, cells.usable)
    rule = Fanout(limit=params.max_fanout, buffers=cells.buffers)
    rebuilt = balance_buffers(netlist, library, rule, links)
    load = params.load_pf if params.load_pf is not None else float(roles.get("load_pf") or 0.0)
    added = buffer_fanout(netlist, library, rule, None if rebuilt else links)
    links = Links(netlist, library)
    sized = recipe(params.recipe).resize
    resized = resize_flops(netlist, library, cells.usable, load, links) if sized else 0
    return Mapped(
        netlist=netlist,
        library=library,
        links=links,
        buffers_added=added,
        flops_resized=resized,
        trees_rebuilt=rebuilt,
    )


def _tie(pair: Any, library: CellLibrary) -> tuple[str, str] | None:  # noqa: ANN401 - a JSON value
    return (str(pair[0]), str(pair[1])) if pair and pair[0] in library else None


def _write(ctx: StepContext, params: SynthesisParams, netlist: Netlist) -> None:
    verilog: Path = ctx.workdir / "netlist.v"
    verilog.write_text(write_verilog(netlist), encoding="utf-8")
    ctx.output("netlist", verilog)
    ctx.output("log", ctx.workdir / "map.log")
    if params.netlist_json:
        ctx.output("netlist_json", ctx.workdir / "mapped.json")
