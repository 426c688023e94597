"""Words that a command reads and writes."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from rtl.tensor.accelerator.commands import Base, Command, Compute, Memory, Operation, Pack, Store, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.check import weight_words
from rtl.tensor.machine.compute import target_words
from rtl.tensor.machine.transfer import external_bytes, pack_targets, transfer_words

__all__ = ["Space", "Touch", "footprint"]


class Space(enum.Enum):
    """What addresses count in: memories on chip by words, regions of external memory by beats."""

    ACTIVATION = "activation word"
    WEIGHT = "weight word"
    PROGRAM = "beat of PROGRAM"
    INPUT = "beat of INPUT"
    OUTPUT = "beat of OUTPUT"
    SCRATCH = "beat of SCRATCH"

    @classmethod
    def of(cls, place: Memory | Base) -> Space:
        """Return the space of a memory or of the region behind a base register."""
        return cls[place.name]


@dataclass(frozen=True, slots=True)
class Touch:
    """Addresses that a command reads or writes in a space, one dimension."""

    space: Space
    addresses: np.ndarray
    write: bool


def footprint(command: Command, config: AcceleratorConfig) -> tuple[Touch, ...]:
    """Return what a command reads and writes; it passed its checks.

    Of its input a compute command reads the bounding rectangle of what lies under
    its kernel.
    """
    if isinstance(command, Transfer):
        return _transfer(command, config)
    if isinstance(command, Pack):
        return _pack(command, config)
    if isinstance(command, Compute):
        return _compute(command, config)
    return ()


def _transfer(command: Transfer, config: AcceleratorConfig) -> tuple[Touch, ...]:
    store = isinstance(command, Store)
    chip = transfer_words(command, config).reshape(-1)
    beats = external_bytes(command)[:, None] // config.bus_bytes
    beats = (beats + np.arange(command.row_bytes // config.bus_bytes)).reshape(-1)
    return (
        Touch(Space.of(command.memory), chip, not store),
        Touch(Space.of(command.base), beats, store),
    )


def _pack(command: Pack, config: AcceleratorConfig) -> tuple[Touch, ...]:
    first = max(command.first_row, 0)
    last = command.first_row + (command.rows - 1) * command.row_step + command.kernel_rows
    last = min(last, command.in_rows)
    begin = command.source + first * command.row_bytes // config.activation_word
    end = command.source - (-max(last, first) * command.row_bytes // config.activation_word)
    return (
        Touch(Space.ACTIVATION, np.arange(begin, end), False),
        Touch(Space.ACTIVATION, pack_targets(command, config).reshape(-1), True),
    )


def _compute(command: Compute, config: AcceleratorConfig) -> tuple[Touch, ...]:
    touches = []
    if command.operation is Operation.ADD:
        words = np.arange(command.groups * command.rows * command.columns)
        touches += [
            Touch(Space.ACTIVATION, source + words, False) for source in (command.source, command.source_b)
        ]
    else:
        touches.append(Touch(Space.ACTIVATION, _source(command), False))
    weights = command.groups * weight_words(command, config)
    if weights:
        touches.append(Touch(Space.WEIGHT, command.weights + np.arange(weights), False))
    if not command.keep:
        touches.append(Touch(Space.ACTIVATION, target_words(command).reshape(-1), True))
    return tuple(touches)


def _source(command: Compute) -> np.ndarray:
    groups = command.in_groups if command.operation is Operation.CONV else command.groups
    rows = _span(command.first_row, command.rows, command.stride_y, command.kernel_rows, command.in_rows)
    columns = _span(
        command.first_column, command.columns, command.stride_x, command.kernel_columns, command.in_columns
    )
    return (
        command.source
        + command.source_group * np.arange(groups)[:, None, None]
        + command.in_columns * rows[:, None]
        + columns
    ).reshape(-1)


def _span(first: int, count: int, stride: int, kernel: int, size: int) -> np.ndarray:
    return np.arange(max(first, 0), min(first + (count - 1) * stride + kernel, size))
