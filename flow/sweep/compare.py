"""Tell a difference between two sets of replicates from their noise.

Welch's test, which does not ask both to be equally noisy, in Yuen's form: from
ten replicates on, means and variances leave out a fifth at each end. Synthesis
has steps, and a replicate that falls on the other side of one is far from the
rest; it says little about the design, and would hide what the others agree on.
Where one side has a single value, the noise of the other counts for both.
Where neither side has any spread, the figures are exact, and every difference
is one.

Source: B. L. Welch, The generalization of Student's problem when several
different population variances are involved, Biometrika 34 (1947); K. K. Yuen,
The two-sample trimmed t for unequal population variances, Biometrika 61 (1974).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flow.sweep.noise import t_quantile, t_tail

__all__ = ["Comparison", "compare", "detectable"]

# Below this share of the values, a spread is that of printed digits.
_EXACT = 1e-9
_TRIM = 0.2  # share left out at each end
_MANY = 10  # replicates from which on something is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What became of a metric.

    Attributes
    ----------
    metric
        Its name.
    before, after
        Means, in its unit, trimmed from ten replicates on.
    n_before, n_after
        Replicates.
    margin
        Half the width of the confidence interval of the difference, in its unit.
    p
        Probability of so large a difference, either way, between equals.
    confidence
        Of the interval, and of the verdict.
    higher_is_better
        Direction; ``None`` where neither is better.
    """

    metric: str
    before: float
    after: float
    n_before: int
    n_after: int
    margin: float
    p: float
    confidence: float
    higher_is_better: bool | None

    @property
    def change(self) -> float:
        """Difference as a share of what it was; that itself where it was zero."""
        return (self.after - self.before) / self._scale

    @property
    def error(self) -> float:
        """The margin, as a share likewise."""
        return self.margin / self._scale

    @property
    def _scale(self) -> float:
        return abs(self.before) or 1.0

    @property
    def differs(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p < 1 - self.confidence

    @property
    def better(self) -> bool | None:
        """Whether it is better (or worse) beyond noise; ``None`` when it cannot be said."""
        if not self.differs or self.higher_is_better is None:
            return None
        return (self.after > self.before) == self.higher_is_better

    @property
    def words(self) -> str:
        """Say it: ``better by 4.1 % ± 0.8``, ``no difference (within ± 0.8 %)``."""
        if not self.differs:
            return f"no difference (within ± {100 * self.error:.2g} %)"
        verdict = {True: "better", False: "worse", None: "changed"}[self.better]
        if not self.before:
            return f"{verdict} by {self.after - self.before:.3g} ± {self.margin:.2g}"
        if self.better is None:
            return f"{verdict} by {100 * self.change:+.2f} % ± {100 * self.error:.2f}"
        return f"{verdict} by {100 * abs(self.change):.2f} % ± {100 * self.error:.2f}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "change": self.change, "better": self.better, "words": self.words}


def compare(
    metric: str,
    before: Sequence[float],
    after: Sequence[float],
    *,
    higher_is_better: bool | None,
    confidence: float = 0.95,
) -> Comparison:
    """Compare replicates of two versions.

    Raises
    ------
    ValueError
        A side is empty, a value not finite, or the confidence no share.
    """
    if not before or not after:
        raise ValueError(f"{metric}: there is nothing to compare")
    if not all(map(math.isfinite, (*before, *after))):
        raise ValueError(f"{metric}: a value is not finite")
    if not 0 < confidence < 1:
        raise ValueError(f"the confidence is a share between 0 and 1, not {confidence}")
    sides = (_side(before), _side(after))
    one, two = (side.mean for side in sides)
    error, freedom = _error(*sides)
    scale = max(abs(one), abs(two))
    difference = two - one
    if error <= _EXACT * scale:
        p, margin = (1.0 if abs(difference) <= _EXACT * scale else 0.0), 0.0
    else:
        p = 2 * t_tail(abs(difference) / error, freedom)
        margin = t_quantile(0.5 + confidence / 2, freedom) * error
    return Comparison(
        metric=metric, before=one, after=two, n_before=len(before), n_after=len(after), margin=margin, p=p,
        confidence=confidence, higher_is_better=higher_is_better,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Side:
    """A trimmed mean, the square of its standard error, and how many values it is of."""

    mean: float
    squared: float | None
    kept: int


def _side(values: Sequence[float]) -> _Side:
    ordered = sorted(values)
    n = len(ordered)
    cut = int(_TRIM * n) if n >= _MANY else 0
    inner = ordered[cut : n - cut]
    if n < 2:
        return _Side(inner[0], None, 1)
    pulled = [inner[0]] * cut + inner + [inner[-1]] * cut
    kept = len(inner)
    squared = (n - 1) * statistics.variance(pulled) / (kept * (kept - 1))
    return _Side(statistics.fmean(inner), squared, kept)


def _error(before: _Side, after: _Side) -> tuple[float, float]:
    """Return the standard error of the difference of means, and its degrees of freedom."""
    known = [(side.squared, side.kept) for side in (before, after) if side.squared is not None]
    if not known:
        return 0.0, 1.0
    if len(known) == 1:
        squared, kept = known[0]
        return math.sqrt(squared * (1 + kept)), kept - 1.0
    total = sum(squared for squared, _ in known)
    below = sum(squared * squared / (kept - 1) for squared, kept in known)
    return math.sqrt(total), (total * total / below if below else 1.0)


def detectable(
    sigma: float, n_before: int, n_after: int, *, confidence: float = 0.95, power: float = 0.9
) -> float:
    """Return the difference that is found with probability `power`, in the unit of `sigma`.

    Raises
    ------
    ValueError
        A side has no replicate, or both have one.
    """
    if min(n_before, n_after) < 1 or n_before + n_after < 3:
        raise ValueError("a difference needs a replicate on each side, and two on one")
    freedom = max(1, (n_before - 1 if n_before > 1 else 0) + (n_after - 1 if n_after > 1 else 0))
    error = sigma * math.sqrt(1 / n_before + 1 / n_after)
    return error * (t_quantile(0.5 + confidence / 2, freedom) + t_quantile(power, freedom))
