"""Operators that look at each value, or at all at once: FULLY_CONNECTED, ADD, RESHAPE and others."""

from __future__ import annotations

import numpy as np

from rtl.tensor.compiler.graph import (
    Add,
    Conv,
    Depthwise,
    FullyConnected,
    Logistic,
    Operator,
    Padding,
    Reshape,
    Softmax,
    Tensor,
)
from rtl.tensor.compiler.model import RawOperator
from rtl.tensor.compiler.operands import BROKEN, Limits, Operands, fields, frozen
from rtl.tensor.compiler.quantise import (
    add_scales,
    fully_connected_scaling,
    logistic_scale,
    rescaling,
    softmax_scale,
)
from rtl.tensor.compiler.schema import (
    Activation,
    AddField,
    FullyConnectedField,
    OptionsType,
    SoftmaxField,
)

__all__ = ["add", "fully_connected", "logistic", "quantize", "relu", "relu6", "reshape", "shape", "softmax"]

#: The sum of their exponentials has 12 integer bits.
_MOST_CLASSES = 4095


def fully_connected(operands: Operands, operator: RawOperator) -> Operator:
    """Check FULLY_CONNECTED."""
    operands.count(operator, 2, 3)
    output = operands.output(operator)
    source = operands.input(operator)
    options = operands.model.options(operator, OptionsType.FULLY_CONNECTED)
    weights = operands.weights(operator, 2)
    assert weights.data is not None
    channels, depth = weights.dimensions
    if options is not None and options.integer(FullyConnectedField.WEIGHTS_FORMAT, "int8"):
        operands.model.refuse("its weights are shuffled", "Convert the network without shuffled weights")
    each = source.size != depth and source.shape[3] == depth
    if source.size != depth and not each:
        operands.model.refuse(
            f"its input '{source.name}' has {source.size} values, its weights take {depth}",
            "Convert the network for a batch of 1",
        )
    operands.has_shape(output, (*source.shape[:3], channels) if each else (1, 1, 1, channels))
    scales = operands.weight_scales(weights, 0)
    limits = operands.limits(options, FullyConnectedField.ACTIVATION, output)
    values = weights.data.astype(np.int8, copy=False)
    bias = operands.bias(operator, channels)
    scaling = operands.scaling(
        lambda: fully_connected_scaling(source.scales[0], scales, output.scales[0], channels)
    )
    if each:  # of each pixel by itself: a convolution of 1 x 1
        return Conv(
            **fields(operator, output, source),
            weights=values.reshape(channels, 1, 1, depth),
            bias=bias,
            zero=source.zero_point,
            zero_out=output.zero_point,
            scaling=scaling,
            **limits,
            stride=(1, 1),
            padding=Padding(),
        )
    return FullyConnected(
        **fields(operator, output, source),
        weights=values,
        bias=bias,
        zero=source.zero_point,
        zero_out=output.zero_point,
        scaling=scaling,
        **limits,
    )


def add(operands: Operands, operator: RawOperator) -> Operator:
    """Check ADD."""
    operands.count(operator, 2, 2)
    output = operands.output(operator)
    first = operands.input(operator, 0, "its first input")
    second = operands.input(operator, 1, "its second input")
    options = operands.model.options(operator, OptionsType.ADD)
    if first.shape != second.shape:
        sizes = " and ".join(" x ".join(map(str, tensor.dimensions)) for tensor in (first, second))
        operands.model.refuse(
            f"its inputs have shapes {sizes}", "They must be the same: ADD does not broadcast here"
        )
    operands.has_shape(output, first.shape)
    scale_a, scale_b, scale = operands.scaling(
        lambda: add_scales(first.scales[0], second.scales[0], output.scales[0])
    )
    limits = operands.limits(options, AddField.ACTIVATION, output)
    return Add(
        **fields(operator, output, first, second),
        zero_a=first.zero_point,
        zero_b=second.zero_point,
        zero_out=output.zero_point,
        scale_a=scale_a,
        scale_b=scale_b,
        scale=scale,
        **limits,
    )


def reshape(operands: Operands, operator: RawOperator) -> Operator | None:
    """Check RESHAPE, SQUEEZE and EXPAND_DIMS: the output's shape says all."""
    operands.count(operator, 1, 2)
    output = operands.output(operator)
    if len(operator.inputs) == 2 and operator.inputs[1] != -1:
        operands.shape_operand(operator, 1, "its shape or axes")
    padded = operands.padded.get(operator.inputs[0])
    before = operands.model.tensor(operator.inputs[0], "its input")
    if padded is not None and before.shape == output.shape:
        # It gives a picture its rows, or takes them away: convolutions still find the padding.
        operands.padded[output.id] = padded
        return None
    source = operands.input(operator)
    if source.size != output.size:
        operands.model.refuse(
            f"its input '{source.name}' has {source.size} values, its output {output.size}", BROKEN
        )
    return Reshape(
        **fields(operator, output, source),
    )


