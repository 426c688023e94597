"""A design as its manifest describes it: ``suzuri.toml``, checked and frozen."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow.model.constraint import Constraints
from flow.model.coverage import CoverageSpec, check_kinds
from flow.model.suite import SuiteSpec
from flow.model.sweep import SweepSpec
from flow.model.testplan import TestplanEntry, check_testplan

__all__ = [
    "MEMORIES",
    "MOST_CYCLES",
    "MOST_SEEDS",
    "PROOF_MODES",
    "SIMULATORS",
    "SOLVERS",
    "Design",
    "FormalSpec",
    "IsaSpec",
    "Limit",
    "LintWaiver",
    "PdkTarget",
    "Recipe",
    "Synthesis",
    "TestSpec",
    "is_parameter",
]

MOST_SEEDS = 100_000
SIMULATORS = ("verilator", "icarus")
PROOF_MODES = ("bmc", "prove", "cover")
SOLVERS = ("yices", "boolector", "abc")
MOST_CYCLES = 10_000
MEMORIES = ("auto", "registers", "outside")
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
_METRIC = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_PYTHON = re.compile(r"\w+(\.\w+)*")
_CLASS = re.compile(r"\w+(\.\w+)*:\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LintWaiver:
    """One accepted lint warning: a rule, where, and why.

    Attributes
    ----------
    rule
        Verilator's rule, for example ``WIDTHEXPAND``; ``*`` for any.
    file
        Shell pattern on the source file; ``*`` for any.
    lines
        First and last line, or ``None`` for the whole file.
    match
        Shell pattern on the message, or ``None``.
    reason
        Why it is right; required.
    """

    rule: str
    reason: str
    file: str = "*"
    lines: tuple[int, int] | None = None
    match: str | None = None

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError(f"lint waiver for {self.rule}: a reason is required")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSpec:
    """One test: a Python module of cocotb tests, and how to run it.

    Attributes
    ----------
    name
        Unique in the design.
    module
        Dotted Python module, found below ``python_root``.
    testcase
        Regular expression that selects cocotb tests of the module, or
        ``None`` for all.
    simulator
        ``verilator`` or ``icarus``.
    seeds
        How many seeds to run it with.
    parameters
        Overrides of the design's parameters for this test.
    plusargs, env
        Passed to the simulator.
    timeout_s
        Wall-clock limit of one run.
    waves
        Whether to record an FST of every run.
    activity
        Whether its switching activity feeds power.
    tags
        Free labels for selection.
    workload
        Whether it is a workload: one seed, whose activity gives a power, and
        with its cycles an energy, of their own.
    files
        Files that are put into the run's folder, from wherever they are.
    missing
        Why a workload cannot run here; blank when it can.
    weight
        Its share of the runs of a suite that shares them out.
    xfail
        Why it is expected to fail; empty where it is not.
    quarantine
        Why its failures do not fail a regression; empty where they do.
    owner
        Whose it is.
    coverage
        Kinds of code coverage that regressions collect of it; ``None`` for
        what the suite or the design says.
    """

    __test__ = False  # not a pytest class

    name: str
    module: str
    testcase: str | None = None
    simulator: str = "verilator"
    seeds: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    plusargs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 300.0
    waves: bool = False
    activity: bool = False
    tags: tuple[str, ...] = ()
    workload: bool = False
    files: tuple[Path, ...] = ()
    missing: str = ""
    weight: float = 1.0
    xfail: str = ""
    quarantine: str = ""
    owner: str = ""
    coverage: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.workload and not _METRIC.fullmatch(self.name):
            raise ValueError(
                f"workload {self.name!r}: a name has lower-case letters, digits and single '_', "
                "since metrics are called after it"
            )
        if not _NAME.match(self.name):
            raise ValueError(f"test {self.name!r}: a name has letters, digits, '_' and '-'")
        if self.simulator not in SIMULATORS:
            raise ValueError(
                f"test {self.name}: simulator {self.simulator!r} is none of {', '.join(SIMULATORS)}"
            )
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"test {self.name}: seeds must lie in 1 to {MOST_SEEDS}, not {self.seeds}")
        if not 0 < self.timeout_s < math.inf:
            raise ValueError(f"test {self.name}: timeout_s must be positive and finite, not {self.timeout_s}")
        if not 0 < self.weight < math.inf:
            raise ValueError(f"test {self.name}: weight must be positive and finite, not {self.weight}")
        for text in (*self.plusargs, *self.env, *self.env.values()):
            if "\0" in text:
                raise ValueError(f"test {self.name}: {text!r} holds a NUL, which no program can be given")
        for name in self.env:
            if not name or "=" in name:
                raise ValueError(f"test {self.name}: {name!r} is not the name of an environment variable")
        _check_coverage(self)
        try:
            re.compile(self.testcase or "")
        except re.error as error:
            raise ValueError(f"test {self.name}: testcase is not a regular expression: {error}") from None
        if not _PYTHON.fullmatch(self.module):
            raise ValueError(f"test {self.name}: {self.module!r} is not the name of a Python module")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormalSpec:
    """One proof: a top with assertions, and what to show of them.

    Attributes
    ----------
    name
        Unique in the design.
    top
        ``package.module:Class`` or a Verilog module with the assertions, of
        the same language as the design's; ``None`` for the design's own top.
    mode
        ``bmc``: no assertion fails within ``depth`` cycles; ``prove``: nor
        ever after, by induction over ``depth`` cycles; ``cover``: every cover
        statement is reached within ``depth``.
    depth
        Cycles.
    parameters
        Of that top; added to the design's when it is the design's own.
    solver
        ``yices`` or ``boolector``; or ``abc``, which works on single bits:
        faster where a core's control matters more than its arithmetic, and
        its ``prove`` finds invariants by itself, for any depth.
    timeout_s
        Wall-clock limit.
    tags
        Free labels for selection; ``nightly`` leaves it out unless it is
        asked for.
    """

    name: str
    top: str | None = None
    mode: str = "bmc"
    depth: int = 20
    parameters: Mapping[str, Any] = field(default_factory=dict)
    solver: str = "yices"
    timeout_s: float = 600.0
    tags: tuple[str, ...] = ()

    @property
    def tools(self) -> tuple[str, ...]:
        """Tools that it takes; ABC's counterexamples are replayed by Yices."""
        return ("yosys", "smtbmc", *(("abc", "yices") if self.solver == "abc" else (self.solver,)))

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"formal {self.name!r}: a name has letters, digits, '_' and '-'")
        for key, known in (("mode", PROOF_MODES), ("solver", SOLVERS)):
            if getattr(self, key) not in known:
                raise ValueError(
                    f"formal {self.name}: {key} {getattr(self, key)!r} is none of {', '.join(known)}"
                )
        if not 1 <= self.depth <= MOST_CYCLES:
            raise ValueError(f"formal {self.name}: depth must lie in 1 to {MOST_CYCLES}, not {self.depth}")
        if not 0 < self.timeout_s < math.inf:
            raise ValueError(
                f"formal {self.name}: timeout_s must be positive and finite, not {self.timeout_s}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class IsaSpec:
    """How programs run on a design that is a RISC-V core.

    Attributes
    ----------
    harness, runtime
        Folders, relative to the manifest, of the simulated system and of
        the start-up code that programs are linked with; ``None`` for the
        ones that come with Suzuri.
    wrapper
        Verilog file, relative to the manifest, with the module
        ``harness_core``; ``None`` to have it made from the core's ports.
    arch
        ISA string of the core, where it does not say itself.
    parameters
        Of the core, added to the design's: what simulation needs.
    reset_vector
        Address of the first instruction, unless a parameter says so.
    reset_parameter
        The parameter that does, or ``None``.
    """

    harness: str | None = None
    runtime: str | None = None
    wrapper: str | None = None
    arch: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reset_vector: int = 0x8000_0000
    reset_parameter: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.reset_vector < 1 << 32:
            raise ValueError(f"isa: reset_vector {self.reset_vector:#x} is no 32-bit address")


class Recipe:
    """Names of the synthesis recipes."""

    AREA = "area"
    BALANCED = "balanced"
    SPEED = "speed"
    ALL = (AREA, BALANCED, SPEED)
    QUICK = "quick"
    #: What a search over recipes adds to them, and what estimates take.
    OTHERS = ("wide", "wide-sklansky", "wide-half", "wide-rewrite", "wide-lazy", "wide-binary", "wide-plain",
              QUICK)  # fmt: skip
    NAMES = (*ALL, *OTHERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """How to synthesise.

    Attributes
    ----------
    recipe
        ``area``, ``balanced`` or ``speed``, or another of :attr:`Recipe.NAMES`.
    hierarchy
        ``flatten`` or ``keep``; ``None`` takes the recipe's choice.
    dont_use
        Shell patterns of cells, added to the PDK's.
    abc_script
        A user's own ABC script (relative path) instead of the recipe's.
    memories
        ``auto`` composes memories of the PDK's macros where these take less
        area; ``registers`` makes flip-flops of all; ``outside`` is as
        ``auto``, but leaves memories that no macro serves out of the design.
    outside_bits
        Bits of the smallest memory that is left outside.
    """

    recipe: str = Recipe.BALANCED
    hierarchy: str | None = None
    dont_use: tuple[str, ...] = ()
    abc_script: str | None = None
    memories: str = "auto"
    outside_bits: int = 2048

    def __post_init__(self) -> None:
        if self.memories not in MEMORIES:
            raise ValueError(f"synthesis: memories {self.memories!r} is none of {', '.join(MEMORIES)}")
        if self.outside_bits < 1:
            raise ValueError(f"synthesis: outside_bits must be at least 1, not {self.outside_bits}")
        if self.recipe not in Recipe.NAMES:
            raise ValueError(f"synthesis: recipe {self.recipe!r} is none of {', '.join(Recipe.NAMES)}")
        if self.hierarchy not in (None, "flatten", "keep"):
            raise ValueError(f"synthesis: hierarchy {self.hierarchy!r} is neither 'flatten' nor 'keep'")
        if self.memories == "outside" and self.hierarchy == "keep":
            raise ValueError("synthesis: memories = 'outside' needs hierarchy = 'flatten'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit on a metric that fails the run when it is missed.

    Attributes
    ----------
    metric
        METRICS2.1 name.
    min, max
        Bounds in the metric's unit; at least one.
    """

    metric: str
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError(f"limit on {self.metric}: give min, max or both")
        if any(bound is not None and not math.isfinite(bound) for bound in (self.min, self.max)):
            raise ValueError(f"limit on {self.metric}: min and max must be finite")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"limit on {self.metric}: min {self.min:g} is above max {self.max:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PdkTarget:
    """What differs on one PDK: clock period, corners, limits.

    ``corners`` are the timing corners; the first is the one that synthesis
    and power use. Empty takes all of the PDK's, its default first.
    """

    name: str
    clock_period_ns: float | None = None
    corners: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A design: sources, top, parameters, clock and constraints, tests.

    Attributes
    ----------
    name
        Unique name, used for folders and reports.
    top
        ``package.module:Class`` of an Amaranth component, or the name of a
        Verilog module.
    language
        ``amaranth`` or ``verilog`` (Verilog and SystemVerilog).
    root
        Folder of the manifest.
    manifest
        The manifest itself.
    sources
        HDL files in compile order, relative to ``root``.
    include_dirs, defines
        For HDL sources.
    python_root
        Folder that Python modules (Amaranth top, testbenches) are imported
        from.
    python_packages
        Packages below ``python_root`` that the design may use; empty for
        everything below it.
    parameters
        Constructor parameters of the top, or Verilog parameters.
    isa
        How programs run on it, when it is a RISC-V core.
    coverage
        Which code coverage its regressions collect, and what need not be covered.
    """

    name: str
    top: str
    language: str
    root: Path
    manifest: Path
    description: str = ""
    sources: tuple[str, ...] = ()
    include_dirs: tuple[str, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    python_root: Path = Path()
    python_packages: tuple[str, ...] = ()
    data_files: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    constraints: Constraints = field(default_factory=Constraints)
    synthesis: Synthesis = field(default_factory=Synthesis)
    tests: tuple[TestSpec, ...] = ()
    suites: tuple[SuiteSpec, ...] = ()
    testplan: tuple[TestplanEntry, ...] = ()
    formal: tuple[FormalSpec, ...] = ()
    lint_waivers: tuple[LintWaiver, ...] = ()
    limits: tuple[Limit, ...] = ()
    pdks: Mapping[str, PdkTarget] = field(default_factory=dict)
    default_pdks: tuple[str, ...] = ()
    isa: IsaSpec | None = None
    sweeps: tuple[SweepSpec, ...] = ()
    coverage: CoverageSpec = field(default_factory=CoverageSpec)

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"design name {self.name!r}: a name has letters, digits, '_' and '-'")
        pattern, what = (
            (_MODULE, "the name of a Verilog module")
            if self.language == "verilog"
            else (_CLASS, "of the form package.module:Class")
        )
        if not pattern.fullmatch(self.top):
            raise ValueError(f"top {self.top!r} is not {what}")
        seen: set[str] = set()
        for test in self.tests:
            if test.name in seen:
                raise ValueError(f"test {test.name!r} is defined twice")
            seen.add(test.name)
        _check_suites(self.suites, seen)
        check_testplan(self.testplan, seen)
        sweeps = [sweep.name for sweep in self.sweeps]
        for name in sweeps:
            if sweeps.count(name) > 1:
                raise ValueError(f"sweep {name!r} is defined twice")
        proofs = [proof.name for proof in self.formal]
        for name in proofs:
            if proofs.count(name) > 1:
                raise ValueError(f"formal {name!r} is defined twice")
        for proof in self.formal:
            if proof.top is not None and not pattern.fullmatch(proof.top):
                raise ValueError(f"formal {proof.name}: top {proof.top!r} is not {what}")


def _check_coverage(test: TestSpec) -> None:
    check_kinds(test.coverage or ())
    if test.coverage and test.simulator == "icarus":
        raise ValueError(
            f"test {test.name}: Icarus Verilog has no code coverage; leave coverage out, or "
            'set simulator = "verilator"'
        )


def _check_suites(suites: tuple[SuiteSpec, ...], tests: set[str]) -> None:
    names: set[str] = set()
    for suite in suites:
        if suite.name in names:
            raise ValueError(f"suite {suite.name!r} is defined twice")
        names.add(suite.name)
        unknown = sorted(set(suite.tests) - tests)
        if unknown:
            near = difflib.get_close_matches(unknown[0], tests, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"suite {suite.name}: there is no test {unknown[0]!r}{hint}")


def is_parameter(value: object) -> bool:
    """Whether `value` can be a parameter: it has one JSON form, by which results are known."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(is_parameter, value))
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and is_parameter(v) for k, v in value.items())
    return isinstance(value, bool | int | str)
