"""What a network computes: each operator in NumPy, bit for bit as the reference kernels do.

The reference is TensorFlow Lite Micro. Sums are exact in float64, whose
integers reach 2**53, and become int32 modulo 2**32 afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rtl.tensor.compiler.graph import (
    Add,
    AveragePool,
    Conv,
    Depthwise,
    FullyConnected,
    Graph,
    Logistic,
    MaxPool,
    Mean,
    Operator,
    Padding,
    Reshape,
    Scale,
    Scaling,
    Softmax,
)
from rtl.tensor.compiler.quantise import ADD_SHIFT
from rtl.tensor.compiler.softmax import logistic, softmax

__all__ = ["requantise", "run_operator", "run_reference"]

_Int8: TypeAlias = NDArray[np.int8]
_Int64: TypeAlias = NDArray[np.int64]


def _wrap(values: _Int64) -> _Int64:
    """Reduce to int32 modulo 2**32."""
    return values.astype(np.int64).astype(np.uint32).astype(np.int32).astype(np.int64)


def requantise(sums: _Int64, factor: Scale | Scaling) -> _Int64:
    """Multiply int32 sums by factors.

    Parameters
    ----------
    sums
        Any shape; the last axis is the channel where there is a factor for each.
    factor
        One factor, or one for each channel.

    Returns
    -------
    int64
        Values of int32, rounded twice: the product to 31 bits less, then the
        shift, halves away from 0.
    """
    right = np.asarray(factor.right, dtype=np.int64)
    shifted = _wrap(sums << np.asarray(factor.left, dtype=np.int64))
    product = (shifted * np.asarray(factor.multiplier, dtype=np.int64) + (1 << 30)) >> 31
    return (product + ((1 << right) >> 1) - ((product < 0) & (right > 0))) >> right


def _finish(values: _Int64, zero: int, minimum: int, maximum: int) -> _Int8:
    return np.clip(_wrap(values + zero), minimum, maximum).astype(np.int8)


def _padded(values: _Int8, padding: Padding, zero: int, fill: int) -> NDArray[np.float64]:
    """Return pixels (rows, columns, channels) less `zero`, with `fill` around them."""
    sides = ((padding.top, padding.bottom), (padding.left, padding.right), (0, 0))
    return np.pad(values[0].astype(np.float64) - zero, sides, constant_values=fill)


def _tap(
    pixels: NDArray[np.float64], row: int, column: int, stride: tuple[int, int], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the pixel under one tap of the kernel for every output pixel."""
    rows, columns = shape[1], shape[2]
    return pixels[
        row : row + (rows - 1) * stride[0] + 1 : stride[0],
        column : column + (columns - 1) * stride[1] + 1 : stride[1],
    ]


def _conv(operator: Conv, values: _Int8) -> _Int8:
    pixels = _padded(values, operator.padding, operator.zero, 0)
    weights = operator.weights.astype(np.float64)
    sums = np.zeros(operator.output_shape[1:], np.float64)
    for row in range(operator.kernel[0]):
        for column in range(operator.kernel[1]):
            tap = _tap(pixels, row, column, operator.stride, operator.output_shape)
            sums += tap @ weights[:, row, column, :].T
    return _weighted(operator, sums)


def _depthwise(operator: Depthwise, values: _Int8) -> _Int8:
    pixels = _padded(values, operator.padding, operator.zero, 0)
    weights = operator.weights.astype(np.float64)
    sums = np.zeros(operator.output_shape[1:], np.float64)
    for row in range(operator.kernel[0]):
        for column in range(operator.kernel[1]):
            tap = _tap(pixels, row, column, operator.stride, operator.output_shape)
            sums += tap * weights[row, column]
    return _weighted(operator, sums)


def _fully_connected(operator: FullyConnected, values: _Int8) -> _Int8:
    vector = values.reshape(-1).astype(np.float64) - operator.zero
    return _weighted(operator, operator.weights.astype(np.float64) @ vector)


def _weighted(operator: Conv | Depthwise | FullyConnected, sums: NDArray[np.float64]) -> _Int8:
    biased = _wrap(sums.astype(np.int64) + operator.bias)
    scaled = requantise(biased, operator.scaling)
    result = _finish(scaled, operator.zero_out, operator.minimum, operator.maximum)
    return result.reshape(operator.output_shape)


