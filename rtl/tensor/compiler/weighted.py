"""Compute commands with weights: tiles of the weight memory, and reductions in parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.items import MOST_COMMANDS, Buffer, Item, Tile, TooManyCommandsError
from rtl.tensor.compiler.layout import Geometry

__all__ = ["Rectangle", "Weights", "weighted_items"]

#: Part of the weight memory that a tile takes at most, where a group of channels is not more: so
#: several fit, and loads run ahead.
_TILE_SHARE = 4
_LARGEST_KERNEL = 255
_LARGEST_GROUPS = 4095


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """Part of an output plane, and where its input lies.

    Attributes
    ----------
    row, column, rows, columns
        The part, as it lies in memory.
    source
        Buffer of the input.
    source_offset, source_group
        Words from the buffer's first to pixel (0, 0) of group 0, and from a group to the next.
    in_rows, in_columns
        Size of the input.
    first
        Input pixel under the kernel's first tap at the rectangle's first pixel.
    before
        Items that make its input.
    """

    row: int
    column: int
    rows: int
    columns: int
    source: Buffer
    source_offset: int
    source_group: int
    in_rows: int
    in_columns: int
    first: tuple[int, int]
    before: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Constants of a layer.

    Attributes
    ----------
    parameters
        int8, ``(groups, bytes)``: biases and the like.
    taps
        int8, ``(groups, kernel rows, kernel columns, input groups, ...)``.
    """

    parameters: NDArray[np.int8]
    taps: NDArray[np.int8]

    def tile(self, groups: slice, part: _Part | None = None) -> Tile:
        """Return the image of some groups, or of a part of them."""
        taps = self.taps[groups]
        if part is not None:
            taps = taps[:, part.rows, part.columns, part.in_groups]
        flat = taps.reshape(len(taps), -1)
        return Tile(np.concatenate([self.parameters[groups], flat], axis=1).tobytes())


@dataclass(frozen=True, slots=True)
class _Part:
    """Taps and input groups that are reduced together."""

    rows: slice
    columns: slice
    in_groups: slice


