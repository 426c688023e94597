"""Operators that the compiler turns into others, on the functional model: every tensor as the reference."""

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")

import tiny_networks as tiny
from compiled_networks import CONFIGS, differing

from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.reader import read_model

NETWORKS = {
    "grouped conv": tiny.grouped_conv,
    "dilated depthwise": tiny.dilated_depthwise,
    "dilated depth multiplier": lambda: tiny.dilated_depthwise(3),
    "causal conv": tiny.causal_conv,
    "fully connected pixels": tiny.pixels_fully_connected,
    "mean of rows": lambda: tiny.reduce("MEAN", [1], (1, 5, 3, 2), (1, 1, 3, 2)),
    "mean of columns": lambda: tiny.reduce("MEAN", [2], (1, 5, 3, 2), (1, 5, 1, 2)),
    "mean of a signal": lambda: tiny.reduce("MEAN", 1, (1, 7, 2), (1, 2)),
    "largest": lambda: tiny.reduce("REDUCE_MAX", [1, 2], (1, 5, 3, 2), (1, 2)),
    "largest of rows": lambda: tiny.reduce("REDUCE_MAX", [1], (1, 5, 3, 2), (1, 3, 2)),
}


def check(data: bytes, name: str) -> None:
    graph = read_model(data, name)
    shape = graph.tensors[graph.input].dimensions
    values = np.random.default_rng(5).integers(-128, 128, shape).astype(np.int8)
    for config in CONFIGS.values():
        for transposed in (False, True):
            program = compile_graph(graph, config, keep=True, transposed=transposed)
            wrong, compared = differing(program, values)
            assert wrong == [] and compared >= len(program.layers) == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_operators(name: str) -> None:
    check(NETWORKS[name]().encode(), name)


def test_an_input_that_is_an_output_too() -> None:
    network = tiny.conv()
    network.outputs = [1, 0]
    graph = read_model(network.encode(), "net")
    values = np.random.default_rng(5).integers(-128, 128, (1, 5, 6, 2)).astype(np.int8)
    for config in CONFIGS.values():
        program = compile_graph(graph, config)
        assert set(program.lowered.outputs) == {0, 1}
        assert differing(program, values) == ([], 2)


def test_a_vector_whose_shape_is_computed() -> None:
    network = tiny.open_batch()
    network.operators.append(tiny.fully_connected().operators[0])
    weights = network.add(tiny.constant(np.arange(96).reshape(4, 24) - 40, scales=(0.1,)))
    network.outputs = [network.add(tiny.activation((1, 4), 0.5, -1))]
    network.operators[-1].inputs, network.operators[-1].outputs = (1, weights), network.outputs
    check(network.encode(), "net")
