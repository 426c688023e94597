"""Scaling of sums to int8, on arrays; docs/tensor/accelerator.md has the formulas."""

# mypy: disable-error-code="var-annotated,no-any-return"

from __future__ import annotations

import numpy as np

__all__ = ["average", "clamp", "scale", "wrap"]


def wrap(values: np.ndarray) -> np.ndarray:
    """Return int64 values modulo 2**32, as signed numbers, int64."""
    return ((values + (1 << 31)) & 0xFFFF_FFFF) - (1 << 31)


def scale(
    values: np.ndarray, multiplier: np.ndarray | int, right: np.ndarray | int, left: np.ndarray | int = 0
) -> np.ndarray:
    """Return int32 values times ``multiplier * 2**(left - right - 31)``, rounded twice.

    Parameters
    ----------
    values
        int64 array whose values fit 32 bits.
    multiplier, right, left
        Multiplier of 31 bits and shifts, alike for all or along the last axis.

    Source
    ------
    gemmlowp: SaturatingRoundingDoublingHighMul without its one case of
    saturation, which multipliers of 31 bits exclude, and RoundingDivideByPOT.
    """
    right = np.asarray(right, np.int64)
    shifted = wrap(values << np.asarray(left, np.int64))
    product = (shifted * np.asarray(multiplier, np.int64) + (1 << 30)) >> 31
    return (product + ((1 << right) >> 1) - ((product < 0) & (right > 0))) >> right


def average(values: np.ndarray, multiplier: int, right: int, half: int) -> np.ndarray:
    """Return int32 values, int64, divided and rounded half away from zero by a reciprocal."""
    magnitude = ((np.abs(values) + half) * multiplier) >> (31 + right)
    return np.sign(values) * magnitude


def clamp(values: np.ndarray, zero_out: int, minimum: int, maximum: int) -> np.ndarray:
    """Return ``values + zero_out`` in ``minimum..maximum``, int8.

    As hardware does it: the lower limit first, then the upper one.
    """
    return np.minimum(np.maximum(values + zero_out, minimum), maximum).astype(np.int8)
