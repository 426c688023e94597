"""Writing of .tflite files from a plain description; nothing is checked, so that tests can break rules."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np

from rtl.tensor.compiler.schema import (
    IDENTIFIER,
    VERSION,
    BufferField,
    ModelField,
    OperatorCodeField,
    OperatorField,
    OptionsType,
    QuantisationField,
    SubgraphField,
    TensorField,
    operator_name,
    type_name,
)

__all__ = ["Network", "OperatorSpec", "TensorSpec"]

_CODES = {operator_name(code): code for code in range(160)}
_TYPES = {type_name(number): number for number in range(19)}

#: Data of tensors begin at such a multiple, as readers that do not copy them expect.
_ALIGNMENT = 16


@dataclass(slots=True, kw_only=True)
class TensorSpec:
    """A tensor: its shape, and its data where it is constant.

    Attributes
    ----------
    shape, dtype, name
        As the file says.
    scales, zero_points, axis
        Quantisation; no scales, none.
    data
        Constant values; their bytes are written as they are.
    signature
        Shape with -1 for what is open; left out where it is None.
    variable
        State that outlives an inference.
    """

    shape: Sequence[int]
    dtype: str = "int8"
    name: str = ""
    scales: Sequence[float] = ()
    zero_points: Sequence[int] = ()
    axis: int = 0
    data: Any = None
    signature: Sequence[int] | None = None
    variable: bool = False


@dataclass(slots=True, kw_only=True)
class OperatorSpec:
    """An operator.

    Attributes
    ----------
    kind
        Its name, such as ``CONV_2D``.
    inputs, outputs
        Numbers of tensors.
    options_type, options
        Kind of its options, and their fields by number: integers, and `float`
        for real numbers, `bool` for flags.
    """

    kind: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options_type: OptionsType = OptionsType.NONE
    options: dict[enum.IntEnum, int | float | bool] = field(default_factory=dict)


#: Options that take a byte; all others take 32 bits.
_BYTES = ("PADDING", "ACTIVATION", "WEIGHTS_FORMAT")


@dataclass(slots=True, kw_only=True)
class Network:
    """A network of one graph."""

    tensors: list[TensorSpec] = field(default_factory=list)
    operators: list[OperatorSpec] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    version: int = VERSION

    def add(self, tensor: TensorSpec) -> int:
        """Append a tensor; return its number."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def encode(self) -> bytes:
        """Return the file."""
        return _Encoder(self).encode()


