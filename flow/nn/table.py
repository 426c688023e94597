"""Tables of a network's layers, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

__all__ = ["layer_lines"]

_HEADINGS = ("layer", "output", "MACs", "cycles", "bound", "by", "of bound", "utilisation")


def layer_lines(rows: Sequence[Any], cycles: int, multipliers: int) -> Iterator[str]:
    """Yield the lines of a table of layers, and of the whole network.

    Parameters
    ----------
    rows
        Layers, as the compiler gives them: ``name``, ``shape``, ``macs``,
        ``cycles``, ``bound``, ``bound_by``, ``utilisation``.
    cycles
        Of the whole network, with the input on chip.
    multipliers
        Of the array.
    """
    macs, bound = sum(row.macs for row in rows), sum(row.bound for row in rows)
    table = [_HEADINGS]
    table += [
        (
            row.name,
            "x".join(map(str, row.shape)),
            f"{row.macs:,}",
            f"{row.cycles:,}",
            f"{row.bound:,}",
            row.bound_by,
            _percent(row.bound, row.cycles),
            _percent(row.macs, row.cycles * multipliers),
        )
        for row in rows
    ]
    total = (
        "network", "", f"{macs:,}", f"{cycles:,}", f"{bound:,}", "", _percent(bound, cycles),
        _percent(macs, cycles * multipliers),
    )  # fmt: skip
    table.append(total)
    yield from _aligned(table)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole and part else "-"


def _aligned(table: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = list(table)
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADINGS))]
    left = {0, 1, 5}
    for number, line in enumerate(lines):
        cells = [
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        if number in (1, len(lines) - 1):
            yield "-" * (sum(widths) + 2 * (len(widths) - 1))
        yield "  ".join(cells).rstrip()
