"""Checks that operators share: their tensors, their padding, their activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.compiler.flatbuffer import Table
from rtl.tensor.compiler.graph import Padding, Shape, Tensor
from rtl.tensor.compiler.model import Model, RawOperator
from rtl.tensor.compiler.quantise import QuantisationError, clamp_range
from rtl.tensor.compiler.schema import Activation
from rtl.tensor.compiler.schema import Padding as PaddingKind

__all__ = ["BROKEN", "Fields", "Limits", "Operands", "Padded", "fields", "frozen", "window_padding"]

_T = TypeVar("_T")
_S = TypeVar("_S", bound=np.generic)

#: What to do about a file whose parts contradict each other.
BROKEN = "The file is damaged or from a converter that contradicts TensorFlow Lite; convert the network again"
_CONVERT = "Convert the network with full integer quantisation, int8 inputs and outputs included"
_LARGEST_WINDOW = 255
_LARGEST_SIDE = 32767

#: Channels of all operators together, and weights that the compiler makes itself.
_MOST_PARAMETERS = 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class Padded:
    """The result of a PAD that becomes part of the convolutions which read it."""

    source: Tensor
    padding: Padding


@dataclass(slots=True, kw_only=True)
class Operands:
    """What operators need to know while they are checked, one after another.

    Attributes
    ----------
    model
        The file.
    computed
        Activation tensors that are there by now.
    padded
        Results of PAD, by tensor number.
    shapes
        Integer tensors that follow from shapes alone.
    """

    model: Model
    computed: dict[int, Tensor] = field(default_factory=dict)
    padded: dict[int, Padded] = field(default_factory=dict)
    shapes: set[int] = field(default_factory=set)
    _parameters: int = 0

    def reserve(self, count: int) -> None:
        """Count values that an operator needs beside the file's, before they are made."""
        self._parameters += count
        if self._parameters > _MOST_PARAMETERS:
            self.model.refuse(
                f"the network has more than {_MOST_PARAMETERS} channels and expanded weights",
                "Make it smaller",
            )

    def count(self, operator: RawOperator, least: int, most: int) -> None:
        """Check the number of inputs, and that there is one output."""
        if not least <= len(operator.inputs) <= most:
            expected = str(least) if least == most else f"{least} to {most}"
            self.model.refuse(f"it has {len(operator.inputs)} inputs, not {expected}", BROKEN)
        if len(operator.outputs) != 1:
            self.model.refuse(f"it has {len(operator.outputs)} outputs, not 1", BROKEN)

    def activation(self, number: int, what: str) -> Tensor:
        """Return an int8 tensor with one scale, of batch 1 and at most four dimensions."""
        tensor = self.model.tensor(number, what)
        label = f"{what} '{tensor.name}'"
        refuse = self.model.refuse
        if tensor.dtype != "int8":
            refuse(f"{label} is {tensor.dtype}, not int8", _CONVERT)
        if tensor.data is not None:
            refuse(f"{label} is a constant", "The accelerator takes computed tensors here; fold it before")
        if len(tensor.scales) != 1:
            refuse(f"{label} has {len(tensor.scales)} scales, not 1", _CONVERT)
        if not np.isfinite(1.0 / tensor.scale if tensor.scale else np.inf):
            refuse(f"{label} has a scale of {tensor.scale}", _CONVERT)
        if not -128 <= tensor.zero_point <= 127:
            refuse(f"{label} has zero point {tensor.zero_point}, outside of -128 to 127", BROKEN)
        if not 1 <= len(tensor.dimensions) <= 4:
            refuse(f"{label} has {len(tensor.dimensions)} dimensions", "Only one to four are supported")
        if tensor.shape[0] != 1:
            refuse(f"{label} has a batch of {tensor.shape[0]}", "Convert the network for a batch of 1")
        if max(tensor.shape) > _LARGEST_SIDE:
            refuse(f"{label} has a side of {max(tensor.shape)}", f"At most {_LARGEST_SIDE} is supported")
        return tensor

    def input(self, operator: RawOperator, place: int = 0, what: str = "its input") -> Tensor:
        """Return an input that has been computed."""
        tensor = self.activation(operator.inputs[place], what)
        if tensor.id in self.padded:
            self.model.refuse(
                f"{what} '{tensor.name}' comes from PAD",
                "PAD is supported only before CONV_2D and DEPTHWISE_CONV_2D",
            )
        if tensor.id not in self.computed:
            self.model.refuse(f"{what} '{tensor.name}' is not computed before it is used", BROKEN)
        return tensor

    def input_with_padding(self, operator: RawOperator) -> tuple[Tensor, Padding]:
        """Return the input of a convolution: that of PAD, with its padding, where one is before."""
        number = operator.inputs[0]
        self.pictures(self.model.tensor(number, "its input"))
        if number in self.padded:
            return self.padded[number].source, self.padded[number].padding
        return self.input(operator), Padding()

    def output(self, operator: RawOperator) -> Tensor:
        """Return the output, which must not be there yet."""
        tensor = self.activation(operator.outputs[0], "its output")
        if tensor.id in self.computed or tensor.id in self.padded:
            self.model.refuse(f"its output '{tensor.name}' has been computed before", BROKEN)
        self.reserve(tensor.shape[3])
        return tensor

    def pictures(self, *tensors: Tensor) -> None:
        """Check that tensors have rows and columns."""
        for tensor in tensors:
            if len(tensor.dimensions) != 4:
                self.model.refuse(f"'{tensor.name}' has {len(tensor.dimensions)} dimensions, not 4", BROKEN)

    def constant(self, operator: RawOperator, place: int, what: str) -> Tensor:
        """Return an input that is an integer constant."""
        tensor = self.model.tensor(operator.inputs[place], what)
        if tensor.dtype not in ("int32", "int64") or tensor.data is None:
            self.model.refuse(
                f"{what} '{tensor.name}' are no integer constants", "Convert the network with fixed shapes"
            )
        return tensor

    def shape_operand(self, operator: RawOperator, place: int, what: str) -> None:
        """Check that an input holds integers that are constant, or follow from shapes."""
        if operator.inputs[place] not in self.shapes:
            self.constant(operator, place, what)

    def has_shape(self, tensor: Tensor, expected: tuple[int, ...], what: str = "its output") -> None:
        """Check a shape; missing dimensions are 1."""
        if tensor.shape != expected:
            wanted, found = (" x ".join(map(str, shape)) for shape in (expected, tensor.dimensions))
            self.model.refuse(f"{what} '{tensor.name}' has shape {found}, not {wanted}", BROKEN)

    def weights(self, operator: RawOperator, dimensions: int) -> Tensor:
        """Return the second input: int8 constants whose zero points are 0."""
        tensor = self.model.tensor(operator.inputs[1], "its weights")
        label = f"its weights '{tensor.name}'"
        refuse = self.model.refuse
        if tensor.dtype != "int8":
            refuse(f"{label} are {tensor.dtype}, not int8", _CONVERT)
        if tensor.data is None:
            refuse(f"{label} are no constant", "Only constant weights are supported")
        if len(tensor.dimensions) != dimensions:
            refuse(f"{label} have {len(tensor.dimensions)} dimensions, not {dimensions}", BROKEN)
        if tensor.zero_points.any():
            refuse(f"{label} have a zero point that is not 0", _CONVERT)
        return tensor

    def weight_scales(self, tensor: Tensor, axis: int) -> NDArray[np.float32]:
        """Return the scales of weights: one, or one for each index along `axis`."""
        label = f"its weights '{tensor.name}'"
        count = tensor.dimensions[axis]
        if len(tensor.scales) not in (1, count):
            self.model.refuse(f"{label} have {len(tensor.scales)} scales for {count} channels", BROKEN)
        if len(tensor.scales) > 1 and tensor.axis != axis:
            self.model.refuse(f"{label} are quantised along axis {tensor.axis}, not {axis}", _CONVERT)
        return tensor.scales

    def bias(self, operator: RawOperator, channels: int) -> NDArray[np.int32]:
        """Return the third input: int32 constants, one for each output channel; 0 where there is none."""
        if len(operator.inputs) < 3 or operator.inputs[2] == -1:
            return frozen(np.zeros(channels, np.int32))
        tensor = self.model.tensor(operator.inputs[2], "its bias")
        label = f"its bias '{tensor.name}'"
        if tensor.dtype != "int32":
            self.model.refuse(f"{label} is {tensor.dtype}, not int32", _CONVERT)
        if tensor.data is None:
            self.model.refuse(f"{label} is no constant", "Only constant biases are supported")
        if tensor.size != channels:
            self.model.refuse(f"{label} has {tensor.size} values for {channels} channels", BROKEN)
        return frozen(tensor.data.reshape(channels).astype(np.int32))

    def scaling(self, compute: Callable[[], _T]) -> _T:
        """Return a factor, or refuse the operator because hardware cannot multiply by it."""
        try:
            return compute()
        except QuantisationError as error:
            self.model.refuse(str(error), "Calibrate the network again, with inputs as they really occur")

    def limits(self, options: Table | None, place: int, output: Tensor) -> Limits:
        """Return the limits of the activation that is part of an operator."""
        code = 0 if options is None else options.integer(place, "int8")
        if code not in (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1):
            known = code in tuple(Activation)
            name = Activation(code).name if known else f"number {code}"
            self.model.refuse(
                f"its activation {name} is not supported",
                "Use NONE, RELU, RELU6 or RELU_N1_TO_1, or an operator of its own",
            )
        return self.clamp(Activation(code), output)

    def clamp(self, activation: Activation, output: Tensor) -> Limits:
        """Return what an activation leaves of the output's range."""
        minimum, maximum = self.scaling(lambda: clamp_range(activation, output.scales[0], output.zero_point))
        return {"minimum": minimum, "maximum": maximum}

    def window(
        self, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
    ) -> tuple[int, int]:
        """Check size, stride and dilation of a window; return the pixels that it spans."""
        rows, columns = ((side - 1) * step + 1 for side, step in zip(kernel, dilation, strict=True))
        for what, sides in (
            ("dilation", dilation),
            ("kernel", kernel),
            ("window", (rows, columns)),
            ("stride", stride),
        ):
            if not all(1 <= side <= _LARGEST_WINDOW for side in sides):
                self.model.refuse(
                    f"it has a {what} of {sides[0]} x {sides[1]}",
                    f"Sides of 1 to {_LARGEST_WINDOW} are supported",
                )
        return rows, columns

    def padding(self, options: Table | None, place: int) -> PaddingKind:
        """Return the kind of padding of a window."""
        code = 0 if options is None else options.integer(place, "int8")
        if code not in tuple(PaddingKind):
            self.model.refuse(f"its padding is number {code}, neither SAME nor VALID", BROKEN)
        return PaddingKind(code)

    def slides(
        self,
        shape: tuple[int, ...],
        around: Padding,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        kind: PaddingKind,
        output: Tensor,
        channels: int,
    ) -> Padding:
        """Return all padding of a window over an input of `shape`, after a check of the output's shape."""
        self.pictures(output)
        sides = (shape[1] + around.top + around.bottom, shape[2] + around.left + around.right)
        rows, top, bottom = window_padding(kind, sides[0], kernel[0], stride[0])
        columns, left, right = window_padding(kind, sides[1], kernel[1], stride[1])
        if rows < 1 or columns < 1:
            self.model.refuse(
                f"its kernel of {kernel[0]} x {kernel[1]} exceeds its input of {sides[0]} x {sides[1]}",
                "Use SAME padding, or a smaller kernel",
            )
        self.has_shape(output, (1, rows, columns, channels))
        return Padding(
            top=around.top + top,
            left=around.left + left,
            bottom=around.bottom + bottom,
            right=around.right + right,
        )


class Fields(TypedDict):
    """What every :class:`~rtl.tensor.compiler.graph.Operator` is made from."""

    index: int
    kind: str
    inputs: tuple[int, ...]
    output: int
    input_shape: Shape
    output_shape: Shape


class Limits(TypedDict):
    """Clamp of an operator's output."""

    minimum: int
    maximum: int


def fields(operator: RawOperator, output: Tensor, *inputs: Tensor) -> Fields:
    """Return what every operator is made from."""
    return {
        "index": operator.index,
        "kind": operator.kind,
        "inputs": tuple(tensor.id for tensor in inputs),
        "output": output.id,
        "input_shape": inputs[0].shape,
        "output_shape": output.shape,
    }


def frozen(array: NDArray[_S]) -> NDArray[_S]:
    """Return an array that cannot be written any more."""
    array.setflags(write=False)
    return array


def window_padding(kind: PaddingKind, size: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """Return output size, padding before and padding after of one dimension.

    SAME puts the odd pixel behind.
    """
    reach = size if kind is PaddingKind.SAME else size - kernel + 1
    count = max(0, -(-reach // stride))
    total = max(0, (count - 1) * stride + kernel - size)
    return count, total // 2, total - total // 2
