"""Random weights, and factors for them: outputs that vary, and extremes that hardware must bear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Factors", "Prepared"]

#: Sums stay below this, so that nothing depends on overflow, which the reference leaves undefined.
_LARGEST_BIAS = (1 << 30) - 1
_LARGEST_SUM = (1 << 31) - 1

#: Hardware multiplies by less than 128; scales are rounded to float32 in between.
_LARGEST_FACTOR = 127.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Weights, a factor from sums to output steps for each channel or for all, and a bias or None."""

    weights: NDArray[np.int8]
    factors: NDArray[np.float64]
    bias: NDArray[np.int32] | None


class Factors:
    """Source of random weights and factors.

    Parameters
    ----------
    rng
        Where randomness comes from.
    extreme
        Whether extreme factors and biases occur.
    """

    def __init__(self, rng: np.random.Generator, extreme: bool) -> None:
        self._rng = rng
        self._extreme = extreme

    def weights(self, shape: Sequence[int]) -> NDArray[np.int8]:
        """Return weights, of the whole range or of a small one."""
        largest = int(self._rng.choice([127, 127, 20, 1]))
        return self._rng.integers(-largest, largest + 1, tuple(shape), dtype=np.int8)

    def ratio(self) -> float:
        """Return output scale over input scale of a rescaling: mostly near 1, sometimes far from it."""
        if self._extreme and self._rng.random() < 0.2:
            return float(2.0 ** self._rng.uniform(-6.9, 30))
        return float(2.0 ** self._rng.uniform(-1, 1.5))

    def prepare(self, weights: NDArray[np.int8], axis: int, zero: int, per_axis: bool) -> Prepared:
        """Return factors and biases for weights.

        Parameters
        ----------
        weights
            Output channels along `axis`.
        axis
            Where output channels are.
        zero
            Zero point of the input.
        per_axis
            A factor for each output channel, or one for all.
        """
        rng = self._rng
        channels = weights.shape[axis]
        each = np.moveaxis(weights.copy(), axis, 0).reshape(channels, -1)
        spread = np.sqrt((each.astype(float) ** 2).sum(axis=1) * (74.0**2 + zero**2)) + 1.0
        factors = rng.uniform(15, 120) / (spread if per_axis else np.full(channels, spread.max()))
        if per_axis:
            factors = factors * 2.0 ** rng.uniform(-1, 1, channels)
        factors = np.minimum(factors, _LARGEST_FACTOR)
        bias = rng.uniform(-60, 60, channels) / factors
        if self._extreme:
            self._make_extreme(each, factors, bias, per_axis)
        limit = np.minimum(_LARGEST_BIAS, _LARGEST_SUM / np.maximum(1.0, 2.0 ** np.ceil(np.log2(factors))))
        room = np.maximum(limit - 255.0 * np.abs(each.astype(float)).sum(axis=1), 0.0)
        bias = np.clip(bias, -room, room).astype(np.int32)
        shape = (channels, *np.delete(weights.shape, axis))
        return Prepared(
            weights=np.ascontiguousarray(np.moveaxis(each.reshape(shape), 0, axis)),
            factors=factors if per_axis else factors[:1],
            bias=bias if rng.random() < 0.85 else None,
        )

    def _make_extreme(
        self,
        each: NDArray[np.int8],
        factors: NDArray[np.float64],
        bias: NDArray[np.float64],
        per_axis: bool,
    ) -> None:
        """Change some channels, or all when they share a factor: any shift, multiplier 0, large biases."""
        rng = self._rng
        if rng.random() < 0.5:
            return
        chosen = rng.random(len(factors)) < 0.3 if per_axis else np.ones(len(factors), bool)
        if not per_axis and rng.random() < 0.5:
            return
        exponents = rng.integers(-35, 8, len(factors) if per_axis else 1)
        changed = 2.0**exponents * rng.uniform(0.5, 0.99, exponents.shape)
        factors[chosen] = np.broadcast_to(changed, factors.shape)[chosen]
        bias[chosen] = (rng.uniform(-130, 130, len(factors)) / factors)[chosen]
        # Products that a shift to the left must not push over the edge, and that leave outputs alive.
        left = chosen & (factors > 1 / 64)
        each[left] = np.where(rng.random(each[left].shape) < 0.1, np.sign(each[left]), 0)
