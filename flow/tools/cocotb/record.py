"""Read ``record.jsonl``: what the code inside the simulator saw happen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["BenchError", "ForkEnd", "Record", "read_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchError:
    """A bench that could not be started: which module, why, and where."""

    module: str
    kind: str
    message: str
    file: str
    line: int | None
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkEnd:
    """How one of several runs in a process ended.

    Attributes
    ----------
    index, seed
        Which run.
    returncode
        Exit status; negative for a signal.
    timed_out
        Whether it was stopped at its limit.
    wall_s
        How long it took.
    """

    index: int
    seed: int
    returncode: int
    timed_out: bool
    wall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a run left.

    Attributes
    ----------
    reads
        Files of the bench that were read; ``None`` when that is not known,
        since it never started, or started programs of its own.
    tests
        Full names of the tests that the modules define.
    error
        Why the bench could not be started.
    forks
        Ends of the runs, where there are several.
    ended
        Seeds of the runs whose process came to its regular end.
    """

    reads: frozenset[str] | None
    tests: tuple[str, ...]
    error: BenchError | None
    forks: tuple[ForkEnd, ...]
    ended: frozenset[int] = frozenset()


def read_record(text: str) -> Record:
    """Read a record; a last line that is cut off is no harm."""
    reads: set[str] = set()
    known = False
    tests: dict[str, None] = {}
    error: BenchError | None = None
    forks: list[ForkEnd] = []
    ended: set[int] = set()
    for entry in _entries(text):
        event = entry["event"]
        if event == "start":
            known = True
        elif event == "read":
            reads.add(str(entry["file"]))
        elif event == "unknown":
            return _with_unknown_reads(text)
        elif event == "tests":
            tests.update(dict.fromkeys(map(str, entry["names"])))
        elif event == "end":
            ended.add(int(entry["seed"]))
        elif event == "error":
            error = error or BenchError(
                module=str(entry["module"]),
                kind=str(entry["kind"]),
                message=str(entry["message"]),
                file=str(entry["file"]),
                line=entry["line"],
                traceback=str(entry["traceback"]),
            )
        elif event == "fork":
            forks.append(
                ForkEnd(
                    index=int(entry["index"]),
                    seed=int(entry["seed"]),
                    returncode=int(entry["returncode"]),
                    timed_out=bool(entry["timed_out"]),
                    wall_s=float(entry["wall_s"]),
                )
            )
    return Record(
        reads=frozenset(reads) if known else None,
        tests=tuple(tests),
        error=error,
        forks=tuple(forks),
        ended=frozenset(ended),
    )


def _with_unknown_reads(text: str) -> Record:
    rest = "\n".join(
        line
        for line in text.splitlines()
        if '"event": "unknown"' not in line and '"event": "start"' not in line
    )
    return read_record(rest)


def _entries(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("event"), str):
            yield entry
