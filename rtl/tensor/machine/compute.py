"""Compute commands on NumPy arrays."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.arithmetic import average, clamp, scale, wrap
from rtl.tensor.machine.check import weight_words
from rtl.tensor.machine.memories import Memories

__all__ = ["execute_compute", "target_words"]

#: Pixels that are computed together: bounds the memory that a command takes here.
_BLOCK = 8192
#: Less than any difference of an activation and a zero point.
_NOTHING = -(1 << 31)


@dataclass(frozen=True, slots=True)
class _Weights:
    """What a command reads from the weight memory, for each output group.

    Attributes
    ----------
    bias, multiplier, right, left
        int64, ``(groups, array)``.
    taps
        int8: ``CONV`` ``(groups, rows, columns, in_groups, lanes, channels)``,
        otherwise ``(groups, rows, columns, channels)``.
    """

    bias: np.ndarray
    multiplier: np.ndarray
    right: np.ndarray
    left: np.ndarray
    taps: np.ndarray


def target_words(command: Compute) -> np.ndarray:
    """Return the words that a compute command writes, ``(groups, rows, columns)``."""
    if command.operation is Operation.ADD:
        words = command.target + np.arange(command.groups * command.rows * command.columns)
        return words.reshape(command.groups, command.rows, command.columns)
    return (
        command.target
        + command.target_group * np.arange(command.groups)[:, None, None]
        + command.target_row * np.arange(command.rows)[:, None]
        + np.arange(command.columns)
    )


def execute_compute(command: Compute, memories: Memories, config: AcceleratorConfig) -> None:
    """Execute a compute command that the checks passed."""
    if command.operation is Operation.ADD:
        _execute_add(command, memories)
        return
    weights = _read_weights(command, memories, config)
    # A command reads all it needs before it writes: one whose target overlaps its source is refused
    # as a hazard, so the order makes no difference here.
    results = [(rows, _sums(command, memories, weights, config, rows)) for rows in _row_blocks(command)]
    targets = target_words(command)
    for rows, sums in results:
        if command.keep:
            first = rows.start * command.columns
            memories.sums[first : first + sums.shape[1]] = sums[0].astype(np.int32)
            continue
        values = _finish(command, weights, sums)
        words = targets[:, rows.start : rows.stop].reshape(-1)
        memories.activation[words] = values.reshape(-1, config.array)


def _row_blocks(command: Compute) -> Iterator[range]:
    step = max(1, _BLOCK // command.columns)
    for first in range(0, command.rows, step):
        yield range(first, min(first + step, command.rows))


def _sums(
    command: Compute, memories: Memories, weights: _Weights, config: AcceleratorConfig, rows: range
) -> np.ndarray:
    """Return the sums of some rows of the rectangle, int64, ``(groups, pixels, channels)``."""
    pixels = len(rows) * command.columns
    shape = (command.groups, pixels, config.array)
    if command.accumulate:
        first = rows.start * command.columns
        start = memories.sums[first : first + pixels].astype(np.int64)[None]
    elif command.operation is Operation.MAX:
        start = np.full(shape, _NOTHING, np.int64)
    else:
        start = np.broadcast_to(weights.bias[:, None, :], shape)
    if command.operation is Operation.CONV:
        return wrap(start + _convolve(command, memories, weights.taps, rows))
    sums = start.copy()
    for row, column in np.ndindex(command.kernel_rows, command.kernel_columns):
        values, inside = _tap(command, memories, rows, row, column)
        if command.operation is Operation.MAX:
            sums = np.where(inside[:, None], np.maximum(sums, values), sums)
        elif command.operation is Operation.SUM:
            sums = sums + values
        else:
            sums = sums + values * weights.taps[:, None, row, column, :]
    return wrap(sums)


def _convolve(command: Compute, memories: Memories, taps: np.ndarray, rows: range) -> np.ndarray:
    total: np.ndarray | int = 0
    for row, column in np.ndindex(command.kernel_rows, command.kernel_columns):
        values, _ = _tap(command, memories, rows, row, column)
        lanes = values.transpose(1, 0, 2).reshape(values.shape[1], -1).astype(np.float64)
        matrix = taps[:, row, column].transpose(1, 2, 0, 3).reshape(lanes.shape[1], -1)
        total = total + lanes @ matrix.astype(np.float64)  # exact: far below 2**53
    sums = np.asarray(total).astype(np.int64)
    return sums.reshape(len(sums), command.groups, -1).transpose(1, 0, 2)


def _tap(
    command: Compute, memories: Memories, rows: range, row: int, column: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return activations without zero point under a tap, ``(groups, pixels, channels)``, and which exist."""
    groups = command.in_groups if command.operation is Operation.CONV else command.groups
    ys = command.first_row + row + command.stride_y * np.arange(rows.start, rows.stop)
    xs = command.first_column + column + command.stride_x * np.arange(command.columns)
    inside = ((ys >= 0) & (ys < command.in_rows))[:, None] & ((xs >= 0) & (xs < command.in_columns))
    ys, xs = np.clip(ys, 0, command.in_rows - 1), np.clip(xs, 0, command.in_columns - 1)
    pixels = (ys[:, None] * command.in_columns + xs).reshape(-1)
    inside = inside.reshape(-1)
    words = command.source + command.source_group * np.arange(groups)[:, None] + pixels
    values = memories.activation[words].astype(np.int64) - command.zero
    values[:, ~inside] = 0
    return values, inside


