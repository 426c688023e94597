"""Which coverage goals the program of a seed aims at: any ten consecutive seeds, together, at all of them."""

import random
from dataclasses import dataclass
from functools import cache

from rtl.riscv.config import CoreConfig
from verif.lockstep.goals import goals

__all__ = ["ROUND", "Target", "seeds_for", "targets"]

#: Consecutive seeds whose programs aim at every goal once.
ROUND = 10

# Bins that are aimed at together: they share what has to be made ready for them.
_TOGETHER = {
    "operands": 16,
    "registers": 12,
    "immediate": 12,
    "shift_amount": 12,
    "instruction": 8,
    "hazard": 4,
    "sequence": 6,
    "branch": 4,
    "jump": 4,
    "alignment": 8,
    "memory": 4,
    "store_to_load": 4,
    "csr": 10,
    "trap": 1,
    "interrupt_at": 1,
    "interrupt_after": 1,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Some bins of a coverpoint, each split at its asterisks."""

    point: str
    bins: tuple[tuple[str, ...], ...]


@cache
def _rounds(config: CoreConfig) -> tuple[tuple[Target, ...], ...]:
    """Return the targets of each seed of a round, mixed the same way for every core."""
    found: list[Target] = []
    for point, bins in goals(config).items():
        classes: dict[str, list[tuple[str, ...]]] = {}
        for name in bins:
            parts = tuple(name.split("*"))
            classes.setdefault(_class(point, parts), []).append(parts)
        size = _TOGETHER.get(point, 4)
        for members in classes.values():
            found += [Target(point, tuple(members[i : i + size])) for i in range(0, len(members), size)]
    random.Random("targets").shuffle(found)
    return tuple(tuple(found[i::ROUND]) for i in range(ROUND))


def _class(point: str, parts: tuple[str, ...]) -> str:
    """Return what bins must share to be aimed at together."""
    if point == "operands":
        return "short" if parts[0].startswith("c.") else "long"
    if point == "csr":
        return parts[2] if parts[2] == "M" else "*".join(parts[2:])
    return ""


def targets(config: CoreConfig, seed: int) -> tuple[Target, ...]:
    """Return what the program of a seed aims at."""
    return _rounds(config)[seed % ROUND]


@cache
def _seeds(config: CoreConfig) -> dict[tuple[str, str], int]:
    return {
        (target.point, "*".join(parts)): seed
        for seed, chosen in enumerate(_rounds(config))
        for target in chosen
        for parts in target.bins
    }


def seeds_for(config: CoreConfig, point: str, name: str) -> int:
    """Return the smallest seed whose program aims at a bin; those ``ROUND`` apart do, too.

    Raises
    ------
    KeyError
        It is no goal of this core.
    """
    seeds = _seeds(config)
    if (point, name) not in seeds:
        raise KeyError(f"{point}: {name}")
    return seeds[point, name]
