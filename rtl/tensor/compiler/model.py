"""A .tflite file, decoded as far as operators ask for it, and refusals that name the place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.compiler.errors import CompileError
from rtl.tensor.compiler.flatbuffer import Flatbuffer, FlatbufferError, Table
from rtl.tensor.compiler.graph import Tensor
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

__all__ = ["LARGEST_TENSOR", "Model", "RawOperator"]

_BROKEN = "The file is damaged or no TensorFlow Lite model; convert the network again"
_CONVERT = "Convert the network with full integer quantisation, int8 inputs and outputs included"

#: More than a person's network has; a file that claims more is refused before anything is decoded.
_MOST = {"tensors": 65536, "operators": 16384, "kinds of operators": 1024, "buffers": 131072}
_MOST_DIMENSIONS = 8
_MOST_OPERANDS = 64
_LONGEST_NAME = 200

#: Elements of an activation tensor, and of all of a network.
LARGEST_TENSOR = 1 << 24
_LARGEST_TOTAL = 1 << 26

_DTYPES = {"int8": "<i1", "int32": "<i4", "int64": "<i8", "float32": "<f4", "uint8": "<u1", "int16": "<i2"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawOperator:
    """An operator as the file has it.

    Attributes
    ----------
    index, kind
        Its number and its name.
    inputs, outputs
        Numbers of tensors; -1 stands for one that is left out.
    options_type, options
        Its options; None where there are none, which means all defaults.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: int
    options: Table | None


