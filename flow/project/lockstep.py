"""A core in lockstep with Spike: one program, or as many random ones as are wanted."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from flow.engine.events import Listener
from flow.engine.runner import run_attended
from flow.isa.boot import Boot
from flow.isa.elf import Program, read_elf
from flow.isa.image import MemoryMap, image_text
from flow.isa.simulation import Result, RunOptions, plusargs, read_result
from flow.model.design import Design
from flow.model.errors import ConfigError, ToolError
from flow.model.graph import Graph
from flow.model.step import Outcome, Resources, Step
from flow.model.view import Tree, View
from flow.project.isa import Core, Simulator
from flow.project.workplace import Workplace
from flow.stages.registry import stage_info
from flow.tools.registry import adapter
from flow.tools.spike import compare_command, read_report

__all__ = ["Campaign", "Lockstep", "Reference", "disturbance", "reference_of"]

_GROUP = "suzuri.isa"
_LENGTH = 200_000  # instructions that a random program executes, about
_LIMIT = 10_000_000  # cycles of a random program, which takes about one million
_WATCHDOG = 100_000
_BLOCK = 8  # programs a step
# Delays of the buses and random interrupts, by the seed: the plain case as often as all others.
_DISTURBANCES: tuple[Mapping[str, int], ...] = (
    {},
    {"stall_grant": 25, "stall_response": 25},
    {},
    {"interrupt_rate": 200},
    {},
    {"stall_grant": 60, "stall_response": 5, "interrupt_rate": 60},
    {},
    {"stall_grant": 5, "stall_response": 60, "interrupt_rate": 400},
)


class Reference(Protocol):
    """What the entry point ``reference`` of ``suzuri.isa`` gives for a core's parameters."""

    options: Sequence[str]
    table: str
    goals: Mapping[str, Mapping[str, int]]

    def program(self, seed: int, length: int) -> bytes:
        """Return a random program, an ELF file."""
        ...

    def explain(self, point: str, name: str) -> str:
        """Return what a bin of the goals means, and which programs aim at it."""
        ...


def _sources() -> Path:
    for entry in entry_points(group=_GROUP):
        if entry.name == "lockstep":
            return Path(entry.load())
    raise ConfigError(
        "the comparator's sources are not installed",
        f"entry point lockstep of {_GROUP}",
        "Install Suzuri whole",
    )


def disturbance(seed: int) -> Mapping[str, int]:
    """Return what disturbs the random program of a seed: fields of :class:`RunOptions`."""
    return _DISTURBANCES[seed % len(_DISTURBANCES)]


def reference_of(design: Design) -> Reference | None:
    """Return what is known of a core; ``None`` for one that is not ours.

    Raises
    ------
    ConfigError
        Its parameters contradict each other.
    """
    for entry in entry_points(group=_GROUP):
        if entry.name == "reference":
            kind = entry.load()
            if design.top != kind.top:
                continue
            own = design.isa.parameters if design.isa else {}
            try:
                found: Reference = kind({**design.parameters, **own})
            except (TypeError, ValueError) as error:
                raise ConfigError(str(error), design.manifest, "Mend the parameters of the core") from None
            return found
    return None


