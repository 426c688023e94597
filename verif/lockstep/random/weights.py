"""How often a random program takes each kind of step."""

import random
from collections.abc import Iterable

__all__ = ["shares"]

# How often each kind of step is chosen, by and large; every program scales them anew.
_WEIGHTS = {
    "alu": 260,
    "shift": 60,
    "upper": 25,
    "bit": 110,
    "mul": 50,
    "div": 35,
    "load": 110,
    "store": 90,
    "indexed": 30,
    "alias": 12,
    "value": 70,
    "corners": 60,
    "branch": 90,
    "jump": 25,
    "computed_jump": 12,
    "call": 25,
    "loop": 14,
    "guarded": 10,
    "csr": 30,
    "csr_missing": 4,
    "status": 6,
    "fence": 6,
    "modify": 5,
    "illegal": 5,
    "ecall": 4,
    "ebreak": 3,
    "misaligned": 5,
    "fault": 6,
    "bad_jump": 2,
    "odd_jump": 2,
    "raise": 10,
    "sleep": 2,
    "return": 2,
    "atomic": 40,
    "reserve": 15,
    "protect": 4,
    "device": 3,
    "local": 25,
    "local_code": 8,
}
_MANY_TRAPS = 0.15  # share of programs in which what traps is far more frequent
_TRAPS = ("illegal", "ecall", "ebreak", "misaligned", "fault", "bad_jump", "odd_jump", "raise", "csr_missing")


def shares(rng: random.Random, kinds: Iterable[str]) -> list[float]:
    """Return how frequent each of some kinds is in one program, in their order."""
    many = rng.random() < _MANY_TRAPS
    return [
        _WEIGHTS[name] * 2 ** rng.uniform(-1.5, 1.5) * (5 if many and name in _TRAPS else 1) for name in kinds
    ]
