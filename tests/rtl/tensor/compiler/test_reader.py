"""What a network is after reading: shapes, padding, factors, limits."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")

import tiny_networks as tiny
from tensor_models import need_network

from rtl.tensor.compiler.graph import (
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    MaxPool,
    Mean,
    Padding,
    Reshape,
    Scale,
    Softmax,
)
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.schema import Activation, ConvField, DepthwiseField
from rtl.tensor.compiler.schema import Padding as Kind


def read_one(network):
    (operator,) = read_model(network.encode()).operators
    return operator


@pytest.mark.parametrize(
    ("name", "kinds", "macs"),
    [
        ("kws", {Conv: 5, Depthwise: 4, AveragePool: 1, Reshape: 1, FullyConnected: 1, Softmax: 1}, 2656768),
        (
            "vww",
            {Conv: 14, Depthwise: 13, AveragePool: 1, Reshape: 1, FullyConnected: 1, Softmax: 1},
            7489664,
        ),
        ("ic", {Conv: 9, Add: 3, AveragePool: 1, Reshape: 1, FullyConnected: 1, Softmax: 1}, 12501632),
        ("ad", {FullyConnected: 10}, 264192),
    ],
)
def test_the_reference_networks(name, kinds, macs):
    graph = read_model(need_network(name))
    found: dict[type, int] = {}
    total = 0
    for operator in graph.operators:
        found[type(operator)] = found.get(type(operator), 0) + 1
        if isinstance(operator, Conv | Depthwise | FullyConnected):
            total += operator.output_shape[1] * operator.output_shape[2] * operator.weights.size
    assert found == kinds
    assert total == macs
    assert graph.outputs == (graph.operators[-1].output,)
    for operator in graph.operators:
        assert graph.tensors[operator.inputs[0]].shape == operator.input_shape
        assert graph.tensors[operator.output].shape == operator.output_shape


def test_a_convolution():
    graph = read_model(tiny.conv().encode(), "name")
    assert (graph.name, graph.input, graph.outputs) == ("name", 0, (1,))
    (conv,) = graph.operators
    assert isinstance(conv, Conv)
    assert graph.place(conv) == "operator 0 (CONV_2D, 'out')"
    assert (conv.index, conv.inputs, conv.output) == (0, (0,), 1)
    assert (conv.input_shape, conv.output_shape) == ((1, 5, 6, 2), (1, 5, 6, 3))
    assert conv.weights.shape == (3, 3, 3, 2) and conv.weights[0, 0, 0].tolist() == [-27, -26]
    assert conv.bias.tolist() == [100, -200, 300]
    assert (conv.zero, conv.zero_out) == (-3, 7)
    assert (conv.minimum, conv.maximum) == (-128, 127)
    assert conv.padding == Padding(top=1, left=1, bottom=1, right=1)
    assert (conv.stride, conv.kernel) == ((1, 1), (3, 3))
    # 0.5 * 0.01 / 0.25 = 0.02 = 0.64 * 2**-5
    assert conv.scaling.right.tolist() == [5, 4, 4] and conv.scaling.left.tolist() == [0, 0, 0]
    assert conv.scaling.multiplier[0] / 2**31 == pytest.approx(0.64, rel=1e-6)
    assert conv.scaling.per_tensor is None
    for array in (conv.weights, conv.bias, conv.scaling.multiplier):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_one_scale_serves_all_channels():
    network = tiny.conv()
    network.tensors[2].scales, network.tensors[2].zero_points = (1.0,), (0,)
    network.tensors[2].axis = 3  # of no meaning then
    conv = read_one(network)
    assert conv.scaling.multiplier.shape == (3,)
    assert conv.scaling.per_tensor == Scale(multiplier=1 << 30, right=0, left=2)


def test_a_convolution_without_bias():
    for inputs in ((0, 2), (0, 2, -1)):
        network = tiny.conv()
        network.operators[0].inputs = inputs
        assert read_one(network).bias.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "size", "stride", "out", "padding"),
    [
        (Kind.SAME, (5, 6), (2, 2), (3, 3), Padding(top=1, left=0, bottom=1, right=1)),
        (Kind.SAME, (4, 6), (2, 3), (2, 2), Padding(top=0, left=0, bottom=1, right=0)),
        (Kind.VALID, (5, 6), (1, 1), (3, 4), Padding()),
        (Kind.VALID, (5, 6), (2, 2), (2, 2), Padding()),
        (Kind.SAME, (1, 1), (1, 1), (1, 1), Padding(top=1, left=1, bottom=1, right=1)),
    ],
)
def test_padding(kind, size, stride, out, padding):
    network = tiny.conv()
    network.operators[0].options |= {
        ConvField.PADDING: kind, ConvField.STRIDE_H: stride[0], ConvField.STRIDE_W: stride[1]
    }  # fmt: skip
    network.tensors[0].shape, network.tensors[1].shape = (1, *size, 2), (1, *out, 3)
    conv = read_one(network)
    assert (conv.padding, conv.stride) == (padding, stride)


def test_pad_becomes_padding():
    graph = read_model(tiny.padded_conv().encode())
    (conv,) = graph.operators
    assert conv.index == 1 and conv.inputs == (0,) and conv.input_shape == (1, 4, 5, 2)
    assert conv.padding == Padding(top=1, left=3, bottom=2, right=0)
    assert sorted(graph.tensors) == [0, 1]


def test_a_depthwise_convolution():
    depthwise = read_one(tiny.depthwise())
    assert isinstance(depthwise, Depthwise)
    assert depthwise.weights.shape == (2, 3, 2) and depthwise.weights[0, 1].tolist() == [2, 3]
    assert (depthwise.kernel, depthwise.stride) == ((2, 3), (2, 1))
    assert depthwise.padding == Padding(left=1, right=1)


def test_a_depth_multiplier_becomes_a_convolution():
    conv = read_one(tiny.depthwise(3))
    assert isinstance(conv, Conv) and conv.kind == "DEPTHWISE_CONV_2D"
    assert conv.weights.shape == (6, 2, 3, 2)
    source = np.arange(36).reshape(2, 3, 6)
    for channel in range(6):
        assert (conv.weights[channel, :, :, channel // 3] == source[:, :, channel]).all()
        assert not conv.weights[channel, :, :, 1 - channel // 3].any()


def test_a_depth_multiplier_of_0_is_what_the_shapes_say():
    assert read_one(tiny.depthwise(3)).weights.shape == (6, 2, 3, 2)
    network = tiny.depthwise(3)
    network.operators[0].options |= {DepthwiseField.MULTIPLIER: 0}
    assert read_one(network).weights.shape == (6, 2, 3, 2)


def test_a_fully_connected_layer():
    layer = read_one(tiny.fully_connected())
    assert isinstance(layer, FullyConnected)
    assert layer.weights.shape == (4, 6) and layer.bias.tolist() == [1, 2, 3, 4]
    assert (layer.input_shape, layer.output_shape) == ((1, 1, 1, 6), (1, 1, 1, 4))
    assert layer.scaling.per_tensor is not None


def test_a_fully_connected_layer_takes_a_picture():
    network = tiny.fully_connected()
    network.tensors[0].shape = (1, 3, 1, 2)
    assert read_one(network).input_shape == (1, 3, 1, 2)


def test_add():
    graph = read_model(tiny.add().encode())
    pool, add = graph.operators
    assert isinstance(pool, MaxPool) and isinstance(add, Add)
    assert add.inputs == (0, 2) and (add.zero_a, add.zero_b, add.zero_out) == (3, 3, 0)
    half = Scale(multiplier=1 << 30, right=0)
    assert (add.scale_a, add.scale_b) == (half, half)
    assert add.scale == Scale(multiplier=1 << 30, right=19)  # 2 * 0.5 / (2**20 * 1.0) = 0.5 * 2**-19


def test_pools_and_mean():
    pool = read_one(tiny.pool())
    assert isinstance(pool, AveragePool)
    assert (pool.kernel, pool.stride) == ((3, 2), (2, 2))
    assert pool.padding == Padding(top=1, bottom=1)
    mean = read_one(tiny.mean())
    assert isinstance(mean, Mean) and (mean.zero, mean.zero_out) == (-4, 9)
    # 0.5 / 0.25 / 12, in two steps of which the second truncates
    assert mean.scale == Scale(multiplier=((1 << 30) << 3) // 12, right=1)


def test_axes_may_count_from_the_end():
    for axes in ([-3, -2], [2, 1], [-2, 1]):
        network = tiny.mean()
        network.tensors[2] = tiny.constant(axes, "int32")
        assert read_one(network).scale == read_one(tiny.mean()).scale


def test_operators_that_are_a_convolution_of_ones():
    for kind, limits in (("QUANTIZE", (-128, 127)), ("RELU", (5, 127))):
        made = read_one(tiny.one(kind, zero=-7, out_scale=0.25, out_zero=5))
        assert isinstance(made, Depthwise) and made.kind == kind
        assert made.weights.tolist() == [[[1, 1, 1, 1]]] and not made.bias.any()
        assert made.scaling.per_tensor == Scale(multiplier=1 << 30, right=0, left=2)
        assert (made.minimum, made.maximum) == limits
    made = read_one(tiny.one("RELU6", zero=-7, out_zero=-7))
    assert (made.minimum, made.maximum) == (-7, 5)


@pytest.mark.parametrize("kind", ["RESHAPE", "SQUEEZE", "EXPAND_DIMS"])
def test_reshape(kind):
    made = read_one(tiny.one(kind, out_shape=(1, 24)))
    assert isinstance(made, Reshape)
    assert (made.input_shape, made.output_shape) == ((1, 2, 3, 4), (1, 1, 1, 24))


def test_softmax():
    made = read_one(tiny.softmax(beta=2.0))
    assert isinstance(made, Softmax)
    factor = made.multiplier * 2.0 ** (made.left - 31)
    assert factor == pytest.approx(2.0 * 0.1 * 2**26, rel=1e-6)
    assert made.lowest == -(31 << 26 >> made.left)
    assert read_one(tiny.softmax(4095)).output_shape == (1, 1, 1, 4095)


@pytest.mark.parametrize(
    ("activation", "limits"),
    [
        (Activation.NONE, (-128, 127)),
        (Activation.RELU, (7, 127)),
        (Activation.RELU6, (7, 31)),
        (Activation.RELU_N1_TO_1, (3, 11)),
    ],
)
def test_fused_activations(activation, limits):
    network = tiny.conv()
    network.operators[0].options |= {ConvField.ACTIVATION: activation}
    conv = read_one(network)
    assert (conv.minimum, conv.maximum) == limits


def test_an_open_batch_is_1():
    network = tiny.conv()
    network.tensors[0].signature = (-1, 5, 6, 2)
    assert read_one(network).input_shape == (1, 5, 6, 2)


def test_zero_points_need_not_be_there():
    network = tiny.conv()
    for tensor in network.tensors:
        tensor.zero_points = ()
    conv = read_one(network)
    assert (conv.zero, conv.zero_out) == (0, 0)


def test_names_need_not_be_there():
    network = tiny.conv()
    network.tensors[1].name = ""
    graph = read_model(network.encode())
    assert graph.place(graph.operators[0]) == "operator 0 (CONV_2D)"
