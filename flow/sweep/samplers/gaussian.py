"""Gaussian process regression over the axes of a space, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flow.sweep.pareto import Floats

__all__ = ["Process", "fit"]

_STEPS = 45  # of the search for hyperparameters
_SEARCHED = 200  # observations that it looks at: each step takes the cube of them
_JITTER = 1e-8
_ROOT5 = 5**0.5

# Priors of the logarithms of the hyperparameters, as (mean, deviation): they keep few observations from
# being explained by one axis alone, and make an axis that does nothing long.
_LENGTH = (-0.1, 0.9)  # of an axis of length 1
_MISMATCH = (-0.7, 1.0)  # how much another value of a categorical axis decorrelates
_NOISE = (-7.0, 2.0)  # variance of the noise over that of the signal


@dataclass(frozen=True, slots=True)
class Process:
    """A Gaussian process that was fitted to observations.

    Its kernel is a Matérn 5/2 with a length for each numeric axis, times
    ``exp(-w)`` for each categorical axis on which two points differ. Its
    mean is a constant.

    Attributes
    ----------
    x
        Places of the observations: shape (n, axes); a categorical axis has
        the numbers of its values.
    categorical
        Which axes are: shape (axes,).
    theta
        Logarithms of the length or weight of each axis, and of the noise.
    whitening
        Inverse of the lower Cholesky factor of the observations' correlation.
    weights
        Correlation, inverted, times what the observations are off the mean.
    mean, variance
        Of the process.
    """

    x: Floats
    categorical: NDArray[np.bool_]
    theta: Floats
    whitening: Floats
    weights: Floats
    mean: float
    variance: float

    def cross(self, left: Floats, right: Floats) -> Floats:
        """Return the correlation of each row of `left` with each of `right`."""
        return _correlation(left, right, self.categorical, self.theta)

    def project(self, at: Floats) -> tuple[Floats, Floats]:
        """Return the means at places, and what :meth:`variances` needs: shapes (m,) and (n, m)."""
        cross = self.cross(self.x, at)
        means: Floats = self.mean + cross.T @ self.weights
        return means, self.whitening @ cross

    def variances(self, projected: Floats) -> Floats:
        """Return the variance of the noiseless function at places that were projected: shape (m,)."""
        left: Floats = np.maximum(1.0 - np.einsum("ij,ij->j", projected, projected), 1e-12)
        return self.variance * left

    @property
    def noise(self) -> float:
        """Variance of an observation over that of the function."""
        return float(np.exp(self.theta[-1])) + _JITTER


def fit(x: Floats, y: Floats, categorical: NDArray[np.bool_], theta: Floats | None = None) -> Process:
    """Return the process with the most probable hyperparameters given observations `y` at `x`.

    Mean and variance of the process are the ones that make the observations
    likeliest; the rest is searched from a fixed start with steps whose sizes
    follow the signs of the gradient (Rprop), so that the result depends on
    the observations alone. The order of the observations matters within
    rounding only, except that the search looks at no more than 200 of them,
    spread evenly over their order.
    """
    if theta is None:
        theta = np.append(np.where(categorical, _MISMATCH[0], _LENGTH[0]), _NOISE[0])
        rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), _SEARCHED)).astype(int))
        theta = _search(x[rows], y[rows], categorical, theta) if len(rows) > 2 else theta
    correlation = _correlation(x, x, categorical, theta)
    correlation[np.diag_indices(len(x))] += np.exp(theta[-1]) + _JITTER
    whitening: Floats = np.linalg.inv(np.linalg.cholesky(correlation))
    mean, variance, weights = _profile(whitening, y)
    return Process(x, categorical, theta, whitening, whitening.T @ weights, mean, variance)


def _profile(inverse_root: Floats, y: Floats) -> tuple[float, float, Floats]:
    """Return the likeliest mean and variance, and what the whitened observations are off the mean."""
    ones = inverse_root.sum(axis=1)
    mean = float((inverse_root @ y) @ ones / (ones @ ones))
    rest = inverse_root @ (y - mean)
    return mean, max(float(rest @ rest) / len(y), 1e-12), rest


def _distances(left: Floats, right: Floats, categorical: NDArray[np.bool_]) -> Floats:
    """Return squares of differences, or whether they differ, for each axis: shape (axes, m, n)."""
    apart: Floats = (left.T[:, :, None] - right.T[:, None, :]) ** 2
    apart[categorical] = apart[categorical] > 0
    return apart


def _correlation(left: Floats, right: Floats, categorical: NDArray[np.bool_], theta: Floats) -> Floats:
    """Return the correlation of each row of `left` with each of `right`."""
    square: Floats = np.zeros((len(left), len(right)))
    mismatch: Floats = np.zeros((len(left), len(right)))
    for axis, scale in enumerate(theta[:-1]):
        apart = left[:, axis, None] - right[None, :, axis]
        if categorical[axis]:
            mismatch += np.exp(scale) * (apart != 0)
        else:
            square += (apart * np.exp(-scale)) ** 2
    distance: Floats = _ROOT5 * np.sqrt(square)
    return (1 + distance + square * 5 / 3) * np.exp(-distance - mismatch)


def _search(x: Floats, y: Floats, categorical: NDArray[np.bool_], start: Floats) -> Floats:
    """Return the hyperparameters of the highest posterior density that Rprop finds."""
    apart = _distances(x, x, categorical)
    theta, step = start.copy(), np.full(len(start), 0.3)
    before: Floats = np.zeros(len(start))
    best, highest = start, -np.inf
    for _ in range(_STEPS):
        value, gradient = _posterior(apart, y, categorical, theta)
        if value > highest:
            best, highest = theta.copy(), value
        same = gradient * before
        step = np.clip(np.where(same > 0, step * 1.3, np.where(same < 0, step * 0.5, step)), 1e-3, 1.0)
        before = np.where(same < 0, 0.0, gradient)
        theta = np.clip(theta + np.sign(before) * step, -12.0, 5.0)
    return best


def _posterior(
    apart: Floats, y: Floats, categorical: NDArray[np.bool_], theta: Floats
) -> tuple[float, Floats]:
    """Return the logarithm of the hyperparameters' posterior density, and its gradient."""
    count = len(y)
    scales = np.where(categorical, np.exp(theta[:-1]), np.exp(-2 * theta[:-1]))
    scaled: Floats = apart * scales[:, None, None]
    square = scaled[~categorical].sum(axis=0)
    distance = _ROOT5 * np.sqrt(square)
    decay = np.exp(-distance - scaled[categorical].sum(axis=0))
    matern = (1 + distance + square * 5 / 3) * decay
    noise = np.exp(theta[-1])
    inverse_root = np.linalg.inv(np.linalg.cholesky(matern + (noise + _JITTER) * np.eye(count)))
    _, variance, rest = _profile(inverse_root, y)
    weights = inverse_root.T @ rest
    value = -0.5 * count * np.log(variance) + np.log(np.diag(inverse_root)).sum()
    # Of the density by each entry of the correlation; mean and variance are at their best already.
    slope = 0.5 * (np.outer(weights, weights) / variance - inverse_root.T @ inverse_root)
    gradient: Floats = np.empty(len(theta))
    # The Matérn's derivative by the logarithm of a length is 5/3 (1 + d) exp(-d) times that axis' square.
    numeric = slope * (5 / 3) * (1 + distance) * decay
    for axis, is_category in enumerate(categorical):
        gradient[axis] = (
            -(slope * matern * scaled[axis]).sum() if is_category else (numeric * scaled[axis]).sum()
        )
    gradient[-1] = noise * np.trace(slope)
    centre: Floats = np.append(np.where(categorical, _MISMATCH[0], _LENGTH[0]), _NOISE[0])
    width: Floats = np.append(np.where(categorical, _MISMATCH[1], _LENGTH[1]), _NOISE[1])
    off = (theta - centre) / width
    return float(value - 0.5 * off @ off), gradient - off / width
