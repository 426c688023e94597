"""From operators to commands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from rtl.tensor.accelerator.commands import Base, Compute, Operation
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.graph import (
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Graph,
    MaxPool,
    Mean,
    OnHost,
    Operator,
    Padding,
    Reshape,
    Scale,
)
from rtl.tensor.compiler.items import Item, Layer, Stored, TooManyCommandsError
from rtl.tensor.compiler.layout import (
    Geometry,
    Layout,
    channel_taps,
    conv_taps,
    depthwise_taps,
    parameters,
)
from rtl.tensor.compiler.packing import Packing, packed_rectangles, packed_sizes
from rtl.tensor.compiler.pools import pool_items
from rtl.tensor.compiler.tensors import INPUT_TAG, NotTransposableError, Tensors, refusal
from rtl.tensor.compiler.weighted import Rectangle, Weights, weighted_items

__all__ = ["INPUT_TAG", "Lowered", "NotTransposableError", "lower"]

#: Bank of a depthwise layer's output, when its input begins in bank 0. Measured on rows of a multiple of 4
#: pixels, where the same rows of both begin in the same banks: 1.7 cycles a row are lost, otherwise 6.
_BESIDE = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A network as commands without addresses.

    Attributes
    ----------
    items
        In the order of a machine that does one at a time; the input's load first.
    layers
        Operators on the accelerator; tag ``i + 1`` of place ``i``.
    host
        Operators that the CPU executes afterwards.
    outputs
        By tensor: byte in the output region, and layout.
    kept
        Likewise, in the scratch region, of tensors that were asked for.
    packed
        By the number of the operator that reads it: words of packed input in all, and fewest at a time.
    input_bytes, output_bytes, kept_bytes
        Sizes of the regions.
    """

    items: tuple[Item, ...]
    layers: tuple[Layer, ...]
    host: tuple[Operator, ...]
    outputs: Mapping[int, tuple[int, Layout]]
    kept: Mapping[int, tuple[int, Layout]]
    packed: Mapping[int, tuple[int, int]]
    input_bytes: int
    output_bytes: int
    kept_bytes: int


def lower(
    graph: Graph,
    config: AcceleratorConfig,
    *,
    transposed: bool = False,
    packed_words: Mapping[int, int] | None = None,
    keep: bool = False,
) -> Lowered:
    """Return a network's commands.

    Parameters
    ----------
    graph, config
        What, for which accelerator.
    transposed
        Whether all tensors lie with rows and columns exchanged.
    packed_words
        Most words of packed input, by the number of the operator that reads it.
    keep
        Whether each operator's tensor is stored in the scratch region.

    Raises
    ------
    CompileError
        An operator cannot be executed.
    NotTransposableError
        It can only without `transposed`.
    """
    return _Lowering(graph, config, transposed, packed_words or {}, keep).run()


