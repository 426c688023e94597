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

__all__ = ["average_pool", "conv", "depthwise", "max_pool", "mean", "pad"]

#: Weights that a depthwise convolution with a multiplier may grow to as an ordinary one.
_LARGEST_EXPANSION = 1 << 22


def _pair(options: Table | None, rows: int, columns: int, default: int) -> tuple[int, int]:
    """Return two options: of rows, of columns."""
    if options is None:
        return default, default
    return options.integer(rows, default=default), options.integer(columns, default=default)


def conv(operands: Operands, operator: RawOperator) -> Operator:
    """Check CONV_2D."""
    operands.count(operator, 2, 3)
    output = operands.output(operator)
    source, around = operands.input_with_padding(operator)
    operands.pictures(source)
    options = operands.model.options(operator, OptionsType.CONV)
    weights = operands.weights(operator, 4)
    assert weights.data is not None
    channels, rows, columns, depth = weights.dimensions
    stride = _pair(options, ConvField.STRIDE_H, ConvField.STRIDE_W, 0)
    operands.window((rows, columns), stride, _pair(options, ConvField.DILATION_H, ConvField.DILATION_W, 1))
    if depth != source.shape[3]:
        operands.model.refuse(
            f"its weights have {depth} input channels, its input has {source.shape[3]}",
            "Convolutions in groups are not supported; split them",
        )
    kind = operands.padding(options, ConvField.PADDING)
    padding = operands.slides(source.shape, around, (rows, columns), stride, kind, output, channels)
    scales = operands.weight_scales(weights, 0)
    limits = operands.limits(options, ConvField.ACTIVATION, output)
    return Conv(
        **fields(operator, output, source),
        weights=weights.data.astype(np.int8, copy=False),
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
    operands.pictures(source)
    options = operands.model.options(operator, OptionsType.DEPTHWISE)
    weights = operands.weights(operator, 4)
    assert weights.data is not None
    first, rows, columns, channels = weights.dimensions
    depth = source.shape[3]
    stride = _pair(options, DepthwiseField.STRIDE_H, DepthwiseField.STRIDE_W, 0)
    dilation = _pair(options, DepthwiseField.DILATION_H, DepthwiseField.DILATION_W, 1)
    operands.window((rows, columns), stride, dilation)
    # The reference takes the multiplier from the shapes; the option may be 0.
    stated = 0 if options is None else options.integer(DepthwiseField.MULTIPLIER)
    multiplier = channels // depth
    if first != 1 or channels % depth or stated not in (0, multiplier):
        operands.model.refuse(
            f"its weights have shape {first} x {rows} x {columns} x {channels}, which does not fit "
            f"{depth} input channels and a depth multiplier of {stated}",
            BROKEN,
        )
    kind = operands.padding(options, DepthwiseField.PADDING)
    padding = operands.slides(source.shape, around, (rows, columns), stride, kind, output, channels)
    scales = operands.weight_scales(weights, 3)
    limits = operands.limits(options, DepthwiseField.ACTIVATION, output)
    values = weights.data.astype(np.int8, copy=False)[0]
    if multiplier > 1:
        if values.size * depth > _LARGEST_EXPANSION:
            operands.model.refuse(
                f"its depth multiplier of {multiplier} on {depth} channels would make an ordinary "
                f"convolution of {values.size * depth} weights, more than {_LARGEST_EXPANSION}",
                "Use a depth multiplier of 1",
            )
        operands.reserve(values.size * depth)
        expanded: NDArray[np.int8] = np.zeros((channels, rows, columns, depth), np.int8)
        each = np.arange(channels)
        expanded[each, :, :, each // multiplier] = values.transpose(2, 0, 1)
        values = frozen(expanded)
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


def mean(operands: Operands, operator: RawOperator) -> Operator:
    """Check MEAN, which must be over all rows and columns."""
    operands.count(operator, 2, 2)
    output = operands.output(operator)
    source = operands.input(operator)
    operands.pictures(source)
    axes = operands.constant(operator, 1, "its axes")
    assert axes.data is not None
    numbers = [int(axis) for axis in axes.data.reshape(-1)[:5]]
    if sorted(axis + 4 if axis < 0 else axis for axis in numbers) != [1, 2]:
        operands.model.refuse(
            f"it runs over axes {', '.join(map(str, numbers))}",
            "Only the mean over rows and columns, axes 1 and 2, is supported",
        )
    operands.has_shape(output, (1, 1, 1, source.shape[3]))
    count = source.shape[1] * source.shape[2]
    if max(source.shape[1:3]) > 255:
        operands.model.refuse(
            f"its input has {source.shape[1]} x {source.shape[2]} pixels", "Sides of 1 to 255 are supported"
        )
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
    if amounts.dimensions != (4, 2):
        operands.model.refuse(
            f"its amounts have shape {' x '.join(map(str, amounts.dimensions))}, not 4 x 2",
            "Only pictures can be padded",
        )
    pairs = [tuple(int(amount) for amount in pair) for pair in amounts.data.tolist()]
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
