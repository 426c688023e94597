"""What the runs of one simulator process covered: functional bins, and the points of the code."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flow.model.errors import ToolError
from flow.model.step import StepContext
from flow.tools.cocotb import Coverage, merge_coverage, read_coverage, read_coverage_xml
from flow.tools.verilator import CoveragePoint, read_counts, read_points

__all__ = [
    "CODE_COVERAGE",
    "CODE_POINTS",
    "Left",
    "pack_hits",
    "report_code",
    "report_functional",
    "unpack_hits",
]

#: Where a model writes its code coverage, in the folder of the run.
CODE_COVERAGE = "code_coverage.dat"
#: Name of the output that has the points; equal points are one file of the store.
CODE_POINTS = "code_points"
_MOST_HITS = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Where one run left its files, and how it ended.

    Attributes
    ----------
    seed, folder
        Its seed, and its folder.
    killed
        Why it had no chance to write its code coverage; empty where it ended by itself.
    """

    seed: int
    folder: Path
    killed: str = ""


def report_functional(ctx: StepContext, runs: Sequence[Left]) -> None:
    """Report the functional coverage that benches left."""
    parts: list[Coverage] = []
    seeds: list[int] = []
    for run in runs:
        before = len(parts)
        own, exported = run.folder / "functional_coverage.json", run.folder / "coverage.xml"
        if own.is_file():
            parts.append(read_coverage(own.read_text(encoding="utf-8", errors="replace")))
        elif exported.is_file():
            parts.append(read_coverage_xml(exported.read_text(encoding="utf-8", errors="replace")))
        seeds += [run.seed] * (len(parts) - before)
    if not parts:
        return
    merged = merge_coverage(parts)
    path = ctx.workdir / "coverage.json"
    path.write_text(json.dumps(merged.to_json(), indent=1), encoding="utf-8")
    ctx.output("coverage", path)
    ctx.metric("sim__coverage__functional", merged.percent)
    ctx.data(
        "coverage",
        {
            **merged.to_json(),
            "covered": merged.covered,
            "total": merged.total,
            "holes": [list(hole) for hole in merged.holes],
            **({"runs": _by_seed(merged, seeds, parts)} if len(runs) > 1 else {}),
        },
    )


def _by_seed(merged: Coverage, seeds: Sequence[int], parts: Sequence[Coverage]) -> list[list[Any]]:
    """Return each seed with its hits, in the order of the merged bins."""
    order = [(point, name) for point, bins in merged.points.items() for name in bins]
    return [
        [seed, [entry.hits if (entry := part.points.get(p, {}).get(n)) else 0 for p, n in order]]
        for seed, part in zip(seeds, parts, strict=True)
    ]


def report_code(ctx: StepContext, runs: Sequence[Left], kinds: Sequence[str]) -> None:
    """Report the code coverage that the models left, and which run left none.

    Each run has a file of its own: of several in one process, each ran in a
    fork. What was killed left none, and counts as nothing.

    Parameters
    ----------
    ctx
        The step.
    runs
        Its runs.
    kinds
        Kinds of code coverage that are wanted.

    Raises
    ------
    ToolError
        A run that ended by itself left a file that cannot be read.
    """
    text = b""
    packed: list[list[Any]] = []
    unread: list[list[Any]] = []
    total: array[int] = array("Q")
    for run in runs:
        path = run.folder / CODE_COVERAGE
        if run.killed or not path.is_file():
            unread.append([run.seed, run.killed or "it left none"])
            continue
        try:
            own, counts = read_counts(path.read_bytes())
            points = _points(own)
            if packed and own != text:
                raise ValueError("it has other points than the runs beside it")
        except ValueError as error:
            raise ToolError(
                "verilator", f"the code coverage of seed {run.seed} cannot be read: {error}", path
            ) from None
        text = own
        packed.append([run.seed, pack_hits(counts, points)])
        total = array("Q", map(max, total, counts)) if total else counts
    found: dict[str, Any] = {"kinds": list(kinds), "runs": packed, "unread": unread}
    if packed:
        path = ctx.workdir / "code_points.z"
        path.write_bytes(zlib.compress(text, 6))
        ctx.output(CODE_POINTS, path)
        found["layout"] = hashlib.sha256(text).hexdigest()[:32]
        for kind, share in _shares(_points(text), total).items():
            if kind in kinds:
                ctx.metric(f"sim__coverage__{kind}", share)
    ctx.data("code_coverage", found)