class _Encoder:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._builder = flatbuffers.Builder(4096)

    def encode(self) -> bytes:
        network, builder = self._network, self._builder
        # Buffer 0 is empty by convention: that of all tensors that are computed.
        data: list[bytes] = [b""]
        numbers = []
        for tensor in network.tensors:
            numbers.append(0 if tensor.data is None else len(data))
            if tensor.data is not None:
                data.append(np.asarray(tensor.data).tobytes())
        buffers = self._tables([self._buffer(item) for item in data])
        kinds = sorted({operator.kind for operator in network.operators})
        codes = self._tables([self._operator_code(kind) for kind in kinds])
        tensors = self._tables([self._tensor(*pair) for pair in zip(network.tensors, numbers, strict=True)])
        operators = self._tables([self._operator(item, kinds) for item in network.operators])
        inputs, outputs = self._integers(network.inputs), self._integers(network.outputs)
        name = builder.CreateString("main")
        graph = self._table(
            {
                SubgraphField.TENSORS: tensors,
                SubgraphField.INPUTS: inputs,
                SubgraphField.OUTPUTS: outputs,
                SubgraphField.OPERATORS: operators,
                SubgraphField.NAME: name,
            }
        )
        graphs = self._tables([graph])
        root = self._table(
            {
                ModelField.OPERATOR_CODES: codes,
                ModelField.SUBGRAPHS: graphs,
                ModelField.BUFFERS: buffers,
            },
            scalars={ModelField.VERSION: (builder.PrependUint32Slot, network.version)},
        )
        builder.Finish(root, IDENTIFIER)
        return bytes(builder.Output())

    def _table(
        self,
        offsets: dict[Any, int],
        scalars: dict[Any, tuple[Callable[..., None], int | float | bool]] | None = None,
    ) -> int:
        builder = self._builder
        builder.StartObject(1 + max((*offsets, *(scalars or {})), default=0))
        for place, offset in offsets.items():
            if offset:
                builder.PrependUOffsetTRelativeSlot(int(place), offset, 0)
        for place, (prepend, value) in (scalars or {}).items():
            prepend(int(place), value, 0)
        return int(builder.EndObject())

    def _tables(self, offsets: Sequence[int]) -> int:
        builder = self._builder
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())

    def _bytes(self, data: bytes, count: int, alignment: int) -> int:
        builder = self._builder
        builder.StartVector(len(data) // max(count, 1), count, alignment)
        builder.head = builder.head - len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        return int(builder.EndVector())

    def _integers(self, values: Sequence[int], dtype: str = "<i4") -> int:
        array = np.asarray(values, dtype=dtype)
        return self._bytes(array.tobytes(), array.size, array.itemsize)

    def _buffer(self, data: bytes) -> int:
        offset = self._bytes(data, len(data), _ALIGNMENT) if data else 0
        return self._table({BufferField.DATA: offset})

    def _operator_code(self, kind: str) -> int:
        builder, code = self._builder, _CODES[kind]
        return self._table(
            {},
            {
                OperatorCodeField.DEPRECATED_CODE: (builder.PrependInt8Slot, min(code, 127)),
                OperatorCodeField.VERSION: (builder.PrependInt32Slot, 1),
                OperatorCodeField.CODE: (builder.PrependInt32Slot, code),
            },
        )

    def _tensor(self, tensor: TensorSpec, buffer: int) -> int:
        builder = self._builder
        quantisation = 0
        if len(tensor.scales):
            scales = np.asarray(tensor.scales, "<f4")
            quantisation = self._table(
                {
                    QuantisationField.SCALE: self._bytes(scales.tobytes(), scales.size, 4),
                    QuantisationField.ZERO_POINT: self._integers(tensor.zero_points, "<i8"),
                },
                {QuantisationField.DIMENSION: (builder.PrependInt32Slot, tensor.axis)},
            )
        offsets = {
            TensorField.SHAPE: self._integers(tensor.shape),
            TensorField.NAME: builder.CreateString(tensor.name),
            TensorField.QUANTISATION: quantisation,
        }
        if tensor.signature is not None:
            offsets[TensorField.SHAPE_SIGNATURE] = self._integers(tensor.signature)
        return self._table(
            offsets,
            {
                TensorField.TYPE: (builder.PrependInt8Slot, _TYPES[tensor.dtype]),
                TensorField.BUFFER: (builder.PrependUint32Slot, buffer),
                TensorField.IS_VARIABLE: (builder.PrependBoolSlot, tensor.variable),
            },
        )

    def _operator(self, operator: OperatorSpec, kinds: list[str]) -> int:
        builder = self._builder
        options = 0
        if operator.options_type:
            scalars: dict[Any, tuple[Callable[..., None], int | float | bool]] = {}
            for place, value in operator.options.items():
                if isinstance(value, bool):
                    scalars[place] = (builder.PrependBoolSlot, value)
                elif isinstance(value, float):
                    scalars[place] = (builder.PrependFloat32Slot, value)
                elif place.name in _BYTES:
                    scalars[place] = (builder.PrependInt8Slot, value)
                else:
                    scalars[place] = (builder.PrependInt32Slot, value)
            options = self._table({}, scalars)
        return self._table(
            {
                OperatorField.INPUTS: self._integers(operator.inputs),
                OperatorField.OUTPUTS: self._integers(operator.outputs),
                OperatorField.OPTIONS: options,
            },
            {
                OperatorField.CODE_INDEX: (builder.PrependUint32Slot, kinds.index(operator.kind)),
                OperatorField.OPTIONS_TYPE: (builder.PrependUint8Slot, int(operator.options_type)),
            },
        )
