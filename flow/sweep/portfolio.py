"""Search over recipes: for the fastest clock, or for the least area at a given one.

Which recipe suits a design is known only after it was tried. For speed, each
recipe shows first what it reaches when it tries its hardest; those that are
hopelessly behind are dropped, and the clock is bisected with the others, the
best first, only as far as they could still win.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flow.sweep.fmax import Aim, ClockSearch, Tried, best_of, rounded

__all__ = ["AreaSearch", "PortfolioSearch"]

_FEW = 3  # tries of a recipe that does not lead


class PortfolioSearch:
    """The fastest clock over several recipes.

    Parameters
    ----------
    recipes
        Names, the most hopeful first.
    start_ns
        A period of the right order of magnitude.
    tolerance
        As :class:`ClockSearch` has it.
    margin
        A recipe whose first try is this share slower than the best is dropped.
    fixed
        Those of the recipes that do the same for every target.

    Attributes
    ----------
    dropped
        Recipes that were given up, and why.
    """

    def __init__(
        self,
        recipes: Sequence[str],
        start_ns: float,
        *,
        tolerance: float = 0.01,
        margin: float = 0.05,
        fixed: Iterable[str] = (),
    ) -> None:
        if not recipes or len(set(recipes)) != len(recipes):
            raise ValueError("a portfolio has at least one recipe, and none twice")
        same = frozenset(fixed)
        self._searches = {
            name: ClockSearch(name, start_ns, tolerance=tolerance, fixed=name in same) for name in recipes
        }
        self._most = next(iter(self._searches.values())).most
        self._margin = margin
        self.dropped: dict[str, str] = {}

    @property
    def tried(self) -> list[Tried]:
        """What was told, recipe by recipe."""
        return [one for search in self._searches.values() for one in search.tried.values()]

    @property
    def best(self) -> Tried | None:
        """The best of what was told."""
        return best_of(self.tried)

    def ask(self, count: int) -> list[Aim]:
        """Return up to `count` aims; none while it waits, or is done."""
        found: list[Aim] = []
        for search in self._searches.values():
            if len(found) < count and not search.started:
                found += search.ask(1)
        if found or any(s.waiting and not s.tried for s in self._searches.values()):
            return found
        best = self.best
        if best is None or best.period_ns is None:
            return []
        self._drop(best.period_ns)
        for search in self._ranked():
            leads = search.recipe == best.aim.recipe
            search.limit_ns = best.period_ns
            search.most = self._most if leads else min(_FEW, self._most)
            found += search.ask(count - len(found))
            if len(found) >= count:
                break
        return found

    def tell(self, tried: Tried) -> None:
        """Take what became of an aim."""
        self._searches[tried.aim.recipe].tell(tried)

    def _ranked(self) -> list[ClockSearch]:
        alive = [s for name, s in self._searches.items() if name not in self.dropped]
        return sorted(alive, key=lambda s: (s.best.period_ns or 0.0) if s.best else 0.0)

    def _drop(self, best_ns: float) -> None:
        seen: dict[str, Tried] = {}
        for name, search in self._searches.items():
            own = search.best
            if name in self.dropped or search.waiting:
                continue
            first = next(iter(search.tried.values()))
            twin = next((other for other, one in seen.items() if one.like(first)), None)
            seen[name] = first
            if twin is not None and first.period_ns is not None:
                self.dropped[name] = f"the same as {twin}"
                continue
            if own is None or own.period_ns is None:
                reasons = [one.reason for one in search.tried.values() if one.reason]
                self.dropped[name] = reasons[0] if reasons else "nothing is timed"
            elif own.period_ns > best_ns * (1 + self._margin):
                behind = 100 * (own.period_ns / best_ns - 1)
                self.dropped[name] = f"{behind:.0f} % behind"


class AreaSearch:
    """The least area that meets a clock, over several recipes.

    Each recipe is asked for the clock itself, then for as much more or less
    as it over- or undershot: what a recipe aims at is not what it reaches.

    Parameters
    ----------
    recipes
        Names.
    period_ns
        The clock that is to be met.
    rounds
        Tries of each recipe at most.
    """

    def __init__(self, recipes: Sequence[str], period_ns: float, *, rounds: int = 3) -> None:
        if not recipes or len(set(recipes)) != len(recipes):
            raise ValueError("a portfolio has at least one recipe, and none twice")
        if not period_ns > 0:
            raise ValueError(f"the clock period must be positive, not {period_ns}")
        self._period = period_ns
        self._rounds = rounds
        self._ready: list[Aim] = [Aim(name, period_ns) for name in recipes]
        self._asked: set[Aim] = set()
        self.tried: list[Tried] = []

    @property
    def best(self) -> Tried | None:
        """The smallest of those that meet the clock; the fastest where none does."""
        good = [t for t in self.tried if t.period_ns is not None and t.period_ns <= self._period]
        smallest = min(good, key=lambda t: (t.area_um2 or 0.0, t.period_ns or 0.0), default=None)
        return smallest or best_of(self.tried)

    def ask(self, count: int) -> list[Aim]:
        """Return up to `count` aims; none while it waits, or is done."""
        found, self._ready = self._ready[:count], self._ready[count:]
        self._asked.update(found)
        return found

    def tell(self, tried: Tried) -> None:
        """Take what became of an aim."""
        self.tried.append(tried)
        own = [t for t in self.tried if t.aim.recipe == tried.aim.recipe]
        if tried.period_ns is None or len(own) >= self._rounds:
            return
        ratio = self._period / tried.period_ns
        if 1 <= ratio <= 1.02:
            return
        # A little more than it takes, where it was missed: the next netlist is another one.
        aim = Aim(tried.aim.recipe, rounded(tried.aim.target_ns * ratio * (0.98 if ratio < 1 else 1.0)))
        if aim not in self._asked and aim not in self._ready:
            self._ready.append(aim)
