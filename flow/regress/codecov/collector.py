"""Takes in the code coverage of runs as they come, each test and seed once."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flow.model.coverage import CoverageWaiver
from flow.regress.codecov.places import Rtl
from flow.regress.codecov.space import CodePoint, Space
from flow.stages.sim_coverage import unpack_hits
from flow.tools.verilator import CoveragePoint, read_points

__all__ = ["CodeCollector", "CodeMerged"]

Key = tuple[str, int]
#: Gives the points of a model as the step left them, compressed, and what RTL it was made of.
Load = Callable[[], tuple[bytes, Rtl]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMerged:
    """What all runs together hit.

    Attributes
    ----------
    points
        Of all models.
    hits
        How often each was executed; of toggles, in how many runs they were seen.
    waived
        For each point the number of its waiver, or -1.
    runs
        Of how many runs that is.
    unread
        Runs that left none, with the reason.
    """

    points: Sequence[CodePoint]
    hits: Sequence[int]
    waived: Sequence[int]
    runs: int
    unread: Mapping[Key, str]


@dataclass(slots=True, kw_only=True)
class _Layout:
    """One model: its points, where they are in the space, and the sum of what its runs hit."""

    points: Sequence[CoveragePoint]
    raw: Any
    numbers: Any
    total: Any


@dataclass(slots=True)
class CodeCollector:
    """Adds runs up.

    Runs are told apart by test and seed: one that is taken in again replaces
    what it was before, so that repetitions never add up. What a run hit is
    kept as it came, a few hundred bytes, for :meth:`reaches`.

    Parameters
    ----------
    waivers
        What need not be covered.
    """

    waivers: Sequence[CoverageWaiver] = ()
    space: Space = field(init=False)
    unread: dict[Key, str] = field(default_factory=dict)
    _layouts: dict[tuple[str, tuple[str, ...]], _Layout] = field(default_factory=dict)
    _runs: dict[Key, tuple[_Layout, bytes]] = field(default_factory=dict)
    _equal: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.space = Space(self.waivers)

    def __len__(self) -> int:
        return len(self._runs)

    def take(self, keys: Sequence[Key], data: Mapping[str, Any], load: Load) -> None:
        """Take in what one step's runs hit.

        Parameters
        ----------
        keys
            The step's runs.
        data
            What the step said; its ``code_coverage`` counts.
        load
            Gives the step's points, which is only asked for those of a new model.

        Raises
        ------
        ValueError
            What the step left is damaged.
        """
        found = data.get("code_coverage")
        if not found:
            return
        by_seed = {key[1]: key for key in keys}
        for seed, reason in found["unread"]:
            if by_seed[seed] not in self._runs:
                self.unread[by_seed[seed]] = reason
        if not found["runs"]:
            return
        name = found["layout"], tuple(found["kinds"])
        layout = self._layouts.get(name)
        if layout is None:
            layout = self._layouts[name] = self._new(*load(), name[1])
        for seed, text in found["runs"]:
            packed = base64.b64decode(text)
            self._put(by_seed[seed], layout, self._equal.setdefault(packed, packed))

    def _new(self, compressed: bytes, rtl: Rtl, kinds: Sequence[str]) -> _Layout:
        import numpy as np  # noqa: PLC0415 - for those who want coverage

        try:
            points = read_points(zlib.decompress(compressed))
        except zlib.error as error:
            raise ValueError(f"the points of a model are damaged ({error})") from None
        raw, numbers = self.space.add(points, rtl, kinds)
        return _Layout(points=points, raw=raw, numbers=numbers, total=np.zeros(len(points), np.uint64))

    def _put(self, key: Key, layout: _Layout, packed: bytes) -> None:
        _, hits = unpack_hits(packed, layout.points)
        if key in self._runs:
            before, old = self._runs[key]
            before.total -= unpack_hits(old, before.points)[1]
        layout.total += hits
        self._runs[key] = layout, packed
        self.unread.pop(key, None)

    def merged(self) -> CodeMerged:
        """Return what all runs together hit."""
        import numpy as np  # noqa: PLC0415

        points = self.space.points
        is_line = np.array([point.kind == "line" for point in points], dtype=bool)
        hits: Any = np.zeros(len(points), np.uint64)
        for layout in self._layouts.values():
            own: Any = np.zeros(len(points), np.uint64)
            lines = is_line[layout.numbers]
            # A line is executed as often as the part of it that is executed most.
            np.maximum.at(own, layout.numbers[lines], layout.total[layout.raw[lines]])
            np.add.at(own, layout.numbers[~lines], layout.total[layout.raw[~lines]])
            hits += own
        return CodeMerged(
            points=points, hits=hits.tolist(), waived=self.space.waived, runs=len(self._runs),
            unread=dict(self.unread),
        )  # fmt: skip

    def reaches(self) -> Iterator[tuple[Key, int]]:
        """Give each run, and as bits of a number the points of the space that it hit and that count."""
        import numpy as np  # noqa: PLC0415

        counts = np.array(self.space.waived, dtype=np.int64) < 0
        known: dict[tuple[int, bytes], int] = {}
        for key, (layout, packed) in self._runs.items():
            name = id(layout), packed
            if name not in known:
                hit, _ = unpack_hits(packed, layout.points)
                bits: Any = np.zeros(len(counts), dtype=bool)
                bits[layout.numbers[hit[layout.raw]]] = True
                packed_bits = np.packbits(bits & counts, bitorder="little").tobytes()
                known[name] = int.from_bytes(packed_bits, "little")
            yield key, known[name]

    def runs_that_hit(self, wanted: Sequence[int]) -> list[Key]:
        """Return the runs that hit one of these points of the space."""
        mask = sum(1 << number for number in set(wanted))
        return [key for key, bits in self.reaches() if bits & mask]
