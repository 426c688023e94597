"""The compiler: a network and a configuration in, a program out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.accelerator.commands import (
    Command,
    CommandError,
    Compute,
    End,
    Load,
    Memory,
    Transfer,
    assemble,
)
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.allocate import NoRoomError, allocate
from rtl.tensor.compiler.binary import Binary, BinaryTensor
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.graph import Graph
from rtl.tensor.compiler.items import Layer
from rtl.tensor.compiler.layout import Layout, unpack
from rtl.tensor.compiler.lower import INPUT_TAG, Lowered, NotTransposableError, lower
from rtl.tensor.compiler.performance import OVERHEADS, Interval, Overheads, array_cycles, predict
from rtl.tensor.compiler.reference import run_operator
from rtl.tensor.compiler.schedule import place, stream, with_waits
from rtl.tensor.machine import MachineError, check, config_word

__all__ = ["Program", "compile_graph"]

_WAITS = ("wait_load", "wait_pack", "wait_compute", "wait_store")
_ALIGNMENT = 64
_ATTEMPTS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """A compiled network.

    Attributes
    ----------
    graph, config
        What, for which accelerator.
    commands
        In their order; ``End`` is the last.
    image
        Commands and constants, for base 0.
    layers
        Operators on the accelerator, by tag from 1.
    lowered
        Regions, and what lies where in them.
    transposed
        Whether tensors lie with rows and columns exchanged.
    """

    graph: Graph
    config: AcceleratorConfig
    commands: tuple[Command, ...]
    image: bytes
    layers: tuple[Layer, ...]
    lowered: Lowered
    transposed: bool

    def predict(self, overheads: Overheads = OVERHEADS) -> list[Interval]:
        """Return when each command but ``End`` starts and is done, by the estimate."""
        return predict(self.commands, self.config, overheads)

    def input_region(self, values: NDArray[np.int8]) -> bytes:
        """Return what base 1 must hold for an input.

        Parameters
        ----------
        values
            int8, of the input's shape.
        """
        content: bytes = np.ascontiguousarray(values, np.int8).tobytes()
        return content.ljust(self.lowered.input_bytes, b"\0")

    def read_tensors(
        self, region: bytes, table: Mapping[int, tuple[int, Layout]]
    ) -> dict[int, NDArray[np.int8]]:
        """Return tensors of a region, by their numbers, each in its own shape."""
        content = np.frombuffer(region, np.int8)
        return {
            number: unpack(content[offset:], layout, self.config).reshape(
                self.graph.tensors[number].dimensions
            )
            for number, (offset, layout) in table.items()
        }

    def results(self, region: bytes) -> dict[int, NDArray[np.int8]]:
        """Return all outputs of the network from the output region; operators for the CPU are computed."""
        tensors = self.read_tensors(region, self.lowered.outputs)
        for operator in self.lowered.host:
            shape = self.graph.tensors[operator.output].dimensions
            inputs = [tensors[number].reshape(operator.input_shape) for number in operator.inputs]
            tensors[operator.output] = run_operator(operator, *inputs).reshape(shape)
        return tensors

    def binary(self) -> Binary:
        """Return the file's content."""
        tensors = [self._tensor(0, self.graph.input, 0, None)]
        for kind, table in ((1, self.lowered.outputs), (2, self.lowered.kept)):
            tensors += [self._tensor(kind, number, *where) for number, where in table.items()]
        return Binary(
            config=config_word(self.config),
            image=self.image,
            input_bytes=self.lowered.input_bytes,
            output_bytes=self.lowered.output_bytes,
            scratch_bytes=self.lowered.kept_bytes,
            tensors=tuple(tensors),
        )

    def _tensor(self, kind: int, number: int, offset: int, layout: Layout | None) -> BinaryTensor:
        tensor = self.graph.tensors[number]
        if layout is None:
            _, rows, columns, channels = tensor.shape
            layout = Layout(rows=rows, columns=columns, channels=channels, dense=True)
        size = (
            layout.pixels * layout.channels if layout.dense else layout.words(self.config) * self.config.array
        )
        return BinaryTensor(
            kind=kind,
            number=number,
            offset=offset,
            size=size,
            layout=layout,
            scale=tensor.scale if len(tensor.scales) else 1.0,
            zero_point=tensor.zero_point if len(tensor.zero_points) else 0,
        )


