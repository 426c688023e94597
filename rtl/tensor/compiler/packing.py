"""Packing of dense inputs: whole, or in stripes beside the computation."""

from __future__ import annotations

from dataclasses import dataclass

from rtl.tensor.accelerator.commands import Pack
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.graph import Conv
from rtl.tensor.compiler.items import Buffer, Item, Stored
from rtl.tensor.compiler.layout import Layout
from rtl.tensor.compiler.weighted import Rectangle

__all__ = ["Packing", "pack_pixels", "packed_rectangles", "packed_sizes"]

#: Stripes that a packed tensor has at least, where its rows allow it, so that computing starts early;
#: and fewest pixels of one, since sets of weights are loaded beside that many.
_STRIPES = 6
_PIXELS = 24
#: Words between planes of packed pixels, so that the words of a position go to different banks.
_SKEW = 1
#: Stripes that are kept at a time when not all are.
_BUFFERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """A receptive field unfolded into channels.

    Attributes
    ----------
    source
        Dense input.
    target
        Layout of the convolution's output: its pixels are the positions.
    kernel, stride, first
        Window, in rows and columns of the tensor, not as it lies.
    fill
        Zero point.
    limit
        Most words of packed pixels at a time.
    """

    source: Stored
    target: Layout
    kernel: tuple[int, int]
    stride: tuple[int, int]
    first: tuple[int, int]
    fill: int
    limit: int | None

    @classmethod
    def of(cls, operator: Conv, source: Stored, target: Layout, limit: int | None) -> Packing:
        """Return the packing of a convolution's input."""
        return cls(
            source=source,
            target=target,
            kernel=operator.kernel,
            stride=operator.stride,
            first=(-operator.padding.top, -operator.padding.left),
            fill=operator.zero,
            limit=limit,
        )

    @property
    def size(self) -> int:
        """Bytes of a position."""
        return self.kernel[0] * self.kernel[1] * self.source.layout.channels


def pack_pixels(source: Stored, target: Stored, tag: int, config: AcceleratorConfig) -> Item:
    """Return the command that turns a dense tensor into words."""
    packing = Packing(
        source=source, target=target.layout, kernel=(1, 1), stride=(1, 1), first=(0, 0), fill=0, limit=None
    )
    plane = target.layout.plane
    return _item(packing, 0, plane[0], target.buffer, 0, plane[0] * plane[1], tag)


def packed_sizes(packing: Packing, config: AcceleratorConfig) -> tuple[int, int]:
    """Return words of all packed pixels, and of the fewest that are kept: a row."""
    rows, columns = packing.target.plane
    words = -(-packing.size // config.array)
    return (rows * columns + _SKEW) * words, (columns + _SKEW) * words


def packed_rectangles(packing: Packing, tag: int, config: AcceleratorConfig) -> list[Rectangle]:
    """Return the parts of the output with the commands that pack the input of each.

    All are kept where `limit` allows it; otherwise a few buffers take turns.
    """
    rows, columns = packing.target.plane
    words = -(-packing.size // config.array)
    plane = rows * columns + _SKEW
    limit = packing.limit if packing.limit is not None else plane * words
    step = max(1, -(-_PIXELS // columns), rows // _STRIPES)
    unit = max(1, config.bus_bytes // config.activation_word)
    name = f"tensor {packing.source.buffer.name}, packed"
    whole = limit >= plane * words
    count = 1
    if not whole:
        count = max(1, min(_BUFFERS, limit // ((columns + _SKEW) * words)))
        step = max(1, min(step, (limit // (count * words) - _SKEW) // columns))
        plane = step * columns + _SKEW
    size = -(-plane * words // unit) * unit
    buffers = [Buffer(name, size) for _ in range(count)]
    rectangles = []
    for number, row in enumerate(range(0, rows, step)):
        some = min(step, rows - row)
        buffer = buffers[number % len(buffers)]
        offset = row * columns if whole else 0
        rectangles.append(
            Rectangle(
                row=row,
                column=0,
                rows=some,
                columns=columns,
                source=buffer,
                source_offset=offset,
                source_group=plane,
                in_rows=some,
                in_columns=columns,
                first=(0, 0),
                before=(_item(packing, row, some, buffer, offset, plane, tag),),
            )
        )
    return rectangles


def _item(packing: Packing, row: int, rows: int, buffer: Buffer, offset: int, group: int, tag: int) -> Item:
    """Return the command that packs some rows, as they lie in memory."""
    source, channels = packing.source.layout, packing.source.layout.channels
    transposed = packing.target.transposed
    _, across = packing.target.plane
    top, left = (0, row) if transposed else (row, 0)
    high, wide = (across, rows) if transposed else (rows, across)
    command = Pack(
        tag=tag,
        source=0,
        row_bytes=source.columns * channels,
        in_rows=source.rows,
        segment_bytes=packing.kernel[1] * channels,
        step_bytes=packing.stride[1] * channels,
        first_byte=(packing.first[1] + left * packing.stride[1]) * channels,
        first_row=packing.first[0] + top * packing.stride[0],
        row_step=packing.stride[0],
        kernel_rows=packing.kernel[0],
        fill=packing.fill,
        columns=wide,
        rows=high,
        target=offset,
        target_column=across if transposed else 1,
        target_row=1 if transposed else across,
        target_group=group,
    )
    return Item(command, {"source": packing.source.buffer, "target": buffer})
