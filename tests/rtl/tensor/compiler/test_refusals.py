"""What is not supported is refused by name, at its place, with what to do."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")

import tiny_networks as tiny

from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.schema import (
    Activation,
    AddField,
    ConvField,
    DepthwiseField,
    FullyConnectedField,
    OptionsType,
    PoolField,
)
from verif.models.tensor.tflite_writer import OperatorSpec


def refusal(network):
    with pytest.raises(CompileError) as caught:
        read_model(network.encode(), "m.tflite")
    return str(caught.value)


def changed(network, tensor, **values):
    for key, value in values.items():
        setattr(network.tensors[tensor], key, value)
    return network


def test_the_error_says_everything_and_survives_pickling():
    with pytest.raises(CompileError) as caught:
        read_model(tiny.one("TANH").encode(), "m.tflite")
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == str(caught.value)
    assert (error.model, error.where) == ("m.tflite", "operator 0 (TANH)")
    assert error.what == "TANH is not supported"
    assert "Supported are ADD, AVERAGE_POOL_2D, CONV_2D" in error.remedy
    assert str(error).startswith("m.tflite: operator 0 (TANH): TANH is not supported. Supported are")


@pytest.mark.parametrize("kind", ["CONCATENATION", "MUL", "TRANSPOSE_CONV", "DEQUANTIZE", "CUSTOM", "SVDF"])
def test_operators(kind):
    assert f"m.tflite: operator 0 ({kind}" in refusal(tiny.one(kind))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int16", "float16"])
@pytest.mark.parametrize("tensor", [0, 1])
def test_types_of_activations(dtype, tensor):
    which = "the input 'in'" if tensor == 0 else "operator 0 (CONV_2D, 'out'): its output 'out'"
    text = refusal(changed(tiny.conv(), tensor, dtype=dtype))
    assert f"m.tflite: {which} is {dtype}, not int8. Convert the network with full integer" in text


CONV = [
    ({ConvField.DILATION_W: 128}, "it has a window of 3 x 257. Sides of 1 to 255"),
    ({ConvField.DILATION_H: -1}, "it has a dilation of -1 x 1. Sides of 1 to 255"),
    ({ConvField.STRIDE_H: 0}, "it has a stride of 0 x 1. Sides of 1 to 255"),
    ({ConvField.STRIDE_H: 256}, "it has a stride of 256 x 1"),
    ({ConvField.ACTIVATION: Activation.TANH}, "its activation TANH is not supported. Use NONE, RELU"),
    ({ConvField.ACTIVATION: 77}, "its activation number 77 is not supported"),
    ({ConvField.PADDING: 2}, "its padding is number 2, neither SAME nor VALID"),
    ({ConvField.STRIDE_H: 2}, "its output 'out' has shape 1 x 5 x 6 x 3, not 1 x 3 x 6 x 3"),
]


@pytest.mark.parametrize(("options", "message"), CONV)
def test_options_of_convolutions(options, message):
    network = tiny.conv()
    network.operators[0].options |= options
    text = refusal(network)
    assert f"operator 0 (CONV_2D, 'out'): {message}" in text


WEIGHTS = [
    (
        {"dtype": "float32", "data": np.zeros((3, 3, 3, 2), np.float32)},
        "its weights 'w' are float32, not int8",
    ),
    ({"dtype": "uint8"}, "its weights 'w' are uint8, not int8"),
    ({"data": None}, "its weights 'w' are no constant"),
    ({"zero_points": (0, 1, 0)}, "its weights 'w' have a zero point that is not 0"),
    ({"zero_points": (0, 0)}, "its weights 'w': 3 scales and 2 zero points"),
    ({"scales": (0.1, 0.2), "zero_points": (0, 0)}, "its weights 'w' have 2 scales for 3 channels"),
    ({"axis": 3}, "its weights 'w' are quantised along axis 3, not 0"),
    ({"scales": (0.1, -0.2, 0.1)}, "its weights 'w': a scale is negative or no number"),
    ({"scales": (0.1, float("nan"), 0.1)}, "its weights 'w': a scale is negative or no number"),
    (
        {"scales": (0.1, 70.0, 0.1)},
        "is 140 times the output's scale, and the hardware multiplies by less than 128",
    ),
    ({"shape": (3, 18)}, "its weights 'w' have 2 dimensions, not 4"),
    ({"shape": (3, 3, 3, 3)}, "its weights 'w': 54 bytes of data for shape 3 x 3 x 3 x 3 of int8"),
    ({"shape": (3, 3, 6, 1)}, "its weights have 1 input channels and 3 output channels, its input has 2"),
    ({"variable": True}, "its weights 'w': a variable"),
]


@pytest.mark.parametrize(("values", "message"), WEIGHTS)
def test_weights(values, message):
    assert message in refusal(changed(tiny.conv(), 2, **values))


BIAS = [
    ({"dtype": "int64", "data": np.zeros(3, np.int64)}, "its bias 'b' is int64, not int32"),
    ({"data": None}, "its bias 'b' is no constant"),
    ({"shape": (2,), "data": np.zeros(2, np.int32)}, "its bias 'b' has 2 values for 3 channels"),
]


@pytest.mark.parametrize(("values", "message"), BIAS)
def test_biases(values, message):
    assert message in refusal(changed(tiny.conv(), 3, **values))


ACTIVATIONS = [
    ({"scales": ()}, "the input 'in' has 0 scales, not 1. Convert the network with full integer"),
    ({"scales": (0.5, 0.5), "zero_points": (0, 0)}, "the input 'in' has 2 scales, not 1"),
    ({"scales": (0.0,)}, "the input 'in' has a scale of 0.0"),
    ({"zero_points": (128,)}, "the input 'in' has zero point 128, outside of -128 to 127"),
    ({"shape": (2, 5, 6, 2)}, "the input 'in' has a batch of 2. Convert the network for a batch of 1"),
    ({"shape": (1, 1, 5, 6, 2)}, "the input 'in' has 5 dimensions. Only one to four"),
    ({"shape": ()}, "the input 'in' has 0 dimensions"),
    ({"shape": (5, 6, 2)}, "the input 'in' has a batch of 5"),
    ({"shape": (1, 6, 2)}, "'in' has 3 dimensions, not 4"),
    ({"shape": (1, 40000, 6, 2)}, "the input 'in' has a side of 40000. At most 32767"),
    ({"shape": (1, 5000, 5000, 2)}, "the input 'in': shape 1 x 5000 x 5000 x 2 is too large"),
    (
        {"shape": (1, -1, 6, 2)},
        "the input 'in': no fixed shape, but 1 x -1 x 6 x 2. Convert the network with fixed",
    ),
    ({"signature": (-1, -1, -1, 2)}, "the input 'in': no fixed shape, but -1 x -1 x -1 x 2"),
    ({"shape": (1,) * 9}, "the input 'in': more than 8 dimensions"),
    ({"data": np.zeros(60, np.int8)}, "the input 'in' is a constant"),
]


@pytest.mark.parametrize(("values", "message"), ACTIVATIONS)
def test_activations(values, message):
    assert f"m.tflite: {message}" in refusal(changed(tiny.conv(), 0, **values)) or (
        f"(CONV_2D, 'out'): {message}" in refusal(changed(tiny.conv(), 0, **values))
    )


def test_a_kernel_that_exceeds_its_input():
    network = changed(tiny.conv(), 0, shape=(1, 2, 6, 2))
    network.operators[0].options |= {ConvField.PADDING: 1}
    assert "its kernel of 3 x 3 exceeds its input of 2 x 6. Use SAME padding" in refusal(network)


def test_depth_multipliers():
    network = tiny.depthwise()
    network.operators[0].options |= {DepthwiseField.MULTIPLIER: 2}
    assert "does not fit 2 input channels and a depth multiplier of 2" in refusal(network)
    network = tiny.depthwise(2)
    channels = 2000
    network.tensors[0].shape, network.tensors[1].shape = (1, 4, 4, channels), (1, 2, 4, 2 * channels)
    network.tensors[2] = tiny.constant(np.ones((1, 2, 3, 2 * channels)), scales=(0.1,), axis=3)
    assert "with the zeros that stand between its weights it would have 48000000 of them" in refusal(network)


def test_fully_connected_layers():
    network = changed(tiny.fully_connected(), 0, shape=(1, 12))
    assert (
        "its input 'in' has 12 values, its weights take 6. Convert the network for a batch of 1"
        in refusal(network)
    )
    network = tiny.fully_connected()
    network.operators[0].options |= {FullyConnectedField.WEIGHTS_FORMAT: 1}
    assert "its weights are shuffled" in refusal(network)
    network = changed(tiny.fully_connected(), 1, shape=(1, 5))
    assert "its output 'out' has shape 1 x 5, not 1 x 1 x 1 x 4" in refusal(network)


def test_add():
    network = changed(tiny.add(), 1, scales=(1e-7,))
    assert "twice the larger input's scale over 2**20 times the output's is 9.537, which must lie" in refusal(
        network
    )
    network = tiny.add()
    network.operators[1].options |= {AddField.ACTIVATION: Activation.SIGN_BIT}
    assert "operator 1 (ADD, 'out'): its activation SIGN_BIT is not supported" in refusal(network)
    network = tiny.add()
    network.tensors.append(tiny.constant(np.zeros((1, 2, 3, 4)), scales=(0.5,), name="k"))
    network.operators[1].inputs = (0, 3)
    assert "its second input 'k' is a constant" in refusal(network)
    network = tiny.add()
    network.operators[0].options |= {PoolField.KERNEL_H: 2}
    network.tensors[2].shape = (1, 1, 3, 4)
    assert "its inputs have shapes 1 x 2 x 3 x 4 and 1 x 1 x 3 x 4. They must be the same" in refusal(network)


def test_pools():
    network = changed(tiny.pool(), 1, scales=(0.6,))
    assert (
        "its input has scale 0.5 and zero point -4, its output 0.6 and -4. They must be the same"
        in refusal(network)
    )
    network = tiny.pool("MAX_POOL_2D")
    network.operators[0].options |= {PoolField.KERNEL_W: 300}
    assert "operator 0 (MAX_POOL_2D, 'out'): it has a kernel of 3 x 300" in refusal(network)


@pytest.mark.parametrize(
    ("axes", "message"),
    [([3], "axes 3"), ([1, 3], "axes 1, 3"), ([0, 1, 2], "axes 0, 1, 2"), ([1, 6], "axes 1, 6")],
)
@pytest.mark.parametrize("kind", ["MEAN", "REDUCE_MAX"])
def test_reductions(kind, axes, message):
    network = tiny.mean()
    network.operators[0].kind = kind
    network.tensors[2] = tiny.constant(axes, "int32")
    assert f"it runs over {message} of 4. Only rows, columns or both are supported" in refusal(network)


def test_reductions_over_another_shape():
    network = tiny.mean()
    network.tensors[2] = tiny.constant([1], "int32")
    assert "its output 'out' has shape 1 x 2, not 1 x 1 x 4 x 2" in refusal(network)
    network.operators[0].kind = "REDUCE_MAX"
    network.tensors[1].shape = (1, 4, 2)
    assert "They must be the same" in refusal(network)


def test_shapes_are_of_integers_that_are_known():
    network = tiny.open_batch()
    network.operators[2].inputs = (0, 5)
    assert "operator 2 (PACK, 'packed'): its integers 'in' are no integer constants" in refusal(network)
    network = tiny.open_batch()
    network.tensors[6].dtype = "float32"
    assert (
        "operator 2 (PACK, 'packed'): PACK of float32 is not supported. It is only where it computes"
        in refusal(network)
    )
    network = tiny.open_batch()
    network.tensors[6].data = np.zeros(2, np.int32)
    assert "operator 2 (PACK, 'packed'): its output 'packed' is known before" in refusal(network)
    network = tiny.open_batch()
    del network.operators[1]
    assert "operator 1 (PACK, 'packed'): its integers 'one' are no integer constants" in refusal(network)


def test_axes_that_are_no_integer_constants():
    for axes in (tiny.constant([1, 2], name="a"), tiny.activation((1, 2), name="a")):
        network = tiny.mean()
        network.tensors[2] = axes
        assert "its axes 'a' are no integer constants" in refusal(network)
    network = changed(tiny.mean(), 2, data=None)
    assert "its axes 'axes' are no integer constants" in refusal(network)


def test_pads():
    network = tiny.padded_conv()
    network.operators[0].inputs = (0, 5, 5)
    assert "operator 0 (PAD): it has 3 inputs, not 2" in refusal(network)
    network = tiny.padded_conv()
    network.tensors[5] = tiny.constant([[0, 0], [1, 2], [3, 0], [0, 1]], "int32")
    assert "operator 0 (PAD, 'padded'): its amounts are [(0, 0), (1, 2), (3, 0), (0, 1)]" in refusal(network)
    network = tiny.padded_conv()
    network.outputs = [4]
    assert "the output 'padded' comes from PAD" in refusal(network)
    network = tiny.padded_conv()
    network.operators[1] = OperatorSpec(
        kind="MAX_POOL_2D", inputs=(4,), outputs=(1,), options_type=OptionsType.POOL
    )  # fmt: skip
    assert "operator 1 (MAX_POOL_2D, 'out'): its input 'padded' comes from PAD" in refusal(network)
    network = tiny.padded_conv()
    network.tensors[5] = tiny.constant([1, 2], "int32")
    assert "its amounts have shape 2, for 4 dimensions. Only rows and columns can be padded" in refusal(
        network
    )


def test_logistic():
    network = tiny.one("LOGISTIC", out_scale=1 / 256, out_zero=0)
    assert "its output has scale 0.00390625 and zero point 0, not 1/256 and -128" in refusal(network)
    for scale in (8.5, 1e-9):
        network = tiny.one("LOGISTIC", scale=scale, out_scale=1 / 256, out_zero=-128)
        assert f"the input's scale is {scale:.4g}, which must lie between 2**-28 and 8" in refusal(network)


def test_softmax():
    assert "its output has scale 0.00390625 and zero point 0, not 1/256 and -128" in refusal(
        changed(tiny.softmax(), 1, zero_points=(0,))
    )
    assert "beta times the input's scale is 0: too small" in refusal(tiny.softmax(beta=0.0))
    assert "it has 5000 channels. At most 4095" in refusal(tiny.softmax(5000))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (tiny.conv, "it has a stride of 0 x 0"),
        (tiny.depthwise, "it has a stride of 0 x 0"),
        (tiny.pool, "it has a kernel of 0 x 0"),
        (tiny.softmax, "beta times the input's scale is 0"),
    ],
)
def test_options_that_are_missing(network, message):
    made = network()
    made.operators[0].options_type = OptionsType.NONE
    assert message in refusal(made)


def test_pools_need_a_stride():
    network = tiny.pool()
    for field in (PoolField.STRIDE_H, PoolField.STRIDE_W):
        del network.operators[0].options[field]
    assert "it has a stride of 0 x 0" in refusal(network)


def test_relu6_keeps_the_scale():
    assert "its input and its output have different scales" in refusal(tiny.one("RELU6", out_scale=0.25))


def test_options_of_another_kind():
    network = tiny.conv()
    network.operators[0].options_type = OptionsType.POOL
    assert "its options are of another kind, 5" in refusal(network)


def test_the_graph():
    network = tiny.conv()
    network.operators[0].inputs = (0,)
    assert "it has 1 inputs, not 2 to 3" in refusal(network)
    network = tiny.conv()
    network.operators[0].outputs = (1, 0)
    assert "it has 2 outputs, not 1" in refusal(network)
    network = tiny.conv()
    network.operators[0].inputs = (99, 2)
    assert "its input is tensor 99, which is not there" in refusal(network)
    network = tiny.conv()
    network.operators[0].outputs = (0,)
    assert "its output 'in' has been computed before" in refusal(network)
    network = tiny.add()
    network.operators.reverse()
    assert "operator 0 (ADD, 'out'): its second input 'pooled' is not computed before" in refusal(network)
    network = tiny.conv()
    network.operators = []
    assert "m.tflite: the model has no operators" in refusal(network)
    network = tiny.add()
    network.operators.pop()
    assert "m.tflite: the output 'out' is never computed" in refusal(network)
    network = tiny.add()
    network.inputs = [0, 2]
    assert "m.tflite: the model has 2 inputs. Only networks of one input" in refusal(network)
    network = tiny.conv()
    network.outputs = []
    assert "m.tflite: the model has no outputs" in refusal(network)
    network = tiny.conv()
    network.version = 4
    assert "m.tflite: schema version 4. Convert the network to version 3" in refusal(network)


def test_files(tmp_path):
    with pytest.raises(CompileError, match=r"none\.tflite: cannot be read: No such file.*Check the path"):
        read_model(tmp_path / "none.tflite")
    with pytest.raises(CompileError, match="not a file"):
        read_model(tmp_path)
    with pytest.raises(CompileError, match="not a file"):
        read_model("/dev/zero")
    with pytest.raises(CompileError, match=r"cannot be read: .*null"):
        read_model("a\0b")
    empty = tmp_path / "empty.tflite"
    empty.write_bytes(b"")
    with pytest.raises(CompileError, match="not a TensorFlow Lite model: it is empty"):
        read_model(empty)
    with pytest.raises(CompileError, match=r"not a TensorFlow Lite model: bytes 4 to 7 are b'5678'"):
        read_model(b"123456789")
    large = tmp_path / "large.tflite"
    with large.open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(CompileError, match="larger than 1 GiB"):
        read_model(large)
    good = tmp_path / "good.tflite"
    good.write_bytes(tiny.conv().encode())
    assert read_model(str(good)).name == str(good)
