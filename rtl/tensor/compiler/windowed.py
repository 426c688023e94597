"""Operators that slide a window over pixels: convolutions, pools, MEAN, and PAD before them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.compiler.flatbuffer import Table
from rtl.tensor.compiler.graph import (
    AveragePool,
    Conv,
    Depthwise,
    MaxPool,
    Mean,
    Operator,
    Padding,
    Tensor,
)
from rtl.tensor.compiler.model import RawOperator
from rtl.tensor.compiler.operands import BROKEN, Operands, Padded, fields, frozen
from rtl.tensor.compiler.quantise import convolution_scaling, mean_scale
from rtl.tensor.compiler.schema import ConvField, DepthwiseField, OptionsType, PoolField

__all__ = ["average_pool", "conv", "depthwise", "max_pool", "mean", "pad", "reduce_max"]

#: Weights that an operator may grow to by zeros between those that it has.
_LARGEST_EXPANSION = 1 << 22


def _pair(options: Table | None, rows: int, columns: int, default: int) -> tuple[int, int]:
    """Return two options: of rows, of columns."""
    if options is None:
        return default, default
    return options.integer(rows, default=default), options.integer(columns, default=default)


def _make_room(operands: Operands, count: int) -> None:
    """Check how many weights an operator would have, zeros between them counted."""
    if count > _LARGEST_EXPANSION:
        operands.model.refuse(
            f"with the zeros that stand between its weights it would have {count} of them, more than "
            f"{_LARGEST_EXPANSION}",
            "Use fewer channels, or a depth multiplier and a dilation of 1",
        )
    operands.reserve(count)


def _apart(
    operands: Operands, weights: NDArray[np.int8], group: NDArray[np.int64], groups: int
) -> NDArray[np.int8]:
    """Return the weights of an ordinary convolution, 0 for channels that an output does not see.

    Parameters
    ----------
    operands
        Refuses what would be too large.
    weights
        int8, (output channel, kernel row, kernel column, channel of its group).
    group, groups
        Of each output channel, and how many there are.
    """
    channels, rows, columns, depth = weights.shape
    _make_room(operands, weights.size * groups)
    made: NDArray[np.int8] = np.zeros((channels, rows, columns, groups, depth), np.int8)
    made[np.arange(channels), :, :, group] = weights
    return frozen(made.reshape(channels, rows, columns, groups * depth))


def _dilated(operands: Operands, weights: NDArray[np.int8], steps: tuple[int, ...]) -> NDArray[np.int8]:
    """Return weights with zeros between them: `steps` from one to the next along each axis."""
    if max(steps) == 1:
        return weights
    sides = [(side - 1) * step + 1 for side, step in zip(weights.shape, steps, strict=True)]
    _make_room(operands, int(np.prod(sides)))
    made: NDArray[np.int8] = np.zeros(sides, np.int8)
    made[tuple(slice(None, None, step) for step in steps)] = weights
    return frozen(made)


def conv(operands: Operands, operator: RawOperator) -> Operator:
    """Check CONV_2D."""
    operands.count(operator, 2, 3)
    output = operands.output(operator)
    source, around = operands.input_with_padding(operator)
    options = operands.model.options(operator, OptionsType.CONV)
    weights = operands.weights(operator, 4)
    assert weights.data is not None
    channels, rows, columns, depth = weights.dimensions
    stride = _pair(options, ConvField.STRIDE_H, ConvField.STRIDE_W, 0)
    dilation = _pair(options, ConvField.DILATION_H, ConvField.DILATION_W, 1)
    rows, columns = operands.window((rows, columns), stride, dilation)
    groups = source.shape[3] // depth
    if source.shape[3] % depth or channels % groups:
        operands.model.refuse(
            f"its weights have {depth} input channels and {channels} output channels, its input has "
            f"{source.shape[3]} channels",
            BROKEN,
        )
    values = weights.data.astype(np.int8, copy=False)
    if groups > 1:
        values = _apart(operands, values, np.arange(channels) // (channels // groups), groups)
    values = _dilated(operands, values, (1, *dilation, 1))
    kind = operands.padding(options, ConvField.PADDING)
    padding = operands.slides(source.shape, around, (rows, columns), stride, kind, output, channels)
    scales = operands.weight_scales(weights, 0)
    limits = operands.limits(options, ConvField.ACTIVATION, output)
    return Conv(
        **fields(operator, output, source),
        weights=values,
        bias=operands.bias(operator, channels),
        zero=source.zero_point,
        zero_out=output.zero_point,
        scaling=operands.scaling(
            lambda: convolution_scaling(source.scales[0], scales, output.scales[0], channels)
        ),
        **limits,
        stride=stride,
        padding=padding,
    )


def depthwise(operands: Operands, operator: RawOperator) -> Operator:
    """Check DEPTHWISE_CONV_2D; with a depth multiplier it becomes an ordinary convolution."""
    operands.count(operator, 2, 3)
    output = operands.output(operator)
    source, around = operands.input_with_padding(operator)
    options = operands.model.options(operator, OptionsType.DEPTHWISE)
    weights = operands.weights(operator, 4)
    assert weights.data is not None
    first, rows, columns, channels = weights.dimensions
    depth = source.shape[3]
    stride = _pair(options, DepthwiseField.STRIDE_H, DepthwiseField.STRIDE_W, 0)
    dilation = _pair(options, DepthwiseField.DILATION_H, DepthwiseField.DILATION_W, 1)
    rows, columns = operands.window((rows, columns), stride, dilation)
    # The reference takes the multiplier from the shapes; the option may be 0.
    stated = 0 if options is None else options.integer(DepthwiseField.MULTIPLIER)
    multiplier = channels // depth
    if first != 1 or channels % depth or stated not in (0, multiplier):
        operands.model.refuse(
            f"its weights have shape {' x '.join(map(str, weights.dimensions))}, which does not fit "
            f"{depth} input channels and a depth multiplier of {stated}",
            BROKEN,
        )
    kind = operands.padding(options, DepthwiseField.PADDING)
    padding = operands.slides(source.shape, around, (rows, columns), stride, kind, output, channels)
    scales = operands.weight_scales(weights, 3)
    limits = operands.limits(options, DepthwiseField.ACTIVATION, output)
    values = weights.data.astype(np.int8, copy=False)[0]
    if multiplier > 1:
        alone = values.transpose(2, 0, 1)[..., np.newaxis]
        values = _apart(operands, alone, np.arange(channels) // multiplier, depth)
    values = _dilated(operands, values, (*dilation, 1) if multiplier == 1 else (1, *dilation, 1))
    form = Depthwise if multiplier == 1 else Conv
    return form(
        **fields(operator, output, source),
        weights=values,
        bias=operands.bias(operator, channels),
        zero=source.zero_point,
        zero_out=output.zero_point,
        scaling=operands.scaling(
            lambda: convolution_scaling(source.scales[0], scales, output.scales[0], channels)
        ),
        **limits,
        stride=stride,
        padding=padding,
    )


def _same_quantisation(operands: Operands, source: Tensor, output: Tensor) -> None:
    if source.zero_point != output.zero_point or abs(source.scale - output.scale) > 1e-6:
        operands.model.refuse(
            f"its input has scale {source.scale:.6g} and zero point {source.zero_point}, its output "
            f"{output.scale:.6g} and {output.zero_point}",
            "They must be the same; convert the network again",
        )


def _pool(operands: Operands, operator: RawOperator, form: type[AveragePool] | type[MaxPool]) -> Operator:
    operands.count(operator, 1, 1)
    output = operands.output(operator)
    source = operands.input(operator)
    operands.pictures(source)
    options = operands.model.options(operator, OptionsType.POOL)
    kernel = _pair(options, PoolField.KERNEL_H, PoolField.KERNEL_W, 0)
    stride = _pair(options, PoolField.STRIDE_H, PoolField.STRIDE_W, 0)
    operands.window(kernel, stride, (1, 1))
    kind = operands.padding(options, PoolField.PADDING)
    padding = operands.slides(source.shape, Padding(), kernel, stride, kind, output, source.shape[3])
    _same_quantisation(operands, source, output)
    limits = operands.limits(options, PoolField.ACTIVATION, output)
    return form(
        **fields(operator, output, source),
        kernel=kernel,
        stride=stride,
        padding=padding,
        **limits,
    )


def average_pool(operands: Operands, operator: RawOperator) -> Operator:
    """Check AVERAGE_POOL_2D."""
    return _pool(operands, operator, AveragePool)


def max_pool(operands: Operands, operator: RawOperator) -> Operator:
    """Check MAX_POOL_2D."""
    return _pool(operands, operator, MaxPool)


def _reduced(operands: Operands, operator: RawOperator, source: Tensor, output: Tensor) -> tuple[int, int]:
    """Return rows and columns of the window that an operator reduces to one pixel: all, or 1."""
    axes = operands.constant(operator, 1, "its axes")
    assert axes.data is not None
    numbers = [int(axis) for axis in axes.data.reshape(-1)[:5]]
    rank = len(source.dimensions)
    # Tensors of fewer dimensions lack rows first, then columns.
    places = sorted((axis + rank if axis < 0 else axis) + 4 - rank for axis in numbers)
    if places not in ([1], [2], [1, 2]) or min(numbers) < -rank or max(numbers) >= rank:
        operands.model.refuse(
            f"it runs over axes {', '.join(map(str, numbers))} of {rank}",
            "Only rows, columns or both are supported: axes 1 and 2 of 4",
        )
    _, rows, columns, channels = source.shape
    left = (1 if 1 in places else rows, 1 if 2 in places else columns)
    operands.has_shape(output, (1, *left, channels))
    kernel = (rows // left[0], columns // left[1])
    if max(kernel) > 255:
        operands.model.refuse(
            f"its window has {kernel[0]} x {kernel[1]} pixels", "Sides of 1 to 255 are supported"
        )
    return kernel


def reduce_max(operands: Operands, operator: RawOperator) -> Operator:
    """Check REDUCE_MAX over rows, columns or both: a pool of one window."""
    operands.count(operator, 2, 2)
    output = operands.output(operator)
    source = operands.input(operator)
    kernel = _reduced(operands, operator, source, output)
    _same_quantisation(operands, source, output)
    return MaxPool(
        **fields(operator, output, source),
        kernel=kernel,
        stride=(1, 1),
        padding=Padding(),
        minimum=-128,
        maximum=127,
    )


def mean(operands: Operands, operator: RawOperator) -> Operator:
    """Check MEAN, which must be over rows, columns or both."""
    operands.count(operator, 2, 2)
    output = operands.output(operator)
    source = operands.input(operator)
    rows, columns = _reduced(operands, operator, source, output)
    count = rows * columns
    return Mean(
        **fields(operator, output, source),
        zero=source.zero_point,
        zero_out=output.zero_point,
        scale=operands.scaling(lambda: mean_scale(source.scales[0], output.scales[0], count)),
    )


def pad(operands: Operands, operator: RawOperator) -> None:
    """Check PAD, and remember it for the convolutions that read its output."""
    operands.count(operator, 2, 2)
    output = operands.output(operator)
    source = operands.input(operator)
    _same_quantisation(operands, source, output)
    amounts = operands.constant(operator, 1, "its amounts")
    assert amounts.data is not None
    rank = len(source.dimensions)
    if amounts.dimensions != (rank, 2) or rank < 3:
        operands.model.refuse(
            f"its amounts have shape {' x '.join(map(str, amounts.dimensions))}, for {rank} dimensions",
            "Only rows and columns can be padded",
        )
    pairs = [tuple(int(amount) for amount in pair) for pair in amounts.data.tolist()]
    pairs[1:1] = [(0, 0)] * (4 - rank)
    if pairs[0] != (0, 0) or pairs[3] != (0, 0) or min(min(pair) for pair in pairs) < 0:
        operands.model.refuse(
            f"its amounts are {pairs}", "Only rows and columns may be padded, by 0 or more pixels"
        )
    (top, bottom), (left, right) = pairs[1], pairs[2]
    _, rows, columns, channels = source.shape
    operands.has_shape(output, (1, rows + top + bottom, columns + left + right, channels))
    operands.padded[output.id] = Padded(
        source=source, padding=Padding(top=top, left=left, bottom=bottom, right=right)
    )