class Model:
    """A .tflite file.

    Parameters
    ----------
    name
        The file, as the user named it.
    data
        All of it.

    Raises
    ------
    CompileError
        It is no TensorFlow Lite model, it is damaged, or it has several graphs.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._tensors: dict[int, Tensor] = {}
        self._elements = 0
        self.operator: RawOperator | None = None
        if len(data) < 8 or data[4:8] != IDENTIFIER:
            found = f"bytes 4 to 7 are {data[4:8]!r}" if data else "it is empty"
            self.fail("", f"not a TensorFlow Lite model: {found}, not {IDENTIFIER!r}", _BROKEN)
        self.decode(lambda: self._open(data))

    def _open(self, data: bytes) -> None:
        self._root = Flatbuffer(data).root()
        version = self._root.integer(ModelField.VERSION, "uint32")
        if version != VERSION:
            self.fail("", f"schema version {version}", f"Convert the network to version {VERSION}")
        graphs = self._root.length(ModelField.SUBGRAPHS)
        if graphs != 1:
            self.fail("", f"the model has {graphs} graphs", "Only models of one graph, without IF or WHILE")
        self._graph = self._root.entry(ModelField.SUBGRAPHS, 0)
        counts = {
            "tensors": self._graph.length(SubgraphField.TENSORS),
            "operators": self._graph.length(SubgraphField.OPERATORS),
            "kinds of operators": self._root.length(ModelField.OPERATOR_CODES),
            "buffers": self._root.length(ModelField.BUFFERS),
        }
        for what, count in counts.items():
            if count > _MOST[what]:
                self.fail("", f"the model claims {count} {what}, more than {_MOST[what]}", _BROKEN)
        self.tensor_count, self.operator_count = counts["tensors"], counts["operators"]
        self.inputs = self._numbers(self._graph, SubgraphField.INPUTS)
        self.outputs = self._numbers(self._graph, SubgraphField.OUTPUTS)

    def decode(self, step: Callable[[], None]) -> None:
        """Run a step of reading; a broken structure becomes a `CompileError`."""
        try:
            step()
        except FlatbufferError as error:
            self.fail(self.here(), f"the file is broken at {error}", _BROKEN)

    def here(self) -> str:
        """Return the operator that is being read, for messages; empty outside of all."""
        if self.operator is None:
            return ""
        text = f"operator {self.operator.index} ({self.operator.kind}"
        known = [self._tensors[id] for id in self.operator.outputs if id in self._tensors]
        return f"{text}, '{known[0].name}')" if known and known[0].name else f"{text})"

    def fail(self, where: str, what: str, remedy: str) -> NoReturn:
        """Raise a `CompileError` at a place."""
        raise CompileError(self.name, where, what, remedy)

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """Raise a `CompileError` at the operator that is being read."""
        self.fail(self.here(), what, remedy)

    def _numbers(self, table: Table, field: int) -> tuple[int, ...]:
        count = table.length(field)
        if count > _MOST_OPERANDS:
            self.fail(self.here(), f"{count} operands, more than {_MOST_OPERANDS}", _BROKEN)
        return tuple(int(number) for number in table.numbers(field, "<i4"))

    def read_operator(self, index: int) -> RawOperator:
        """Return an operator, which then is the one that messages name.

        Raises
        ------
        FlatbufferError, CompileError
            It does not lie in the file; it names an unknown kind or too many tensors.
        """
        self.operator = None
        table = self._graph.entry(SubgraphField.OPERATORS, index)
        number = table.integer(OperatorField.CODE_INDEX, "uint32")
        if number >= self._root.length(ModelField.OPERATOR_CODES):
            self.fail(f"operator {index}", f"its kind is number {number}, which is not there", _BROKEN)
        code = self._root.entry(ModelField.OPERATOR_CODES, number)
        kind = operator_name(
            max(code.integer(OperatorCodeField.DEPRECATED_CODE, "int8"), code.integer(OperatorCodeField.CODE))
        )
        if kind == "CUSTOM":
            kind = f"CUSTOM {code.text(OperatorCodeField.CUSTOM_CODE, _LONGEST_NAME)}"
        self.operator = RawOperator(
            index=index, kind=kind, inputs=(), outputs=(), options_type=0, options=None
        )
        self.operator = RawOperator(
            index=index,
            kind=kind,
            inputs=self._numbers(table, OperatorField.INPUTS),
            outputs=self._numbers(table, OperatorField.OUTPUTS),
            options_type=table.integer(OperatorField.OPTIONS_TYPE, "uint8"),
            options=table.table(OperatorField.OPTIONS),
        )
        return self.operator

    def options(self, operator: RawOperator, kind: OptionsType) -> Table | None:
        """Return an operator's options after a check that they are of the right kind."""
        if operator.options_type not in (OptionsType.NONE, kind):
            self.refuse(f"its options are of another kind, {operator.options_type}", _BROKEN)
        return operator.options if operator.options_type else None

    def tensor(self, number: int, what: str) -> Tensor:
        """Return a tensor by its number; `what` it is, for messages.

        Raises
        ------
        FlatbufferError, CompileError
            It does not lie in the file, or is of a kind that is not supported.
        """
        if number not in self._tensors:
            if not 0 <= number < self.tensor_count:
                self.fail(self.here(), f"{what} is tensor {number}, which is not there", _BROKEN)
            self._tensors[number] = self._read_tensor(number, what)
        return self._tensors[number]

    def _read_tensor(self, number: int, what: str) -> Tensor:
        table = self._graph.entry(SubgraphField.TENSORS, number)
        name = table.text(TensorField.NAME, _LONGEST_NAME)
        label = f"{what} '{name}'"
        dimensions = self._dimensions(table, label)
        dtype = type_name(table.integer(TensorField.TYPE, "int8"))
        if table.integer(TensorField.IS_VARIABLE, "uint8"):
            self.fail(self.here(), f"{label}: a variable", "Only networks without state")
        if table.has(TensorField.SPARSITY):
            self.fail(self.here(), f"{label}: stored sparse", "Convert the network without sparsity")
        scales, zero_points, axis = self._quantisation(table, label)
        data = self._data(table, dimensions, dtype, label)
        if data is None:
            self._elements += prod(dimensions)
            if prod(dimensions) > LARGEST_TENSOR or self._elements > _LARGEST_TOTAL:
                self.fail(
                    self.here(),
                    f"{label}: shape {_times(dimensions)} is too large; a tensor has at most "
                    f"{LARGEST_TENSOR} values, all together {_LARGEST_TOTAL}",
                    "Give the network a smaller input",
                )
        return Tensor(
            id=number,
            name=name,
            dimensions=dimensions,
            dtype=dtype,
            scales=scales,
            zero_points=zero_points,
            axis=axis,
            data=data,
        )

    def _dimensions(self, table: Table, label: str) -> tuple[int, ...]:
        if max(table.length(TensorField.SHAPE), table.length(TensorField.SHAPE_SIGNATURE)) > _MOST_DIMENSIONS:
            self.fail(self.here(), f"{label}: more than {_MOST_DIMENSIONS} dimensions", _BROKEN)
        dimensions = tuple(int(size) for size in table.numbers(TensorField.SHAPE, "<i4"))
        signature = tuple(int(size) for size in table.numbers(TensorField.SHAPE_SIGNATURE, "<i4"))
        # The batch may be open: here it is 1 in any case.
        if any(size < 0 for size in signature[1:]) or any(size <= 0 for size in dimensions):
            self.fail(
                self.here(),
                f"{label}: no fixed shape, but {_times(signature or dimensions)}",
                "Convert the network with fixed shapes",
            )
        return dimensions

    def _quantisation(self, table: Table, label: str) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
        found = table.table(TensorField.QUANTISATION)
        if found is None:
            return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
        if found.integer(QuantisationField.DETAILS_TYPE, "uint8"):
            self.fail(self.here(), f"{label}: a quantisation of its own kind", _CONVERT)
        scales = found.numbers(QuantisationField.SCALE, "<f4").astype(np.float32, copy=False)
        zero_points = found.numbers(QuantisationField.ZERO_POINT, "<i8").astype(np.int64, copy=False)
        if not np.isfinite(scales).all() or (scales < 0).any():
            self.fail(self.here(), f"{label}: a scale is negative or no number", _CONVERT)
        if len(zero_points) not in (0, len(scales)):
            self.fail(
                self.here(), f"{label}: {len(scales)} scales and {len(zero_points)} zero points", _BROKEN
            )
        if not len(zero_points):
            zero_points = np.zeros(len(scales), np.int64)
        return scales, zero_points, found.integer(QuantisationField.DIMENSION)

    def _data(
        self, table: Table, dimensions: tuple[int, ...], dtype: str, label: str
    ) -> NDArray[np.generic] | None:
        number = table.integer(TensorField.BUFFER, "uint32")
        if number >= self._root.length(ModelField.BUFFERS):
            self.fail(self.here(), f"{label}: its data are in buffer {number}, which is not there", _BROKEN)
        buffer = self._root.entry(ModelField.BUFFERS, number)
        if buffer.integer(BufferField.OFFSET, "uint64") > 1:
            self.fail(
                self.here(), f"{label}: its data lie behind the model's structure", "Only models below 2 GiB"
            )
        size = buffer.length(BufferField.DATA, 1)
        if not size:
            return None
        if dtype not in _DTYPES:
            self.fail(self.here(), f"{label}: constants of {dtype}", _CONVERT)
        form = np.dtype(_DTYPES[dtype])
        if size != prod(dimensions) * form.itemsize:
            self.fail(
                self.here(),
                f"{label}: {size} bytes of data for shape {_times(dimensions)} of {dtype}",
                _BROKEN,
            )
        return buffer.numbers(BufferField.DATA, "<u1").view(form).reshape(dimensions)


def _times(dimensions: tuple[int, ...]) -> str:
    return " x ".join(map(str, dimensions)) or "no dimensions"