def weighted_items(
    base: Compute,
    geometry: Geometry,
    weights: Weights,
    rectangles: Sequence[Rectangle],
    target: Buffer,
    plane: tuple[int, int],
    config: AcceleratorConfig,
) -> Iterator[Item]:
    """Yield the commands of a layer with weights.

    Parameters
    ----------
    base
        Operation, scaling and tag; everything else is filled in.
    geometry
        Kernel and stride.
    weights
        Its constants.
    rectangles
        Parts of the output, one after another.
    target, plane
        Output buffer, and rows and columns of a plane of it.
    config
        Sizes of the memories.
    """
    group_words = (weights.parameters.shape[1] + weights.taps[0].size) // config.weight_word
    groups = len(weights.taps)
    parts = _parts(base, geometry, weights, config)
    if len(parts) > 1:
        pixels = max(1, config.psum_words // 2)  # a band has at least as many, but for the last of a row
        count = len(parts) * groups * sum(-(-r.rows * r.columns // pixels) for r in rectangles)
        if count > MOST_COMMANDS:
            raise TooManyCommandsError(count)
        tiles = [[weights.tile(slice(g, g + 1), part) for part in parts] for g in range(groups)]
        for rectangle in rectangles:
            yield from rectangle.before
            for group in range(groups):
                for band in _bands(rectangle, geometry, config.psum_words):
                    yield from _reduced(base, geometry, parts, tiles[group], band, target, plane, group)
        return
    step = max(1, config.weight_words // _TILE_SHARE // group_words)
    starts = range(0, groups, step)
    whole = {first: weights.tile(slice(first, first + step)) for first in starts}
    for rectangle in rectangles:
        yield from rectangle.before
        for first in starts:
            command = _command(base, geometry, rectangle, plane, first)
            command = dataclasses.replace(command, groups=min(step, groups - first))
            if base.operation is Operation.CONV:
                command = dataclasses.replace(command, in_groups=weights.taps.shape[3])
            else:
                command = dataclasses.replace(command, source=command.source + first * rectangle.source_group)
            yield Item(command, {"source": rectangle.source, "target": target}, whole[first])


def _command(
    base: Compute, geometry: Geometry, rectangle: Rectangle, plane: tuple[int, int], group: int
) -> Compute:
    return dataclasses.replace(
        base,
        stride_y=geometry.stride[0],
        stride_x=geometry.stride[1],
        kernel_rows=geometry.kernel[0],
        kernel_columns=geometry.kernel[1],
        first_row=rectangle.first[0],
        first_column=rectangle.first[1],
        source=rectangle.source_offset,
        source_group=rectangle.source_group,
        in_rows=rectangle.in_rows,
        in_columns=rectangle.in_columns,
        rows=rectangle.rows,
        columns=rectangle.columns,
        target=group * plane[0] * plane[1] + rectangle.row * plane[1] + rectangle.column,
        target_row=plane[1],
        target_group=plane[0] * plane[1],
    )


def _reduced(
    base: Compute,
    geometry: Geometry,
    parts: Sequence[_Part],
    tiles: Sequence[Tile],
    band: Rectangle,
    target: Buffer,
    plane: tuple[int, int],
    group: int,
) -> Iterator[Item]:
    """Yield the commands that reduce a group's weights part after part."""
    whole = _command(base, geometry, band, plane, group)
    for number, (part, tile) in enumerate(zip(parts, tiles, strict=True)):
        source_group = part.in_groups.start if base.operation is Operation.CONV else group
        command = dataclasses.replace(
            whole,
            kernel_rows=part.rows.stop - part.rows.start,
            kernel_columns=part.columns.stop - part.columns.start,
            in_groups=part.in_groups.stop - part.in_groups.start,
            first_row=whole.first_row + part.rows.start,
            first_column=whole.first_column + part.columns.start,
            source=whole.source + source_group * band.source_group,
            accumulate=number > 0,
            keep=number < len(parts) - 1,
        )
        yield Item(command, {"source": band.source, "target": target}, tile)


def _parts(base: Compute, geometry: Geometry, weights: Weights, config: AcceleratorConfig) -> list[_Part]:
    """Return what is reduced together: all, or as much as half of the weight memory takes."""
    rows, columns = geometry.kernel
    in_groups = weights.taps.shape[3] if base.operation is Operation.CONV else 1
    if base.operation is Operation.DEPTHWISE:
        return [_Part(slice(0, rows), slice(0, columns), slice(0, 1))]
    head = weights.parameters.shape[1] // config.weight_word
    each = config.tile_words if base.operation is Operation.CONV else 1
    sets = rows * columns * in_groups
    small = in_groups <= _LARGEST_GROUPS and max(rows, columns) <= _LARGEST_KERNEL
    if head + sets * each <= config.weight_words and small:
        return [_Part(slice(0, rows), slice(0, columns), slice(0, in_groups))]
    most = (config.weight_words // 2 - head) // each
    chunk = min(most, in_groups, _LARGEST_GROUPS)
    across = max(1, min(most // in_groups, columns, _LARGEST_KERNEL))
    down = max(1, min(most // (in_groups * columns), rows, _LARGEST_KERNEL)) if across == columns else 1
    return [
        _Part(
            slice(row, min(row + down, rows)),
            slice(column, min(column + across, columns)),
            slice(first, min(first + chunk, in_groups)),
        )
        for row in range(0, rows, down)
        for column in range(0, columns, across)
        for first in range(0, in_groups, chunk)
    ]


def _bands(rectangle: Rectangle, geometry: Geometry, pixels: int) -> Iterator[Rectangle]:
    """Yield parts of a rectangle of at most so many pixels."""
    columns = min(rectangle.columns, pixels)
    rows = max(1, pixels // columns) if columns == rectangle.columns else 1
    for y in range(0, rectangle.rows, rows):
        for x in range(0, rectangle.columns, columns):
            yield dataclasses.replace(
                rectangle,
                row=rectangle.row + y,
                column=rectangle.column + x,
                rows=min(rows, rectangle.rows - y),
                columns=min(columns, rectangle.columns - x),
                first=(
                    rectangle.first[0] + y * geometry.stride[0],
                    rectangle.first[1] + x * geometry.stride[1],
                ),
                before=(),
            )
