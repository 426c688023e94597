"""How long commands take, and when each of a program starts and is done.

An estimate: the order in which the engines work, with overheads from
:class:`Overheads`. The array's own cycles are exact, as
docs/tensor/accelerator.md gives them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rtl.tensor.accelerator.commands import Command, Compute, Engine, Operation, Pack, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import engine_of, pack_words
from rtl.tensor.machine.machine import QUEUE_DEPTHS

__all__ = ["OVERHEADS", "Interval", "Overheads", "Timeline", "array_cycles", "occupancy", "predict"]

_BANKS = 4
_TAPS = 4
_WAITS = ("wait_load", "wait_pack", "wait_compute", "wait_store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheads:
    """Cycles beside those that data itself takes.

    Attributes
    ----------
    fetch
        From a command's last beat to its engine's queue.
    compute_start
        From when a compute command may start to its first operands, when it
        waited for others; the first weights come in that time.
    compute_set
        Fewest cycles of a group with a single set of weights.
    compute_block
        Fewest cycles of a set, for blocks of 2 to 4 pixels.
    compute_group
        For each group of a depthwise convolution.
    compute_drain
        From the last operands of a command to its last result written.
    transfer_latency
        From a transfer's first address to its first beat.
    transfer_gap
        Between transfers that follow each other.
    pack_start, pack_drain
        As of computing.
    pack_word
        For each word that is read or written, as they meet in the banks, among
        themselves and with those of computing.
    pack_row
        For each row of positions, beside its step.
    """

    fetch: int = 4
    compute_start: int = 13
    compute_set: int = 12
    compute_block: int = 5
    compute_group: int = 3
    compute_drain: int = 16
    transfer_latency: int = 12
    transfer_gap: int = 2
    pack_start: int = 4
    pack_drain: int = 4
    pack_word: float = 0.65
    pack_row: int = 3


#: What the RTL was measured to take.
OVERHEADS = Overheads()


@dataclass(frozen=True, slots=True)
class Interval:
    """When a command starts, frees its engine for the next, and is done."""

    start: int
    free: int
    done: int


def array_cycles(command: Compute, config: AcceleratorConfig) -> int:
    """Return cycles in which the array works on a compute command, with nothing lost.

    For ``ADD`` one cycle a word, although the multipliers take three.
    """
    pixels, groups = command.rows * command.columns, command.groups
    operation = command.operation
    if operation is Operation.ADD:
        return pixels * groups
    if operation is Operation.DEPTHWISE:
        steps = command.rows * -(-command.columns // config.depthwise_pixels)
        return groups * steps * command.kernel_rows
    return groups * pixels * _sets(command)


def _sets(command: Compute) -> int:
    """Return sets of weights of a group, or taps where there are none."""
    taps = command.kernel_rows * command.kernel_columns
    return taps * (command.in_groups if command.operation is Operation.CONV else 1)


def _compute_cycles(command: Compute, config: AcceleratorConfig, overheads: Overheads) -> int:
    """Return cycles from a compute command's first operands to its last."""
    pixels, groups = command.rows * command.columns, command.groups
    operation = command.operation
    if operation is Operation.ADD:
        return 3 * pixels * groups
    if operation is Operation.DEPTHWISE:
        return groups * (int(command.rows * _depthwise_row(command, config)) + overheads.compute_group)
    least = config.tile_words if operation in (Operation.CONV, Operation.CHANNEL) else 1
    sets = _sets(command)

    def block(size: int) -> int:
        each = max(size, least, overheads.compute_block if 2 <= size <= 4 else 1)
        return max(sets * each, overheads.compute_set if sets == 1 else 0)

    full, rest = divmod(pixels, config.psum_words)
    return groups * (full * block(config.psum_words) + (block(rest) if rest else 0))


