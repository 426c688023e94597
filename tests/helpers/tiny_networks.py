"""Networks of one or two operators, written by hand, that tests change before they encode them."""

from __future__ import annotations

import numpy as np

from rtl.tensor.compiler.schema import (
    Activation,
    AddField,
    ConvField,
    DepthwiseField,
    FullyConnectedField,
    OptionsType,
    Padding,
    PoolField,
    ReducerField,
    SoftmaxField,
)
from verif.models.tensor.tflite_writer import Network, OperatorSpec, TensorSpec


def activation(shape, scale=0.5, zero=0, name=""):
    """An int8 tensor that is computed."""
    return TensorSpec(shape=shape, scales=(scale,), zero_points=(zero,), name=name)


def constant(values, dtype="int8", scales=(), axis=0, name=""):
    """A constant tensor with zero points of 0."""
    values = np.asarray(values, dtype)
    return TensorSpec(
        shape=values.shape, dtype=dtype, data=values, scales=scales, zero_points=(0,) * len(scales),
        axis=axis, name=name,
    )  # fmt: skip


def network(*tensors, operators, inputs=(0,), outputs=(1,)):
    """Input and output come first by convention."""
    return Network(
        tensors=list(tensors), operators=list(operators), inputs=list(inputs), outputs=list(outputs)
    )


def conv():
    """A convolution: 1 x 5 x 6 x 2 to 1 x 5 x 6 x 3, kernel 3 x 3."""
    return network(
        activation((1, 5, 6, 2), 0.5, -3, "in"),
        activation((1, 5, 6, 3), 0.25, 7, "out"),
        constant(np.arange(54).reshape(3, 3, 3, 2) - 27, scales=(0.01, 0.02, 0.03), name="w"),
        constant([100, -200, 300], "int32", (0.005, 0.01, 0.015), name="b"),
        operators=[
            OperatorSpec(
                kind="CONV_2D", inputs=(0, 2, 3), outputs=(1,), options_type=OptionsType.CONV,
                options={
                    ConvField.PADDING: Padding.SAME,
                    ConvField.STRIDE_W: 1,
                    ConvField.STRIDE_H: 1,
                    ConvField.ACTIVATION: Activation.NONE,
                },
            )
        ],
    )  # fmt: skip


def depthwise(multiplier=1):
    """A depthwise convolution: 1 x 4 x 4 x 2, kernel 2 x 3, stride 2 down."""
    channels = 2 * multiplier
    return network(
        activation((1, 4, 4, 2), 0.5, 5, "in"),
        activation((1, 2, 4, channels), 0.5, 0, "out"),
        constant(np.arange(6 * channels).reshape(1, 2, 3, channels), "int8", (0.1,) * channels, 3, "w"),
        operators=[
            OperatorSpec(
                kind="DEPTHWISE_CONV_2D", inputs=(0, 2), outputs=(1,), options_type=OptionsType.DEPTHWISE,
                options={
                    DepthwiseField.PADDING: Padding.SAME,
                    DepthwiseField.STRIDE_W: 1,
                    DepthwiseField.STRIDE_H: 2,
                    DepthwiseField.MULTIPLIER: multiplier,
                },
            )
        ],
    )  # fmt: skip


def fully_connected():
    """Six inputs, four outputs."""
    return network(
        activation((1, 6), 0.5, 1, "in"),
        activation((1, 4), 0.5, -1, "out"),
        constant(np.arange(24).reshape(4, 6) - 12, scales=(0.1,), name="w"),
        constant([1, 2, 3, 4], "int32", (0.05,), name="b"),
        operators=[
            OperatorSpec(
                kind="FULLY_CONNECTED", inputs=(0, 2, 3), outputs=(1,),
                options_type=OptionsType.FULLY_CONNECTED,
                options={FullyConnectedField.ACTIVATION: Activation.NONE},
            )
        ],
    )  # fmt: skip


def add():
    """The input twice, once through a pool of 1 x 1."""
    pool = OperatorSpec(
        kind="MAX_POOL_2D", inputs=(0,), outputs=(2,), options_type=OptionsType.POOL,
        options={
            PoolField.PADDING: Padding.VALID, PoolField.STRIDE_W: 1, PoolField.STRIDE_H: 1,
            PoolField.KERNEL_W: 1, PoolField.KERNEL_H: 1,
        },
    )  # fmt: skip
    total = OperatorSpec(
        kind="ADD", inputs=(0, 2), outputs=(1,), options_type=OptionsType.ADD,
        options={AddField.ACTIVATION: Activation.NONE},
    )  # fmt: skip
    return network(
        activation((1, 2, 3, 4), 0.5, 3, "in"), activation((1, 2, 3, 4), 1.0, 0, "out"),
        activation((1, 2, 3, 4), 0.5, 3, "pooled"), operators=[pool, total],
    )  # fmt: skip


def pool(kind="AVERAGE_POOL_2D"):
    """A pool of 3 x 2, stride 2: 1 x 5 x 4 x 3 to 1 x 3 x 2 x 3."""
    return network(
        activation((1, 5, 4, 3), 0.5, -4, "in"), activation((1, 3, 2, 3), 0.5, -4, "out"),
        operators=[
            OperatorSpec(
                kind=kind, inputs=(0,), outputs=(1,), options_type=OptionsType.POOL,
                options={
                    PoolField.PADDING: Padding.SAME, PoolField.STRIDE_W: 2, PoolField.STRIDE_H: 2,
                    PoolField.KERNEL_H: 3, PoolField.KERNEL_W: 2,
                },
            )
        ],
    )  # fmt: skip


def mean():
    """Over 3 x 4 pixels."""
    return network(
        activation((1, 3, 4, 2), 0.5, -4, "in"), activation((1, 2), 0.25, 9, "out"),
        constant([1, 2], "int32", name="axes"),
        operators=[
            OperatorSpec(
                kind="MEAN", inputs=(0, 2), outputs=(1,), options_type=OptionsType.REDUCER,
                options={ReducerField.KEEP_DIMENSIONS: False},
            )
        ],
    )  # fmt: skip


def one(kind, shape=(1, 2, 3, 4), scale=0.5, zero=0, out_shape=None, out_scale=0.5, out_zero=0):
    """An operator of one input, without options."""
    return network(
        activation(shape, scale, zero, "in"), activation(out_shape or shape, out_scale, out_zero, "out"),
        operators=[OperatorSpec(kind=kind, inputs=(0,), outputs=(1,))],
    )  # fmt: skip


def softmax(classes=5, beta=1.0):
    """Over a vector."""
    made = one("SOFTMAX", (1, classes), 0.1, 4, None, 1 / 256, -128)
    made.operators[0].options_type = OptionsType.SOFTMAX
    made.operators[0].options = {SoftmaxField.BETA: beta}
    return made


def padded_conv():
    """PAD by 1, 2 rows and 3, 0 columns, then the convolution with VALID padding."""
    made = conv()
    made.tensors[0] = activation((1, 4, 5, 2), 0.5, -3, "in")
    made.tensors[1] = activation((1, 5, 6, 3), 0.25, 7, "out")
    padded = made.add(activation((1, 7, 8, 2), 0.5, -3, "padded"))
    amounts = made.add(constant([[0, 0], [1, 2], [3, 0], [0, 0]], "int32", name="amounts"))
    made.operators[0].options = made.operators[0].options | {ConvField.PADDING: Padding.VALID}
    made.operators[0].inputs = (padded, 2, 3)
    made.operators.insert(0, OperatorSpec(kind="PAD", inputs=(0, amounts), outputs=(padded,)))
    return made
