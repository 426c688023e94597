"""Compare the accelerator with its functional model, at every command's end."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from pyuvm import uvm_analysis_export, uvm_component, uvm_subscriber

from rtl.tensor.accelerator.commands import Base, Command, Engine, Store, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.errors import ErrorCode
from rtl.tensor.machine.execute import engine_of, execute
from rtl.tensor.machine.footprint import Space, footprint
from rtl.tensor.machine.memories import Memories
from rtl.tensor.machine.transfer import external_bytes
from verif.envs.accelerator.counters import check_counters
from verif.envs.accelerator.coverage import AcceleratorCoverage
from verif.envs.accelerator.items import Begun, Boundary, Events, Result
from verif.envs.accelerator.programs import REGION

__all__ = ["AcceleratorScoreboard", "ScoreboardError"]

_WAITS = tuple((engine, f"wait_{engine.name.lower()}") for engine in Engine)


class ScoreboardError(AssertionError):
    """The design and its model differ, or there was nothing to compare."""


class _Subscriber(uvm_subscriber):
    """Hand what comes to a function."""

    def __init__(self, name: str, parent: uvm_component, function: object) -> None:
        super().__init__(name, parent)
        self._function = function

    def write(self, item: object) -> None:
        """Take an item."""
        self._function(item)


@dataclass
class _Run:
    """A run's commands, by where they are."""

    begun: Begun
    memories: Memories
    image: np.ndarray
    left: dict[Engine, deque[Command]]
    under_way: dict[Engine, deque[Command]]
    done: dict[Engine, int] = field(default_factory=lambda: dict.fromkeys(Engine, 0))
    intervals: dict[int, list[int]] = field(default_factory=dict)


