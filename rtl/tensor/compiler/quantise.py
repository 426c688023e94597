"""Factors and limits of quantised operators, as TensorFlow Lite Micro prepares them.

Everything here is decided once, before a network runs, from scales that are
float32 in the file. Where the reference multiplies in float32 or in double is
part of the result.

Source: tensorflow/lite/kernels/internal/quantization_util.cc and kernel_util.cc.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtl.tensor.compiler.graph import Scale, Scaling
from rtl.tensor.compiler.schema import Activation

__all__ = [
    "ADD_SHIFT",
    "LARGEST_LEFT_SHIFT",
    "QuantisationError",
    "add_scales",
    "clamp_range",
    "convolution_scaling",
    "fully_connected_scaling",
    "logistic_scale",
    "mean_scale",
    "reciprocal",
    "rescaling",
    "softmax_scale",
]

#: Shift to the left of both operands of ADD.
ADD_SHIFT = 20

#: Widest shift to the left that the hardware has.
LARGEST_LEFT_SHIFT = 7

_SOFTMAX_INTEGER_BITS = 5
_LOGISTIC_INTEGER_BITS = 4


class QuantisationError(ValueError):
    """Scales that the arithmetic cannot represent; says why."""


def _split(factors: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return multipliers of 31 bits and exponents: ``factor = multiplier * 2 ** (exponent - 31)``."""
    values = np.atleast_1d(np.asarray(factors, dtype=np.float64))
    fractions, exponents = np.frexp(values)
    multipliers = np.floor(fractions * 2.0**31 + 0.5).astype(np.int64)
    shifts = exponents.astype(np.int64)
    full = multipliers == 1 << 31
    multipliers[full] >>= 1
    shifts[full] += 1
    lost = shifts < -31
    multipliers[lost] = 0
    shifts[lost] = 0
    return multipliers, shifts


def _scaling(factors: NDArray[np.float64]) -> Scaling:
    multipliers, shifts = _split(np.where(np.isfinite(factors), factors, 2.0**128))
    if shifts.max() > LARGEST_LEFT_SHIFT:
        raise QuantisationError(
            f"input scale times weight scale is {factors.max():.4g} times the output's scale, and the "
            f"hardware multiplies by less than {1 << LARGEST_LEFT_SHIFT}"
        )
    parts = (multipliers, np.maximum(-shifts, 0), np.maximum(shifts, 0))
    multiplier, right, left = (part.astype(np.int32) for part in parts)
    for part in (multiplier, right, left):
        part.setflags(write=False)
    return Scaling(multiplier=multiplier, right=right, left=left)


def _smaller_than_one(factor: float, what: str) -> Scale:
    # Quotients of float32 are not so near below 1 that they round to it.
    if not 0.0 < factor < 1.0:
        raise QuantisationError(f"{what} is {factor:.4g}, which must lie between 0 and 1")
    multipliers, shifts = _split(factor)
    return Scale(multiplier=int(multipliers[0]), right=int(-shifts[0]))


def convolution_scaling(
    scale: np.float32, weights: NDArray[np.float32], scale_out: np.float32, channels: int
) -> Scaling:
    """Return the factors of a convolution's output channels, computed in double.

    Parameters
    ----------
    scale, scale_out
        Scales of input and output.
    weights
        Scales of the weights: one, or one for each output channel.
    channels
        Output channels.

    Raises
    ------
    QuantisationError
        A factor is 128 or more.
    """
    factors = np.float64(scale) * weights.astype(np.float64) / np.float64(scale_out)
    return _scaling(np.broadcast_to(factors, (channels,)))


def fully_connected_scaling(
    scale: np.float32, weights: NDArray[np.float32], scale_out: np.float32, channels: int
) -> Scaling:
    """Return the factors of a fully connected layer's outputs.

    With one scale for all weights the product of input and weight scale is
    rounded to float32 first; with one for each output it is not.

    Raises
    ------
    QuantisationError
        A factor is 128 or more.
    """
    if weights.size > 1:
        return convolution_scaling(scale, weights, scale_out, channels)
    with np.errstate(over="ignore", under="ignore"):
        product = np.float32(scale) * np.float32(weights[0])
    return _scaling(np.full(channels, np.float64(product) / np.float64(scale_out)))


def rescaling(scale: np.float32, scale_out: np.float32, channels: int) -> Scaling:
    """Return the factors that bring values from one scale to another.

    Raises
    ------
    QuantisationError
        A factor is 128 or more.
    """
    return _scaling(np.full(channels, np.float64(scale) / np.float64(scale_out)))


def add_scales(scale_a: np.float32, scale_b: np.float32, scale_out: np.float32) -> tuple[Scale, Scale, Scale]:
    """Return the factors of ADD: of both operands, and of their sum.

    Raises
    ------
    QuantisationError
        A factor is 1 or more, or vanishes.
    """
    twice = 2.0 * float(max(scale_a, scale_b))
    return (
        _smaller_than_one(float(scale_a) / twice, "the first input's scale over twice the larger one"),
        _smaller_than_one(float(scale_b) / twice, "the second input's scale over twice the larger one"),
        _smaller_than_one(
            twice / ((1 << ADD_SHIFT) * float(scale_out)),
            "twice the larger input's scale over 2**20 times the output's",
        ),
    )


