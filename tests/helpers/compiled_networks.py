"""Networks through the compiler and the functional model, compared with the reference."""

import numpy as np

from rtl.tensor.accelerator.commands import Base
from rtl.tensor.accelerator.config import PRESETS, AcceleratorConfig
from rtl.tensor.compiler.reference import run_reference
from rtl.tensor.machine import Machine, Memories, config_word

#: The presets, and shapes that make the compiler split: narrow and wide ports, few weights, few sums.
CONFIGS = {
    **PRESETS,
    "4 wide": AcceleratorConfig(array=4, bus_width=64, activation_kib=8, weight_kib=1, psum_words=16),
    "8 tight": AcceleratorConfig(array=8, bus_width=128, activation_kib=16, weight_kib=1, psum_words=16),
    "16 narrow": AcceleratorConfig(array=16, bus_width=32, activation_kib=32, weight_kib=2, psum_words=32),
}


def run_machine(program, values, order=0, hazards=True):
    """Return all tensors that a program leaves in external memory, by number."""
    lowered = program.lowered
    regions = {
        Base.PROGRAM: program.image,
        Base.INPUT: program.input_region(values),
        Base.OUTPUT: bytes(lowered.output_bytes),
        Base.SCRATCH: bytes(lowered.kept_bytes),
    }
    memories = Memories.create(program.config, regions, seed=1)
    machine = Machine(program.config, memories, order=order, hazards=hazards)
    machine.run(expected_config=config_word(program.config))
    kept = program.read_tensors(memories.external[Base.SCRATCH].tobytes(), lowered.kept)
    return kept | program.results(memories.external[Base.OUTPUT].tobytes())


def differing(program, values, order=0):
    """Return the operators whose tensors differ from the reference, and how many were compared."""
    graph = program.graph
    expected = run_reference(graph, values.reshape(graph.tensors[graph.input].dimensions))
    found = run_machine(program, values, order)
    assert set(graph.outputs) <= set(found)
    wrong = [
        f"{operator.index} {operator.kind}"
        for operator in graph.operators
        if operator.output in found
        and not np.array_equal(found[operator.output].reshape(-1), expected[operator.output].reshape(-1))
    ]
    return wrong, len(found)
