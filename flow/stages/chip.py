"""The chip flow as a graph: elaborate, lint, simulate, prove, then map, time and power on each PDK.

Planning only: files are looked at through the function that is given, no
tool is started.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from flow.model.constraint import Constraints
from flow.model.design import Design, FormalSpec, TestSpec
from flow.model.errors import ConfigError
from flow.model.graph import Graph
from flow.model.pdk import Corner, Macro, Pdk
from flow.model.step import OutputRef, Resources, Step
from flow.model.tool import ToolIdentity
from flow.model.view import Tree, View
from flow.stages.registry import stage_info
from flow.stages.sources import hdl_tree, imported_modules, python_tree

__all__ = ["PARTS", "ChipFlow", "PdkPlan", "TestRun"]

#: What each part of the flow is called on the command line, in order.
PARTS = ("elaborate", "lint", "simulate", "formal", "synthesize", "timing", "power")

#: Environment variable of a workload's bench: the file that takes how many cycles it took.
WORKLOAD_FILE = "SUZURI_WORKLOAD_FILE"
_WORKLOAD_NAME = "workload.json"
_MANY_SEEDS = 16  # from here on, seeds share simulator processes
_BATCH = 10
_LONG = 80  # of what a step's name says of its parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class PdkPlan:
    """A PDK to map to: the clock asked for, and its corners, the main one first."""

    pdk: Pdk
    clock_period_ns: float
    corners: tuple[Corner, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """One test with one seed.

    Attributes
    ----------
    test, index, seed
        The test, which of its seeds, and that seed.
    group
        How many of the test's runs share a simulator process; None to choose
        by how many there are.
    limit_s
        Wall-clock limit below the test's own; it is part of no key, since no
        result depends on it.
    repeat
        Which repetition of the same run it is, 0 for the first. Each has a
        result of its own.
    waves
        Whether to record waves.
    coverage
        Kinds of code coverage to collect.
    """

    __test__ = False

    test: TestSpec
    index: int
    seed: int
    group: int | None = None
    limit_s: float | None = None
    repeat: int = 0
    waves: bool = False
    coverage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Activity:
    """Switching activity that a simulation records, perhaps as a workload."""

    step: str
    workload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipFlow:
    """Everything that decides a flow's graph.

    Attributes
    ----------
    design
        What to build.
    pdks
        What to map to; none is allowed.
    runs
        Tests with their seeds.
    tools
        Identities by adapter name; a part whose tool is not here is left out.
    parts
        Parts of the flow that are wanted, of :data:`PARTS`.
    view_of, digest
        Return the view, and the digest, of a file.
    packages
        Return the identities of the installed packages with these modules.
    waves
        Record waves of every test.
    perturbation
        Which replicate of synthesis, 0 for the one that counts: nothing that
        matters differs between them.
    """

    design: Design
    pdks: tuple[PdkPlan, ...]
    runs: tuple[TestRun, ...]
    tools: Mapping[str, ToolIdentity]
    view_of: Callable[[Path], View]
    digest: Callable[[Path], str]
    packages: Callable[[frozenset[str]], Iterable[ToolIdentity]]
    parts: frozenset[str] = frozenset(PARTS)
    waves: bool = False
    perturbation: int = 0
    _memo: dict[str, Any] = field(default_factory=dict, repr=False)

    def graph(self) -> Graph:
        """Return the graph.

        Raises
        ------
        ConfigError
            A source tree is too large to be one.
        """
        return Graph(self._steps())

    def _steps(self) -> Iterable[Step]:
        steps: dict[str, Step] = {}

        def add(step: Step) -> str:
            steps.setdefault(step.name, step)
            return step.name

        rtl = self._rtl(self.design.parameters, add)
        if "lint" in self.parts and "verilator" in self.tools:
            add(self._lint(rtl))
        activities = self._simulations(add) if "simulate" in self.parts else []
        if "formal" in self.parts:
            for proof in self.design.formal:
                if set(proof.tools) <= set(self.tools):
                    add(self._formal(proof, add))
        if "synthesize" in self.parts and "yosys" in self.tools:
            for plan in self.pdks:
                self._back_end(plan, rtl, activities, add)
        return steps.values()

    # -- front end --------------------------------------------------------

    def _step(self, kind: str, name: str, **values: Any) -> Step:  # noqa: ANN401 - fields of Step
        info = stage_info(kind)
        version = self._once(f"version {kind}", lambda: info.version(self.digest))
        return Step(name=name, kind=kind, stage=info.path, version=version, **values)

    def _once(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Make a thing once: a source tree is not walked for each of a thousand steps."""
        if name not in self._memo:
            self._memo[name] = make()
        return self._memo[name]

    def _rtl(self, parameters: Mapping[str, Any], add: Callable[[Step], str]) -> dict[str, Any]:
        """Return the inputs and parameters that give a step this design's RTL."""
        design = self.design
        if design.language == "verilog":
            hdl = self._verilog()
            return {**hdl, "params": {**hdl["params"], "top": design.top, "parameters": dict(parameters)}}
        name = "elaborate" + _variant(design, parameters)
        top = _module_name(design)
        step = add(self._elaborate(name, design.top, top, parameters))
        own = {"rtl": OutputRef(step, "rtl")}
        if not design.sources:
            return {"inputs": own, "params": {"top": top}}
        hdl = self._verilog()  # what the design has as an Instance
        return {"inputs": {**own, **hdl["inputs"]}, "params": {"top": top, **hdl["params"]}}

    def performance(self, model: str, workloads: Iterable[TestSpec]) -> Step:
        """Return the step that asks the design's performance model."""
        chosen = list(workloads)
        files = {f"{t.name}.{i}": self.view_of(path) for t in chosen for i, path in enumerate(t.files)}
        return self._step(
            "performance",
            "performance",
            params={
                "model": model,
                "parameters": dict(self.design.parameters),
                "workloads": {test.name: [path.name for path in test.files] for test in chosen},
                "manifest": self.design.manifest.name,
            },
            inputs={"py": self._python, **files},
            tools=self._imported,
            resources=Resources(wall_s=600, memory_mb=4096),
            label="performance model",
        )

    def _elaborate(
        self, name: str, top: str, module: str, parameters: Mapping[str, Any], language: str | None = None
    ) -> Step:
        return self._step(
            "elaborate",
            name,
            params={
                "top": top,
                "name": module,
                "parameters": dict(parameters),
                "manifest": str(self.design.manifest.name),
                **({"language": language} if language else {}),
            },
            inputs={"py": self._python},
            outputs=("rtl", "ports"),
            tools=(self.tools["amaranth"], *self._imported),
            resources=Resources(wall_s=600, memory_mb=8192),
            label="elaborate " + (self.design.name if language is None else name.partition(".")[2]),
        )

    def _verilog(self) -> dict[str, Any]:
        """Return the inputs and parameters that give a step the HDL sources."""
        design, (base, tree) = self.design, self._hdl
        return {
            "inputs": {"src": tree},
            "params": {
                "sources": [_below(design.root / s, base) for s in design.sources],
                "include_dirs": [_below(design.root / d, base) for d in design.include_dirs],
                "defines": dict(design.defines),
                **({"data_files": self._data_files} if design.data_files else {}),
            },
        }

    @property
    def _hdl(self) -> tuple[Path, Tree]:
        found: tuple[Path, Tree] = self._once("hdl", lambda: hdl_tree(self.design, self.view_of))
        return found

    @property
    def hdl_base(self) -> Path:
        """The folder that the design's HDL files share."""
        return self._hdl[0]

    @property
    def _data_files(self) -> dict[str, str]:
        """Data files by the name that RTL gives them: relative to the manifest, without leading ``../``."""
        root, base = self.design.root, self._hdl[0]
        return {
            "/".join(part for part in Path(name).parts if part != ".."): _below(root / name, base)
            for name in self.design.data_files
        }

    @property
    def _python(self) -> Tree:
        tree: Tree = self._once("python", lambda: python_tree(self.design, self.view_of))
        return tree

    @property
    def _imported(self) -> tuple[ToolIdentity, ...]:
        """Installed packages that the design's Python files import, by version."""
        found: tuple[ToolIdentity, ...] = self._once(
            "imported", lambda: tuple(self.packages(imported_modules(self._python)))
        )
        return found

    def _lint(self, rtl: Mapping[str, Any]) -> Step:
        waivers = [asdict(w) for w in self.design.lint_waivers]
        return self._step(
            "lint",
            "lint",
            params={**rtl["params"], "waivers": waivers},
            inputs=rtl["inputs"],
            outputs=("lint_log",),
            tools=(self.tools["verilator"],),
            resources=Resources(wall_s=600),
            label="lint",
        )

    # -- simulation -------------------------------------------------------

    def _simulations(self, add: Callable[[Step], str]) -> list[_Activity]:
        """Add every test run; return the activity of the first test that records it, and of workloads."""
        found: list[_Activity] = []
        for runs in self._batches():
            test = runs[0].test
            if test.simulator not in self.tools:
                continue
            records = test.activity and runs[0].index == 0
            name = add(self._simulate(runs, records, add))
            if test.workload:
                found.append(_Activity(step=name, workload=test.name))
            elif records and not self._overrides(test) and all(a.workload for a in found):
                found.append(_Activity(step=name))
        return found

    def _batches(self) -> Iterable[tuple[TestRun, ...]]:
        """Group the seeds of a test that share one simulator process, each isolated in it.

        Where a test has many seeds, starting the simulator costs more than
        most of them run for. The groups are blocks of fixed places, so that
        seeds that are added later leave the groups before them as they were.
        """
        groups: dict[tuple[str, int, int, int], list[TestRun]] = {}
        for run in self.runs:
            alone = self._waves(run) or run.repeat or (run.test.activity and run.index == 0)
            size = run.group or (1 if run.test.seeds < _MANY_SEEDS else _BATCH)
            size = 1 if alone else size
            first = int(run.test.activity) if size > 1 else 0
            place = run.test.name, size, (run.index - first) // size, run.repeat
            groups.setdefault(place, []).append(run)
        return (tuple(group) for group in groups.values())

    def _waves(self, run: TestRun) -> bool:
        return self.waves or run.waves or run.test.waves

    def _overrides(self, test: TestSpec) -> bool:
        return any(self.design.parameters.get(k) != v for k, v in test.parameters.items())

    def _simulate(self, runs: tuple[TestRun, ...], activity: bool, add: Callable[[Step], str]) -> Step:
        test, index = runs[0].test, runs[0].index
        parameters = {**self.design.parameters, **test.parameters}
        waves = self._waves(runs[0])
        coverage = runs[0].coverage
        build = self._sim_build(test, parameters, coverage, waves=waves, activity=activity, add=add)
        tools = [self.tools[t] for t in (test.simulator, "cocotb") if t in self.tools]
        outputs = ["results", "log", "coverage?"]
        outputs += ["waves?"] if waves else []
        outputs += ["activity"] if activity else []
        outputs += ["workload?"] if test.workload else []
        outputs += ["code_points?"] if coverage else []
        own = {f"file{i}": self.view_of(path) for i, path in enumerate(test.files)}
        seeds = [run.seed for run in runs]
        many = len(seeds) > 1
        limit_s = min(test.timeout_s, *(run.limit_s or test.timeout_s for run in runs))
        data = {"data": self._hdl[1]} if self.design.data_files else {}
        return self._step(
            "simulate",
            f"simulate.{test.name}.{index}" + (f"-{runs[-1].index}" if many else _suffix(runs[0])),
            params={
                "top": _module_name(self.design),
                "simulator": test.simulator,
                "test": test.name,
                "module": test.module,
                "testcase": test.testcase,
                **({"seeds": seeds} if many else {"seed": seeds[0]}),
                "parameters": parameters,
                "plusargs": list(test.plusargs),
                "env": {**test.env, **({WORKLOAD_FILE: _WORKLOAD_NAME} if test.workload else {})},
                **({"workload": test.name} if test.workload else {}),
                **({"files": [path.name for path in test.files]} if test.files else {}),
                "waves": waves,
                "activity": activity,
                "data_files": self._data_files,
                **({"repeat": runs[0].repeat} if runs[0].repeat else {}),
                **({"coverage": list(coverage)} if coverage else {}),
            },
            inputs={"simulator": OutputRef(build, "simulator"), "tb": self._python, **data, **own},
            outputs=tuple(outputs),
            tools=(*tools, *self._imported),
            # The stage limits each seed itself; this is for all of them, and for starting them.
            resources=Resources(wall_s=limit_s * len(seeds) + (60 if many else 0), each_s=limit_s),
            label=f"simulate {test.name}, " + (f"{len(seeds)} seeds" if many else f"seed {seeds[0]}"),
            tags={"test": test.name, "seed": str(seeds[0]) if not many else "", "index": str(index)},
        )

    def _sim_build(
        self,
        test: TestSpec,
        parameters: Mapping[str, Any],
        coverage: tuple[str, ...],
        *,
        waves: bool,
        activity: bool,
        add: Callable[[Step], str],
    ) -> str:
        simulator = test.simulator
        rtl = self._rtl(parameters, add)
        options: dict[str, Any] = {"simulator": simulator, "waves": waves, "activity": activity}
        if coverage:
            options["coverage"] = list(coverage)
        suffix = "".join([".waves" if waves else "", ".activity" if activity else ""])
        suffix += f".coverage-{'-'.join(coverage)}" if coverage else ""
        inputs = dict(rtl["inputs"])
        if simulator == "verilator":
            runtime = self._sim_runtime(add)
            inputs |= {name: OutputRef(runtime, name) for name in ("runtime", "pch")}
        variant = _variant(self.design, parameters)
        return add(
            self._step(
                "sim_build",
                f"sim_build.{simulator}{suffix}{variant}",
                params={**rtl["params"], **options},
                inputs=inputs,
                outputs=("simulator",),
                tools=self._sim_tools(simulator),
                resources=Resources(wall_s=1800, cores=2, memory_mb=8192),
                label=f"build {simulator}{suffix.replace('.', ' + ')}{variant.replace('.', ', ')}",
            )
        )

    def _sim_tools(self, simulator: str) -> tuple[ToolIdentity, ...]:
        names = (simulator, "cxx", "cocotb") if simulator == "verilator" else (simulator, "cocotb")
        return tuple(self.tools[n] for n in names if n in self.tools)

    def _sim_runtime(self, add: Callable[[Step], str]) -> str:
        """Add what all Verilator models share, compiled once per installation."""
        return add(
            self._step(
                "sim_runtime",
                "sim_runtime.verilator",
                outputs=("runtime", "pch"),
                tools=self._sim_tools("verilator"),
                resources=Resources(wall_s=900, cores=2),
                label="verilator runtime",
            )
        )

    # -- proofs -----------------------------------------------------------

    def _formal(self, proof: FormalSpec, add: Callable[[Step], str]) -> Step:
        design = self.design
        own = proof.top is None or proof.top == design.top
        parameters = {**(design.parameters if own else {}), **proof.parameters}
        params: dict[str, Any] = {
            "name": proof.name, "mode": proof.mode, "depth": proof.depth, "solver": proof.solver,
            "timeout_s": proof.timeout_s,
        }  # fmt: skip
        if design.language == "verilog":
            hdl = self._verilog()
            inputs: dict[str, Any] = hdl["inputs"]
            params |= {**hdl["params"], "top": proof.top or design.top, "parameters": parameters}
        else:
            name = f"elaborate.formal.{proof.name}"
            rtl = add(self._elaborate(name, proof.top or design.top, "formal_top", parameters, "rtlil"))
            inputs = {"rtl": OutputRef(rtl, "rtl")}
            params |= {"top": "formal_top", "reset": "rst"}
            if design.sources:
                hdl = self._verilog()
                inputs |= hdl["inputs"]
                params |= hdl["params"]
        return self._step(
            "formal",
            f"formal.{proof.name}",
            params=params,
            inputs=inputs,
            outputs=("log", "trace?", "counterexample?"),
            tools=tuple(self.tools[t] for t in proof.tools),
            # The stage limits each question itself; this is for both, and for the model.
            resources=Resources(wall_s=proof.timeout_s * 2 + 300, memory_mb=8192),
            label=f"prove {proof.name}" if proof.mode != "cover" else f"cover {proof.name}",
            tags={"formal": proof.name},
        )

    # -- back end ---------------------------------------------------------

    def _back_end(
        self,
        plan: PdkPlan,
        rtl: Mapping[str, Any],
        activities: Iterable[_Activity],
        add: Callable[[Step], str],
    ) -> None:
        pdk, main = plan.pdk, plan.corners[0]
        constraints = _on_pdk(self.design.constraints, plan)
        synthesize = add(self._synthesize(plan, constraints, rtl))
        netlist = OutputRef(synthesize, "netlist")
        if "opensta" not in self.tools:
            return
        shared: dict[str, Any] = {
            "top": rtl["params"]["top"],
            "constraints": asdict(constraints),
            "roles": asdict(pdk.roles),
        }
        sdc = self._sdc()
        for corner in plan.corners if "timing" in self.parts else ():
            add(
                self._step(
                    "timing",
                    f"timing.{pdk.name}.{corner.name}",
                    params={**shared, "corner": corner.name},
                    inputs={"netlist": netlist, **self._liberty(plan, corner), **sdc},
                    outputs=("sdc", "report"),
                    tools=(self.tools["opensta"],),
                    resources=Resources(wall_s=1800, memory_mb=8192),
                    label=f"time {pdk.name} {corner.name}",
                    tags={"pdk": pdk.name, "corner": corner.name},
                )
            )
        if "power" in self.parts:
            add(self._power(plan, main, shared, netlist, None, sdc))
            for activity in activities:
                add(self._power(plan, main, shared, netlist, activity, sdc))

    def _synthesize(self, plan: PdkPlan, constraints: Constraints, rtl: Mapping[str, Any]) -> Step:
        pdk, options = plan.pdk, self.design.synthesis
        # Mapped where it is slowest: what meets the clock there meets it at every corner.
        slow = next((c for c in plan.corners if c.process == "ss"), plan.corners[0])
        script = {"abc_script": self._file(options.abc_script)} if options.abc_script else {}
        return self._step(
            "synthesize",
            f"synthesize.{pdk.name}",
            params={
                **rtl["params"],
                "recipe": options.recipe,
                "hierarchy": options.hierarchy,
                "clock_period_ns": plan.clock_period_ns,
                "max_fanout": constraints.max_fanout,
                "load_pf": constraints.load_pf,
                "roles": asdict(pdk.roles),
                "dont_use": list(options.dont_use),
                "memories": options.memories,
                **({"outside_bits": options.outside_bits} if options.memories == "outside" else {}),
                "macros": [_described(macro) for macro in _macros(plan)],
                **({"perturbation": self.perturbation} if self.perturbation else {}),
            },
            inputs={**rtl["inputs"], **self._liberty(plan, slow), **script},
            outputs=("netlist", "stat", "log?"),
            tools=(self.tools["yosys"],),
            resources=Resources(wall_s=7200, memory_mb=16384),
            label=f"synthesize {pdk.name}",
            tags={"pdk": pdk.name, "corner": plan.corners[0].name, "recipe": options.recipe},
        )

    def _power(
        self,
        plan: PdkPlan,
        corner: Corner,
        shared: Mapping[str, Any],
        netlist: OutputRef,
        activity: _Activity | None,
        sdc: Mapping[str, View],
    ) -> Step:
        pdk = plan.pdk
        source = "default" if activity is None else "simulated"
        workload = activity.workload if activity is not None else ""
        inputs: dict[str, Any] = {"netlist": netlist, **self._liberty(plan, corner), **sdc}
        if activity is not None:
            inputs["activity"] = OutputRef(activity.step, "activity")
        if workload and activity is not None:
            inputs["workload"] = OutputRef(activity.step, "workload")
        named = {"workload": workload} if workload else {}
        return self._step(
            "power",
            f"power.{pdk.name}." + (f"workload.{workload}" if workload else source),
            params={**shared, "corner": corner.name, **named},
            inputs=inputs,
            outputs=("report",),
            tools=(self.tools["opensta"],),
            resources=Resources(wall_s=1800, memory_mb=8192),
            label=f"power {pdk.name}, " + (f"workload {workload}" if workload else f"{source} activity"),
            tags={"pdk": pdk.name, "corner": corner.name, "activity": source, **named},
        )

    def _liberty(self, plan: PdkPlan, corner: Corner) -> dict[str, View]:
        files = {f"lib{i}": self.view_of(path) for i, path in enumerate(corner.liberty)}
        macros = dict.fromkeys(macro.liberty[corner.name] for macro in _macros(plan))
        return files | {f"macro{i}": self.view_of(path) for i, path in enumerate(macros)}

    def _file(self, relative: str) -> View:
        return self.view_of(self.design.root / relative)

    def _sdc(self) -> dict[str, View]:
        name = self.design.constraints.sdc
        return {"sdc": self._file(name)} if name else {}


