"""What the command line needs of the compiler and its models: the entry point ``compiler`` of ``suzuri.nn``.

Everything in and out is plain: paths, bytes, NumPy arrays, dataclasses. Wrong
input is a ``ValueError``; one with the attributes ``what``, ``where``,
``remedy`` and ``model`` where it concerns a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.accelerator.commands import Base
from rtl.tensor.accelerator.config import PRESETS, AcceleratorConfig
from rtl.tensor.compiler.compile import Program, compile_graph
from rtl.tensor.compiler.plan import Row, Times, predicted_times, rows, times_of
from rtl.tensor.compiler.reader import read_model
from rtl.tensor.compiler.reference import run_reference
from rtl.tensor.machine import Machine, Memories, config_word

__all__ = ["Network", "compile_network", "parameters", "presets"]

Tensors = dict[int, NDArray[np.int8]]


def presets() -> tuple[str, ...]:
    """Return the names of the configurations."""
    return tuple(PRESETS)


def parameters(preset: str, changes: Mapping[str, int]) -> dict[str, int]:
    """Return the parameters of a configuration.

    Parameters
    ----------
    preset
        Its name.
    changes
        Parameters that differ.

    Raises
    ------
    ValueError
        There is no such preset or parameter, or a value is out of range.
    """
    known = asdict(AcceleratorConfig.preset(preset))
    for name in changes:
        if name not in known:
            raise ValueError(f"there is no parameter {name!r}; there are {', '.join(known)}")
    try:
        return asdict(AcceleratorConfig(**{**known, **changes}))
    except TypeError as error:
        raise ValueError(str(error)) from None


def compile_network(model: Path, values: Mapping[str, int], *, keep: bool = False) -> Network:
    """Compile a .tflite file.

    Parameters
    ----------
    model
        The file.
    values
        Parameters of the accelerator, as :func:`parameters` returns them.
    keep
        Whether each operator's tensor is stored.

    Raises
    ------
    ValueError
        It is no network that can be compiled.
    OSError
        The file cannot be read.
    """
    return Network(compile_graph(read_model(model), AcceleratorConfig(**values), keep=keep))


class Network:
    """A compiled network.

    Attributes
    ----------
    image
        Bytes for base 0.
    input_bytes, output_bytes, scratch_bytes
        Sizes of the regions at bases 1 to 3.
    config_word
        What the register ``CONFIG`` must read.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.image = program.image
        self.input_bytes = program.lowered.input_bytes
        self.output_bytes = program.lowered.output_bytes
        self.scratch_bytes = program.lowered.kept_bytes
        self.config_word = config_word(program.config)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, without the batch."""
        return tuple(self.program.graph.tensors[self.program.graph.input].dimensions[1:])

    @property
    def outputs(self) -> tuple[int, ...]:
        """Numbers of the network's output tensors."""
        return self.program.graph.outputs

    @property
    def commands(self) -> int:
        """Commands of the program, ``End`` among them."""
        return len(self.program.commands)

    @property
    def total_macs(self) -> int:
        """Multiplications of the network."""
        return sum(layer.macs for layer in self.program.layers)

    def tensor_name(self, number: int) -> str:
        """Return what messages call a tensor: the operator that computes it."""
        for operator in self.program.graph.operators:
            if operator.output == number:
                return f"operator {operator.index}, {operator.kind}"
        return f"tensor {number}"

    def file(self) -> bytes:
        """Return the compiled network as a file."""
        return self.program.binary().to_bytes()

    def plan(self) -> tuple[list[Row], Times]:
        """Return the layers with predicted cycles."""
        times = predicted_times(self.program)
        return rows(self.program, times), times

    def measured(self, events: Iterable[tuple[int, int, int]]) -> tuple[list[Row], Times]:
        """Return the layers with the cycles of a run.

        Parameters
        ----------
        events
            Of each command that was done: cycle, engine, tag.
        """
        times = times_of(events)
        return rows(self.program, times), times

    def input_region(self, values: NDArray[np.int8]) -> bytes:
        """Return what base 1 must hold for one input."""
        return self.program.input_region(values)

    def results(self, output: bytes, scratch: bytes = b"") -> Tensors:
        """Return tensors by number from the regions that the accelerator wrote.

        The last operators, of the CPU, are computed here; of the scratch
        region all tensors that were kept.
        """
        tensors = self.program.results(output)
        if scratch:
            tensors |= self.program.read_tensors(scratch, self.program.lowered.kept)
        return tensors

    def run_machine(self, values: NDArray[np.int8]) -> Tensors:
        """Return tensors by number as the functional model of the commands computes them."""
        regions = {
            Base.PROGRAM: self.image,
            Base.INPUT: self.input_region(values),
            Base.OUTPUT: bytes(self.output_bytes),
            Base.SCRATCH: bytes(self.scratch_bytes),
        }
        memories = Memories.create(self.program.config, regions, seed=1)
        Machine(self.program.config, memories).run(expected_config=self.config_word)
        external = memories.external
        return self.results(external[Base.OUTPUT].tobytes(), external[Base.SCRATCH].tobytes())

    def run_reference(self, values: NDArray[np.int8]) -> Tensors:
        """Return all tensors by number as the reference computes them, each in its own shape."""
        graph = self.program.graph
        found = run_reference(graph, np.ascontiguousarray(values, np.int8))
        return {
            number: array.reshape(graph.tensors[number].dimensions)
            for number, array in found.items()
            if number in graph.tensors
        }
