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
    PackField,
    Padding,
    PoolField,
    ReducerField,
    SoftmaxField,
    StridedSliceField,
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


def open_batch():
    """A vector of 2 x 3 x 4 values, whose shape is computed: what converters make of an open batch."""
    made = network(
        activation((1, 2, 3, 4), 0.5, 3, "in"), activation((1, 24), 0.5, 3, "out"), operators=[],
    )  # fmt: skip
    shape = made.add(TensorSpec(shape=(4,), dtype="int32", name="shape"))
    begin, end = made.add(constant([0], "int32")), made.add(constant([1], "int32"))
    first = made.add(TensorSpec(shape=(), dtype="int32", name="one"))
    packed = made.add(TensorSpec(shape=(2,), dtype="int32", name="packed"))
    rest = made.add(constant(24, "int32"))
    made.operators += [
        OperatorSpec(kind="SHAPE", inputs=(0,), outputs=(shape,)),
        OperatorSpec(
            kind="STRIDED_SLICE", inputs=(shape, begin, end, end), outputs=(first,),
            options_type=OptionsType.STRIDED_SLICE, options={StridedSliceField.SHRINK_MASK: 1},
        ),
        OperatorSpec(
            kind="PACK", inputs=(first, rest), outputs=(packed,), options_type=OptionsType.PACK,
            options={PackField.VALUES: 2},
        ),
        OperatorSpec(kind="RESHAPE", inputs=(0, packed), outputs=(1,)),
    ]  # fmt: skip
    return made


def grouped_conv():
    """A convolution in two groups, whose kernel of 3 x 2 is dilated by 1 x 3."""
    made = conv()
    made.tensors[0].shape, made.tensors[1].shape = (1, 5, 6, 4), (1, 5, 6, 2)
    made.tensors[2] = constant(np.arange(24).reshape(2, 3, 2, 2) - 9, scales=(0.01, 0.02), name="w")
    made.tensors[3] = constant([100, -200], "int32", (0.005, 0.01), name="b")
    made.operators[0].options |= {ConvField.DILATION_H: 1, ConvField.DILATION_W: 3}
    return made


def dilated_depthwise(multiplier=1):
    """The depthwise convolution, dilated by 2 x 2; strides are 1."""
    made = depthwise(multiplier)
    made.tensors[1].shape = (1, 4, 4, 2 * multiplier)
    made.operators[0].options |= {
        DepthwiseField.STRIDE_H: 1, DepthwiseField.DILATION_H: 2, DepthwiseField.DILATION_W: 2,
    }  # fmt: skip
    return made


def causal_conv():
    """A signal of 1 x 6 x 2, padded by 3 in front, that EXPAND_DIMS makes a picture of."""
    made = conv()
    made.tensors[0], made.tensors[1].shape = activation((1, 3, 2), 0.5, -3, "in"), (1, 1, 6, 3)
    made.operators[0].options |= {ConvField.PADDING: Padding.SAME}
    padded = made.add(activation((1, 6, 2), 0.5, -3, "padded"))
    amounts = made.add(constant([[0, 0], [3, 0], [0, 0]], "int32", name="amounts"))
    picture = made.add(activation((1, 1, 6, 2), 0.5, -3, "picture"))
    axis = made.add(constant(1, "int32"))
    made.operators[0].inputs = (picture, 2, 3)
    made.operators[:0] = [
        OperatorSpec(kind="PAD", inputs=(0, amounts), outputs=(padded,)),
        OperatorSpec(kind="EXPAND_DIMS", inputs=(padded, axis), outputs=(picture,)),
    ]
    return made


def reduce(kind, axes, shape, out_shape):
    """MEAN or REDUCE_MAX over some axes."""
    made = mean()
    made.operators[0].kind = kind
    made.tensors[0].shape, made.tensors[1].shape = shape, out_shape
    made.tensors[2] = constant(axes, "int32", name="axes")
    if kind == "REDUCE_MAX":
        made.tensors[1].scales, made.tensors[1].zero_points = (0.5,), (-4,)
    return made


def pixels_fully_connected():
    """Four outputs of each of 2 x 3 pixels."""
    made = fully_connected()
    made.tensors[0].shape, made.tensors[1].shape = (1, 2, 3, 6), (1, 2, 3, 4)
    made.operators[0].options |= {FullyConnectedField.KEEP_DIMENSIONS: True}
    return made


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