def _macros(plan: PdkPlan) -> list[Macro]:
    """Return the macros that have a view at every corner."""
    return [m for m in plan.pdk.macros if all(c.name in m.liberty for c in plan.corners)]


def _described(macro: Macro) -> dict[str, Any]:
    """Return what synthesis needs to know of a macro."""
    described = asdict(replace(macro, liberty={}, lef=None, gds=None))
    return {k: described[k] for k in ("name", "words", "bits", "area_um2", "access", "ties")}


def _module_name(design: Design) -> str:
    return design.top if design.language == "verilog" else design.name.replace("-", "_")


def _suffix(run: TestRun) -> str:
    """Return what tells a repetition, and a run with waves of its own, from the run."""
    return (f".repeat{run.repeat}" if run.repeat else "") + (".waves" if run.waves else "")


def _variant(design: Design, parameters: Mapping[str, Any]) -> str:
    """Return what a step's name says of parameters that differ from the design's: fit for a file name."""
    changed = {k: v for k, v in parameters.items() if design.parameters.get(k) != v}
    text = "".join(f".{k}={v}" for k, v in sorted(changed.items()))
    plain = re.sub(r"[^\w.=+,-]+", "_", text, flags=re.ASCII)
    if plain == text and len(text) <= _LONG:
        return text
    return f"{plain[:_LONG]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _below(path: Path, base: Path) -> str:
    return os.path.relpath(path, base)


def _on_pdk(constraints: Constraints, plan: PdkPlan) -> Constraints:
    """Return the constraints with this PDK's clock period on the main clock."""
    main, *others = constraints.clocks
    try:
        return replace(constraints, clocks=(replace(main, period_ns=plan.clock_period_ns), *others))
    except ValueError as error:
        raise ConfigError(str(error), f"pdk.{plan.pdk.name}.clock_period_ns") from None
