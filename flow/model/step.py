"""Steps: pure functions from views, parameters and tools to views, metrics and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from flow.model.check import Check
from flow.model.metric import MetricValue
from flow.model.tool import Command, ToolIdentity
from flow.model.view import Tree, View

__all__ = [
    "Outcome",
    "OutputRef",
    "ProcessResult",
    "Resources",
    "Stage",
    "Status",
    "Step",
    "StepContext",
]


class Status(StrEnum):
    """How a step ended."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"  # ran, and succeeded
    CACHED = "cached"  # served from the cache
    FAILED = "failed"  # the tool or the user's input failed
    INFRA = "infra"  # a machine failed, and retries were used up
    SKIPPED = "skipped"  # something it needs did not succeed
    CANCELLED = "cancelled"  # the run was interrupted

    @property
    def ok(self) -> bool:
        """Whether the step's outputs can be used."""
        return self in (Status.DONE, Status.CACHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a step needs while it runs.

    Attributes
    ----------
    cores
        Processor cores.
    memory_mb
        Limit on the resident memory of the step's whole process tree.
    wall_s
        Wall-clock limit.
    each_s
        Limit of each of the runs that the step consists of, where it has
        some and theirs is lower than what its parameters allow.
    log_mb
        Limit on what one process may print.
    licences
        Further Dask resources by name and amount.
    """

    cores: int = 1
    memory_mb: int = 4096
    wall_s: float = 1800.0
    each_s: float | None = None
    log_mb: int = 64
    licences: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("cores", "memory_mb", "wall_s", "log_mb"):
            if getattr(self, name) <= 0:
                raise ValueError(f"resources: {name} must be positive, not {getattr(self, name)}")
        if self.each_s is not None and self.each_s <= 0:
            raise ValueError(f"resources: each_s must be positive, not {self.each_s}")


@dataclass(frozen=True, slots=True)
class OutputRef:
    """The output `name` of the step called `step`."""

    step: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node of a graph.

    Attributes
    ----------
    name
        Unique in its graph: ``synthesize.nangate45.typ``.
    kind
        The stage that executes it: ``synthesize``.
    stage
        Where that stage is imported from: ``package.module:attribute``.
    version
        The stage's version, which changes whenever its code does; part of
        the key.
    params
        JSON-serialisable parameters; part of the key.
    inputs
        Name to view, tree, or another step's output.
    outputs
        Names of the views that it must produce; a trailing ``?`` marks an
        optional one.
    tools
        Identities of the tools it uses; part of the key.
    after
        Steps that must have succeeded first, without taking a view of them.
    label
        What a person reads while it runs.
    tags
        What it stands for in tables: ``pdk``, ``corner``, ``test``, ``seed``.
        Not part of the key.
    """

    name: str
    kind: str
    stage: str
    version: str = "1"
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, View | Tree | OutputRef] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    tools: tuple[ToolIdentity, ...] = ()
    after: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    label: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the steps that this one waits for, without repeats."""
        refs = [v.step for v in self.inputs.values() if isinstance(v, OutputRef)]
        return tuple(dict.fromkeys([*refs, *self.after]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a step.

    Attributes
    ----------
    status, key
        How it ended, and the key under which a success is cached.
    outputs
        Name to view.
    metrics, checks, data
        As the stage reported them.
    reads
        Files of its trees that it really read: ``input/relative`` to digest.
    error
        ``{"type", "what", "where", "remedy"}`` of a failure.
    workdir
        Where a failed step's files were kept.
    started_s
        When it started, in seconds since 1970.
    wall_s, tool_s, cpu_s
        Seconds it took, of these in tools, and of processor time.
    peak_mb
        Largest resident memory of its processes.
    """

    status: Status
    key: str
    outputs: Mapping[str, View] = field(default_factory=dict)
    metrics: Mapping[str, MetricValue] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    reads: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    error: Mapping[str, str | None] | None = None
    workdir: str | None = None
    host: str = ""
    started_s: float = 0.0
    wall_s: float = 0.0
    tool_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResult:
    """How one process of a step ended.

    A process that was stopped for a limit never gets here: the runner raises
    ``ToolError`` for it.
    """

    returncode: int
    log: Path
    wall_s: float
    cpu_s: float
    peak_mb: float

    def text(self) -> str:
        """Return the whole log, undecodable bytes replaced."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class StepContext(Protocol):
    """What a stage sees while it executes a step, in a directory of its own."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The step's parameters."""
        ...

    @property
    def workdir(self) -> Path:
        """The fresh directory of this step; the current directory of its processes."""
        ...

    @property
    def resources(self) -> Resources:
        """The step's limits."""
        ...

    def input(self, name: str) -> Path:
        """Path of an input inside the step's directory (a directory for a tree).

        Raises
        ------
        KeyError
            The step has no such input.
        """
        ...

    def has_input(self, name: str) -> bool:
        """Whether the step was given the input `name`."""
        ...

    def inputs_matching(self, prefix: str) -> Sequence[tuple[str, Path]]:
        """All inputs whose name starts with `prefix`, in the step's order."""
        ...

    def tool(self, name: str) -> ToolIdentity:
        """Identity, with a path valid on this machine, of a tool the step uses."""
        ...

    def run(self, command: Command) -> ProcessResult:
        """Start `command` in the step's directory and wait for it.

        A non-zero exit is returned, not raised: what it means is the
        adapter's to say, from the log.

        Raises
        ------
        ToolError
            It passed its wall-clock, memory or output limit and its whole
            process group was killed, or it could not be started.
        """
        ...

    def output(self, name: str, path: Path) -> None:
        """Declare that `path` is the output `name`."""
        ...

    def metric(self, name: str, value: MetricValue) -> None:
        """Report a metric; ``None`` when it could not be measured."""
        ...

    def check(self, check: Check) -> None:
        """Report a finding about the design."""
        ...

    def data(self, name: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """Report a JSON-serialisable detail table for the report."""
        ...

    def read(self, tree: str, relative: str) -> None:
        """Say that the file `relative` of the input tree `tree` was read."""
        ...


@runtime_checkable
class Stage(Protocol):
    """What every stage module registers under the ``suzuri.stages`` entry point."""

    kind: str
    version: int

    def execute(self, ctx: StepContext) -> None:
        """Do the work of one step: plan, run, read, report.

        Raises
        ------
        ConfigError
            The user's input cannot be used.
        ToolError
            A tool broke.
        """
        ...