@lru_cache(maxsize=4)
def _points(text: bytes) -> tuple[CoveragePoint, ...]:
    """Return the points; the steps of one model share them."""
    return read_points(text)


def _shares(points: Sequence[CoveragePoint], counts: Sequence[int]) -> dict[str, float]:
    """Return the percentage of each kind, of lines those of the source."""
    seen: dict[str, list[int]] = {}
    lines: dict[tuple[str, int], bool] = {}
    for point, count in zip(points, counts, strict=True):
        for line in point.lines:
            place = point.file, line
            lines[place] = lines.get(place, False) or count > 0
        if point.kind != "line":
            own = seen.setdefault(point.kind, [0, 0])
            own[0] += count > 0
            own[1] += 1
    if lines:
        seen["line"] = [sum(lines.values()), len(lines)]
    return {kind: 100.0 * covered / of for kind, (covered, of) in seen.items()}


def pack_hits(counts: Sequence[int], points: Sequence[CoveragePoint]) -> str:
    """Return what a run hit in few bytes: a bit for each point, and counts of those that are no toggles."""
    import numpy as np  # noqa: PLC0415 - a tenth of a second, for those who want coverage

    hits = np.asarray(counts, dtype=np.uint64)
    counted = hits[_counted(points)]
    bits = np.packbits(hits > 0, bitorder="little").tobytes()
    small = np.minimum(counted, _MOST_HITS).astype("<u4").tobytes()
    return base64.b64encode(zlib.compress(bits + small, 6)).decode()


def unpack_hits(packed: str | bytes, points: Sequence[CoveragePoint]) -> tuple[Any, Any]:
    """Return what :func:`pack_hits` packed.

    Parameters
    ----------
    packed
        Its text, or the bytes that this stands for.
    points
        Of the model.

    Returns
    -------
    numpy.ndarray of bool
        Whether each point was hit.
    numpy.ndarray of uint64
        How often: 1 for a toggle that was.

    Raises
    ------
    ValueError
        It is damaged, or of other points.
    """
    import numpy as np  # noqa: PLC0415

    try:
        data = zlib.decompress(base64.b64decode(packed) if isinstance(packed, str) else packed)
    except zlib.error as error:
        raise ValueError(f"the hits of a run are damaged ({error})") from None
    length = (len(points) + 7) // 8
    counted = _counted(points)
    if len(data) != length + 4 * len(counted):
        raise ValueError("the hits of a run are of other points")
    bits = np.frombuffer(data, np.uint8, length)
    hit: Any = np.unpackbits(bits, count=len(points), bitorder="little").astype(bool)
    hits: Any = hit.astype(np.uint64)
    hits[counted] = np.frombuffer(data, "<u4", offset=length)
    return hit, hits


_COUNTED: dict[int, tuple[Sequence[CoveragePoint], Any]] = {}


def _counted(points: Sequence[CoveragePoint]) -> Any:  # noqa: ANN401 - numpy's array
    """Return the places of the points whose counts are kept."""
    import numpy as np  # noqa: PLC0415

    known = _COUNTED.get(id(points))
    if known is None or known[0] is not points:
        found = np.array([n for n, point in enumerate(points) if point.kind != "toggle"], dtype=np.int64)
        if len(_COUNTED) > 8:
            _COUNTED.clear()
        known = _COUNTED[id(points)] = points, found
    return known[1]
