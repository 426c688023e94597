"""How hard synthesis tries, and for what: the recipes.

Measured with OpenSTA on picorv32 and on an array of multiply-accumulate
units, nangate45: delay balancing (``if -g``) before structural choices and
``map`` with a fanin penalty, then buffering of inputs too, is what pays; a
parallel-prefix adder pays once more.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recipe", "recipe"]

# Share of the clock period left to logic once flip-flops and ports have theirs.
LOGIC_SHARE = 0.7


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
        Technology map of carries below Yosys's ``choices``, or ``None``.
    share
        Whether operators that never work at once are shared.
    abc
        ABC script; ``{D}`` is the delay target in ps, ``{F}`` the fanout.
    relax
        Multiplies the delay target; 0 asks for the fastest.
    """

    flatten: bool = True
    booth: bool = False
    arith_tree: bool = False
    adder: str | None = None
    share: bool = True
    abc: str
    relax: float = 1.0

    def target_ps(self, period_ns: float) -> int:
        """Return the delay target of logic for a clock period."""
        return max(1, round(period_ns * 1000 * LOGIC_SHARE * self.relax))

    def abc_script(self, target_ps: int, max_fanout: int) -> str:
        """Return the ABC script for one target."""
        return self.abc.replace("{D}", str(target_ps)).replace("{F}", str(max_fanout))


_TIDY = "strash\nifraig\nscorr\ndc2\n"

_RECIPES = {
    "area": Recipe(
        booth=True,
        abc=_TIDY
        + "dc2\nstrash\n&get -n\n&dch -f\n&nf -a\n&put\n"
        + "buffer -c -p -N {F}\ntopo\nupsize -D {D}\ndnsize -D {D}\nstime -p\n",
    ),
    "balanced": Recipe(
        arith_tree=True,
        # Never `unbuffer -i` here: it drops inverters without minding their sense, and the
        # netlist computes something else.
        abc=_TIDY
        + "strash\nif -g -K 6\nstrash\ndch\nmap -B 0.9 -D {D}\ntopo\n"
        + "buffer -c -p -N {F}\ntopo\nupsize -D {D}\ndnsize -D {D}\nstime -p\n",
    ),
    "speed": Recipe(
        arith_tree=True,
        adder="han-carlson.v",
        share=False,
        relax=0.0,
        abc=_TIDY
        + "strash\nif -g -K 6\nstrash\ndch\nmap -B 0.9 -D {D}\ntopo\n"
        + "buffer -c -p -N {F}\ntopo\nupsize -D {D}\ndnsize -D {D}\nstime -p\n",
    ),
}


def recipe(name: str) -> Recipe:
    """Return a recipe by name; ``KeyError`` when there is none."""
    return _RECIPES[name]
