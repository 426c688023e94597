"""The reference operators: golden tensors of four networks, and small cases by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tensor_models import NETWORKS, need_goldens, need_network

from rtl.tensor.compiler import reference
from rtl.tensor.compiler.graph import AveragePool, MaxPool, Padding, Scale, Scaling
from rtl.tensor.compiler.quantise import softmax_scale
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.reference import requantise, run_operator, run_reference
from rtl.tensor.compiler.softmax import softmax


def differences(name, inputs=None):
    """Return how many tensors were compared with the goldens, and the names of those that differ."""
    graph = read_model(need_network(name))
    goldens = np.load(need_goldens(name))
    compared, wrong = 0, []
    for index in range(len(goldens["input"]))[:inputs]:
        found = run_reference(graph, goldens["input"][index])
        for operator in graph.operators:
            golden = f"op{operator.index:02}_{operator.kind}_t{operator.output}"
            compared += 1
            if not np.array_equal(found[operator.output].reshape(-1), goldens[golden][index].reshape(-1)):
                wrong.append(f"{golden} of input {index}")
        assert np.array_equal(found[graph.outputs[0]].reshape(-1), goldens["output"][index].reshape(-1))
    return compared, wrong


@pytest.mark.parametrize(("name", "tensors"), [("kws", 117), ("vww", 310), ("ic", 144), ("ad", 120)])
def test_every_tensor_equals_its_golden(name, tensors):
    assert differences(name) == (tensors, [])
    assert set(NETWORKS) == {"kws", "vww", "ic", "ad"}


def _single_rounding(sums, factor):
    total = 31 + np.asarray(factor.right, np.int64) - factor.left
    return (sums * np.asarray(factor.multiplier, np.int64) + (1 << (total - 1))) >> total


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ad", lambda sums, factor: (sums * factor.multiplier >> 31) >> factor.right),
        ("kws", _single_rounding),
    ],
)
def test_goldens_tell_another_rounding(monkeypatch, name, change):
    """Truncation, and the newer rounding in one step, are both caught."""
    monkeypatch.setattr(reference, "requantise", change)
    with pytest.raises(AssertionError):
        assert differences(name, 1)[1] == []


def exact(value, scale):
    """Round twice, halves away from 0 and towards plus infinity first, as the documentation has it."""
    wrapped = (value << scale.left) + 2**31
    product = wrapped % 2**32 - 2**31
    product = (product * scale.multiplier + 2**30) // 2**31
    return int(math.copysign(math.floor(abs(product) / 2**scale.right + 0.5), product))


def test_requantisation():
    rng = np.random.default_rng(7)
    edges = [-(2**31), 2**31 - 1, 0, 1, -1, 2, -2, 3, -3, 2**30, -(2**30)]
    sums = np.array([*edges, *rng.integers(-(2**31), 2**31, 100), *rng.integers(-9, 9, 50)], np.int64)
    for right in range(32):
        for multiplier in (0, 1 << 30, (1 << 31) - 1, int(rng.integers(1 << 30, 1 << 31))):
            scale = Scale(multiplier=multiplier, right=right)
            assert requantise(sums, scale).tolist() == [exact(int(value), scale) for value in sums]
    for left in range(1, 8):
        scale = Scale(multiplier=1518500250, right=0, left=left)
        assert requantise(sums, scale).tolist() == [exact(int(value), scale) for value in sums]


def test_requantisation_per_channel():
    parts = [np.array(values, np.int32) for values in ([1 << 30, 1 << 30], [0, 3], [1, 0])]
    scaling = Scaling(multiplier=parts[0], right=parts[1], left=parts[2])
    assert requantise(np.array([[100, 100], [-100, -100]]), scaling).tolist() == [[100, 6], [-100, -6]]


def pool(kind, values, kernel, stride, padding, shape, limits=(-128, 127)):
    values = np.array(values, np.int8)[None, ..., None]
    operator = kind(
        index=0, kind="", inputs=(0,), output=1, input_shape=values.shape, output_shape=(1, *shape, 1),
        kernel=kernel, stride=stride, padding=padding, minimum=limits[0], maximum=limits[1],
    )  # fmt: skip
    return run_operator(operator, values)[0, :, :, 0].tolist()


def test_average_pool_rounds_halves_away_from_zero():
    assert pool(AveragePool, [[1, 2], [-1, -2]], (1, 2), (1, 1), Padding(), (2, 1)) == [[2], [-2]]
    assert pool(AveragePool, [[1, 1, 2], [0, 0, 1]], (2, 2), (1, 1), Padding(), (1, 2)) == [[1, 1]]


def test_average_pool_divides_by_the_pixels_that_exist():
    padding = Padding(bottom=1, right=1)
    assert pool(AveragePool, [[4, 8, 1], [0, 4, 3], [10, 20, 7]], (2, 2), (2, 2), padding, (2, 2)) == [
        [4, 2],
        [15, 7],
    ]


def test_max_pool_ignores_padding():
    padding = Padding(top=1, left=1)
    assert pool(MaxPool, [[-100, -50], [-128, -70]], (2, 2), (1, 1), padding, (2, 2)) == [[-100, -50]] * 2
    assert pool(MaxPool, [[-100, 50]], (1, 2), (1, 1), Padding(), (1, 1), (-10, 20)) == [[20]]


def test_softmax_is_near_the_real_one():
    rng = np.random.default_rng(3)
    for scale in (0.01, 0.1, 0.5):
        values = rng.integers(-128, 128, (50, 12)).astype(np.int8)
        found = softmax(values, *softmax_scale(1.0, np.float32(scale)))
        exponentials = np.exp((values.astype(float) - values.max(axis=1, keepdims=True)) * scale)
        real = exponentials / exponentials.sum(axis=1, keepdims=True) * 256 - 128
        assert np.abs(found - np.clip(real, -128, 127)).max() < 1.0


def test_softmax_at_its_limits():
    parameters = softmax_scale(1.0, np.float32(0.1))
    assert softmax(np.array([[5]], np.int8), *parameters).tolist() == [[127]]
    assert softmax(np.array([[-128, 127]], np.int8), *softmax_scale(1.0, np.float32(1.0))).tolist() == [
        [-128, 127]
    ]
    assert (softmax(np.zeros((1, 4), np.int8), *parameters) == -64).all()
    assert (softmax(np.full((1, 4095), -128, np.int8), *parameters) == -128).all()


def test_wrong_inputs():
    graph = read_model(need_network("ad"))
    with pytest.raises(ValueError, match=r"must be 640 values of int8, not 639 of int8"):
        run_reference(graph, np.zeros(639, np.int8))
    with pytest.raises(ValueError, match=r"must be 640 values of int8, not 640 of float64"):
        run_reference(graph, np.zeros(640))