def shape(operands: Operands, operator: RawOperator) -> None:
    """Check SHAPE, PACK or STRIDED_SLICE of integers: converters compute the shape of a RESHAPE so.

    Nothing is computed: the tensors say what comes out.
    """
    operands.count(operator, 1, 64)
    output = operands.model.tensor(operator.outputs[0], "its output")
    if output.dtype not in ("int32", "int64"):
        operands.model.refuse(
            f"{operator.kind} of {output.dtype} is not supported", "It is only where it computes a shape"
        )
    for place, number in enumerate(operator.inputs):
        if operator.kind == "SHAPE":
            operands.input(operator)
        elif number not in operands.shapes:
            operands.constant(operator, place, "its integers")
    if output.id in operands.shapes or output.data is not None:
        operands.model.refuse(f"its output '{output.name}' is known before", BROKEN)
    operands.shapes.add(output.id)


def _probabilities(operands: Operands, output: Tensor) -> None:
    """Check that an output goes from 0 to 1 in 256 steps."""
    if output.scale != 1 / 256 or output.zero_point != -128:
        operands.model.refuse(
            f"its output has scale {output.scale:.6g} and zero point {output.zero_point}, not 1/256 and -128",
            BROKEN,
        )


def logistic(operands: Operands, operator: RawOperator) -> Operator:
    """Check LOGISTIC, whose output always has scale 1/256 and zero point -128."""
    operands.count(operator, 1, 1)
    output = operands.output(operator)
    source = operands.input(operator)
    operands.has_shape(output, source.shape)
    _probabilities(operands, output)
    multiplier, left, radius = operands.scaling(lambda: logistic_scale(source.scales[0]))
    return Logistic(
        **fields(operator, output, source),
        zero=source.zero_point,
        multiplier=multiplier,
        left=left,
        radius=radius,
    )


def softmax(operands: Operands, operator: RawOperator) -> Operator:
    """Check SOFTMAX, whose output always has scale 1/256 and zero point -128."""
    operands.count(operator, 1, 1)
    output = operands.output(operator)
    source = operands.input(operator)
    options = operands.model.options(operator, OptionsType.SOFTMAX)
    operands.has_shape(output, source.shape)
    if source.shape[3] > _MOST_CLASSES:
        operands.model.refuse(
            f"it has {source.shape[3]} channels",
            f"At most {_MOST_CLASSES} are supported; compute it elsewhere",
        )
    _probabilities(operands, output)
    beta = 0.0 if options is None else options.real(SoftmaxField.BETA)
    multiplier, left, lowest = operands.scaling(lambda: softmax_scale(beta, source.scales[0]))
    return Softmax(
        **fields(operator, output, source),
        multiplier=multiplier,
        left=left,
        lowest=lowest,
    )


def _identity(
    operands: Operands, operator: RawOperator, source: Tensor, output: Tensor, limits: Limits
) -> Operator:
    """Return a convolution of 1 x 1 with weights 1: it brings values to another scale."""
    channels = source.shape[3]
    operands.has_shape(output, source.shape)
    return Depthwise(
        **fields(operator, output, source),
        weights=frozen(np.ones((1, 1, channels), np.int8)),
        bias=frozen(np.zeros(channels, np.int32)),
        zero=source.zero_point,
        zero_out=output.zero_point,
        scaling=operands.scaling(lambda: rescaling(source.scales[0], output.scales[0], channels)),
        **limits,
        stride=(1, 1),
        padding=Padding(),
    )


def quantize(operands: Operands, operator: RawOperator) -> Operator:
    """Check QUANTIZE, which must be from int8 to int8."""
    operands.count(operator, 1, 1)
    output = operands.output(operator)
    return _identity(operands, operator, operands.input(operator), output, {"minimum": -128, "maximum": 127})


def relu(operands: Operands, operator: RawOperator) -> Operator:
    """Check RELU as an operator of its own."""
    operands.count(operator, 1, 1)
    output = operands.output(operator)
    limits = operands.clamp(Activation.RELU, output)
    return _identity(operands, operator, operands.input(operator), output, limits)


def relu6(operands: Operands, operator: RawOperator) -> Operator:
    """Check RELU6 as an operator of its own, which must not change the scale."""
    operands.count(operator, 1, 1)
    output = operands.output(operator)
    source = operands.input(operator)
    if (source.scale, source.zero_point) != (output.scale, output.zero_point):
        operands.model.refuse(
            "its input and its output have different scales or zero points",
            "They must be the same; convert the network again",
        )
    limits = operands.clamp(Activation.RELU6, output)
    return _identity(operands, operator, source, output, limits)
