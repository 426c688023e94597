"""What a regression's record has of its code coverage: shares, holes by file with their source, waivers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flow.model.coverage import KINDS, CoverageWaiver
from flow.regress.codecov.collector import CodeMerged
from flow.regress.codecov.space import CodePoint, shares

__all__ = ["code_summary", "idle_waivers", "said_of_bits"]

_MOST_LINES = 300  # of one file in the record
_MOST_SAID = 24  # holes at one line
_MOST_ALL = 4_000  # lines of all files
_MOST_UNREAD = 20
_LONG = 400
_BIT = re.compile(r"(.*?)(?:\[(\d+)\])?:(0->1|1->0)$")

#: Gives the lines of a source file.
Source = Callable[[str], Sequence[str]]


def code_summary(merged: CodeMerged, waivers: Sequence[CoverageWaiver], source: Source) -> dict[str, Any]:
    """Return what a regression's record has of its code coverage; nothing where none was collected.

    Returns
    -------
    dict
        ``runs``, how many left some; ``unread``, test, seed and reason of
        some that left none, and ``unread_more``; ``kinds``, covered and total
        by kind, without what is waived; ``files``, the worst first: ``file``,
        ``kinds``, and ``lines`` with holes and those beside them: number,
        text, how often it was executed (null for what is no statement), and
        what is missing there, a list of kind, what, and place and text of the
        generated Verilog; ``more``, how many further lines have holes;
        ``waived``, for each waiver ``reason``, ``what``, ``points`` and of
        these ``hit``.
    """
    if not merged.points and not merged.unread:
        return {}
    unread = sorted(merged.unread.items())
    by_file: dict[str, list[int]] = {}
    for number, point in enumerate(merged.points):
        by_file.setdefault(point.file, []).append(number)
    left = _MOST_ALL
    files = []
    for name, numbers in by_file.items():
        points = [merged.points[n] for n in numbers]
        own = shares(points, [merged.waived[n] for n in numbers], [merged.hits[n] for n in numbers])
        if own:
            files.append((sum(t - c for c, t in own.values()), name, own, numbers))
    rows = []
    for _, name, own, numbers in sorted(files, key=lambda row: (-row[0], row[1])):
        lines, more = _lines(merged, numbers, source(name), min(left, _MOST_LINES))
        left -= len(lines)
        rows.append({"file": name, "kinds": dict(own), "lines": lines, "more": more})
    return {
        "runs": merged.runs,
        "unread": [[test, str(seed), reason] for (test, seed), reason in unread[:_MOST_UNREAD]],
        "unread_more": max(0, len(unread) - _MOST_UNREAD),
        "kinds": dict(shares(merged.points, merged.waived, merged.hits)),
        "files": rows,
        "waived": _waived(merged, waivers),
    }


def _waived(merged: CodeMerged, waivers: Sequence[CoverageWaiver]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"reason": waiver.reason, "what": _what(waiver), "points": 0, "hit": 0} for waiver in waivers
    ]
    for number, count in zip(merged.waived, merged.hits, strict=True):
        if number >= 0:
            rows[number]["points"] += 1
            rows[number]["hit"] += count > 0
    return rows


def _what(waiver: CoverageWaiver) -> str:
    parts = [", ".join(waiver.kinds)] if waiver.kinds else []
    at = waiver.file if waiver.lines is None else f"{waiver.file}:{waiver.lines[0]}-{waiver.lines[1]}"
    parts += [at] if at != "*" else []
    parts += [f"in {waiver.hierarchy}"] if waiver.hierarchy != "*" else []
    parts += [f"called {waiver.match}"] if waiver.match != "*" else []
    return " ".join(parts)


def _lines(
    merged: CodeMerged, numbers: Sequence[int], source: Sequence[str], most: int
) -> tuple[list[list[Any]], int]:
    """Return the lines of a file that have holes, each with the one before and after, and how many more."""
    executed: dict[int, int] = {}
    holes: dict[int, list[int]] = {}
    for number in numbers:
        point, hits = merged.points[number], merged.hits[number]
        if point.kind == "line":
            executed[point.line] = max(hits, executed.get(point.line, 0))
        if not hits and merged.waived[number] < 0:
            holes.setdefault(point.line, []).append(number)
    kept = sorted(holes)[:most]
    shown = sorted({n for line in kept for n in (line - 1, line, line + 1) if 0 < n <= len(source)} | {*kept})
    rows: list[list[Any]] = []
    for line in shown[: 3 * most]:
        text = source[line - 1] if line <= len(source) else ""
        said = _said([merged.points[n] for n in holes.get(line, ())]) if line in holes else []
        rows.append([line, text.rstrip()[:_LONG], executed.get(line), said])
    return rows, len(holes) - len(kept)


def _said(points: Sequence[CodePoint]) -> list[list[str]]:
    """Return what is missing at a line: bits of one signal together."""
    found: list[list[str]] = []
    toggles = [point.name for point in points if point.kind == "toggle"]
    for kind in KINDS:
        if kind == "toggle":
            found += [["toggle", text, "", ""] for text in said_of_bits(toggles)]
            continue
        for point in points:
            if point.kind == kind:
                what = point.name or "never executed"
                found.append([kind, what[:_LONG], point.generated, point.text[:_LONG]])
    if len(found) > _MOST_SAID:
        found = [*found[:_MOST_SAID], ["", f"and {len(found) - _MOST_SAID} more", "", ""]]
    return found


def said_of_bits(names: Sequence[str]) -> list[str]:
    """Return toggles in short: ``data[7:4] 0->1 and 1->0`` for eight of them."""
    signals: dict[str, dict[int | None, set[str]]] = {}
    for name in names:
        match = _BIT.match(name)
        signal, bit, edge = match.groups() if match else (name, None, "")
        signals.setdefault(signal, {}).setdefault(None if bit is None else int(bit), set()).add(edge)
    found = []
    for signal, bits in signals.items():
        by_edges: dict[tuple[str, ...], list[int | None]] = {}
        for bit, edges in bits.items():
            by_edges.setdefault(tuple(sorted(edges)), []).append(bit)
        for both, own in by_edges.items():
            found.append(f"{signal}{_ranges(own)} {' and '.join(both)}".rstrip())
    return found


def _ranges(bits: Sequence[int | None]) -> str:
    numbers = sorted((bit for bit in bits if bit is not None), reverse=True)
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    inside = ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in parts)
    return f"[{inside}]" if inside else ""


def idle_waivers(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return waivers that waive nothing, for a warning."""
    return [f"{row['what']} ({row['reason']})" for row in rows if not row["points"]]
