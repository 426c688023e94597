"""Loads, stores, and packing of dense tensors."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

import numpy as np

from rtl.tensor.accelerator.commands import Memory, Pack, Store, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.check import pack_words
from rtl.tensor.machine.errors import ErrorCode, MachineError
from rtl.tensor.machine.memories import Memories

__all__ = ["execute_pack", "execute_transfer", "external_bytes", "pack_targets", "transfer_words"]


def transfer_words(command: Transfer, config: AcceleratorConfig) -> np.ndarray:
    """Return the words on chip that a transfer touches, ``(rows, words of a row)``."""
    word = config.weight_word if command.memory is Memory.WEIGHT else config.activation_word
    starts = command.address + command.pitch * np.arange(command.rows)
    return starts[:, None] + np.arange(command.row_bytes // word)


def external_bytes(command: Transfer) -> np.ndarray:
    """Return where each row of a transfer begins in external memory, bytes from its base, ``(rows,)``."""
    return command.offset + command.stride * np.arange(command.rows, dtype=np.int64)


def execute_transfer(command: Transfer, memories: Memories, config: AcceleratorConfig) -> None:
    """Copy rows between an external region and a memory on chip.

    Raises
    ------
    MachineError
        The region ends before the rows do: code 4, as the port's error answer.
    """
    region = memories.external.get(command.base)
    starts = external_bytes(command)
    end = int(starts[-1]) + command.row_bytes
    if region is None or end > len(region):
        have = 0 if region is None else len(region)
        raise MachineError(
            ErrorCode.BUS, f"byte {end} of {command.base.name}, which has {have}, answers with an error"
        )
    memory = memories.weight if command.memory is Memory.WEIGHT else memories.activation
    words = transfer_words(command, config)
    for start, row in zip(starts.tolist(), words, strict=True):
        if isinstance(command, Store):
            region[start : start + command.row_bytes] = memory[row].reshape(-1).view(np.uint8)
        else:
            data = region[start : start + command.row_bytes].view(np.int8)
            memory[row] = data.reshape(len(row), -1)


def pack_targets(command: Pack, config: AcceleratorConfig) -> np.ndarray:
    """Return the words that a pack command writes, ``(rows, columns, words of a position)``."""
    return (
        command.target
        + command.target_row * np.arange(command.rows)[:, None, None]
        + command.target_column * np.arange(command.columns)[:, None]
        + command.target_group * np.arange(pack_words(command, config))
    )


def execute_pack(command: Pack, memories: Memories, config: AcceleratorConfig) -> None:
    """Unfold a dense tensor into words."""
    words = -(-command.row_bytes * command.in_rows // config.activation_word)
    content = memories.activation[command.source : command.source + words].reshape(-1)
    dense = content[: command.row_bytes * command.in_rows].reshape(command.in_rows, command.row_bytes)
    targets = pack_targets(command, config)
    size = pack_words(command, config) * config.activation_word
    kernel = np.arange(command.kernel_rows)
    under = (
        command.first_byte
        + command.step_bytes * np.arange(command.columns)[:, None]
        + np.arange(command.segment_bytes)
    )
    inside = (under >= 0) & (under < command.row_bytes)
    places: np.ndarray = np.clip(under, 0, command.row_bytes - 1)
    for row in range(command.rows):
        lines = command.first_row + row * command.row_step + kernel
        there = ((lines >= 0) & (lines < command.in_rows))[:, None, None] & inside
        found = dense[np.clip(lines, 0, command.in_rows - 1)][:, places]
        found = np.where(there, found, np.int8(command.fill))  # kernel row, column, byte
        packed = np.full((command.columns, size), command.fill, np.int8)
        packed[:, : command.kernel_rows * command.segment_bytes] = found.transpose(1, 0, 2).reshape(
            command.columns, -1
        )
        memories.activation[targets[row].reshape(-1)] = packed.reshape(-1, config.activation_word)
