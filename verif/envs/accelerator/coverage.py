"""What runs of the accelerator must have exercised, measured on what was executed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations

import numpy as np

from rtl.tensor.accelerator.commands import Command, Compute, Engine, Memory, Operation, Pack, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import compute as machine_compute
from rtl.tensor.machine.check import weight_words
from rtl.tensor.machine.memories import Memories
from verif.agents.axi4 import AxiRecorder
from verif.coverage import Coverage, Coverpoint
from verif.envs.accelerator.items import Result
from verif.models.tensor.compute_features import GOALS, features

__all__ = ["AcceleratorCoverage"]

_KINDS = ("LOAD", "PACK", "STORE", *(operation.name for operation in Operation))
_ENGINES = tuple(engine.name for engine in Engine)
_EXTREMES = ("-128", "0", "127", "other")
_MULTIPLIERS = ("0", "1", "below 2**30", "2**30", "above 2**30", "2**31 - 1")
_STALLS = ("stall_weights", "stall_activations", "stall_output", "stall_wait", "bus_stall")
_CHANNELS = ("ar", "r", "aw", "w", "b")
_PAGE = 4096


def _extreme(value: int) -> str:
    return str(value) if str(value) in _EXTREMES else "other"


def _multiplier(value: int) -> str:
    corners = {0: "0", 1: "1", 1 << 30: "2**30", (1 << 31) - 1: "2**31 - 1"}
    return corners.get(value, "below 2**30" if value < 1 << 30 else "above 2**30")


class AcceleratorCoverage:
    """Coverpoints of the accelerator.

    Parameters
    ----------
    config
        The accelerator. Bins that it cannot reach are left out.
    burst_beats
        Most beats of a burst.

    Attributes
    ----------
    coverage
        The collector.
    """

    def __init__(self, config: AcceleratorConfig, *, burst_beats: int = 16) -> None:
        self.coverage = Coverage()
        self._config, self._burst_beats = config, burst_beats
        cross = self.coverage.cross
        self.waits = cross("accelerator.command_waits", _KINDS, ("nothing", *_ENGINES))
        self.blocked = cross("accelerator.blocked", _ENGINES, _ENGINES)
        sets = [names for size in (2, 3, 4) for names in combinations(_ENGINES, size)]
        self.overlap = self._point("overlap", ("+".join(names) for names in sets))
        self.transfer = cross(
            "accelerator.transfer", ("load activation", "load weight", "store"), ("1 row", "rows"),
            ("dense", "apart"),
            ignore=[(kind, "1 row", "apart") for kind in ("load activation", "load weight", "store")],
        )  # fmt: skip
        self.pitch = cross("accelerator.pitch", ("LOAD", "STORE"), ("dense", "apart"))
        self.pack = self._point(
            "pack",
            [f"padding {side}" for side in ("left", "right", "top", "bottom", "none")]
            + [f"kernel rows {rows}" for rows in ("1", "2..3", "4+")]
            + [f"vertical stride {step}" for step in ("0", "1", "2", "3+")]
            + [f"step {step}" for step in ("overlaps", "abuts", "skips")]
            + [f"words {count}" for count in ("1", "several")],
        )
        self.fill = self._point("pack_fill", _EXTREMES)
        goals = GOALS if config.depthwise_pixels == 1 else GOALS | {"DEPTHWISE rest of a row"}
        self.features = self._point("compute", sorted(goals))
        self.zero = cross("accelerator.zero_point", ("zero", "zero_b", "zero_out"), _EXTREMES)
        self.clamp = self._point("clamp", ("none", "low", "high", "both"))
        self.multiplier = cross("accelerator.multiplier", ("command", "channel"), _MULTIPLIERS)
        self.right = cross("accelerator.right", ("command", "channel"), map(str, range(32)))
        self.left = cross("accelerator.left", ("command", "channel"), map(str, range(8)))
        self.ties = cross("accelerator.ties", ("doubling", "shift"), ("negative", "positive"))
        self.bursts = cross("accelerator.bursts", ("ar", "aw"), ("1", "some", "most"))
        self.places = cross("accelerator.burst_place", ("ar", "aw"), ("page begins", "page ends", "inside"))
        # Answers are always taken at once.
        answers = [("b", "1..3"), ("b", "4+")]
        self.port = cross("accelerator.port_waits", _CHANNELS, ("0", "1..3", "4+"), ignore=answers)
        self.pauses = cross("accelerator.memory", ("1", "2..4", "5+"), ("steady", "pauses", "mostly pauses"))
        self.stalls = self._point("counters", _STALLS)
        self.endings = self._point("endings", self._endings())
        self.interrupt = cross("accelerator.interrupt", ("done", "error"), ("0", "1", "2", "3"))
        self.configuration = self._point("expected_config", ("none", "right", "wrong"))
        self.cut = cross("accelerator.cut", ("stop", "reset"), (*_ENGINES, "idle"))

    def _point(self, name: str, bins: Iterable[str]) -> Coverpoint:
        return self.coverage.add(f"accelerator.{name}", list(bins))

    @staticmethod
    def _endings() -> list[str]:
        refused = [f"{code} {engine}" for code in ("field", "address") for engine in _ENGINES]
        others = ["done", "opcode", "bus LOAD", "bus STORE", "bus fetch", "deadlock", "configuration"]
        return refused + others

    def sample_overlap(self, engines: Sequence[Engine]) -> None:
        """Count engines that have commands at the same time."""
        names = [engine.name for engine in engines]
        for size in (2, 3, 4):
            for some in combinations(names, size):
                self.overlap.hit("+".join(some))

    def sample_command(self, command: Command, memories: Memories, config: AcceleratorConfig) -> None:
        """Count what a command is, before it is executed on memories."""
        kind = command.operation.name if isinstance(command, Compute) else type(command).__name__.upper()
        waits = [name for name in _ENGINES if getattr(command, f"wait_{name.lower()}")]
        for name in waits or ["nothing"]:
            self.waits.hit(f"{kind}*{name}")
        if isinstance(command, Transfer):
            self._transfer(command, kind)
        elif isinstance(command, Pack):
            self._pack(command)
        elif isinstance(command, Compute):
            self._compute(command, memories)

    def _transfer(self, command: Transfer, kind: str) -> None:
        weight = command.memory is Memory.WEIGHT
        name = "store" if kind == "STORE" else f"load {'weight' if weight else 'activation'}"
        dense = command.rows == 1 or command.stride == command.row_bytes
        rows = "1 row" if command.rows == 1 else "rows"
        self.transfer.hit(f"{name}*{rows}*{'dense' if dense else 'apart'}")
        word = self._config.weight_word if weight else self._config.activation_word
        packed = command.rows == 1 or command.pitch == command.row_bytes // word
        self.pitch.hit(f"{kind}*{'dense' if packed else 'apart'}")

    def _pack(self, command: Pack) -> None:
        last_byte = command.first_byte + (command.columns - 1) * command.step_bytes + command.segment_bytes
        last_row = command.first_row + (command.rows - 1) * command.row_step + command.kernel_rows
        sides = {
            "left": command.first_byte < 0,
            "right": last_byte > command.row_bytes,
            "top": command.first_row < 0,
            "bottom": last_row > command.in_rows,
        }
        for side in [side for side, there in sides.items() if there] or ["none"]:
            self.pack.hit(f"padding {side}")
        rows = command.kernel_rows
        self.pack.hit(f"kernel rows {'1' if rows == 1 else '2..3' if rows < 4 else '4+'}")
        self.pack.hit(f"vertical stride {command.row_step if command.row_step < 3 else '3+'}")
        difference = command.step_bytes - command.segment_bytes
        self.pack.hit(f"step {'overlaps' if difference < 0 else 'skips' if difference else 'abuts'}")
        words = -(-command.kernel_rows * command.segment_bytes // self._config.activation_word)
        self.pack.hit(f"words {'1' if words == 1 else 'several'}")
        self.fill.hit(_extreme(command.fill))

    def _compute(self, command: Compute, memories: Memories) -> None:
        for name in features(command, self._config):
            if name in self.features.hits:
                self.features.hit(name)
        for name in ("zero", "zero_b", "zero_out"):
            if name != "zero_b" or command.operation is Operation.ADD:
                self.zero.hit(f"{name}*{_extreme(getattr(command, name))}")
        low, high = command.minimum > -128, command.maximum < 127
        self.clamp.hit("both" if low and high else "low" if low else "high" if high else "none")
        words = weight_words(command, self._config)
        if words and not command.per_tensor:
            self._scales(command, memories, words)
        elif not command.keep:
            self.multiplier.hit(f"command*{_multiplier(command.multiplier & 0x7FFF_FFFF)}")
            self.right.hit(f"command*{command.right}")
            self.left.hit(f"command*{command.left}")

    def _scales(self, command: Compute, memories: Memories, words: int) -> None:
        for group in range(command.groups):
            image = memories.weight[command.weights + group * words :][:5]
            multipliers = np.ascontiguousarray(image[2:4]).view("<u4").reshape(-1) & 0x7FFF_FFFF
            for value in multipliers.tolist():
                self.multiplier.hit(f"channel*{_multiplier(value)}")
            for value in image[4, : self._config.array].view(np.uint8).tolist():
                self.right.hit(f"channel*{value & 31}")
                self.left.hit(f"channel*{value >> 5}")

    @contextmanager
    def watching_ties(self) -> Iterator[None]:
        """Count what the model scales meanwhile that lies halfway between two results."""
        scale = machine_compute.scale

        def watched(
            values: np.ndarray,
            multiplier: np.ndarray | int,
            right: np.ndarray | int,
            left: np.ndarray | int = 0,
        ) -> np.ndarray:
            shifted = machine_compute.wrap(values << np.asarray(left, np.int64))
            product = shifted * np.asarray(multiplier, np.int64)
            self._count("doubling", product, (product & ((1 << 31) - 1)) == 1 << 30)
            doubled, shift = (product + (1 << 30)) >> 31, np.asarray(right, np.int64)
            halves = (doubled & ((1 << shift) - 1)) == (1 << shift) >> 1
            self._count("shift", doubled, halves & (shift > 0))
            return scale(values, multiplier, right, left)

        machine_compute.scale = watched
        try:
            yield
        finally:
            machine_compute.scale = scale

    def _count(self, kind: str, values: np.ndarray, ties: np.ndarray) -> None:
        self.ties.hit(f"{kind}*negative", int((ties & (values < 0)).sum()))
        self.ties.hit(f"{kind}*positive", int((ties & (values > 0)).sum()))

    def sample_blocked(self, pairs: Iterable[tuple[Engine, Engine]]) -> None:
        """Count engines that had to wait for one another."""
        for waiting, awaited in pairs:
            self.blocked.hit(f"{waiting.name}*{awaited.name}")

    def sample_port(self, recorder: AxiRecorder, bus_bytes: int) -> None:
        """Count bursts and waits of the memory port."""
        for burst in recorder.bursts:
            length = "1" if burst.beats == 1 else "most" if burst.beats == self._burst_beats else "some"
            self.bursts.hit(f"{burst.channel}*{length}")
            ends = (burst.address + burst.beats * bus_bytes) % _PAGE == 0
            begins = burst.address % _PAGE == 0
            place = "page begins" if begins else "page ends" if ends else "inside"
            self.places.hit(f"{burst.channel}*{place}")
        for channel, waits in recorder.waits.items():
            for cycles, count in waits.items():
                name = "0" if not cycles else "1..3" if cycles < 4 else "4+"
                self.port.hit(f"{channel}*{name}", count)

    def sample_run(self, result: Result, under_way: Sequence[Engine]) -> None:
        """Count how a run ended; `under_way` has the engines that were cut short."""
        stimulus, registers = result.item.stimulus, result.registers
        latency = "1" if stimulus.latency == 1 else "2..4" if stimulus.latency < 5 else "5+"
        stall = "steady" if not stimulus.stall else "pauses" if stimulus.stall < 0.5 else "mostly pauses"
        self.pauses.hit(f"{latency}*{stall}")
        self.configuration.hit(stimulus.expected_config)
        if stimulus.cut:
            how = "stop" if stimulus.stop_after is not None else "reset"
            for name in [engine.name for engine in under_way] or ["idle"]:
                self.cut.hit(f"{how}*{name}")
            return
        for name in _STALLS:
            self.stalls.hit(name, int(registers[name] > 0))
        code, engine = int(stimulus.ending.code), stimulus.ending.engine
        self.interrupt.hit(f"{'error' if code else 'done'}*{stimulus.enable}")
        names = {0: "done", 1: "opcode", 5: "deadlock", 6: "configuration"}
        if code in (2, 3):
            names[code] = f"{'field' if code == 2 else 'address'} {engine.name}"
        names[4] = (
            "bus fetch" if stimulus.kind == "fetch error" else f"bus {'' if engine is None else engine.name}"
        )
        self.endings.hit(names[code])
