"""Odd but legal layers: the compiled program, the reference and TensorFlow Lite Micro say the same."""

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")
pytest.importorskip("tflite_micro", reason="needs tflite-micro (x86-64 Linux): pip install tflite-micro")

from compiled_networks import CONFIGS, run_machine
from odd_networks import network

from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.reference import run_reference
from verif.models.tensor.interpreter import Interpreter

AVERAGE, MAXIMUM = "AVERAGE_POOL_2D", "MAX_POOL_2D"

#: Layers of any number of channels: rows and columns of the input, and what is made of it.
LAYERS = {
    "a pixel": ((1, 1), lambda b, x: b.conv(x, 17, (3, 3))),
    "strides 2 1": ((7, 9), lambda b, x: b.conv(x, 5, (3, 3), (2, 1), activation=1)),
    "strides 1 3": ((7, 9), lambda b, x: b.conv(x, 17, (2, 5), (1, 3), False, per_channel=False)),
    "strides 5 7": ((11, 13), lambda b, x: b.conv(x, 3, (1, 1), (5, 7), activation=2)),
    "kernel 1 7": ((4, 9), lambda b, x: b.conv(x, 3, (1, 7), (1, 2), bias=False)),
    "kernel beyond": ((3, 2), lambda b, x: b.conv(x, 9, (8, 11), (2, 3))),
    "kernel as input": ((6, 5), lambda b, x: b.conv(x, 9, (6, 5), same=False)),
    "dilated": ((9, 12), lambda b, x: b.conv(x, 5, (3, 3), (1, 2), dilation=(2, 3))),
    "dilated inside": ((9, 12), lambda b, x: b.conv(x, 5, (3, 3), same=False, dilation=(1, 3))),
    "depthwise 2 1": ((6, 7), lambda b, x: b.depthwise(x, 1, (3, 3), (2, 1), activation=3)),
    "depthwise twice": ((6, 7), lambda b, x: b.depthwise(x, 2, (3, 4), (1, 2), False, per_channel=False)),
    "depthwise wide": ((9, 7), lambda b, x: b.depthwise(x, 1, (5, 5), (3, 2), dilation=(1, 2))),
    "average 5 3": ((7, 8), lambda b, x: b.pool(AVERAGE, x, (5, 3), (2, 3), activation=1)),
    "average beyond": ((3, 3), lambda b, x: b.pool(AVERAGE, x, (9, 9))),
    "maximum 3 5": ((7, 8), lambda b, x: b.pool(MAXIMUM, x, (3, 5), (3, 1), False, activation=3)),
    "maximum of one": ((9, 9), lambda b, x: b.pool(MAXIMUM, x, (1, 1), (4, 4))),
    "dense": ((3, 4), lambda b, x: b.dense(x, 100, activation=1)),
    "dense of pixels": ((3, 4), lambda b, x: b.dense(x, 17, keep=True, per_channel=True)),
    "mean of rows": ((5, 3), lambda b, x: b.reduce("MEAN", x, [1], (1, 1, 3, b.shape(x)[3]))),
    "largest": ((5, 3), lambda b, x: b.reduce("REDUCE_MAX", x, [-2, 1], (1, 1, 1, b.shape(x)[3]), 1.0)),
    "twice": ((5, 3), lambda b, x: b.add(x, x, activation=1)),
    "sum": ((5, 3), lambda b, x: b.add(b.conv(x, b.shape(x)[3], (3, 3)), x)),
    "padded": ((5, 3), lambda b, x: b.conv(b.pad(x, (0, 0), (3, 0), (1, 7), (0, 0)), 5, (4, 3), (2, 3))),
    "quantised again": ((4, 6), lambda b, x: b.unary("QUANTIZE", x, 0.055, 17)),
    "logistic": ((4, 6), lambda b, x: b.unary("LOGISTIC", b.conv(x, 3, (3, 3)), 1 / 256, -128)),
    "folded up": ((4, 6), lambda b, x: b.dense(b.reshape(b.conv(x, 17, (3, 3)), 1, 408), 10)),
    "outputs": ((4, 6), lambda b, x: [x, b.conv(x, 3, (3, 3), (2, 2)), b.pool(MAXIMUM, x, (2, 2))]),
}

#: Layers of their own shapes.
SINGLE = {
    "groups": ((1, 5, 5, 8), lambda b, x: b.conv(x, 6, (3, 3), groups=2, dilation=(1, 2))),
    "kernel 255": ((1, 300, 1, 1), lambda b, x: b.conv(x, 2, (255, 1), (45, 1), same=False)),
    "many channels": ((1, 2, 2, 1000), lambda b, x: b.conv(x, 3, (1, 1))),
    "signal": ((1, 9, 5), lambda b, x: b.reduce("MEAN", x, 1, (1, 5))),
    "average of 60 x 60": ((1, 60, 60, 1), lambda b, x: b.pool(AVERAGE, x, (60, 60), same=False)),
    "one dimension": ((10,), lambda b, x: b.dense(x, 7)),
    "1024 to 1000": ((1, 1024), lambda b, x: b.dense(x, 1000, per_channel=True)),
}


def check(make, shape, seed, zero):
    data = network(make, shape, seed, zero)
    graph = read_model(data)
    size = int(np.prod(shape))
    values = [np.full(size, -128, np.int8), np.full(size, 127, np.int8)]
    values.append(np.random.default_rng(seed).integers(-128, 128, size).astype(np.int8))
    interpreter = Interpreter(data)
    tensors = [operator.output for operator in graph.operators]
    for each in values:
        expected = interpreter.run(each, tensors)
        found = run_reference(graph, each)
        for number in tensors:
            assert np.array_equal(found[number].reshape(-1), expected[number].reshape(-1))
    for name, config in CONFIGS.items():
        try:
            program = compile_graph(graph, config, keep=True)
        except CompileError as error:
            assert "of the activation memory" in str(error) and name != "16x16"
            continue
        made = run_machine(program, values[2].reshape(shape), seed)
        assert set(graph.outputs) <= set(made)
        for number, tensor in made.items():
            wanted = values[2] if number == graph.input else expected[number]
            assert np.array_equal(tensor.reshape(-1), wanted.reshape(-1))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("channels", [3, *(pytest.param(n, marks=pytest.mark.nightly) for n in (1, 5, 17))])
def test_layers(name, channels):
    (rows, columns), make = LAYERS[name]
    for seed, zero in enumerate((-128, 127, -1)[: 3 if channels != 3 else 1]):
        check(make, (1, rows, columns, channels), seed, zero)


@pytest.mark.nightly
@pytest.mark.parametrize("name", SINGLE)
def test_single_layers(name):
    shape, make = SINGLE[name]
    check(make, shape, 1, 127)