@dataclass(kw_only=True)
class Campaign:
    """What came of random programs.

    Attributes
    ----------
    rows
        A report for each program, in the order of their seeds.
    percent, coverage
        Bins that are covered, and a row for each coverpoint; after ``finish``.
    file
        Coverage in the project's form.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    percent: float | None = None
    coverage: list[dict[str, Any]] = field(default_factory=list)
    file: Path | None = None

    @property
    def instructions(self) -> int:
        """How many were compared."""
        return sum(int(row["instructions"]) for row in self.rows)

    @property
    def failed(self) -> dict[str, Any] | None:
        """The first program that did not agree with Spike, or not end."""
        return next((row for row in self.rows if row["status"] != "match"), None)


class Lockstep:
    """Builds the comparator, and runs it.

    Parameters
    ----------
    core
        The core, for Verilator.
    jobs
        Cores of this machine to use, ``None`` for all.
    listener
        Told what the engine does.

    Raises
    ------
    ConfigError
        Spike is missing, or the core's parameters contradict each other.
    """

    def __init__(
        self, core: Core, *, jobs: int | None = None, listener: Listener = lambda event: None
    ) -> None:
        self.core = core
        self.reference = reference_of(core.design)
        self._jobs = jobs
        self._listener = listener
        self._place = Workplace()
        self._tools = tuple(adapter(name).detect() for name in ("cxx", "spike"))
        self._comparator: View | None = None

    def comparator(self) -> Path:
        """Return the comparator, built.

        Raises
        ------
        FlowError
            It does not build.
        """
        if self._comparator is None:
            files = sorted(f for f in _sources().iterdir() if f.suffix in (".cpp", ".h"))
            step = self._step(
                "lockstep_build",
                "lockstep_build",
                inputs={"sources": Tree(files=tuple((f.name, self._place.view(f)) for f in files))},
                outputs=("comparator",),
                tools=self._tools,
                label="build the comparator with Spike",
            )
            self._comparator = self._run([step])["lockstep_build"].outputs["comparator"]
        return self._place.cache.locate(self._comparator)

    def check(
        self,
        program: Program,
        simulator: Simulator,
        boot: Boot,
        options: RunOptions,
        *,
        show: Callable[[str], None],
        counters: Path | None = None,
    ) -> tuple[dict[str, Any], Result | None]:
        """Run one program; return the comparator's report, and how the run ended if it did.

        Parameters
        ----------
        program, simulator, boot
            What runs what.
        options
            How.
        show
            Given what program and comparator print, as it comes.
        counters
            File for what was covered.

        Raises
        ------
        ToolError
            The simulator or the comparator broke.
        """
        with tempfile.TemporaryDirectory(prefix="suzuri-lockstep-") as name:
            folder = Path(name)
            image, report, table = folder / "image.hex", folder / "report.json", folder / "table"
            image.write_text(image_text((*program.segments, *boot.segments), boot.memory))
            start = boot.reset_vector if boot.reset_vector is not None else self.core.reset_vector
            own = [*self._core_options(simulator.isa), "--report", str(report), "--pc", f"{start:#x}"]
            own += [text for r in boot.memory.regions for text in ("--memory", f"{r.base:#x}:{r.size:#x}")]
            if "tohost" in program.symbols:
                own += ["--tohost", f"{program.symbols['tohost']:#x}"]
            if counters is not None and self.reference is not None:
                table.write_text(self.reference.table)
                own += ["--coverage", str(counters), "--table", str(table)]
            files = {"image": image, "result": folder / "result"}
            more = (*boot.memory.plusargs(), *program.plusargs())
            simulation = [*simulator.argv, *plusargs(options, files, more)]
            command = compare_command(str(self.comparator()), str(image), own, simulation)
            code, said = run_attended(command.argv, show)
            try:
                found = read_report(report.read_text())
            except (OSError, ValueError):
                reason = said.strip().splitlines()[-1] if said.strip() else f"ended with exit code {code}"
                raise ToolError("lockstep", reason) from None
            return found, _result(folder / "result")

    def random(
        self,
        seed: int,
        *,
        programs: int | None = None,
        instructions: int | None = None,
        progress: Callable[[Campaign], None] = lambda campaign: None,
    ) -> Campaign:
        """Run the random programs of consecutive seeds, from `seed`.

        Parameters
        ----------
        seed
            The first.
        programs, instructions
            How many: the one or the other. Stops at the first that disagrees.
        progress
            Told after every round.

        Raises
        ------
        ConfigError
            Nothing is known of this core.
        FlowError
            A step failed.
        """
        reference = self._needed()
        campaign = Campaign()
        counters: list[View] = []
        first = seed
        with tempfile.TemporaryDirectory(prefix="suzuri-random-") as name:
            folder = Path(name)
            simulator = self._simulator(reference, seed)
            while True:
                left = programs if programs is not None else instructions or 0
                left -= len(campaign.rows) if programs is not None else campaign.instructions
                if left <= 0 or campaign.failed:
                    break
                count = left if programs is not None else -(-left // _LENGTH)
                count = min(count, 4 * _BLOCK * (self._jobs or 4))
                steps = list(self._blocks(folder, reference, simulator, range(first, first + count)))
                outcomes = self._run(steps)
                for step in steps:
                    campaign.rows += outcomes[step.name].data["lockstep"]
                    counters.append(outcomes[step.name].outputs["counters"])
                first += count
                progress(campaign)
            self._finish(campaign, folder, reference, counters)
        return campaign

    def _needed(self) -> Reference:
        if self.reference is None:
            raise ConfigError(
                f"random programs are made for the cores of this package, not for {self.core.design.name!r}",
                "--core",
                "Use 'suzuri isa lockstep' with programs of your own",
            )
        return self.reference

    def _simulator(self, reference: Reference, seed: int) -> View:
        try:
            content = reference.program(seed, _LENGTH)
        except ValueError as error:
            raise ConfigError(str(error), "--core", "Move or remove it for random programs") from None
        program = read_elf(content, f"seed {seed}")
        memory = MemoryMap.for_program(program)
        boot = self.core.boot(program, memory)
        if boot.segments or boot.reset_vector is not None:
            raise ConfigError(
                f"random programs begin at {program.entry:#x}, the core at {self.core.reset_vector:#x}",
                "reset_vector",
                f"Set reset_vector={program.entry}",
            )
        built = self.core.build(memory, boot, jobs=self._jobs, listener=self._listener)
        self.comparator()
        return self._place.view(Path(built.argv[-1]))

    def _blocks(self, folder: Path, reference: Reference, simulator: View, seeds: range) -> Iterator[Step]:
        """Write the programs; return a step for every few of them."""
        table = folder / "table"
        table.write_text(reference.table)
        size = max(1, min(_BLOCK, len(seeds) // (self._jobs or 2)))
        for block in (seeds[i : i + size] for i in range(0, len(seeds), size)):
            files = []
            for seed in block:
                file = folder / f"{seed}.elf"
                file.write_bytes(reference.program(seed, _LENGTH))
                files.append((file.name, self._place.view(file)))
            rows = [{"file": f"{s}.elf", "seed": s, "plusargs": dict(disturbance(s))} for s in block]
            yield self._step(
                "lockstep",
                f"lockstep.{block[0]}",
                params={
                    "programs": rows, "options": list(reference.options), "limit": _LIMIT,
                    "watchdog": _WATCHDOG,
                },
                inputs={
                    "comparator": self._given(self._comparator), "simulator": simulator,
                    "table": self._place.view(table), "programs": Tree(files=tuple(files)),
                },
                outputs=("counters",),
                resources=Resources(wall_s=3600),
                label=f"seeds {block[0]} to {block[-1]} in lockstep with Spike",
                tags={"seed": str(block[0])},
            )  # fmt: skip

    def _finish(
        self, campaign: Campaign, folder: Path, reference: Reference, counters: Sequence[View]
    ) -> None:
        """Add up the coverage."""
        goals = folder / "goals.json"
        goals.write_text(json.dumps(reference.goals))
        inputs = {f"counters_{i}": view for i, view in enumerate(counters)}
        step = self._step(
            "lockstep_coverage",
            "lockstep_coverage",
            inputs={"goals": self._place.view(goals), **inputs},
            outputs=("coverage",),
            label="add up the coverage",
        )
        outcome = self._run([step])["lockstep_coverage"]
        percent = outcome.metrics["sim__coverage__functional"]
        campaign.percent = float(percent) if percent is not None else None
        campaign.coverage = outcome.data["coverage"]
        campaign.file = self._place.cache.locate(outcome.outputs["coverage"])

    def _core_options(self, isa: str) -> list[str]:
        if self.reference is not None:
            return list(self.reference.options)
        return ["--isa", isa, "--priv", "m"]

    @staticmethod
    def _given(view: View | None) -> View:
        assert view is not None
        return view

    def _step(self, kind: str, name: str, **rest: Any) -> Step:  # noqa: ANN401 - fields of a step
        info = stage_info(kind)
        version = info.version(self._place.digest)
        return Step(name=name, kind=kind, stage=info.path, version=version, **rest)

    def _run(self, steps: Sequence[Step]) -> Mapping[str, Outcome]:
        return self._place.run(Graph(steps), self._listener, self._jobs)


def _result(path: Path) -> Result | None:
    """Return how a simulation ended; ``None`` for one that was stopped at a difference."""
    try:
        return read_result(path.read_text())
    except (OSError, ValueError):
        return None
