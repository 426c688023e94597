"""How far figures of the same design lie apart when nothing that matters differs.

Replicates of a synthesis differ in the order in which gates are taken, and in
half a per cent of the target; see ``flow.tools.yosys.perturb``. Their spread
is the noise of each metric: a difference below it says nothing about the
design.

Source: W. Navidi, Statistics for Engineers and Scientists, for the intervals;
Wilson and Hilferty (1931) for the quantiles of chi-square, whose error is
below 2 % of sigma from five replicates on; Abramowitz and Stegun 26.5.8 for
Student's distribution.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Noise", "estimate", "noise_of", "t_quantile", "t_tail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Spread of one metric over replicates.

    Attributes
    ----------
    n
        Replicates that have it.
    mean
        In the metric's unit, as `sigma`.
    sigma
        Standard deviation; ``None`` with fewer than two replicates.
    low, high
        95 % confidence interval of `sigma`, if the metric is normally distributed.
    """

    n: int
    mean: float
    sigma: float | None
    low: float | None
    high: float | None

    @property
    def relative(self) -> float | None:
        """Sigma as a share of the mean; ``None`` where the mean is zero."""
        return None if self.sigma is None or not self.mean else self.sigma / abs(self.mean)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "relative": self.relative}


def estimate(values: Sequence[float]) -> Noise:
    """Return the noise that `values` of replicates show.

    Raises
    ------
    ValueError
        There is no value, or one is not finite.
    """
    if not values:
        raise ValueError("noise needs at least one value")
    if not all(map(math.isfinite, values)):
        raise ValueError("noise needs finite values")
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return Noise(n=n, mean=mean, sigma=None, low=None, high=None)
    sigma = statistics.stdev(values)
    freedom = n - 1
    low = sigma * math.sqrt(freedom / _chi_square(0.975, freedom))
    high = sigma * math.sqrt(freedom / _chi_square(0.025, freedom))
    return Noise(n=n, mean=mean, sigma=sigma, low=low, high=high)


def noise_of(replicates: Iterable[Mapping[str, float | None]]) -> dict[str, Noise]:
    """Return the noise of each metric that at least one replicate has."""
    values: dict[str, list[float]] = {}
    for metrics in replicates:
        for name, value in metrics.items():
            if value is not None and math.isfinite(value):
                values.setdefault(name, []).append(value)
    return {name: estimate(found) for name, found in sorted(values.items())}


def _chi_square(share: float, freedom: int) -> float:
    """Return the quantile of chi-square."""
    z = statistics.NormalDist().inv_cdf(share)
    part = 2.0 / (9.0 * freedom)
    # From two replicates the cube is close to zero, and the interval is as good as open.
    return float(freedom * max(1e-4, 1.0 - part + z * math.sqrt(part)) ** 3)


def t_tail(t: float, freedom: float) -> float:
    """Return the probability that Student's variable exceeds `t`."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    half = 0.5 * _beta_share(freedom / 2.0, 0.5, freedom / (freedom + t * t))
    return half if t >= 0 else 1.0 - half


def t_quantile(share: float, freedom: float) -> float:
    """Return what Student's variable exceeds with probability 1 - `share`.

    Raises
    ------
    ValueError
        `share` is not between 0 and 1, or `freedom` not positive.
    """
    if not 0 < share < 1 or not freedom > 0:
        raise ValueError(f"no quantile of {share} with {freedom} degrees of freedom")
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high, guess = 0.0, math.inf, statistics.NormalDist().inv_cdf(share)
    front = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    front /= math.sqrt(math.pi * freedom)
    for _ in range(200):
        # Newton's step, or half of what is left where that leads outside.
        over = t_tail(guess, freedom) - (1 - share)
        low, high = (guess, high) if over > 0 else (low, guess)
        height = front * math.exp(-(freedom + 1) / 2 * math.log1p(guess * guess / freedom))
        following = guess + over / height if height else math.inf
        if not low <= following <= high or following > 100 * (1 + guess):
            following = (low + high) / 2 if math.isfinite(high) else 2 * low + 1
        if abs(following - guess) <= 1e-10 * (1 + following):
            break
        guess = following
    return guess


def _beta_share(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _beta_share(b, a, 1.0 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    tiny = 1e-300
    c, d = 1.0, 1.0 / ((1.0 - (a + b) * x / (a + 1)) or tiny)
    result = d
    for m in range(1, 400):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / ((1.0 + numerator * d) or tiny)
            c = (1.0 + numerator / c) or tiny
            result *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return front * result / a