def _read_weights(command: Compute, memories: Memories, config: AcceleratorConfig) -> _Weights:
    lanes = config.array
    shape = (command.groups, lanes)
    multiplier = np.full(shape, command.multiplier & 0x7FFF_FFFF, np.int64)
    right, left = np.full(shape, command.right, np.int64), np.full(shape, command.left, np.int64)
    words = weight_words(command, config)
    if not words:
        return _Weights(np.zeros(shape, np.int64), multiplier, right, left, np.zeros(shape, np.int8))
    image = memories.weight[command.weights : command.weights + words * command.groups]
    image = image.reshape(command.groups, words, config.weight_word)
    bias = _numbers(image[:, 0:2])
    if not command.per_tensor:
        multiplier = _numbers(image[:, 2:4]) & 0x7FFF_FFFF
        shifts = image[:, 4, :lanes].view(np.uint8).astype(np.int64)
        right, left = shifts & 31, shifts >> 5
    taps = image[:, 2 if command.per_tensor else 5 :]
    kernel = (command.groups, command.kernel_rows)
    if command.operation is Operation.CONV:
        taps = taps.reshape(*kernel, command.kernel_columns, command.in_groups, lanes, lanes)
    elif command.operation is Operation.DEPTHWISE:
        taps = taps.reshape(*kernel, 4, lanes)
    else:
        taps = taps[:, :, :lanes].reshape(*kernel, command.kernel_columns, lanes)
    return _Weights(bias, multiplier, right, left, taps)


def _numbers(words: np.ndarray) -> np.ndarray:
    """Return int32 numbers, little-endian, of two words of each group."""
    return np.ascontiguousarray(words).view("<i4").reshape(len(words), -1).astype(np.int64)


def _finish(command: Compute, weights: _Weights, sums: np.ndarray) -> np.ndarray:
    if command.divide:
        values = average(sums, command.multiplier & 0x7FFF_FFFF, command.right, command.half)
    else:
        values = scale(sums, weights.multiplier[:, None], weights.right[:, None], weights.left[:, None])
    return clamp(values, command.zero_out, command.minimum, command.maximum)


def _execute_add(command: Compute, memories: Memories) -> None:
    words = command.groups * command.rows * command.columns
    operands = (
        (command.source, command.zero, command.multiplier_a, command.right_a),
        (command.source_b, command.zero_b, command.multiplier_b, command.right_b),
    )
    total: np.ndarray | int = 0
    for source, zero, multiplier, right in operands:
        values = memories.activation[source : source + words].astype(np.int64) - zero
        total = total + scale(values << 20, multiplier & 0x7FFF_FFFF, right)
    sums = scale(wrap(np.asarray(total)), command.multiplier & 0x7FFF_FFFF, command.right)
    memories.activation[command.target : command.target + words] = clamp(
        sums, command.zero_out, command.minimum, command.maximum
    )
