"""Random networks: what they hold, and that the reference operators equal TensorFlow Lite Micro's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")

import tiny_networks as tiny

from rtl.tensor.compiler import reference
from rtl.tensor.compiler.graph import Add, Conv, Depthwise, FullyConnected
from rtl.tensor.compiler.reader import SUPPORTED, read_model
from rtl.tensor.compiler.reference import run_reference
from verif.models.tensor.interpreter import Interpreter, available
from verif.models.tensor.networks import random_inputs, random_network

needs_interpreter = pytest.mark.skipif(
    not available(), reason="tflite-micro is not installed: pip install tflite-micro (x86-64 Linux)"
)


def differences(data, seed, inputs=3):
    """Return the tensors in which the reference and TensorFlow Lite Micro differ, and how many there are."""
    graph = read_model(data, f"seed {seed}")
    interpreter = Interpreter(data)
    wrong, compared = [], 0
    for values in random_inputs(graph.tensors[graph.input].size, seed, inputs):
        found = run_reference(graph, values)
        expected = interpreter.run(values, [operator.output for operator in graph.operators])
        for operator in graph.operators:
            compared += 1
            if not np.array_equal(found[operator.output].reshape(-1), expected[operator.output].reshape(-1)):
                wrong.append(f"seed {seed}: {graph.place(operator)}")
    return wrong, compared


@needs_interpreter
def test_the_reference_equals_tensorflow_lite_micro():
    for seed in range(10):
        wrong, compared = differences(random_network(seed), seed)
        assert not wrong and compared >= 3


@needs_interpreter
@pytest.mark.nightly
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_random_networks(hundred):
    for seed in range(100 + 100 * hundred, 200 + 100 * hundred):
        assert not differences(random_network(seed), seed)[0]


@needs_interpreter
@pytest.mark.nightly
def test_larger_random_networks():
    for seed in range(20):
        data = random_network(seed, macs=10_000_000, steps=12, values=60_000)
        assert not differences(data, seed, 1)[0]


HAND_MADE = {
    "conv": tiny.conv,
    "padded conv": tiny.padded_conv,
    "depthwise": tiny.depthwise,
    "depth multiplier": lambda: tiny.depthwise(3),
    "fully connected": tiny.fully_connected,
    "add": tiny.add,
    "average pool": tiny.pool,
    "max pool": lambda: tiny.pool("MAX_POOL_2D"),
    "grouped conv": tiny.grouped_conv,
    "dilated depthwise": tiny.dilated_depthwise,
    "dilated depth multiplier": lambda: tiny.dilated_depthwise(3),
    "causal conv": tiny.causal_conv,
    "open batch": tiny.open_batch,
    "fully connected pixels": tiny.pixels_fully_connected,
    "mean": tiny.mean,
    "mean of rows": lambda: tiny.reduce("MEAN", [1], (1, 5, 3, 2), (1, 1, 3, 2)),
    "mean of columns": lambda: tiny.reduce("MEAN", [-2], (1, 5, 3, 2), (1, 5, 1, 2)),
    "mean of a signal": lambda: tiny.reduce("MEAN", 1, (1, 7, 2), (1, 2)),
    "largest": lambda: tiny.reduce("REDUCE_MAX", [2, 1], (1, 5, 3, 2), (1, 2)),
    "largest of rows": lambda: tiny.reduce("REDUCE_MAX", [1], (1, 5, 3, 2), (1, 3, 2)),
    "softmax": lambda: tiny.softmax(300, 0.5),
    "logistic": lambda: tiny.one("LOGISTIC", zero=-7, scale=0.03, out_scale=1 / 256, out_zero=-128),
    "quantize": lambda: tiny.one("QUANTIZE", zero=-7, out_scale=0.013, out_zero=5),
    "relu": lambda: tiny.one("RELU", zero=-7, out_scale=0.25, out_zero=5),
    "relu6": lambda: tiny.one("RELU6", scale=0.06, zero=-7, out_scale=0.06, out_zero=-7),
    "reshape": lambda: tiny.one("RESHAPE", out_shape=(1, 24)),
}


@needs_interpreter
@pytest.mark.parametrize("name", HAND_MADE)
def test_each_operator_equals_tensorflow_lite_micro(name):
    wrong, compared = differences(HAND_MADE[name]().encode(), 1, 20)
    assert not wrong and compared >= 20


@needs_interpreter
@pytest.mark.parametrize("rows", [500, pytest.param(30_000, marks=pytest.mark.nightly)])
def test_softmax_equals_tensorflow_lite_micro(rows):
    """Many vectors at once: single bits of its fixed-point numbers seldom show in 8 bits."""
    for index, scale in enumerate((0.003, 0.02, 0.05, 0.1, 0.2, 0.7)):
        network = tiny.softmax()
        for tensor in network.tensors:
            tensor.shape = (1, rows, 16)
        network.tensors[0].scales = (scale,)
        assert differences(network.encode(), index, 1) == ([], 1)


@needs_interpreter
@pytest.mark.parametrize("scale", [2.0**-20, 0.004, 1 / 32, 0.05, 0.3, 1.0, 7.9])
def test_logistic_equals_tensorflow_lite_micro(scale):
    """Of every value, from every end of the range and from its middle."""
    values = np.arange(-128, 128).astype(np.int8)
    for zero in (-128, 0, 127):
        data = tiny.one("LOGISTIC", (1, 256), scale, zero, None, 1 / 256, -128).encode()
        found = run_reference(read_model(data), values)[1].reshape(-1)
        assert np.array_equal(found, Interpreter(data).run(values, [1])[1].reshape(-1))


@needs_interpreter
def test_a_fully_connected_layer_with_scales_per_output():
    network = tiny.fully_connected()
    network.tensors[2].scales, network.tensors[2].zero_points = (0.1, 0.2, 0.3, 0.7), (0,) * 4
    assert differences(network.encode(), 1, 20) == ([], 20)


@needs_interpreter
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("requantise", lambda sums, factor: sums * factor.multiplier + (1 << 30) >> 31 + factor.right),
        ("_finish", lambda values, zero, low, high: np.clip(values + zero, -128, 127).astype(np.int8)),
        ("ADD_SHIFT", 19),
        ("softmax", lambda values, *_: values),
    ],
)
def test_the_comparison_tells_wrong_operators(monkeypatch, name, change):
    monkeypatch.setattr(reference, name, change)
    assert any(differences(random_network(seed), seed)[0] for seed in range(10))


def test_networks_depend_on_the_seed_alone():
    assert random_network(3) == random_network(3) != random_network(4)
    assert random_network(3, extreme=False) != random_network(3)
    assert np.array_equal(random_inputs(50, 3, 4), random_inputs(50, 3, 4))
    inputs = random_inputs(50, 3, 4)
    assert inputs.dtype == np.int8 and inputs.shape == (4, 50)
    assert (inputs[0] == -128).all() and (inputs[1] == 127).all() and len(np.unique(inputs[2])) > 20


def test_limits_are_kept():
    for seed in range(15):
        graph = read_model(random_network(seed, macs=5000, steps=3, values=500))
        assert len(graph.operators) <= 2 * 3 + 4
        for operator in graph.operators:
            assert np.prod(operator.output_shape) <= 500
            if isinstance(operator, Conv | Depthwise | FullyConnected) and operator.kind != "QUANTIZE":
                pixels = operator.output_shape[1] * operator.output_shape[2]
                each = operator.weights.size
                if operator.kind == "DEPTHWISE_CONV_2D" and isinstance(operator, Conv):
                    each //= operator.input_shape[3]
                assert pixels * each <= 5000


def test_kinds_can_be_chosen():
    kinds = {
        operator.kind
        for seed in range(10)
        for operator in read_model(random_network(seed, kinds=["conv"])).operators
    }
    assert kinds <= {"CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"} and "CONV_2D" in kinds
    with pytest.raises(ValueError, match=r"kinds must be of conv, depthwise, .*, not lstm"):
        random_network(1, kinds=["lstm"])
    with pytest.raises(ValueError, match="not none"):
        random_network(1, kinds=[])


@pytest.mark.parametrize("seeds", [30, pytest.param(150, marks=pytest.mark.nightly)])
def test_networks_hold_everything(seeds):
    """Every operator, kernel and stride; with enough of them all shifts, multiplier 0, large biases."""
    kinds, kernels, rights, lefts, strides, channels = (set() for _ in range(6))
    zero_multipliers = largest_bias = clamps = unequal_adds = padded = 0
    for seed in range(seeds):
        graph = read_model(random_network(seed))
        for operator in graph.operators:
            kinds.add(operator.kind)
            channels.add(operator.output_shape[3])
            clamps += getattr(operator, "maximum", 127) < 127
            if isinstance(operator, Add):
                unequal_adds += operator.scale_a != operator.scale_b
            if isinstance(operator, Conv | Depthwise):
                kernels.add(operator.kernel)
                strides.add(operator.stride)
                padded += operator.padding.top > operator.kernel[0] // 2
            if isinstance(operator, Conv | Depthwise | FullyConnected):
                rights |= set(operator.scaling.right.tolist())
                lefts |= set(operator.scaling.left.tolist())
                zero_multipliers += int((operator.scaling.multiplier == 0).sum())
                largest_bias = max(largest_bias, int(np.abs(operator.bias.astype(np.int64)).max()))
    by_hand = {"LOGISTIC", "PAD", "SQUEEZE", "EXPAND_DIMS", "REDUCE_MAX", "SHAPE", "STRIDED_SLICE", "PACK"}
    assert kinds == set(SUPPORTED) - by_hand
    assert {(1, 1), (3, 3), (10, 4)} <= kernels and {(1, 1), (2, 2)} <= strides
    assert zero_multipliers > 0 and largest_bias > 1 << 29
    assert clamps > 5 and unequal_adds > 2
    if seeds > 100:
        assert max(rows for rows, _ in kernels) == max(columns for _, columns in kernels) == 11
        assert rights == set(range(32)) and lefts == set(range(8))
        assert {(1, 2), (2, 1), (3, 3)} <= strides and padded > 3
        assert set(range(1, 25)) <= channels
