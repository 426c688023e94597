"""Random networks through the compiler, on the functional model: every tensor as the reference has it."""

import itertools

import numpy as np
import pytest

pytest.importorskip("flatbuffers", reason="FlatBuffers is not installed: pip install flatbuffers")

from compiled_networks import CONFIGS, differing

from rtl.tensor.accelerator.commands import Compute, Operation
from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.reader import read_model
from verif.models.tensor.networks import random_inputs, random_network


def check(seed, name, transposed):
    graph = read_model(random_network(seed), f"network {seed}")
    shape = graph.tensors[graph.input].dimensions
    values = random_inputs(int(np.prod(shape)), seed, 1)[0].reshape(shape)
    program = compile_graph(graph, CONFIGS[name], keep=True, transposed=transposed)
    wrong, compared = differing(program, values, order=seed)
    assert wrong == []
    assert compared >= len(program.layers)
    return program


@pytest.mark.parametrize(("name", "transposed"), list(itertools.product(CONFIGS, (False, True))))
def test_few_networks(name, transposed):
    for seed in range(3):
        check(seed, name, transposed)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(0, 200, 20))
def test_many_networks(first):
    seen, refused = set(), []
    for seed in range(first, first + 20):
        for name, transposed in itertools.product(CONFIGS, (False, True)):
            try:
                program = check(1000 + seed, name, transposed)
            except CompileError as error:
                assert name not in ("8x8", "16x16")
                assert "of the activation memory" in str(error)
                refused.append((seed, name))
                continue
            computes = [c for c in program.commands if isinstance(c, Compute)]
            seen |= {c.operation for c in computes} | {"keep" for c in computes if c.keep}
    assert len(refused) <= 24  # a tenth of all
    assert seen >= set(Operation) | {"keep"}


def test_a_program_is_the_same_each_time():
    """Nothing depends on hashes or on what was compiled before."""
    data = random_network(5)
    images = {compile_graph(read_model(data, "a"), CONFIGS["8x8"]).image for _ in range(2)}
    assert len(images) == 1