def compile_graph(
    graph: Graph, config: AcceleratorConfig, *, keep: bool = False, transposed: bool | None = None
) -> Program:
    """Compile a network.

    Parameters
    ----------
    graph, config
        What, for which accelerator.
    keep
        Whether each operator's tensor is stored in the scratch region.
    transposed
        Whether tensors lie with rows and columns exchanged; ``None`` for
        what is predicted to be faster.

    Raises
    ------
    CompileError
        An operator cannot be executed, or the network does not fit.
    """
    ways = (False, True) if transposed is None else (transposed,)
    best: tuple[int, Program] | None = None
    refused: CompileError | None = None
    for way in ways:
        try:
            program = _compile(graph, config, way, keep)
        except NotTransposableError:
            continue
        except CompileError as error:
            refused = refused or error
            continue
        cycles = program.predict()[-1].done
        if best is None or cycles < best[0]:
            best = (cycles, program)
    if best is None:
        raise refused or CompileError(
            graph.name, "", "RESHAPE depends on the order of pixels", "Compile without exchange"
        )
    return best[1]


def _compile(graph: Graph, config: AcceleratorConfig, transposed: bool, keep: bool) -> Program:
    lowered = _fit(graph, config, transposed, keep)
    commands, tiles = place(lowered.items, config)
    for command in commands:
        _check(graph, command, lowered.layers, config)
    ordered = stream(with_waits(commands, config), config)
    size = 4 * sum(command.WORDS for command in ordered) + 4 * End.WORDS
    constants = -(-size // _ALIGNMENT) * _ALIGNMENT
    final: list[Command] = [_finished(command, constants) for command in ordered]
    final.append(End(tag=0))
    try:
        program = assemble(final)
    except CommandError as error:
        raise CompileError(
            graph.name, "", f"a size is more than a command can say: {error}", "Make the layer smaller"
        ) from None
    image = program.ljust(constants, b"\0") + b"".join(tile.image for tile in tiles)
    return Program(
        graph=graph,
        config=config,
        commands=tuple(final),
        image=image.ljust(-(-len(image) // 16) * 16, b"\0"),
        layers=tuple(_counted(layer, ordered, config) for layer in lowered.layers),
        lowered=lowered,
        transposed=transposed,
    )


def _fit(graph: Graph, config: AcceleratorConfig, transposed: bool, keep: bool) -> Lowered:
    """Lower and allocate, with less packed input at a time until it fits."""
    limits: dict[int, int] = {}
    for _ in range(_ATTEMPTS):
        lowered = lower(graph, config, transposed=transposed, packed_words=limits, keep=keep)
        try:
            allocate(lowered.items, config)
            return lowered
        except NoRoomError as error:
            tag = lowered.items[error.item].command.tag
            over = error.needed - config.activation_words
            refusal = _no_room(graph, lowered, tag, over, config)
            operator = lowered.layers[tag - 1].operator.index if tag else -1
            if operator not in lowered.packed:
                raise refusal from None
            whole, least = lowered.packed[operator]
            now = limits.get(operator, whole)
            if now <= least:
                raise refusal from None
            limits[operator] = max(least, now - over)
    raise refusal


def _no_room(graph: Graph, lowered: Lowered, tag: int, over: int, config: AcceleratorConfig) -> CompileError:
    operator = lowered.layers[tag - 1].operator if tag else None
    where = f"operator {operator.index}, {operator.kind}" if operator else "the input"
    return CompileError(
        graph.name,
        where,
        f"it needs {over * config.activation_word} bytes more than the {config.activation_kib} KiB of the "
        "activation memory",
        "Choose a configuration with more, such as --set activation_kib="
        f"{1 << ((config.activation_words + over) * config.activation_word - 1).bit_length() >> 10}",
    )


def _finished(command: Command, constants: int) -> Command:
    """Return a command with waits modulo 2**16, and with its place among the constants."""
    values = {name: getattr(command, name) & 0xFFFF for name in _WAITS}
    if isinstance(command, Load) and command.memory is Memory.WEIGHT:
        values["offset"] = command.offset + constants
    return dataclasses.replace(command, **values)


def _check(graph: Graph, command: Command, layers: tuple[Layer, ...], config: AcceleratorConfig) -> None:
    """Refuse what the hardware would refuse."""
    try:
        check(command, config)
    except MachineError as error:
        name = layers[command.tag - 1].name if command.tag else "the input"
        raise CompileError(
            graph.name,
            f"operator {name}",
            f"its commands are refused: {error.reason}",
            "Make the layer smaller",
        ) from None


def _counted(layer: Layer, commands: list[Command], config: AcceleratorConfig) -> Layer:
    """Return a layer with its cycles on the array and the bytes of its weights."""
    own = [command for command in commands if command.tag == layer.tag and layer.tag != INPUT_TAG]
    return dataclasses.replace(
        layer,
        array_cycles=sum(array_cycles(c, config) for c in own if isinstance(c, Compute)),
        weight_bytes=sum(
            c.rows * c.row_bytes for c in own if isinstance(c, Transfer) and c.memory is Memory.WEIGHT
        ),
    )