def _add(operator: Add, first: _Int8, second: _Int8) -> _Int8:
    a = requantise((first.astype(np.int64) - operator.zero_a) << ADD_SHIFT, operator.scale_a)
    b = requantise((second.astype(np.int64) - operator.zero_b) << ADD_SHIFT, operator.scale_b)
    total = requantise(_wrap(a + b), operator.scale)
    return _finish(total, operator.zero_out, operator.minimum, operator.maximum)


def _average_pool(operator: AveragePool, values: _Int8) -> _Int8:
    pixels = _padded(values, operator.padding, 0, 0)
    there = _padded(np.ones_like(values), operator.padding, 0, 0)
    sums: NDArray[np.float64] = np.zeros(operator.output_shape[1:], np.float64)
    counts: NDArray[np.float64] = np.zeros_like(sums)
    for row in range(operator.kernel[0]):
        for column in range(operator.kernel[1]):
            sums += _tap(pixels, row, column, operator.stride, operator.output_shape)
            counts += _tap(there, row, column, operator.stride, operator.output_shape)
    total: _Int64 = sums.astype(np.int64)
    count: _Int64 = counts.astype(np.int64)
    means = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return _finish(means, 0, operator.minimum, operator.maximum).reshape(operator.output_shape)


def _max_pool(operator: MaxPool, values: _Int8) -> _Int8:
    pixels = _padded(values, operator.padding, 0, -128)
    largest = np.full(operator.output_shape[1:], -128.0)
    for row in range(operator.kernel[0]):
        for column in range(operator.kernel[1]):
            tap = _tap(pixels, row, column, operator.stride, operator.output_shape)
            largest = np.maximum(largest, tap)
    result = _finish(largest.astype(np.int64), 0, operator.minimum, operator.maximum)
    return result.reshape(operator.output_shape)


def _mean(operator: Mean, values: _Int8) -> _Int8:
    axes = tuple(axis for axis in (1, 2) if operator.output_shape[axis] == 1)
    sums = (values.astype(np.int64) - operator.zero).sum(axis=axes, keepdims=True)
    return _finish(requantise(sums, operator.scale), operator.zero_out, operator.minimum, operator.maximum)


def _reshape(operator: Reshape, values: _Int8) -> _Int8:
    return values.reshape(operator.output_shape)


def _logistic(operator: Logistic, values: _Int8) -> _Int8:
    return logistic(values, operator.zero, operator.multiplier, operator.left, operator.radius)


def _softmax(operator: Softmax, values: _Int8) -> _Int8:
    return softmax(values, operator.multiplier, operator.left, operator.lowest)


_KERNELS: dict[type[Operator], Callable[..., _Int8]] = {
    Add: _add,
    AveragePool: _average_pool,
    Conv: _conv,
    Depthwise: _depthwise,
    FullyConnected: _fully_connected,
    Logistic: _logistic,
    MaxPool: _max_pool,
    Mean: _mean,
    Reshape: _reshape,
    Softmax: _softmax,
}


def run_operator(operator: Operator, *inputs: NDArray[Any]) -> _Int8:
    """Execute one operator.

    Parameters
    ----------
    operator
        What to execute.
    inputs
        Its inputs, int8, each of the shape (1, rows, columns, channels).

    Returns
    -------
    int8
        Its output, of `operator.output_shape`.
    """
    return _KERNELS[type(operator)](operator, *inputs)


def run_reference(graph: Graph, values: NDArray[Any]) -> dict[int, _Int8]:
    """Execute a network.

    Parameters
    ----------
    graph
        The network.
    values
        Its input, int8, as many values as its input tensor has.

    Returns
    -------
    dict of int8 arrays
        All activation tensors by their number, of four dimensions.

    Raises
    ------
    ValueError
        The input is not int8, or of another size.
    """
    source = graph.tensors[graph.input]
    if values.dtype != np.int8 or values.size != source.size:
        raise ValueError(
            f"the input must be {source.size} values of int8, not {values.size} of {values.dtype}"
        )
    tensors: dict[int, _Int8] = {graph.input: values.reshape(source.shape)}
    for operator in graph.operators:
        tensors[operator.output] = run_operator(operator, *(tensors[id] for id in operator.inputs))
    return tensors
