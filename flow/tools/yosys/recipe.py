"""How hard synthesis tries, and for what: the recipes.

Measured with OpenSTA on an array of multiply-accumulate units, a processor
and a controller, on five libraries: Booth's encoding makes multipliers
smaller and faster; ``amap``, which knows exclusive ors, maps onto a tenth to a
quarter less area than ``map`` or ``&nf``, and more slowly; delay balancing
(``if -g``) before structural choices and ``map`` biased towards delay, then
buffering of inputs too, is what pays for speed, and a parallel-prefix adder
pays once more.

Which structure is the fastest depends on the design, and nobody can tell
beforehand: the recipes of the portfolio are those that won on some design, on
nangate45 or sky130, when each was tried on seven small blocks. Retiming is in
none: registers that move are no longer those of the RTL, which activity,
equivalence and reset are told by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["PORTFOLIO", "RECIPES", "Attempt", "Recipe", "recipe"]

# Share of the clock period left to logic once flip-flops and ports have theirs.
LOGIC_SHARE = 0.7
# What recipes for speed aim at, of that: sizes are driven on a little beyond what timing will ask for.
FAST = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to map the same gates.

    Attributes
    ----------
    abc
        ABC script; ``{D}`` is the delay target in ps, ``{F}`` the fanout.
    reach
        The delay it can be hoped to reach, as a share of the first attempt's.
    """

    abc: str
    reach: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What differs between recipes.

    Attributes
    ----------
    flatten
        Whether modules are dissolved unless the user says otherwise.
    booth
        Whether multipliers are Booth-encoded.
    arith_tree
        Whether sums become carry-save trees.
    adder
        Technology map of carries below Yosys's ``choices``, ``ripple``, or
        ``None`` for Yosys's own.
    share
        Whether operators that never work at once are shared.
    attempts
        Ways to map, the smallest result first and the fastest last. The
        first that meets the target is the one to take, else the last.
    relax
        Multiplies the delay target; 0 asks for the fastest.
    resize
        Whether flip-flops get the drive that suits what they feed.
    """

    flatten: bool = True
    booth: bool = True
    arith_tree: bool = False
    adder: str | None = None
    share: bool = True
    attempts: tuple[Attempt, ...]
    relax: float = 1.0
    resize: bool = True

    def target_ps(self, period_ns: float) -> int:
        """Return the delay target of logic for a clock period."""
        return max(1, round(period_ns * 1000 * LOGIC_SHARE * self.relax))

    def abc_script(self, target_ps: int, max_fanout: int, attempt: int = -1) -> str:
        """Return the ABC script of one attempt for one target."""
        text = self.attempts[attempt].abc
        return text.replace("{D}", str(target_ps)).replace("{F}", str(max_fanout))

    def after(self, attempt: int, delay_ps: float, first_ps: float, target_ps: float) -> int | None:
        """Return the attempt to make after one, or ``None`` when its result is the one to take.

        Parameters
        ----------
        attempt
            The one that was made.
        delay_ps, first_ps
            What it reached, and what the first one reached.
        target_ps
            What is wanted.
        """
        if delay_ps <= target_ps or attempt + 1 >= len(self.attempts):
            return None
        last = len(self.attempts) - 1
        hopeful = (i for i in range(attempt + 1, last) if self.attempts[i].reach * first_ps <= target_ps)
        return next(hopeful, last)


# `&fraig -x` finds the same equivalences as `ifraig`, in a tenth of the time where there are many gates.
_TIDY = "strash\n&get -n\n&fraig -x\n&put\ndc2\n"
_SIZE = "buffer -c -p -N {F}\ntopo\nupsize -D {D}\ndnsize -D {D}\nstime -p\n"
# Never `unbuffer -i` in any of these: it drops inverters without minding their sense, and the
# netlist computes something else.
_SMALL = _TIDY + "dc2\nstrash\ndch\namap\ntopo\n"
_BALANCE = "strash\nif -g -K 6\nstrash\ndch\n"
_MAP = "map -B 0.9 -D {D}\ntopo\n"

# Balancing over wider cuts, and the rewritings before it that were found to open other structures.
_WIDE = "strash\nif -g -K 8\nstrash\ndch\n"
_REWRITE = "&get -n\n&syn4\n&put\n"
_LAZY = "&get -n\n&st\n&if -g -K 6\n&synch2\n&if -g -K 6\n&synch2\n&put\nstrash\ndch\n"
_BINARY = "&get -n\n&st\n&b -d\n&synch2\n&put\n"
_MAP_HALF = "map -B 0.5 -D {D}\ntopo\n"


def _fast(abc: str, **options: Any) -> Recipe:  # noqa: ANN401 - fields of Recipe
    """Return a recipe for speed that maps with one script, before buffers and sizes."""
    values = {"arith_tree": True, "adder": "han-carlson.v", "share": False, **options}
    return Recipe(relax=FAST, attempts=(Attempt(abc=_TIDY + abc + _SIZE),), **values)


_RECIPES = {
    # For estimates: no second structure is looked for.
    "quick": Recipe(attempts=(Attempt(abc="strash\ndc2\nstrash\ndch\nmap -D {D}\ntopo\n" + _SIZE),)),
    "area": Recipe(
        adder="ripple",
        resize=False,
        # Sizes are chosen without a target: drives suit their loads, and nothing is made faster than that.
        attempts=(Attempt(abc=_SMALL + "buffer -c -p -N {F}\ntopo\ndnsize -D 1000000000\nstime -p\n"),),
    ),
    "balanced": Recipe(
        arith_tree=True,
        attempts=(
            Attempt(abc=_SMALL + _SIZE),
            Attempt(abc=_TIDY + _BALANCE + "amap\ntopo\n" + _SIZE, reach=0.7),
            Attempt(abc=_TIDY + _BALANCE + _MAP + _SIZE),
        ),
    ),
    "speed": Recipe(
        arith_tree=True,
        adder="han-carlson.v",
        share=False,
        relax=0.0,
        attempts=(Attempt(abc=_TIDY + _BALANCE + _BALANCE + _MAP + _SIZE),),
    ),
    "wide": _fast(_WIDE + _WIDE + _MAP),
    "wide-sklansky": _fast(_WIDE + _WIDE + _MAP, adder="sklansky.v"),
    "wide-half": _fast(_WIDE + _WIDE + _MAP_HALF),
    "wide-rewrite": _fast(_REWRITE + _WIDE + _WIDE + _MAP),
    "wide-lazy": _fast(_LAZY + _WIDE + _MAP),
    "wide-binary": _fast(_BINARY + _WIDE + _WIDE + _MAP),
    "wide-plain": _fast(_WIDE + _WIDE + _MAP, booth=False, arith_tree=False),
}

#: Names of all recipes.
RECIPES = tuple(_RECIPES)
#: What a search over recipes tries, what wins most often first.
PORTFOLIO = ("wide", "wide-rewrite", "speed", "wide-sklansky", "wide-lazy", "wide-binary", "wide-half",
             "wide-plain", "balanced", "area")  # fmt: skip


def recipe(name: str) -> Recipe:
    """Return a recipe by name; ``KeyError`` when there is none."""
    return _RECIPES[name]
