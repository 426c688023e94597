"""Run the benchmarks and print one table: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Row

NAMES = ("start_up", "engine", "regress", "simulation", "pdks", "cores", "isa", "sweep")


def main() -> int:
    """Run the named benchmarks, or all; the exit code says whether every goal was met."""
    names = sys.argv[1:] or list(NAMES)
    unknown = [n for n in names if n not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    scratch = Path(tempfile.mkdtemp(prefix="suzuri-bench-"))
    rows: list[Row] = []
    try:
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            rows += importlib.import_module(f"benchmarks.{name}").measure(scratch, scratch / "cache")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print_rows(rows)
    return 0 if all(row.met is not False for row in rows) else 1


def print_rows(rows: list[Row]) -> None:
    """Print a table, a line a row."""
    marks = {True: "met", False: "MISSED", None: ""}
    table = [["", "measured", "against", "ratio", "goal", ""]]
    table += [[r.name, r.value, r.against, r.ratio, r.goal, marks[r.met]] for r in rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    print(f"{platform.machine()}, Python {platform.python_version()}")
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
