"""A network as the compiler sees it: checked operators with everything that lowering needs.

Activation tensors are known by their number in the file. Shapes are
``(1, rows, columns, channels)``; tensors of fewer dimensions have the missing
ones as 1 after the batch. Arrays are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Add",
    "AveragePool",
    "Conv",
    "Depthwise",
    "FullyConnected",
    "Graph",
    "Logistic",
    "MaxPool",
    "Mean",
    "OnHost",
    "Operator",
    "Padding",
    "Reshape",
    "Scale",
    "Scaling",
    "Shape",
    "Softmax",
    "Tensor",
]

Shape = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tensor:
    """A tensor of the file.

    Attributes
    ----------
    id
        Its number in the file.
    name
        Its name; names need not differ.
    dimensions
        Its shape as the file has it.
    dtype
        Name of its type, such as ``int8``.
    scales, zero_points, axis
        Quantisation: one of each, or one for each index along `axis`; empty
        where the tensor is not quantised.
    data
        Constant values, in the file's shape and type; None where it is computed.
    """

    id: int
    name: str
    dimensions: tuple[int, ...]
    dtype: str
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int = 0
    data: NDArray[np.generic] | None = None

    @property
    def shape(self) -> Shape:
        """Batch, rows, columns and channels; dimensions that it lacks are 1."""
        first, rest = self.dimensions[:1], self.dimensions[1:]
        if not rest:
            first, rest = (1,), first
        return (first[0], *(1,) * (3 - len(rest)), *rest)  # type: ignore[return-value]

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.dimensions)

    @property
    def scale(self) -> float:
        """What a step of a tensor with one scale is worth."""
        return float(self.scales[0])

    @property
    def zero_point(self) -> int:
        """The value that stands for 0, of a tensor with one zero point."""
        return int(self.zero_points[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """Pixels that are missing around an input; they count as its zero point."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """One factor, ``multiplier * 2 ** (left - right - 31)``.

    Attributes
    ----------
    multiplier
        0 to 2**31 - 1.
    right
        Shift after the product, 0 to 31.
    left
        Shift before the product, 0 to 7; 0 unless `right` is 0.
    """

    multiplier: int
    right: int
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaling:
    """A factor for each output channel, as `Scale` has it; int32 arrays of one dimension."""

    multiplier: NDArray[np.int32]
    right: NDArray[np.int32]
    left: NDArray[np.int32]

    @property
    def per_tensor(self) -> Scale | None:
        """The factor that all channels share, or None where they differ."""
        first = Scale(multiplier=int(self.multiplier[0]), right=int(self.right[0]), left=int(self.left[0]))
        same = (
            (self.multiplier == first.multiplier).all()
            and (self.right == first.right).all()
            and (self.left == first.left).all()
        )
        return first if same else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operator:
    """What all operators have.

    Attributes
    ----------
    index
        Number in the file, which is the order of execution. Numbers may be
        missing, of operators that became part of others.
    kind
        Its name in TensorFlow Lite, such as ``CONV_2D``.
    inputs, output
        Numbers of the activation tensors.
    input_shape, output_shape
        Batch (1), rows, columns, channels of the first input and of the output.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    output: int
    input_shape: Shape
    output_shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weighted(Operator):
    """An operator with weights.

    Attributes
    ----------
    weights
        int8.
    bias
        int32, one for each output channel.
    zero, zero_out
        Zero points of input and output.
    scaling
        From sums to outputs, for each output channel.
    minimum, maximum
        Clamp of the output, in -128..127.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    zero: int
    zero_out: int
    scaling: Scaling
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sliding(_Weighted):
    """An operator whose weights slide over the input.

    Attributes
    ----------
    stride
        Input pixels from an output pixel to the next: down, to the right.
    padding
        What is missing around the input; may be more than the kernel.
    """

    stride: tuple[int, int]
    padding: Padding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conv(_Sliding):
    """Convolution. `weights` are (output channel, kernel row, kernel column, input channel)."""

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of the kernel."""
        return self.weights.shape[1], self.weights.shape[2]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Depthwise(_Sliding):
    """Convolution of each channel by itself. `weights` are (kernel row, kernel column, channel).

    QUANTIZE and activations that stand alone are this too: 1 x 1, of weights 1.
    """

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of the kernel."""
        return self.weights.shape[0], self.weights.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FullyConnected(_Weighted):
    """Product of a vector with a matrix. `weights` are (output channel, input).

    Inputs of several pixels count in the order row, column, channel.
    """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Add(Operator):
    """Sum of two tensors of the same shape.

    Attributes
    ----------
    zero_a, zero_b, zero_out
        Zero points of both inputs and of the output.
    scale_a, scale_b, scale
        Factors of the operands, after a shift of 20 to the left, and of the sum.
    minimum, maximum
        Clamp of the output, in -128..127.
    """

    zero_a: int
    zero_b: int
    zero_out: int
    scale_a: Scale
    scale_b: Scale
    scale: Scale
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pool(Operator):
    """A window that slides over each channel.

    Attributes
    ----------
    kernel, stride
        Rows and columns of the window, and of its steps.
    padding
        What is missing around the input; missing pixels do not count.
    minimum, maximum
        Clamp of the output, in -128..127.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AveragePool(_Pool):
    """Mean of the pixels of a window that exist, halves away from 0; `quantise.reciprocal` divides."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaxPool(_Pool):
    """Largest of the pixels of a window that exist."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mean(Operator):
    """Mean of each channel over rows, columns or both: their sum, less zero points, times `scale`.

    It is over those sides of which the output has 1.

    Attributes
    ----------
    zero, zero_out
        Zero points of input and output.
    scale
        From sums to outputs; the number of pixels is part of it.
    """

    zero: int
    zero_out: int
    scale: Scale
    minimum: int = -128
    maximum: int = 127


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reshape(Operator):
    """The same bytes, in the order row, column, channel, with another shape."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnHost(Operator):
    """An operator that the CPU executes after the accelerator is done."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logistic(OnHost):
    """Logistic function of each value.

    Attributes
    ----------
    zero
        Zero point of the input.
    multiplier, left
        Factor ``multiplier * 2 ** (left - 31)`` from inputs to numbers with 27 fractional bits.
    radius
        Inputs so far from the zero point, or farther, give the ends of the range.
    """

    zero: int
    multiplier: int
    left: int
    radius: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Softmax(OnHost):
    """Softmax over the channels of each pixel.

    Attributes
    ----------
    multiplier, left
        Factor ``multiplier * 2 ** (left - 31)`` from differences of inputs to
        exponents with 26 fractional bits.
    lowest
        Differences below this count as nothing.
    """

    multiplier: int
    left: int
    lowest: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """A network.

    Attributes
    ----------
    name
        The file, as the user named it.
    tensors
        Activation tensors by their number.
    operators
        In the order of execution.
    input, outputs
        Numbers of its input tensor and of its output tensors.
    """

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    input: int
    outputs: tuple[int, ...]

    def place(self, operator: Operator) -> str:
        """Return how messages name an operator: number, kind, and the name of its output."""
        name = self.tensors[operator.output].name
        label = f", '{name}'" if name else ""
        return f"operator {operator.index} ({operator.kind}{label})"
