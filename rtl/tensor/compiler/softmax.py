"""SOFTMAX and LOGISTIC in fixed point, bit for bit as TensorFlow Lite Micro computes them for int8.

Exponentials and the reciprocal of their sum are fixed-point polynomials: the
result differs from a rounded softmax by up to one step, and the same on every
machine.

Source: tensorflow/lite/kernels/internal/reference/softmax.h, logistic.h of
its integer_ops, and gemmlowp's fixedpoint.h. Numbers are int32 of which `n` bits are integer, "Qn".
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["logistic", "softmax"]

_Int64: TypeAlias = NDArray[np.int64]

_LARGEST = (1 << 31) - 1
_SCALED_BITS = 5  # of differences, times beta and scale
_LOGISTIC_BITS = 4  # of what LOGISTIC takes, times scale
_SUM_BITS = 12  # of the sum of exponentials


def _multiply(first: _Int64, second: _Int64 | int) -> _Int64:
    """Product of numbers below 1, rounded; one of them in Qn makes the result Qn.

    No caller has -2**31 twice, the one product that would not fit.
    """
    return (first * second + (1 << 30)) >> 31


def _halve(values: _Int64, times: int) -> _Int64:
    """Divide by ``2 ** times``, halves away from 0."""
    half = 1 << times >> 1
    return (values + half - (values < 0)) >> times


def _double(values: _Int64, times: int) -> _Int64:
    """Multiply by ``2 ** times``, saturating."""
    return np.clip(values << times, -_LARGEST - 1, _LARGEST)


def _exp_quarter(values: _Int64) -> _Int64:
    """Exponential of Q0 numbers in -1/4..0, Q0: a polynomial around -1/8."""
    x = values + (1 << 28)
    x2 = _multiply(x, x)
    x3 = _multiply(x2, x)
    x4 = _multiply(x2, x2)
    third = round(2.0**31 / 3)
    tail = _halve(_multiply(_halve(x4, 2) + x3, third) + x2, 1)
    constant = round(math.exp(-1 / 8) * 2.0**31)
    return constant + _multiply(x + tail, constant)


def _exp(values: _Int64, bits: int) -> _Int64:
    """Exponential of numbers that are 0 or negative, of which `bits` bits are integer, Q0."""
    fraction = 31 - bits
    quarter = 1 << (fraction - 2)
    part = (values & (quarter - 1)) - quarter  # -1/4..0
    rest = part - values
    result = _exp_quarter(_double(part, bits))
    for exponent in range(-2, bits):
        factor = round(math.exp(-(2.0**exponent)) * 2.0**31)
        taken = (rest >> (fraction + exponent)) & 1 == 1
        result = np.where(taken, _multiply(result, factor), result)
    return np.where(values == 0, _LARGEST, result)


def _reciprocal(values: _Int64) -> _Int64:
    """``1 / (1 + x)`` of Q0 numbers in 0..1, Q0: three steps of Newton's method from a line."""
    half = (values + _LARGEST + 1) >> 1
    one = 1 << 29  # all that follows is Q2
    x = round(48 / 17 * one) + _multiply(half, round(-32 / 17 * one))
    for _ in range(3):
        error = one - _multiply(half, x)
        x = x + _double(_multiply(x, error), 2)
    return _double(x, 1)


def softmax(values: NDArray[np.int8], multiplier: int, left: int, lowest: int) -> NDArray[np.int8]:
    """Return the softmax over the last axis; scale 1/256, zero point -128.

    Parameters
    ----------
    values
        int8, of any shape; at most 4095 along the last axis, or the sum has no int32.
    multiplier, left
        Factor ``multiplier * 2 ** (left - 31)`` from differences to Q5.
    lowest
        Values that are lower than the largest by more count as nothing.
    """
    wide = values.astype(np.int64)
    difference = wide - wide.max(axis=-1, keepdims=True)
    counts = difference >= lowest
    scaled = _multiply(np.where(counts, difference, 0) << left, multiplier)
    exponential = _exp(scaled, _SCALED_BITS)
    total = np.where(counts, _halve(exponential, _SUM_BITS), 0).sum(axis=-1, keepdims=True)
    # The sum as 1.x * 2 ** over: a leading one in bit 31, then x.
    zeros = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
    over = _SUM_BITS - zeros
    scale = _reciprocal((total << zeros) - (1 << 31))
    exponent = over + 31 - 8
    product = _multiply(exponential, scale)
    half = (1 << exponent) >> 1
    result = ((product + half - (product < 0)) >> exponent) - 128
    return np.where(counts, np.clip(result, -128, 127), -128).astype(np.int8)


def logistic(
    values: NDArray[np.int8], zero: int, multiplier: int, left: int, radius: int
) -> NDArray[np.int8]:
    """Return ``1 / (1 + exp(-x))`` of each value; scale 1/256, zero point -128.

    Parameters
    ----------
    values
        int8, of any shape.
    zero
        Their zero point.
    multiplier, left
        Factor ``multiplier * 2 ** (left - 31)`` from values, less the zero point, to Q4.
    radius
        Values that are so far from the zero point, or farther, give the ends of the range.
    """
    wide = values.astype(np.int64) - zero
    inside = np.abs(wide) < radius
    scaled = _multiply(np.where(inside, wide, 0) << max(left, 0), multiplier)
    scaled = _halve(scaled, max(-left, 0))
    positive = _reciprocal(_exp(-np.abs(scaled), _LOGISTIC_BITS))
    result = np.where(scaled > 0, positive, _LARGEST - positive)
    result = np.where(scaled == 0, 1 << 30, result)
    steps = np.minimum(_halve(result, 31 - 8) - 128, 127)
    return np.where(inside, steps, np.where(wide < 0, -128, 127)).astype(np.int8)