def mean_scale(scale: np.float32, scale_out: np.float32, count: int) -> Scale:
    """Return the factor of MEAN: from the sum of `count` pixels to the output.

    Raises
    ------
    QuantisationError
        The ratio of the scales is 128 or more.
    """
    factor = float(scale) / float(scale_out)
    multipliers, shifts = _split(factor)
    shift = min(count.bit_length() - 1, 32, 31 + int(shifts[0]))
    exponent = int(shifts[0]) - shift
    if exponent > LARGEST_LEFT_SHIFT:
        raise QuantisationError(
            f"the input's scale is {factor:.4g} times the output's, for {count} pixels, and the hardware "
            f"multiplies by less than {1 << LARGEST_LEFT_SHIFT}"
        )
    return Scale(
        multiplier=(int(multipliers[0]) << shift) // count, right=max(-exponent, 0), left=max(exponent, 0)
    )


def softmax_scale(beta: float, scale: np.float32) -> tuple[int, int, int]:
    """Return multiplier, shift to the left, and smallest difference of SOFTMAX.

    Raises
    ------
    QuantisationError
        Exponents would have no bits left.
    """
    factor = min(float(beta) * float(scale) * 2.0 ** (31 - _SOFTMAX_INTEGER_BITS), 2.0**31 - 1.0)
    if not factor > 1.0:
        raise QuantisationError(f"beta times the input's scale is {beta * float(scale):.4g}: too small")
    multipliers, shifts = _split(factor)
    largest = ((1 << _SOFTMAX_INTEGER_BITS) - 1) << (31 - _SOFTMAX_INTEGER_BITS)
    return int(multipliers[0]), int(shifts[0]), -(largest >> int(shifts[0]))


def logistic_scale(scale: np.float32) -> tuple[int, int, int]:
    """Return multiplier, shift to the left, and distance from the zero point that LOGISTIC counts.

    Raises
    ------
    QuantisationError
        Nothing is left of the scale, or it leaves the fixed-point range.
    """
    multipliers, shifts = _split(float(scale) * 2.0 ** (31 - _LOGISTIC_INTEGER_BITS))
    left = int(shifts[0])
    if not 0 <= left <= 30:
        raise QuantisationError(
            f"the input's scale is {float(scale):.4g}, which must lie between 2**-28 and 8"
        )
    largest = ((1 << _LOGISTIC_INTEGER_BITS) - 1) << (31 - _LOGISTIC_INTEGER_BITS)
    return int(multipliers[0]), left, largest >> left


def clamp_range(activation: Activation, scale: np.float32, zero: int) -> tuple[int, int]:
    """Return the smallest and the largest output of a fused activation.

    Parameters
    ----------
    activation
        ``NONE``, ``RELU``, ``RELU6`` or ``RELU_N1_TO_1``.
    scale, zero
        Scale and zero point of the output.

    Raises
    ------
    QuantisationError
        The scale is so small that a limit has no integer.
    """

    def quantised(value: float) -> int:
        with np.errstate(over="ignore"):
            steps = np.float32(value) / np.float32(scale)
        if not abs(steps) < 2.0**31:
            raise QuantisationError(f"{value} is {float(steps):.4g} steps of the output's scale")
        magnitude = math.floor(abs(float(steps)) + 0.5)
        return zero + (magnitude if steps >= 0 else -magnitude)

    if activation is Activation.NONE:
        return -128, 127
    if activation is Activation.RELU:
        return max(-128, zero), 127
    if activation is Activation.RELU6:
        return max(-128, zero), min(127, quantised(6.0))
    if activation is Activation.RELU_N1_TO_1:
        return max(-128, quantised(-1.0)), min(127, quantised(1.0))
    raise ValueError(f"{activation.name} has no range")


def reciprocal(count: int) -> Scale:
    """Return how to divide by `count` exactly, halves away from 0.

    With ``half = count // 2``, the mean of `count` numbers in -256..255 is
    ``sign(sum) * (((abs(sum) + half) * multiplier) >> (31 + right))``.

    Parameters
    ----------
    count
        2 to 65,535. A mean of one number is that number: no multiplier of 31
        bits is 1.
    """
    if not 2 <= count <= 65535:
        raise ValueError(f"count must lie in 2..65535, not {count}")
    # Rounded up, the multiplier is too large by e / count of its last bit, e < count. The quotient
    # stays right while (abs(sum) + half) * e < 2 ** (31 + right), and 257 * count ** 2 is less.
    right = (count - 1).bit_length() - 1
    return Scale(multiplier=-(-(1 << (31 + right)) // count), right=right)
