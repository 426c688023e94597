"""What two benches said of planted faults: recorded from Icarus, three or four seeds each.

34 faults of the tensor tile under its own bench, and 14 of a small FIFO under
one of plain asserts. Tracebacks hold the bench's frames only.
"""

from __future__ import annotations

import json
from pathlib import Path

from flow.regress.model import Result, Verdict

__all__ = ["FAULTS", "failures_of", "results_of"]

_DATA = json.loads((Path(__file__).parent / "data" / "failures.json").read_text())
FAULTS = tuple(_DATA)


def results_of(fault: str) -> list[Result]:
    """Return what all test cases showed with a fault in the design."""
    return [
        Result(
            test="tile" if "mac_tile" in _DATA[fault]["module"] else "fifo",
            module=_DATA[fault]["module"],
            verdict=Verdict.FAIL if "message" in run else Verdict.PASS,
            **run,
        )
        for run in _DATA[fault]["runs"]
    ]


def failures_of(fault: str) -> list[Result]:
    """Return those that failed."""
    return [result for result in results_of(fault) if result.verdict is Verdict.FAIL]
