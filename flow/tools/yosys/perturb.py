"""Perturb a synthesis in ways that must not matter, to see how much they do.

Yosys and ABC break ties by the order in which they meet things, so that
another order, or a target that differs by less than anyone cares, gives
another netlist of the same function. How far such netlists lie apart is the
noise of every figure that is read off one.
"""

from __future__ import annotations

import random

__all__ = ["JITTER", "jitter", "shuffle_cells"]

#: By how much the target is off at most, as a share.
JITTER = 0.005


def jitter(seed: int) -> float:
    """Return what to multiply the target by; 1 where `seed` is 0."""
    if not seed:
        return 1.0
    return 1.0 + random.Random(f"target {seed}").uniform(-JITTER, JITTER)


def shuffle_cells(text: str, seed: int) -> str:
    """Return RTLIL with the cells of each module in an order that `seed` decides.

    Yosys keeps the order of the file, hands gates to ABC in it, and inputs in
    the order in which gates name them. Cells come behind what else a module
    has, in which order means nothing either.

    Parameters
    ----------
    text
        As ``write_rtlil`` writes it: without processes.
    """
    rng = random.Random(f"cells {seed}")
    result: list[str] = []
    cells: list[list[str]] = []
    attributes: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("  attribute "):
            attributes.append(line)
        elif line.startswith("  cell "):
            cell = [*attributes, line]
            for inner in lines:
                cell.append(inner)
                if inner == "  end":
                    break
            cells.append(cell)
            attributes = []
        else:
            if line == "end":
                rng.shuffle(cells)
                result += [part for cell in cells for part in cell]
                cells = []
            result += [*attributes, line]
            attributes = []
    return "\n".join(result) + "\n"
