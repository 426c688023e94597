"""Configurations of cores that together have every pair of options: what a nightly run builds."""

import itertools
import random
from collections.abc import Mapping, Sequence

from rtl.riscv.config import CoreConfig

__all__ = ["OPTIONS", "pairwise"]

_YES = (False, True)
_EXTENSIONS = dict.fromkeys(("zba", "zbb", "zbs", "zcb", "zicond", "zicntr", "c"), _YES)
_SYSTEM = {"user_mode": _YES, "pmp_regions": (0, 4, 16), "local_interrupts": (0, 3, 16)}
_DEBUG = {"debug": ("none", "direct"), "triggers": (0, 2), "custom": ("none", "dot4")}

#: What each preset may vary, and over what. ``m`` stands for itself, multiplier and divider.
OPTIONS: dict[str, dict[str, Sequence[object]]] = {
    "nano": {
        "e": _YES,
        "zicntr": _YES,
        "local_interrupts": (0, 3),
        "shifter": ("serial", "barrel"),
        "register_file": ("flops", "memory"),
        "hart_id": (0, 5),
        **_DEBUG,
    },
    "small": {
        **_EXTENSIONS,
        **_SYSTEM,
        **_DEBUG,
        "e": _YES,
        "multiplier": ("none", "serial", "fast", "single"),
        "divider": ("none", "serial", "early_out"),
        "shifter": ("serial", "barrel"),
        "register_file": ("flops", "memory"),
        "hart_id": (0, 5),
    },
    "fast": {
        **_EXTENSIONS,
        **_SYSTEM,
        **_DEBUG,
        "a": _YES,
        "issue_width": (1, 2),
        "multiplier": ("none", "serial", "single", "pipelined"),
        "divider": ("none", "serial", "early_out"),
        "branch_predictor": ("none", "dynamic"),
        "btb_entries": (0, 16),
        "bht_entries": (0, 64),
        "ras_entries": (0, 4),
        "instruction_cache_bytes": (0, 1024),
        "data_cache_bytes": (0, 1024),
    },
}


def _completed(preset: str, options: Mapping[str, object]) -> dict[str, object]:
    """Return options of which one follows from others."""
    done = dict(options)
    if preset != "nano":
        done["m"] = done["multiplier"] != "none" or done["divider"] != "none"
        if done["m"]:
            done["multiplier"] = "fast" if done["multiplier"] == "none" else done["multiplier"]
            done["divider"] = "serial" if done["divider"] == "none" else done["divider"]
    return done


def _legal(preset: str, options: Mapping[str, object]) -> bool:
    try:
        CoreConfig.preset(preset, **_completed(preset, options))
    except ValueError:
        return False
    return True


def _pairs(options: Mapping[str, object]) -> set[tuple[tuple[str, object], tuple[str, object]]]:
    return set(itertools.combinations(sorted(options.items()), 2))


def pairwise(preset: str, *, seed: int = 1, tries: int = 60) -> list[dict[str, object]]:
    """Return options of configurations in which every possible pair of values occurs.

    Greedy: of several random configurations the one with most new pairs is
    taken, until none brings any. Pairs that contradict each other do not occur.

    Parameters
    ----------
    preset
        Where the configurations begin.
    seed
        Of the choice.
    tries
        Random configurations in a row that may bring nothing new.
    """
    chooser = random.Random(f"{preset} {seed}")
    spaces, covered, found = OPTIONS[preset], set(), []
    barren = 0
    while barren < tries:
        best: dict[str, object] = {}
        gain: set[tuple[tuple[str, object], tuple[str, object]]] = set()
        for _ in range(tries):
            options = {name: chooser.choice(values) for name, values in spaces.items()}
            new = _pairs(options) - covered
            if len(new) > len(gain) and _legal(preset, options):
                best, gain = options, new
        if best:
            covered |= gain
            found.append(_completed(preset, best))
            barren = 0
        else:
            barren += tries
    return found
