"""Search for the clock at which a design is fastest: what to synthesise for next, and what it told.

Synthesis for a target gives a netlist, and timing the period that the netlist
really reaches, whatever it was made for. That period is no smooth function of
the target, and not even a monotonic one. So every try counts for what it
reached, the best of all wins, and bisection only decides where to look.

Nothing here runs anything: a search is asked for aims, and told what became
of them in any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

__all__ = ["Aim", "ClockSearch", "Search", "Tried", "best_of", "rounded"]

#: Below the best period, how far down the search looks: a quarter.
_REACH = 1.25
#: What the first try aims at, as a share of the clock that the manifest has: more than anything reaches.
_TIGHT = 0.02
#: Timing searches for the period itself, and is sure of it to this share.
_SURE = 5e-4


@dataclass(frozen=True, slots=True)
class Aim:
    """A recipe, and the clock period in ns to synthesise for."""

    recipe: str
    target_ns: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of an aim.

    Attributes
    ----------
    aim
        What was asked for.
    period_ns
        Smallest clock period that the netlist meets; ``None`` when there is
        no netlist or nothing is timed.
    metrics
        Of synthesis and timing, by plain name; raw slack among them.
    reason
        Why there is no period.
    tool_s
        Seconds in tools, of cached steps as they took.
    cached
        Whether nothing had to run.
    """

    aim: Aim
    period_ns: float | None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    reason: str = ""
    tool_s: float = 0.0
    cached: bool = False

    @property
    def area_um2(self) -> float | None:
        """Area of the netlist."""
        return self.metrics.get("design__instance__area")

    def like(self, other: Tried) -> bool:
        """Whether it can be taken for the same netlist: of the same area and period."""
        if self.period_ns is None or other.period_ns is None or self.area_um2 != other.area_um2:
            return False
        return math.isclose(self.period_ns, other.period_ns, rel_tol=_SURE)

    @property
    def met(self) -> bool:
        """Whether it reached what it was made for."""
        return self.period_ns is not None and self.period_ns <= self.aim.target_ns


class Search(Protocol):
    """What decides which aims to try."""

    def ask(self, count: int) -> list[Aim]:
        """Return up to `count` aims that were not asked before; none while it must wait, or is done."""

    def tell(self, tried: Tried) -> None:
        """Take what became of an aim, in any order."""

    @property
    def best(self) -> Tried | None:
        """The best of what was told."""


def rounded(period_ns: float) -> float:
    """Return `period_ns` rounded up to four digits, so that what met it still does."""
    step = 10.0 ** (math.floor(math.log10(period_ns)) - 3)
    return float(f"{math.ceil(period_ns / step - 1e-9) * step:.4g}")


def best_of(tried: Iterable[Tried]) -> Tried | None:
    """Return the try with the shortest period; of equal ones, one that met its target, then the smallest."""
    reached = [(t.period_ns, t) for t in tried if t.period_ns is not None]
    shortest = min((period for period, _ in reached), default=0.0)
    equal = [t for period, t in reached if period <= shortest * (1 + _SURE)]
    return min(equal, key=lambda t: (not t.met, t.area_um2 or math.inf, t.aim.target_ns), default=None)


class ClockSearch:
    """Bisection over the clock target of one recipe.

    Parameters
    ----------
    recipe
        Its name.
    start_ns
        A period of the right order of magnitude.
    tolerance
        It ends when what may still be found is less than this share.
    most
        Tries at most, the last one not counted, which confirms the winner.
    fixed
        The recipe does the same for every target.
    """

    def __init__(
        self, recipe: str, start_ns: float, *, tolerance: float = 0.01, most: int = 12, fixed: bool = False
    ) -> None:
        if not (math.isfinite(start_ns) and start_ns > 0):
            raise ValueError(f"the search must start at a positive period, not at {start_ns}")
        if not 0 < tolerance < 1:
            raise ValueError(f"tolerance must be a share between 0 and 1, not {tolerance}")
        if most < 1:
            raise ValueError(f"a search needs at least one try, not {most}")
        self.recipe = recipe
        self.tolerance = tolerance
        self.most = most
        self.limit_ns = math.inf  # what others reached: a longer period is of no use
        self._first = rounded(start_ns * _TIGHT)
        self._fixed = fixed
        self._pending: set[float] = set()
        self.tried: dict[float, Tried] = {}

    @property
    def best(self) -> Tried | None:
        """The best of what was told."""
        return best_of(self.tried.values())

    @property
    def started(self) -> bool:
        """Whether it was asked before."""
        return bool(self._pending or self.tried)

    @property
    def waiting(self) -> bool:
        """Whether something that it asked for was not told yet."""
        return bool(self._pending)

    @property
    def finished(self) -> bool:
        """Whether it would ask for nothing more, whatever is still told."""
        return self.started and not self._pending and not self._wanted(1)

    def ask(self, count: int) -> list[Aim]:
        """Return up to `count` targets to try; none while it waits, or is done."""
        targets = self._wanted(count)
        self._pending.update(targets)
        return [Aim(self.recipe, target) for target in targets]

    def tell(self, tried: Tried) -> None:
        """Take what became of a target."""
        self._pending.discard(tried.aim.target_ns)
        self.tried[tried.aim.target_ns] = tried

    def _wanted(self, count: int) -> list[float]:
        if not self.started:
            return [self._first]
        best = self.best
        if best is None:
            return []  # it failed, or what says where to look is not there yet
        found: list[float] = []
        while len(found) < count:
            target = self._next(best, found)
            if target is None:
                break
            found.append(target)
        if not found and count and not self._pending:
            return self._last(best)
        return found

    def _next(self, best: Tried, chosen: list[float]) -> float | None:
        """Return the next target: what was reached, then the middle of what is still open below it."""
        if self._fixed or len(self.tried) + len(self._pending) + len(chosen) >= self.most:
            return None
        high = min(best.period_ns or math.inf, self.limit_ns)
        open_targets = (*self._pending, *chosen)
        hardest = min(self.tried)
        if self.tried[hardest].met:
            # The start was far off: that was no hard target at all.
            return None if open_targets else rounded(high * _TIGHT)
        if not any(hardest < t <= high * _REACH for t in self.tried):
            # Most often the same netlist as for the hardest, and then so is all between.
            return None if open_targets else rounded(high)
        missed = [t for t, one in self.tried.items() if not one.met and t < high]
        low = max([*missed, self._flat, high / _REACH])
        if low >= high:
            return None
        cuts = sorted({low, high, *(t for t in open_targets if low < t < high)})
        ratio, a, b = max((b / a, a, b) for a, b in pairwise(cuts))
        if ratio <= 1 + self.tolerance:
            return None
        target = float(f"{math.sqrt(a * b):.4g}")
        return None if target in self.tried or target in open_targets else target

    @property
    def _flat(self) -> float:
        """The longest target that gave the same netlist as the hardest."""
        hardest = self.tried[min(self.tried)]
        return max(t for t, one in self.tried.items() if one.like(hardest))

    def _last(self, best: Tried) -> list[float]:
        """Return the winner's own period, where it was made for another one and may miss that."""
        assert best.period_ns is not None
        own = rounded(best.period_ns)
        if best.period_ns > self.limit_ns or best.met or own in self.tried:
            return []
        return [own]
