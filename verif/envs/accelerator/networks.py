"""Networks on a simulated accelerator: every tensor against TensorFlow Lite Micro."""

from dataclasses import dataclass

import numpy as np

from rtl.tensor.compiler.compile import compile_graph
from rtl.tensor.compiler.graph import Graph
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.reference import run_reference
from verif.harness.tensor.quick import Simulator
from verif.models.tensor.interpreter import Interpreter, available
from verif.models.tensor.networks import random_inputs, random_network

__all__ = ["Outcome", "expected_tensors", "run_random_network"]

_ALIGN = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A network on the accelerator.

    Attributes
    ----------
    wrong
        What differs, in words.
    tensors, cycles
        How many tensors were compared, and how long the run took.
    """

    wrong: list[str]
    tensors: int
    cycles: int


def expected_tensors(data: bytes, graph: Graph, values: np.ndarray) -> dict[int, np.ndarray]:
    """Return every operator's tensor by TensorFlow Lite Micro, or by the reference where it is missing."""
    if available():
        return Interpreter(data).run(values.reshape(-1), [operator.output for operator in graph.operators])
    return dict(run_reference(graph, values.reshape(graph.tensors[graph.input].dimensions)))


def run_random_network(simulator: Simulator, seed: int, **options: object) -> Outcome:
    """Compile the network of a seed, run it with a random input, and compare all its tensors.

    Parameters
    ----------
    simulator
        Of the configuration.
    seed
        Of network, input, order of axes and pauses of the memory.
    **options
        Of :func:`random_network`.

    Raises
    ------
    CompileError
        It does not fit the configuration.
    """
    data = random_network(seed, **options)
    graph = read_model(data, f"network {seed}")
    shape = graph.tensors[graph.input].dimensions
    values = random_inputs(int(np.prod(shape)), seed, 3)[2].reshape(shape)
    program = compile_graph(graph, simulator.config, keep=True, transposed=bool(seed & 1))
    lowered = program.lowered
    regions = (
        program.image,
        program.input_region(values),
        bytes(lowered.output_bytes),
        bytes(lowered.kept_bytes),
    )
    bases, at = [], 0
    for region in regions:
        bases.append(at)
        at += -(-max(len(region), 1) // _ALIGN) * _ALIGN
    run = simulator.run(
        {bases[0]: regions[0], bases[1]: regions[1]},
        bases=(bases[0], bases[1], bases[2], bases[3]),
        dump=(bases[2], at - bases[2]),
        latency=(20, 3)[seed >> 1 & 1],
        stall=(0, 20)[seed >> 2 & 1],
        seed=seed & 0xFFFF,
        limit=50_000_000,
    )
    state = run.values
    if not state["done"] or state["error"] or state["limited"] or state["protocol"]:
        return Outcome(
            wrong=[f"ended with {dict(state)}: {run.output}"], tensors=0, cycles=state.get("cycles", 0)
        )
    kept = run.memory[bases[3] - bases[2] :]
    found = program.read_tensors(kept, lowered.kept) | program.results(run.memory)
    expected = expected_tensors(data, graph, values)
    wrong = [
        graph.place(operator)
        for operator in graph.operators
        if operator.output in found
        and not np.array_equal(found[operator.output].reshape(-1), expected[operator.output].reshape(-1))
    ]
    compared = sum(operator.output in found for operator in graph.operators)
    return Outcome(wrong=wrong, tensors=compared, cycles=state["cycles"])
