"""Commands of pools: windows that padding cuts are divided by what is left of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.items import MOST_COMMANDS, Item, Stored, TooManyCommandsError
from rtl.tensor.compiler.layout import Geometry
from rtl.tensor.compiler.quantise import reciprocal

__all__ = ["IDENTITY", "pool_items"]

#: Scaling that changes nothing.
IDENTITY: dict[str, Any] = {"multiplier": 1 << 30, "left": 1}


def pool_items(
    base: Compute,
    geometry: Geometry,
    source: Stored,
    target: Stored,
    config: AcceleratorConfig,
    *,
    scaled: bool = False,
) -> Iterator[Item]:
    """Yield the commands of a pool.

    Parameters
    ----------
    base
        Operation, zero points, clamp and tag.
    geometry
        Window.
    source, target
        Input and output.
    config
        Lanes.
    scaled
        Whether `base` has the scaling; otherwise averages are divided by the
        pixels of the window that exist.
    """
    sizes, plane = source.layout.plane, target.layout.plane
    whole = base.operation is Operation.MAX or scaled
    down, across = (
        [(0, plane[axis], 0)] if whole else list(_runs(geometry, axis, sizes[axis], plane[axis]))
        for axis in (0, 1)
    )
    if len(down) * len(across) > MOST_COMMANDS:
        raise TooManyCommandsError(len(down) * len(across))
    for row, rows, high in down:
        for column, columns, wide in across:
            command = dataclasses.replace(
                base,
                stride_y=geometry.stride[0],
                stride_x=geometry.stride[1],
                kernel_rows=geometry.kernel[0],
                kernel_columns=geometry.kernel[1],
                first_row=geometry.first[0] + row * geometry.stride[0],
                first_column=geometry.first[1] + column * geometry.stride[1],
                source_group=sizes[0] * sizes[1],
                in_rows=sizes[0],
                in_columns=sizes[1],
                rows=rows,
                columns=columns,
                groups=target.layout.groups(config),
                target=row * plane[1] + column,
                target_row=plane[1],
                target_group=plane[0] * plane[1],
            )
            if not scaled:
                command = dataclasses.replace(command, **_division(1 if whole else high * wide))
            yield Item(command, {"source": source.buffer, "target": target.buffer})


def _division(count: int) -> dict[str, Any]:
    if count == 1:
        return IDENTITY
    scale = reciprocal(count)
    return {"divide": True, "multiplier": scale.multiplier, "right": scale.right, "half": count // 2}


def _runs(geometry: Geometry, axis: int, size: int, outputs: int) -> Iterator[tuple[int, int, int]]:
    """Yield neighbouring outputs whose windows have as many pixels: first, how many, and pixels."""
    begin, known = 0, 0
    for place in range(outputs):
        first = geometry.first[axis] + place * geometry.stride[axis]
        count = min(first + geometry.kernel[axis], size) - max(first, 0)
        if count != known:
            if place:
                yield begin, place - begin, known
            begin, known = place, count
    yield begin, outputs - begin, known
