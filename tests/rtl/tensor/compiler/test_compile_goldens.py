"""The reference networks through the compiler and the functional model: every operator's golden tensor."""

import re

import numpy as np
import pytest
from compiled_networks import CONFIGS, run_machine
from tensor_models import need_goldens, need_network

from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.reader import read_model

#: Operators on the accelerator, and those for the CPU.
OPERATORS = {"kws": (11, 1), "vww": (29, 1), "ic": (14, 1), "ad": (10, 0)}


def compare(name, config, inputs):
    graph = read_model(need_network(name))
    goldens = np.load(need_goldens(name))
    program = compile_graph(graph, CONFIGS[config], keep=True)
    assert (len(program.layers), len(program.lowered.host)) == OPERATORS[name]
    for index in range(len(goldens["input"]))[:inputs]:
        found = run_machine(program, goldens["input"][index], order=index, hazards=index == 0)
        assert np.array_equal(found[graph.outputs[0]].reshape(-1), goldens["output"][index].reshape(-1))
        compared = 0
        for golden in goldens.files:
            match = re.fullmatch(r"op\d+_(.*)_t(\d+)", golden)
            if match and int(match[2]) in found:
                values = found[int(match[2])].reshape(-1)
                assert np.array_equal(values, goldens[golden][index].reshape(-1)), golden
                compared += 1
        assert compared == sum(OPERATORS[name])


@pytest.mark.parametrize(
    ("name", "config"),
    [(n, c) for n in OPERATORS for c in ("8x8", "16x16")] + [("kws", "4x4"), ("ad", "4x4")],
)
def test_every_tensor_equals_its_golden(name, config):
    compare(name, config, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(OPERATORS))
@pytest.mark.parametrize("config", ["8x8", "16x16"])
def test_every_tensor_of_every_input_equals_its_golden(name, config):
    compare(name, config, None)


@pytest.mark.parametrize(("name", "operator", "over"), [("vww", 2, 38912), ("ic", 2, 32768)])
def test_what_does_not_fit_is_refused(name, operator, over):
    with pytest.raises(CompileError, match=f"operator {operator}, CONV_2D: it needs {over} bytes more"):
        compile_graph(read_model(need_network(name)), CONFIGS["4x4"])
