"""Random compute commands that are legal, with weights and activations that make their results tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine import Memories, check, execute, weight_words
from rtl.tensor.machine.errors import MachineError

__all__ = ["Batch", "expected", "random_batch"]

_WINDOWED = (Operation.CONV, Operation.CHANNEL, Operation.SUM, Operation.MAX)
_WEIGHTED = (Operation.CONV, Operation.DEPTHWISE, Operation.CHANNEL)
_SIZES = (1, 1, 1, 2, 2, 3, 3, 3, 4, 5, 7, 10, 11)


@dataclass(slots=True)
class Batch:
    """Commands with what they work on.

    Attributes
    ----------
    config
        Shape of the accelerator.
    memories
        What they begin with.
    commands, barriers, delays
        Commands; whether each must wait for those before; cycles before it comes.
    """

    config: AcceleratorConfig
    memories: Memories
    commands: list[Compute] = field(default_factory=list)
    barriers: list[bool] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)


def expected(batch: Batch) -> np.ndarray:
    """Return the activation memory after a batch, int8, ``(words, array)``."""
    before = batch.memories
    after = Memories(before.activation.copy(), before.weight.copy(), before.sums.copy(), {})
    for command in batch.commands:
        execute(command, after, batch.config)
    return after.activation


def random_batch(
    config: AcceleratorConfig,
    seed: int,
    *,
    commands: int = 12,
    operations: Sequence[Operation] = tuple(Operation),
    work: int = 1500,
    crowded: bool = False,
) -> Batch:
    """Return a batch of a seed.

    Parameters
    ----------
    config
        Shape of the accelerator.
    seed
        Decides everything.
    commands
        How many, at most: as many as the weight memory has room for.
    operations
        To draw from.
    work
        Cycles of a command's array, about, at most.
    crowded
        Short commands close behind one another, many of which keep their sums.
    """
    maker = _Maker(config, seed, work, crowded)
    windowed = [operation for operation in operations if operation in _WINDOWED]
    while len(maker.batch.commands) < commands:
        # Kept sums are mostly gone on with.
        goes_on = maker.kept and windowed and maker.random.random() < 0.7
        if not maker.add(maker.random.choice(windowed if goes_on else list(operations))):
            break
    return maker.batch


class _Maker:
    def __init__(self, config: AcceleratorConfig, seed: int, work: int, crowded: bool) -> None:
        self.config, self.work, self.crowded = config, work, crowded
        self.random = Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.batch = Batch(config, Memories.create(config, seed=seed))
        self.next_weight = 0
        self.kept = 0
        #: Words read and written since the last barrier, as intervals.
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int]] = []

    def add(self, operation: Operation) -> bool:
        """Add a command; return whether there was room for its weights."""
        while True:
            command = self._draw(operation)
            words = weight_words(command, self.config) * command.groups
            if words > self.config.weight_words:
                continue
            if self.next_weight + words > self.config.weight_words:
                return False
            start = self.next_weight
            if self.random.random() < 0.2:  # up to the very end
                start = self.config.weight_words - words
            command = replace(command, weights=start if words else 0)
            try:
                check(command, self.config)
            except MachineError:
                continue
            if self._overlap([self._target(command)], self._sources(command)):
                continue
            break
        self._weights(command)
        self.next_weight = max(self.next_weight, start + words) if words else self.next_weight
        self._order(command)
        self._remember_sums(command)
        self.batch.commands.append(command)
        self.batch.delays.append(0 if self.crowded else self.random.choice((0, 0, 0, 0, 1, 7, 30)))
        return True

    def _draw(self, operation: Operation) -> Compute:
        """Return a command that may be illegal yet."""
        draw = self.random
        size = self.config.activation_words
        columns, rows = self._size(), self._size()
        groups = draw.choice((1, 1, 2, 3))
        if self.kept and draw.random() < 0.7:
            groups = 1
            columns = min(columns, self.kept)
            rows = min(rows, self.kept // columns)
        common: dict[str, Any] = {
            "tag": draw.randrange(1 << 16),
            "operation": operation,
            "columns": columns,
            "rows": rows,
            "groups": groups,
            "zero": self._zero(),
            "zero_out": self._zero(),
            **self._limits(),
        }
        if operation is Operation.ADD:
            words = groups * rows * columns
            return Compute(
                **common,
                **self._scales_of_add(),
                in_columns=1,
                in_rows=1,
                source=self._place(words),
                source_b=self._place(words) or 1,
                target=self._place(words),
            )
        sizes = (1, 1, 1, 2) if self.crowded else _SIZES
        kernel_columns, kernel_rows = draw.choice(sizes), draw.choice(sizes)
        stride_x, stride_y = draw.choice((1, 1, 2, 2, 3)), draw.choice((1, 1, 2, 2, 5))
        if operation is Operation.DEPTHWISE:
            kernel_columns, kernel_rows = draw.randint(1, 4), draw.randint(1, 3)
            stride_x, stride_y = draw.randint(1, 2), draw.randint(1, 2)
        in_groups = draw.choice((1, 1, 2, 3)) if operation is Operation.CONV else 1
        cost = columns * rows * kernel_columns * kernel_rows * in_groups * groups
        if cost > self.work * (4 if operation is Operation.DEPTHWISE else 1):
            return self._draw(operation)
        cut = [0] if draw.random() < 0.25 else [0, 1, 2, 2, 3]  # what lies outside the input
        in_columns = max(1, (columns - 1) * stride_x + kernel_columns - draw.choice(cut))
        in_rows = max(1, (rows - 1) * stride_y + kernel_rows - draw.choice(cut))
        plane = in_columns * in_rows
        source_group = plane + draw.choice((0, 0, 1, 5))
        pitch = columns + draw.choice((0, 0, 1, 3))
        target_group = rows * pitch + draw.choice((0, 0, 2))
        span = ((in_groups if operation is Operation.CONV else groups) - 1) * source_group + plane
        return Compute(
            **common,
            **self._flags(operation, columns * rows, groups),
            stride_x=stride_x,
            stride_y=stride_y,
            source=min(self._place(span), size - 1),
            source_group=source_group,
            in_groups=in_groups,
            in_columns=in_columns,
            in_rows=in_rows,
            kernel_columns=kernel_columns,
            kernel_rows=kernel_rows,
            first_column=draw.choice((0, 0, -1, -1, -2, -kernel_columns, 1) if len(cut) > 1 else (0,)),
            first_row=draw.choice((0, 0, -1, -1, -2, -kernel_rows, 1) if len(cut) > 1 else (0,)),
            target=self._place((groups - 1) * target_group + (rows - 1) * pitch + columns),
            target_row=pitch,
            target_group=target_group,
            **self._scale(self._spread(operation, kernel_columns * kernel_rows * in_groups), operation),
        )

    def _size(self) -> int:
        sizes = (1, 1, 2, 3, 4) if self.crowded else (1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 17)
        return self.random.choice(sizes)

    def _place(self, words: int) -> int:
        free = max(0, self.config.activation_words - words)
        return self.random.choice((0, free, *(self.random.randint(0, free) for _ in range(6))))

    def _zero(self) -> int:
        return self.random.choice((0, -128, 127, self.random.randint(-128, 127)))

    def _limits(self) -> dict[str, Any]:
        if self.random.random() < 0.7:
            return {}
        low, high = sorted(self.random.randint(-128, 127) for _ in range(2))
        limits = {"minimum": low, "maximum": high}
        return {
            name: limits[name] for name in self.random.choice((("minimum",), ("maximum",), tuple(limits)))
        }

    def _flags(self, operation: Operation, pixels: int, groups: int) -> dict[str, Any]:
        few = operation in _WINDOWED and groups == 1 and pixels <= self.config.psum_words
        return {
            "per_tensor": self.random.random() < 0.3,
            "keep": few and self.random.random() < (0.5 if self.crowded else 0.25),
            "accumulate": few and pixels <= self.kept and self.random.random() < 0.8,
            "divide": operation is Operation.SUM and self.random.random() < 0.6,
        }

    @staticmethod
    def _spread(operation: Operation, taps: int) -> float:
        """Return how far sums lie from 0, about, when N of them are added for CONV."""
        if operation is Operation.MAX:
            return 150.0
        if operation is Operation.SUM:
            return 100.0 * taps
        lanes = 8 if operation is Operation.CONV else 1
        return 74.0 * 110.0 * math.sqrt(taps * lanes)

    def _scale(self, spread: float, operation: Operation) -> dict[str, Any]:
        """Return multiplier and shifts that bring sums into 8 bits, mostly; extremes otherwise."""
        draw = self.random
        if draw.random() < 0.2:
            multiplier = draw.choice((0, 1, 1 << 30, (1 << 31) - 1, draw.randrange(1 << 31)))
            scale = {"multiplier": multiplier, "right": draw.randint(0, 31), "left": draw.randint(0, 7)}
        elif operation is Operation.MAX and draw.random() < 0.5:
            scale = {"multiplier": 1 << 30, "right": 0, "left": 1}
        else:
            multiplier = draw.randrange(1 << 30, 1 << 31)
            left = draw.choice((0, 0, 0, 1, 2))
            right = round(math.log2(max(1.0, spread * multiplier / (1 << 31) / 50))) + draw.choice((-1, 0, 1))
            scale = {"multiplier": multiplier, "right": min(31, max(0, right + left)), "left": left}
        return {**scale, "half": draw.choice((0, 1, 8, 40, draw.randrange(1 << 16)))}

    def _scales_of_add(self) -> dict[str, Any]:
        draw = self.random
        if draw.random() < 0.2:
            shifts = {name: draw.randint(0, 31) for name in ("right", "right_a", "right_b")}
        else:
            shifts = {
                "right": draw.randint(17, 20),
                "right_a": draw.randint(0, 2),
                "right_b": draw.randint(0, 2),
            }
        return {
            **shifts,
            "zero_b": self._zero(),
            "multiplier": draw.randrange(1 << 31),
            "multiplier_a": draw.randrange(1 << 31),
            "multiplier_b": draw.randrange(1 << 31),
        }

    def _weights(self, command: Compute) -> None:
        """Write biases, scales and weights of a command."""
        if command.operation not in _WEIGHTED:
            return
        n = self.config.array
        words = weight_words(command, self.config)
        taps = command.kernel_rows * command.kernel_columns * command.in_groups
        spread = self._spread(command.operation, taps)
        for group in range(command.groups):
            image = self._taps(command, words)
            bias = (self.numbers.normal(0, spread, n)).astype(np.int64)
            for channel in range(n):
                if self.random.random() < 0.1:
                    bias[channel] = self.random.choice((-(1 << 31), (1 << 31) - 1, 1 << 30, -1, 0))
            image[0:2] = bias.astype("<i4").view(np.int8).reshape(2, -1)
            if not command.per_tensor:
                scales = [self._scale(spread, command.operation) for _ in range(n)]
                multipliers = np.array([item["multiplier"] for item in scales], "<u4")
                image[2:4] = multipliers.view(np.int8).reshape(2, -1)
                shifts = np.array([item["right"] | item["left"] << 5 for item in scales], np.uint8)
                image[4, :n] = shifts.view(np.int8)
            start = command.weights + group * words
            self.batch.memories.weight[start : start + words] = image

    def _taps(self, command: Compute, words: int) -> np.ndarray:
        n = self.config.array
        extreme = self.random.random() < 0.1
        kinds = np.array((-128, 127), np.int8) if extreme else np.arange(-128, 128).astype(np.int8)
        image: np.ndarray = self.numbers.choice(kinds, (words, 2 * n)).astype(np.int8)
        if command.operation is Operation.DEPTHWISE:
            rows = image[2 if command.per_tensor else 5 :].reshape(command.kernel_rows, 4, n)
            rows[:, command.kernel_columns :] = 0
        return image

    def _order(self, command: Compute) -> None:
        """Decide whether the command waits for those before: it must, where they touch the same words."""
        sources, target = self._sources(command), [self._target(command)]
        must = self._overlap(sources, self.writes) or self._overlap(target, self.reads + self.writes)
        barrier = must or (not self.crowded and self.random.random() < 0.15)
        if barrier:
            self.reads, self.writes = [], []
        self.reads += sources
        self.writes += target
        self.batch.barriers.append(barrier)

    def _remember_sums(self, command: Compute) -> None:
        """Follow which partial sums are known: commands that use them for themselves leave none."""
        if command.operation in _WINDOWED:
            self.kept = command.columns * command.rows if command.keep else 0

    @staticmethod
    def _sources(command: Compute) -> list[tuple[int, int]]:
        if command.operation is Operation.ADD:
            words = command.groups * command.rows * command.columns
            return [(start, start + words) for start in (command.source, command.source_b)]
        groups = command.in_groups if command.operation is Operation.CONV else command.groups
        plane = command.in_columns * command.in_rows
        return [(command.source, command.source + (groups - 1) * command.source_group + plane)]

    @staticmethod
    def _target(command: Compute) -> tuple[int, int]:
        if command.keep:
            return 0, 0
        words = command.columns
        if command.operation is Operation.ADD:
            words = command.groups * command.rows * command.columns
        else:
            words += (command.groups - 1) * command.target_group + (command.rows - 1) * command.target_row
        return command.target, command.target + words

    @staticmethod
    def _overlap(some: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> bool:
        return any(a < d and c < b for a, b in some for c, d in others)