def _depthwise_row(command: Compute, config: AcceleratorConfig) -> float:
    """Return cycles of an output row of ``DEPTHWISE``.

    A step takes its kernel rows, or as many cycles as its results pass
    requantisation in, or as the banks need for the words that it reads and
    writes: these meet, for half a cycle a pixel, less where rows of an odd
    length shift them. Unless banks are the bound, a row begins with a step
    more where the window of its last is wider than what a step reads.
    """
    rows = command.kernel_rows
    meeting = 3 if command.in_columns % 2 else 2

    def step(pixels: int) -> float:
        banks = pixels * (rows * command.stride_x + 1) / _BANKS + pixels / meeting
        return max(rows, pixels, banks)

    across = config.depthwise_pixels
    bound = step(across) > max(rows, across)
    full, rest = divmod(command.columns, across)
    cycles = full * step(across) + (step(rest) + bound if rest else 0)
    last = (rest or across) - 1
    wider = not bound and last * command.stride_x + command.kernel_columns > _TAPS
    return cycles + wider * rows


def occupancy(command: Command, config: AcceleratorConfig, overheads: Overheads = OVERHEADS) -> int:
    """Return cycles until a command's engine can begin with the next."""
    if isinstance(command, Compute):
        return _compute_cycles(command, config, overheads)
    if isinstance(command, Pack):
        word = config.activation_word
        chunks = command.kernel_rows * -(-command.segment_bytes // (2 * word))
        # Words that are read, wherever a segment begins, and written.
        moved = command.kernel_rows * (1 + (command.segment_bytes - 1) / word) + pack_words(command, config)
        position = max(chunks, pack_words(command, config), overheads.pack_word * moved)
        row = command.row_step + overheads.pack_row
        return int(command.rows * (command.columns * position + row))
    assert isinstance(command, Transfer)
    return command.rows * command.row_bytes // config.bus_bytes + overheads.transfer_gap


def _latency(command: Command, overheads: Overheads) -> int:
    """Return cycles from when an engine is free again to when all of a command is written."""
    if isinstance(command, Compute):
        return overheads.compute_drain
    if isinstance(command, Pack):
        return overheads.pack_start + overheads.pack_drain
    return overheads.transfer_latency


@dataclass(slots=True)
class Timeline:
    """Commands as the sequencer hands them out, in order, and when they happen.

    Parameters
    ----------
    config
        Configuration of the accelerator.
    overheads
        Parameters of the estimate.

    Attributes
    ----------
    now
        When the last command was handed out.
    fetched
        Beats of commands that no load has made room for.
    past
        Commands of each engine.
    """

    config: AcceleratorConfig
    overheads: Overheads = OVERHEADS
    now: int = 0
    fetched: int = 0
    past: dict[Engine, list[Interval]] = field(default_factory=lambda: {engine: [] for engine in Engine})

    def room(self, engine: Engine) -> int:
        """Return when an engine's queue takes a command, not before now."""
        past, depth = self.past[engine], QUEUE_DEPTHS[engine]
        return max(self.now, past[-depth].start) if len(past) >= depth else self.now

    def known(self, command: Command) -> bool:
        """Return whether all that a command waits for was added."""
        return all(
            getattr(command, name) <= len(self.past[engine])
            for engine, name in zip(Engine, _WAITS, strict=True)
        )

    def add(self, command: Command) -> Interval:
        """Add the next command of the program, and return when it happens."""
        engine = engine_of(command)
        assert engine is not None
        beats = -(-4 * command.WORDS // self.config.bus_bytes)
        self.now = self.room(engine) + beats
        self.fetched += beats
        start = self.now + self.overheads.fetch
        past = self.past[engine]
        for other, name in zip(Engine, _WAITS, strict=True):
            wait = getattr(command, name)
            if wait:
                start = max(start, self.past[other][wait - 1].done)
        if engine is Engine.COMPUTE:  # beside the command before, when it need not wait so long
            start += self.overheads.compute_start
        if past:
            start = max(start, past[-1].free)
        free = start + occupancy(command, self.config, self.overheads)
        if engine is Engine.LOAD:  # commands come through the same port
            free += self.fetched
            self.fetched = 0
        done = free + _latency(command, self.overheads)
        if past:
            done = max(done, past[-1].done)
        past.append(Interval(start, free, done))
        return past[-1]


def predict(
    commands: Iterable[Command], config: AcceleratorConfig, overheads: Overheads = OVERHEADS
) -> list[Interval]:
    """Return when each command of a program starts and is done, in cycles from its start."""
    timeline = Timeline(config, overheads)
    return [timeline.add(command) for command in commands if engine_of(command) is not None]
