"""Checks that the hardware makes before it executes a command."""

from __future__ import annotations

from rtl.tensor.accelerator.commands import Command, Compute, Memory, Operation, Pack, Store, Transfer
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.machine.errors import ErrorCode, MachineError

__all__ = ["check", "pack_words", "weight_words"]

#: Fields of which 0 makes no sense.
_POSITIVE = {
    Transfer: ("row_bytes", "rows"),
    Pack: ("row_bytes", "in_rows", "segment_bytes", "kernel_rows", "columns", "rows"),
    Compute: (
        "stride_x", "stride_y", "in_groups", "in_columns", "in_rows", "groups",
        "kernel_columns", "kernel_rows", "columns", "rows",
    ),
}  # fmt: skip
_PARTIAL = (Operation.CONV, Operation.CHANNEL, Operation.SUM, Operation.MAX)


def check(command: Command, config: AcceleratorConfig) -> None:
    """Check a command.

    Raises
    ------
    MachineError
        The hardware refuses it: code 2 for a field, 3 for an address. Fields
        come first.
    """
    for kind, names in _POSITIVE.items():
        if isinstance(command, kind):
            for name in names:
                if getattr(command, name) == 0:
                    raise MachineError(ErrorCode.FIELD, f"{name} is 0")
    if isinstance(command, Transfer):
        _check_transfer(command, config)
    elif isinstance(command, Pack):
        _check_pack(command, config)
    elif isinstance(command, Compute):
        _check_fields(command, config)
        _check_addresses(command, config)


def weight_words(command: Compute, config: AcceleratorConfig) -> int:
    """Return how many words of the weight memory a compute command reads for each group."""
    taps = command.kernel_rows * command.kernel_columns
    words = {
        Operation.CONV: taps * command.in_groups * config.tile_words,
        Operation.DEPTHWISE: 2 * command.kernel_rows,
        Operation.CHANNEL: taps,
    }.get(command.operation)
    return 0 if words is None else words + (2 if command.per_tensor else 5)


def pack_words(command: Pack, config: AcceleratorConfig) -> int:
    """Return how many words a pack command writes for each position."""
    return -(-command.kernel_rows * command.segment_bytes // config.activation_word)


def _check_transfer(command: Transfer, config: AcceleratorConfig) -> None:
    weights = command.memory is Memory.WEIGHT
    if weights and isinstance(command, Store):
        raise MachineError(ErrorCode.FIELD, "a store is from the activation memory")
    word = config.weight_word if weights else config.activation_word
    for name in ("offset", "row_bytes", "stride"):
        if getattr(command, name) % config.bus_bytes:
            raise MachineError(
                ErrorCode.ADDRESS,
                f"{name} {getattr(command, name)} is no multiple of {config.bus_bytes}, bytes of the port",
            )
    if command.row_bytes % word:
        raise MachineError(
            ErrorCode.ADDRESS, f"row_bytes {command.row_bytes} is no multiple of {word}, a word"
        )
    last = command.address + (command.rows - 1) * command.pitch + command.row_bytes // word
    _inside(last, config.weight_words if weights else config.activation_words, "words on chip")


def _check_pack(command: Pack, config: AcceleratorConfig) -> None:
    dense = -(-command.row_bytes * command.in_rows // config.activation_word)
    _inside(command.source + dense, config.activation_words, "source")
    last = (
        command.target
        + (pack_words(command, config) - 1) * command.target_group
        + (command.rows - 1) * command.target_row
        + (command.columns - 1) * command.target_column
    )
    _inside(last + 1, config.activation_words, "target")


def _check_fields(command: Compute, config: AcceleratorConfig) -> None:
    operation = command.operation
    if operation is Operation.DEPTHWISE:
        if command.kernel_rows > 3 or command.kernel_columns > 4:
            raise MachineError(ErrorCode.FIELD, "DEPTHWISE has at most 3 x 4 taps")
        if command.stride_x > 2 or command.stride_y > 2:
            raise MachineError(ErrorCode.FIELD, "DEPTHWISE has strides of 1 and 2")
    if command.divide and operation is not Operation.SUM:
        raise MachineError(ErrorCode.FIELD, "divide is of SUM")
    if command.keep or command.accumulate:
        if operation not in _PARTIAL:
            raise MachineError(ErrorCode.FIELD, f"{operation.name} has no partial sums to keep")
        if command.groups != 1 or command.rows * command.columns > config.psum_words:
            raise MachineError(ErrorCode.FIELD, f"more than {config.psum_words} pixels of one group are kept")


def _check_addresses(command: Compute, config: AcceleratorConfig) -> None:
    size = config.activation_words
    if command.operation is Operation.ADD:
        words = command.groups * command.rows * command.columns
        for name in ("source", "source_b", "target"):
            _inside(getattr(command, name) + words, size, name)
        return
    groups = command.in_groups if command.operation is Operation.CONV else command.groups
    plane = command.in_rows * command.in_columns
    _inside(command.source + (groups - 1) * command.source_group + plane, size, "source")
    if not command.keep:
        last = (
            command.target
            + (command.groups - 1) * command.target_group
            + (command.rows - 1) * command.target_row
            + command.columns
        )
        _inside(last, size, "target")
    words = command.groups * weight_words(command, config)
    if words:
        _inside(command.weights + words, config.weight_words, "weights")


def _inside(end: int, words: int, what: str) -> None:
    if end > words:
        raise MachineError(ErrorCode.ADDRESS, f"{what} ends at word {end} of a memory of {words}")