class _Lowering:
    def __init__(
        self, graph: Graph, config: AcceleratorConfig, transposed: bool, packed: Mapping[int, int], keep: bool
    ) -> None:
        self.graph, self.config, self.transposed = graph, config, transposed
        self.packed, self.keep = packed, keep
        self.unfolded: dict[int, tuple[int, int]] = {}
        self.items: list[Item] = []
        self.layers: list[Layer] = []
        self.tensors = Tensors(graph, config, transposed, self.items)
        self.host: list[Operator] = []
        self.on_host: set[int] = set()
        self.kept: dict[int, tuple[int, Layout]] = {}
        self.kept_bytes = 0
        self.outputs: dict[int, tuple[int, Layout]] = {}
        self.output_bytes = 0

    def run(self) -> Lowered:
        input_bytes = self.tensors.load()
        wanted = self._wanted()
        for operator in self.graph.operators:
            if isinstance(operator, OnHost) or any(tensor in self.on_host for tensor in operator.inputs):
                self._to_host(operator)
                continue
            before = len(self.items)
            self._lower(operator)
            if len(self.items) > before and self.keep:
                self.kept_bytes = self.tensors.store(
                    operator.output, Base.SCRATCH, self.kept_bytes, self.kept, self.tag
                )
            if operator.output in wanted:
                self.output_bytes = self.tensors.store(
                    operator.output, Base.OUTPUT, self.output_bytes, self.outputs, self.tag
                )
        if self.layers and self.graph.input in wanted:
            self.output_bytes = self.tensors.store(
                self.graph.input, Base.OUTPUT, self.output_bytes, self.outputs, self.tag
            )
        if not self.outputs or not self.layers:
            raise CompileError(
                self.graph.name, "", "no operator is for the accelerator", "Name a network with convolutions"
            )
        return Lowered(
            items=tuple(self.items),
            layers=tuple(self.layers),
            host=tuple(self.host),
            outputs=self.outputs,
            kept=self.kept,
            packed=self.unfolded,
            input_bytes=input_bytes,
            output_bytes=self.output_bytes,
            kept_bytes=self.kept_bytes,
        )

    @property
    def tag(self) -> int:
        """Tag of the layer under way."""
        return len(self.layers)

    def _wanted(self) -> set[int]:
        """Return which tensors must leave the accelerator."""
        on_host: set[int] = set()
        wanted = set(self.graph.outputs)
        for operator in self.graph.operators:
            if isinstance(operator, OnHost) or any(tensor in on_host for tensor in operator.inputs):
                on_host.add(operator.output)
                wanted |= set(operator.inputs)
        return wanted - on_host

    def _to_host(self, operator: Operator) -> None:
        if not isinstance(operator, OnHost | Reshape):
            raise refusal(
                self.graph,
                operator,
                "it needs a result that the CPU computes afterwards",
                "Let SOFTMAX and LOGISTIC be the last operators",
            )
        self.on_host.add(operator.output)
        self.host.append(operator)

    def _lower(self, operator: Operator) -> None:
        if isinstance(operator, Reshape):
            self.tensors.stored[operator.output] = self.tensors.stored[operator.inputs[0]]
            return
        makers = {
            Conv: self._conv,
            Depthwise: self._depthwise,
            FullyConnected: self._fully_connected,
            Add: self._add,
            AveragePool: self._pool,
            MaxPool: self._pool,
            Mean: self._mean,
        }
        maker = makers.get(type(operator))
        if maker is None:
            raise refusal(self.graph, operator, "the accelerator does not execute it", "Leave it out")
        # Its cycles and its weights are counted when its commands are known.
        self.layers.append(
            Layer(tag=self.tag + 1, operator=operator, macs=_macs(operator), array_cycles=0, weight_bytes=0)
        )
        try:
            self.items += list(maker(operator))  # type: ignore[operator]
        except TooManyCommandsError as error:
            raise refusal(
                self.graph,
                operator,
                f"it takes about {error.count:,} commands",
                "Choose a configuration with more weight memory, or make its kernel smaller",
            ) from None

    def _whole(self, source: Stored, target: Layout, geometry: Geometry) -> Rectangle:
        in_rows, in_columns = source.layout.plane
        return Rectangle(
            row=0,
            column=0,
            rows=target.plane[0],
            columns=target.plane[1],
            source=source.buffer,
            source_offset=0,
            source_group=in_rows * in_columns,
            in_rows=in_rows,
            in_columns=in_columns,
            first=geometry.first,
        )

    def _base(
        self,
        operation: Operation,
        operator: Conv | Depthwise | FullyConnected | Mean,
        scale: Scale | None,
        *,
        per_tensor: bool = False,
    ) -> Compute:
        """Return a command with all that does not depend on sizes."""
        return dataclasses.replace(
            self._blank(operation),
            per_tensor=per_tensor,
            zero=operator.zero,
            zero_out=operator.zero_out,
            minimum=operator.minimum,
            maximum=operator.maximum,
            multiplier=scale.multiplier if scale else 0,
            right=scale.right if scale else 0,
            left=scale.left if scale else 0,
        )

    def _blank(self, operation: Operation) -> Compute:
        return Compute(
            tag=self.tag, operation=operation, source=0, in_columns=1, in_rows=1, columns=1, rows=1, target=0
        )

    def _weighted(
        self, operation: Operation, operator: Conv | Depthwise | FullyConnected
    ) -> tuple[Compute, bytes]:
        """Return a weighted operator's base command, and the parameters before its weights."""
        shared = operator.scaling.per_tensor
        base = self._base(operation, operator, shared, per_tensor=shared is not None)
        return base, parameters(operator.bias, None if shared else operator.scaling, self.config)

    def _conv(self, operator: Conv) -> Iterator[Item]:
        weights = operator.weights
        base, head = self._weighted(Operation.CONV, operator)
        source = self.tensors.shaped(operator, self.tag)
        outputs, rows, columns, inputs = weights.shape
        flat = -(-rows * columns * inputs // self.config.array)
        target = self.tensors.new(operator)
        geometry = Geometry.of((rows, columns), operator.stride, operator.padding, self.transposed)
        if source.layout.dense and flat < rows * columns * -(-inputs // self.config.array):
            taps = conv_taps(weights.reshape(outputs, 1, 1, -1), self.config)
            packing = Packing.of(operator, source, target.layout, self.packed.get(operator.index))
            rectangles = packed_rectangles(packing, self.tag, self.config)
            self.unfolded[operator.index] = packed_sizes(packing, self.config)
            geometry = Geometry(kernel=(1, 1))
        else:
            if self.transposed:
                weights = weights.transpose(0, 2, 1, 3)
            taps = conv_taps(weights, self.config)
            rectangles = [self._whole(self.tensors.input(operator, self.tag), target.layout, geometry)]
        yield from weighted_items(
            base, geometry, Weights(parameters=head, taps=taps), rectangles, target.buffer,
            target.layout.plane, self.config,
        )  # fmt: skip

    def _depthwise(self, operator: Depthwise) -> Iterator[Item]:
        weights = operator.weights.transpose(1, 0, 2) if self.transposed else operator.weights
        geometry = Geometry.of(operator.kernel, operator.stride, operator.padding, self.transposed)
        rows, columns = geometry.kernel
        lines = rows <= 3 and columns <= 4 and max(geometry.stride) <= 2
        base, head = self._weighted(Operation.DEPTHWISE if lines else Operation.CHANNEL, operator)
        taps = (depthwise_taps if lines else channel_taps)(weights, self.config)
        source = self.tensors.input(operator, self.tag)
        target = self.tensors.new(operator)
        if source.buffer.bank == 0:
            target.buffer.bank = _BESIDE
        yield from weighted_items(
            base, geometry, Weights(parameters=head, taps=taps),
            [self._whole(source, target.layout, geometry)], target.buffer, target.layout.plane, self.config,
        )  # fmt: skip

    def _fully_connected(self, operator: FullyConnected) -> Iterator[Item]:
        source = self.tensors.stored[operator.inputs[0]]
        layout = source.layout
        weights = operator.weights
        if layout.dense:  # its bytes lie as one pixel's channels do
            layout = Layout(rows=1, columns=1, channels=weights.shape[1])
        weights = weights.reshape(len(weights), layout.rows, layout.columns, layout.channels)
        if layout.transposed:
            weights = weights.transpose(0, 2, 1, 3)
        base, head = self._weighted(Operation.CONV, operator)
        target = self.tensors.new(operator)
        geometry = Geometry(kernel=layout.plane)
        rectangle = self._whole(Stored(source.buffer, layout), target.layout, geometry)
        yield from weighted_items(
            base, geometry, Weights(parameters=head, taps=conv_taps(weights, self.config)), [rectangle],
            target.buffer, target.layout.plane, self.config,
        )  # fmt: skip

    def _add(self, operator: Add) -> Iterator[Item]:
        first, second = self.tensors.input(operator, self.tag), self.tensors.input(operator, self.tag, 1)
        target = self.tensors.new(operator)
        rows, columns = target.layout.plane
        command = Compute(
            tag=self.tag,
            operation=Operation.ADD,
            source=0,
            source_b=0,
            target=0,
            in_columns=columns,
            in_rows=rows,
            columns=columns,
            rows=rows,
            groups=target.layout.groups(self.config),
            zero=operator.zero_a,
            zero_b=operator.zero_b,
            zero_out=operator.zero_out,
            minimum=operator.minimum,
            maximum=operator.maximum,
            multiplier=operator.scale.multiplier,
            right=operator.scale.right,
            left=operator.scale.left,
            multiplier_a=operator.scale_a.multiplier,
            right_a=operator.scale_a.right,
            multiplier_b=operator.scale_b.multiplier,
            right_b=operator.scale_b.right,
        )
        yield Item(command, {"source": first.buffer, "source_b": second.buffer, "target": target.buffer})

    def _pool(self, operator: AveragePool | MaxPool) -> Iterator[Item]:
        geometry = Geometry.of(operator.kernel, operator.stride, operator.padding, self.transposed)
        self._check_window(operator, geometry)
        source = self.tensors.input(operator, self.tag)
        target = self.tensors.new(operator)
        base = dataclasses.replace(
            self._blank(Operation.MAX if isinstance(operator, MaxPool) else Operation.SUM),
            minimum=operator.minimum,
            maximum=operator.maximum,
        )
        yield from pool_items(base, geometry, source, target, self.config)

    def _mean(self, operator: Mean) -> Iterator[Item]:
        source = self.tensors.input(operator, self.tag)
        rows, columns = (operator.input_shape[axis] // operator.output_shape[axis] for axis in (1, 2))
        geometry = Geometry.of((rows, columns), (1, 1), Padding(), self.transposed)
        self._check_window(operator, geometry)
        target = self.tensors.new(operator)
        base = self._base(Operation.SUM, operator, operator.scale)
        yield from pool_items(base, geometry, source, target, self.config, scaled=True)

    def _check_window(self, operator: Operator, geometry: Geometry) -> None:
        if max(geometry.kernel) > 255 or max(geometry.stride) > 255:
            raise refusal(
                self.graph,
                operator,
                f"its window has {geometry.kernel[0]} x {geometry.kernel[1]} pixels, and the accelerator "
                "takes at most 255 x 255",
                "Pool in two steps",
            )


def _macs(operator: Operator) -> int:
    """Return multiplications of an operator's definition, padding counted."""
    if isinstance(operator, Conv | FullyConnected):
        pixels = operator.output_shape[1] * operator.output_shape[2] if isinstance(operator, Conv) else 1
        return int(operator.weights.size) * pixels
    if isinstance(operator, Depthwise):
        return int(np.prod(operator.kernel)) * int(np.prod(operator.output_shape))
    return 0
