"""What is worth having been tried of compute commands."""

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["GOALS", "features"]

_WINDOWED = (Operation.CONV, Operation.CHANNEL, Operation.SUM, Operation.MAX)
_OPERATIONS = ("CONV", "DEPTHWISE", "CHANNEL", "SUM", "MAX")
_PARTIAL = ("CONV", "CHANNEL", "SUM", "MAX")
#: What many of them must have tried.
GOALS = frozenset(
    {"ADD", "SUM divide", "CONV one input group", "CONV input groups"}
    | {f"{name} padding {side}" for name in _OPERATIONS for side in ("left", "right", "top", "bottom")}
    | {f"{name} no padding" for name in _OPERATIONS}
    | {f"{name} {what}" for name in (*_OPERATIONS, "ADD") for what in ("one group", "groups")}
    | {f"{name} per_tensor" for name in ("CONV", "DEPTHWISE", "CHANNEL")}
    | {f"{name} {what}" for name in _PARTIAL for what in ("keep", "accumulate", "blocks", "1 pixels")}
    | {f"DEPTHWISE kernel {rows}x{columns}" for rows in (1, 2, 3) for columns in (1, 2, 3, 4)}
    | {f"DEPTHWISE stride {y}x{x}" for x in (1, 2) for y in (1, 2)}
    | {f"{name} kernel {rows}x{columns}" for name in _PARTIAL for rows in (1, 2, 3) for columns in (1, 2, 3)}
    | {f"{name} stride {x}x{y}" for name in _PARTIAL for x in (1, 2, 3) for y in (1, 2, 3)}
)


def features(command: Compute, config: AcceleratorConfig) -> set[str]:
    """Return what is worth having been tried about a command, as names."""
    name = command.operation.name
    found = {name}
    if command.operation is not Operation.ADD:
        found.add(f"{name} stride {min(command.stride_x, 3)}x{min(command.stride_y, 3)}")
        found.add(f"{name} kernel {min(command.kernel_rows, 4)}x{min(command.kernel_columns, 5)}")
        right = command.first_column + (command.columns - 1) * command.stride_x + command.kernel_columns
        below = command.first_row + (command.rows - 1) * command.stride_y + command.kernel_rows
        sides = {
            "left": command.first_column < 0,
            "right": right > command.in_columns,
            "top": command.first_row < 0,
            "bottom": below > command.in_rows,
        }
        found |= {f"{name} padding {side}" for side, there in sides.items() if there}
        if not any(sides.values()):
            found.add(f"{name} no padding")
    pixels = command.columns * command.rows
    if command.operation in _WINDOWED:
        small = [f"{pixels} pixels"] if pixels < 6 else []
        blocks = [] if pixels <= config.psum_words else ["blocks"]
        found |= {f"{name} {what}" for what in small + blocks}
    flags = ("per_tensor", "accumulate", "keep", "divide")
    found |= {f"{name} {flag}" for flag in flags if getattr(command, flag)}
    found.add(f"{name} {'one group' if command.groups == 1 else 'groups'}")
    if command.operation is Operation.CONV:
        found.add(f"CONV {'one input group' if command.in_groups == 1 else 'input groups'}")
    if command.operation is Operation.DEPTHWISE and command.columns % config.depthwise_pixels:
        found.add("DEPTHWISE rest of a row")
    return found
