"""Where tensors lie on chip, and the commands that bring each into the order that its reader needs."""

from __future__ import annotations

import dataclasses

from rtl.tensor.accelerator.commands import Base, Compute, Load, Memory, Operation, Store
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.graph import Graph, Operator
from rtl.tensor.compiler.items import Buffer, Item, Stored
from rtl.tensor.compiler.layout import Layout
from rtl.tensor.compiler.packing import pack_pixels
from rtl.tensor.compiler.pools import IDENTITY
from rtl.tensor.compiler.transfers import transfer_items

__all__ = ["INPUT_TAG", "NotTransposableError", "Tensors", "refusal"]

#: Tag of the load of the input: cycles count from when it is done.
INPUT_TAG = 0


class NotTransposableError(Exception):
    """A network whose tensors must lie as they are: a reshape depends on their order."""


def refusal(graph: Graph, operator: Operator, what: str, remedy: str) -> CompileError:
    """Return the error that names an operator."""
    return CompileError(graph.name, f"operator {operator.index}, {operator.kind}", what, remedy)


class Tensors:
    """The tensors of a network that is being lowered.

    Parameters
    ----------
    graph, config
        What, for which accelerator.
    transposed
        Whether all lie with rows and columns exchanged.
    items
        Where commands are added that only move bytes.
    """

    def __init__(self, graph: Graph, config: AcceleratorConfig, transposed: bool, items: list[Item]) -> None:
        self.graph, self.config, self.transposed, self.items = graph, config, transposed, items
        self.stored: dict[int, Stored] = {}
        self.blocked: dict[int, Stored] = {}

    def load(self) -> int:
        """Load the network's input; return how many bytes of the input region it takes."""
        _, rows, columns, channels = self.graph.tensors[self.graph.input].shape
        layout = Layout(rows=rows, columns=columns, channels=channels, dense=True)
        unit = max(self.config.bus_bytes, self.config.activation_word)
        size = -(-layout.pixels * channels // unit) * unit
        buffer = Buffer("the input", size // self.config.activation_word)
        base = Load(
            tag=INPUT_TAG, base=Base.INPUT, memory=Memory.ACTIVATION, offset=0, address=0, row_bytes=1
        )
        for command in transfer_items(base, size, self.config.activation_word):
            self.items.append(Item(command, {"address": buffer}))
        self.stored[self.graph.input] = Stored(buffer, layout)
        return size

    def new(self, operator: Operator) -> Stored:
        """Return the place of an operator's output."""
        _, rows, columns, channels = operator.output_shape
        layout = Layout(rows=rows, columns=columns, channels=channels, transposed=self.transposed)
        stored = Stored(Buffer(f"tensor {operator.output}", self._sized(layout)), layout)
        self.stored[operator.output] = stored
        return stored

    def _sized(self, layout: Layout) -> int:
        """Return words of a buffer: whole beats, as stores move them."""
        unit = max(1, self.config.bus_bytes // self.config.activation_word)
        return -(-layout.words(self.config) // unit) * unit

    def input(self, operator: Operator, tag: int, place: int = 0) -> Stored:
        """Return an input in words, with the shape that its tensor has; packs it if need be."""
        tensor = operator.inputs[place]
        if tensor in self.blocked:
            return self.blocked[tensor]
        _, rows, columns, channels = self.graph.tensors[tensor].shape
        stored = self.shaped(operator, tag, place)
        if stored.layout.dense:
            whole = channels == self.config.array and not self.transposed
            layout = Layout(rows=rows, columns=columns, channels=channels, transposed=self.transposed)
            if layout.pixels == 1 or whole:
                stored = Stored(stored.buffer, layout)
            else:
                packed = Stored(Buffer(f"tensor {tensor}, packed", self._sized(layout)), layout)
                self.items.append(pack_pixels(stored, packed, tag, self.config))
                stored = packed
        self.blocked[tensor] = stored
        return stored

    def shaped(self, operator: Operator, tag: int, place: int = 0) -> Stored:
        """Return a tensor with the shape that it has, which is not as it was stored after a reshape."""
        tensor = operator.inputs[place]
        _, rows, columns, channels = self.graph.tensors[tensor].shape
        stored = self.stored[tensor]
        layout = stored.layout
        if (layout.rows, layout.columns, layout.channels) == (rows, columns, channels):
            return stored
        if layout.dense or layout.channels == channels:
            if layout.transposed and layout.pixels > 1:
                raise NotTransposableError
            return Stored(
                stored.buffer,
                dataclasses.replace(layout, rows=rows, columns=columns, channels=channels),
            )
        return self._densified(operator, tensor, stored, tag)

    def _densified(self, operator: Operator, tensor: int, stored: Stored, tag: int) -> Stored:
        """Copy a tensor so that its pixels lie one after another, with the channels of each."""
        _, rows, columns, channels = self.graph.tensors[tensor].shape
        layout, config = stored.layout, self.config
        if layout.transposed and layout.pixels > 1:
            raise NotTransposableError
        dense = Layout(rows=rows, columns=columns, channels=channels, dense=True)
        if layout.pixels == 1:
            return Stored(stored.buffer, dense)
        if layout.channels % config.array:
            raise refusal(
                self.graph,
                operator,
                f"RESHAPE gave its input another order: {layout.channels} channels, "
                f"no multiple of {config.array}, became {channels}",
                f"Reshape tensors of a multiple of {config.array} channels, or before FULLY_CONNECTED",
            )
        groups = layout.groups(config)
        copy = Stored(Buffer(f"tensor {tensor}, dense", self._sized(dense)), dense)
        command = Compute(
            tag=tag,
            operation=Operation.MAX,
            source=0,
            source_group=layout.pixels,
            in_columns=1,
            in_rows=layout.pixels,
            columns=1,
            rows=layout.pixels,
            groups=groups,
            target=0,
            target_row=groups,
            target_group=1,
            **IDENTITY,
        )
        self.items.append(Item(command, {"source": stored.buffer, "target": copy.buffer}))
        return copy

    def store(
        self, tensor: int, base: Base, offset: int, table: dict[int, tuple[int, Layout]], tag: int
    ) -> int:
        """Store a tensor, note where, and return the region's new end."""
        stored = self.stored[tensor]
        unit = max(self.config.bus_bytes, self.config.activation_word)
        size = -(-stored.layout.words(self.config) * self.config.activation_word // unit) * unit
        command = Store(tag=tag, base=base, memory=Memory.ACTIVATION, offset=offset, address=0, row_bytes=1)
        for part in transfer_items(command, size, self.config.activation_word):
            self.items.append(Item(part, {"address": stored.buffer}))
        table[tensor] = (offset, stored.layout)
        return offset + size
