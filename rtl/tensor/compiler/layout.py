"""Where values lie: tensors in words, and weights as the hardware reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.graph import Padding, Scaling

__all__ = [
    "Geometry",
    "Layout",
    "channel_taps",
    "conv_taps",
    "depthwise_taps",
    "parameters",
    "unpack",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a tensor lies in the activation memory, or in external memory after a store.

    Attributes
    ----------
    rows, columns, channels
        Its shape, whichever way it lies.
    dense
        Whether it is NHWC, byte by byte; otherwise ``[group][y][x]``, in words.
    transposed
        Whether words lie ``[group][x][y]``.
    """

    rows: int
    columns: int
    channels: int
    dense: bool = False
    transposed: bool = False

    @property
    def pixels(self) -> int:
        """Rows times columns."""
        return self.rows * self.columns

    @property
    def plane(self) -> tuple[int, int]:
        """Rows and columns as they lie in memory."""
        return (self.columns, self.rows) if self.transposed else (self.rows, self.columns)

    def groups(self, config: AcceleratorConfig) -> int:
        """Return groups of channels."""
        return -(-self.channels // config.array)

    def words(self, config: AcceleratorConfig) -> int:
        """Return words of the activation memory."""
        if self.dense:
            return -(-self.pixels * self.channels // config.array)
        return self.groups(config) * self.pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """How a window slides over a plane, as it lies in memory: down first, then to the right.

    Attributes
    ----------
    kernel, stride
        Of the window.
    first
        Input row and column under its first tap at output (0, 0).
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    first: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls, kernel: tuple[int, int], stride: tuple[int, int], padding: Padding, transposed: bool
    ) -> Geometry:
        """Return the geometry of an operator."""
        step = -1 if transposed else 1
        return cls(kernel=kernel[::step], stride=stride[::step], first=(-padding.top, -padding.left)[::step])  # type: ignore[arg-type]


def unpack(words: NDArray[np.int8], layout: Layout, config: AcceleratorConfig) -> NDArray[np.int8]:
    """Return a tensor from its bytes in memory.

    Parameters
    ----------
    words
        int8, one dimension, at least as many as the layout has.
    layout, config
        How they lie.

    Returns
    -------
    numpy.ndarray
        int8, ``(1, rows, columns, channels)``.
    """
    if layout.dense:
        flat = words[: layout.pixels * layout.channels]
        return flat.reshape(1, layout.rows, layout.columns, layout.channels)
    blocks = words[: layout.words(config) * config.array].reshape(-1, *layout.plane, config.array)
    blocks = blocks.transpose(2, 1, 0, 3) if layout.transposed else blocks.transpose(1, 2, 0, 3)
    return blocks.reshape(1, layout.rows, layout.columns, -1)[..., : layout.channels]


def parameters(
    bias: NDArray[np.int32], scaling: Scaling | None, config: AcceleratorConfig
) -> NDArray[np.int8]:
    """Return what stands before the weights of each group: biases, multipliers and shifts.

    Parameters
    ----------
    bias
        One for each output channel.
    scaling
        ``None`` when multiplier and shifts are the command's.
    config
        Lanes.

    Returns
    -------
    numpy.ndarray
        int8, ``(groups, bytes)``.
    """
    parts = [_numbers(bias, config)]
    if scaling is not None:
        shifts = (scaling.right | scaling.left << 5).astype(np.uint8).view(np.int8)
        grouped = _padded(shifts, config).reshape(-1, config.array)
        parts += [_numbers(scaling.multiplier, config), grouped, np.zeros_like(grouped)]
    return np.concatenate(parts, axis=1)


def conv_taps(weights: NDArray[np.int8], config: AcceleratorConfig) -> NDArray[np.int8]:
    """Return a convolution's weights in the order of the hardware.

    Parameters
    ----------
    weights
        ``(output channel, kernel row, kernel column, input channel)``.
    config
        Lanes.

    Returns
    -------
    numpy.ndarray
        int8, ``(groups, kernel rows, kernel columns, input groups, lanes, output channels)``.
    """
    lanes = config.array
    outputs, rows, columns, inputs = weights.shape
    groups, in_groups = -(-outputs // lanes), -(-inputs // lanes)
    full = np.zeros((groups * lanes, rows, columns, in_groups * lanes), np.int8)
    full[:outputs, :, :, :inputs] = weights
    split = full.reshape(groups, lanes, rows, columns, in_groups, lanes)
    return np.ascontiguousarray(split.transpose(0, 2, 3, 4, 5, 1))


def depthwise_taps(weights: NDArray[np.int8], config: AcceleratorConfig) -> NDArray[np.int8]:
    """Return weights of ``DEPTHWISE`` as ``(groups, kernel rows, 1, 4 taps, channels)``.

    `weights` are ``(kernel row, kernel column, channel)``, of at most 4 columns.
    """
    rows, columns, channels = weights.shape
    groups = -(-channels // config.array)
    full = np.zeros((rows, 4, groups * config.array), np.int8)
    full[:, :columns, :channels] = weights
    split = full.reshape(rows, 4, groups, config.array)
    return np.ascontiguousarray(split.transpose(2, 0, 1, 3)[:, :, None])


def channel_taps(weights: NDArray[np.int8], config: AcceleratorConfig) -> NDArray[np.int8]:
    """Return weights of ``CHANNEL`` as ``(groups, kernel rows, kernel columns, 1, 2, channels)``.

    `weights` are ``(kernel row, kernel column, channel)``; the second half of each word is 0.
    """
    rows, columns, channels = weights.shape
    groups = -(-channels // config.array)
    full = np.zeros((rows, columns, 2, groups * config.array), np.int8)
    full[:, :, 0, :channels] = weights
    split = full.reshape(rows, columns, 2, groups, config.array)
    return np.ascontiguousarray(split.transpose(3, 0, 1, 2, 4)[:, :, :, None])


def _padded(values: NDArray[np.generic], config: AcceleratorConfig) -> NDArray[np.generic]:
    full = np.zeros(-(-len(values) // config.array) * config.array, values.dtype)
    full[: len(values)] = values
    return full


def _numbers(values: NDArray[np.int32], config: AcceleratorConfig) -> NDArray[np.int8]:
    padded = _padded(values.astype("<i4"), config).reshape(-1, config.array)
    return np.ascontiguousarray(padded).view(np.int8)