class AcceleratorScoreboard(uvm_component):
    """Follow a program by its events, and compare memories at each boundary.

    A command takes effect on the model when it is done. Then all memories are
    compared byte for byte, but for the words that commands under way write.
    Commands must start in their engine's order, and not before what they wait for.

    Parameters
    ----------
    name, parent
        As for every component.
    config
        The accelerator.
    coverage
        What is sampled with each run.

    Attributes
    ----------
    commands, boundaries, runs
        How many were compared.
    """

    def __init__(
        self, name: str, parent: uvm_component, *, config: AcceleratorConfig, coverage: AcceleratorCoverage
    ) -> None:
        super().__init__(name, parent)
        self.config, self.coverage = config, coverage
        self.commands = self.boundaries = self.runs = 0
        self._run: _Run | None = None

    def build_phase(self) -> None:
        """Make what takes items."""
        functions = {
            "begun": self.begin,
            "events": self.follow,
            "boundary": self.compare,
            "results": self.end,
        }
        self.inputs = {name: _Subscriber(name, self, function) for name, function in functions.items()}

    def port(self, name: str) -> uvm_analysis_export:
        """Return what takes ``begun``, ``events``, ``boundary`` or ``results``."""
        return self.inputs[name].analysis_export

    def begin(self, begun: Begun) -> None:
        """Take over memories and commands of a run."""
        image = np.frombuffer(begun.content, np.uint8).copy()
        bases = begun.item.stimulus.layout.bases
        memories = Memories.create(self.config)
        memories.activation[:] = begun.activation
        memories.weight[:] = begun.weight
        memories.external = {base: image[bases[base] : bases[base] + REGION] for base in Base}
        left: dict[Engine, deque[Command]] = {engine: deque() for engine in Engine}
        for command in begun.item.stimulus.commands:
            left[engine_of(command)].append(command)
        self._run = _Run(begun, memories, image, left, {engine: deque() for engine in Engine})

    def follow(self, events: Events) -> None:
        """Take starts and ends."""
        for engine, tag in events.started:
            self._start(engine, tag, events.cycle)
        for engine, tag in events.done:
            self._finish(engine, tag, events.cycle)

    def _start(self, engine: Engine, tag: int, cycle: int) -> None:
        run = self._running(f"{engine.name} starts command {tag}")
        if not run.left[engine]:
            self._fail(f"{engine.name} starts command {tag}, but has none left")
        command = run.left[engine].popleft()
        if command.tag != tag:
            self._fail(f"{engine.name} starts command {tag}; its next is {command.tag}")
        for other, name in _WAITS:
            if (run.done[other] - getattr(command, name)) & 0xFFFF >= 1 << 15:
                self._fail(
                    f"command {tag} starts after {run.done[other]} commands of {other.name}, "
                    f"not {getattr(command, name)}"
                )
        run.under_way[engine].append(command)
        run.intervals[tag] = [cycle]
        together = [other for other in Engine if run.under_way[other]]
        self.coverage.sample_overlap(together)

    def _finish(self, engine: Engine, tag: int, cycle: int) -> None:
        run = self._running(f"{engine.name} ends command {tag}")
        if not run.under_way[engine] or run.under_way[engine][0].tag != tag:
            self._fail(f"{engine.name} ends command {tag}, which is not its first one under way")
        command = run.under_way[engine].popleft()
        run.intervals[tag].append(cycle)
        run.done[engine] += 1
        self.coverage.sample_command(command, run.memories, self.config)
        execute(command, run.memories, self.config)
        self.commands += 1

    def compare(self, boundary: Boundary) -> None:
        """Compare all memories with the model's.

        Raises
        ------
        ScoreboardError
            They differ where no command under way writes.
        """
        run = self._run
        if run is None:
            return
        skip = {space: [] for space in Space}
        external = np.ones(len(run.image), bool)
        for command in (c for commands in run.under_way.values() for c in commands):
            for touch in footprint(command, self.config):
                if touch.write:
                    skip[touch.space].append(touch.addresses)
            if isinstance(command, Store):
                self._leave_out(external, command)
        for name, space, found in (
            ("activation", Space.ACTIVATION, boundary.activation),
            ("weight", Space.WEIGHT, boundary.weight),
        ):
            expected = getattr(run.memories, name)
            wrong = (found != expected).any(axis=1)
            if skip[space]:
                wrong[np.unique(np.concatenate(skip[space]))] = False
            if wrong.any():
                at = int(np.flatnonzero(wrong)[0])
                self._fail(
                    f"cycle {boundary.cycle}: {int(wrong.sum())} words of the {name} memory differ, "
                    f"first {at}: {found[at].tolist()} instead of {expected[at].tolist()}"
                )
        content = np.frombuffer(boundary.content, np.uint8)
        different = np.flatnonzero((content != run.image) & external)
        if len(different):
            at = int(different[0])
            self._fail(
                f"cycle {boundary.cycle}: {len(different)} bytes of external memory differ, first {at:#x}: "
                f"{content[at]:#04x} instead of {run.image[at]:#04x}"
            )
        self.boundaries += 1

    def _leave_out(self, external: np.ndarray, command: Transfer) -> None:
        base = self._running("a store").begun.item.stimulus.layout.bases[command.base]
        for start in external_bytes(command):
            first = (base + int(start)) % (1 << 32)
            external[first : first + command.row_bytes] = False

    def end(self, result: Result) -> None:
        """Compare how a run ended.

        Raises
        ------
        ScoreboardError
            The status, the counters or what was executed differ.
        """
        run = self._running("a run ends")
        stimulus = result.item.stimulus
        ending, registers = stimulus.ending, result.registers
        started = [c for commands in run.under_way.values() for c in commands]
        left = [c for commands in run.left.values() for c in commands]
        wanted = {"busy": 0, "done": 0, "error": 0, "code": 0}
        if not stimulus.cut:
            wanted |= {"done": int(not ending.code), "error": int(bool(ending.code))}
            wanted |= {"code": int(ending.code)}
            wanted |= {} if ending.engine is None else {"engine": int(ending.engine)}
            wanted |= {} if ending.tag is None else {"tag": ending.tag}
            if ending.code != ErrorCode.BUS and (started or left):
                self._fail(f"ended with {len(started)} commands under way and {len(left)} not started")
        for name, value in wanted.items():
            if registers[name] != value:
                self._fail(f"STATUS.{name} is {registers[name]}, not {value}")
        self._interrupt(result)
        if not stimulus.cut:
            for complaint in check_counters(result, run.intervals, run.done, self.config):
                self._fail(complaint)
        self.coverage.sample_run(result, [engine for engine in Engine if run.under_way[engine]])
        self.runs += 1
        self._run = None

    def _interrupt(self, result: Result) -> None:
        stimulus = result.item.stimulus
        if stimulus.cut:
            return
        enabled = bool(stimulus.enable & (2 if stimulus.ending.code else 1))
        if result.interrupted != enabled:
            self._fail(f"the interrupt line is {int(result.interrupted)} with enable {stimulus.enable}")
        if not result.cleared:
            self._fail("the interrupt line stays up when the flags are cleared")

    def _running(self, what: str) -> _Run:
        if self._run is None:
            raise ScoreboardError(f"{what}, but no program runs")
        return self._run

    def _fail(self, what: str) -> None:
        run = self._run
        name = run.begun.item.get_name() if run else "no run"
        raise ScoreboardError(f"{name}: {what}")

    def check_phase(self) -> None:
        """Refuse to have seen nothing.

        Raises
        ------
        ScoreboardError
            No command, or no run, was compared.
        """
        if not self.runs or not self.boundaries:
            raise ScoreboardError("the scoreboard saw no command end: nothing was verified")
        self.logger.info(
            "%d commands of %d runs, memories compared %d times", self.commands, self.runs, self.boundaries
        )
