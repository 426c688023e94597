"""Code coverage as steps report it, made without a simulator."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from flow.regress.codecov.places import Rtl
from flow.stages.sim_coverage import pack_hits
from flow.tools.verilator import read_points

__all__ = ["Model", "point"]

ALL = ("line", "toggle", "branch", "expression")


def point(kind: str, line: int, name: str, lines: str = "", **more: str) -> str:
    """Return a point as Verilator writes it."""
    values = {"f": "in/src/rtl/a.sv", "l": str(line), "n": "1", "t": kind, "page": f"v_{kind}/top", "o": name}
    values |= {"S": lines} if lines else {}
    values |= {"h": "top", **more}
    return "".join(f"\x01{key}\x02{value}" for key, value in values.items())


class Model:
    """One model, of which runs report what they hit."""

    def __init__(self, rows: Sequence[str], rtl: Rtl | None = None, kinds: Sequence[str] = ALL) -> None:
        self.text = "\n".join(rows).encode()
        self.points = read_points(self.text)
        self.kinds = kinds
        self.rtl = rtl or Rtl()
        self.asked = 0

    def data(self, hits: Mapping[int, Sequence[int]], unread: Sequence[Sequence[Any]] = ()) -> dict[str, Any]:
        """Return what a step says of its seeds' hits."""
        runs = [[seed, pack_hits(array("Q", counts), self.points)] for seed, counts in hits.items()]
        found = {"kinds": list(self.kinds), "runs": runs, "unread": [list(row) for row in unread]}
        return {"code_coverage": {**found, "layout": hashlib.sha256(self.text).hexdigest()[:32]}}

    def load(self) -> tuple[bytes, Rtl]:
        """Give the points, and count how often."""
        self.asked += 1
        return zlib.compress(self.text), self.rtl
