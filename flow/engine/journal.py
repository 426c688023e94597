"""The journal of a run: what happened, a line at a time, as it happens.

Writing a line costs microseconds and no library, and survives a driver that
is killed at any moment. The database takes journals in when a run has ended,
or when somebody asks it something.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.engine.rows import now, outcome_rows
from flow.model.step import Outcome, Step

if TYPE_CHECKING:
    from flow.engine.store import Store

__all__ = ["Journal", "read_journal", "take_in"]

_SUFFIX = ".jsonl"


class Journal:
    """Appends what happens in one run to a file.

    Parameters
    ----------
    folder
        Where journals wait for the database.
    run_id
        The run.
    row
        Its row of the table of runs.
    """

    def __init__(self, folder: Path, run_id: str, row: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._run_id = run_id
        self._file = (folder / f"{run_id}{_SUFFIX}").open("w", encoding="utf-8")
        self._write({"begin": {"id": run_id, "started": now(), "status": "running", **row}})

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")
        self._file.flush()

    def add(self, step: Step, outcome: Outcome) -> None:
        """Note the outcome of a step."""
        self._write({"rows": outcome_rows(self._run_id, step, outcome)})

    def end(self, status: str, exit_code: int, reasons: Sequence[str]) -> None:
        """Note how the run ended."""
        self._write(
            {"end": {"status": status, "exit_code": exit_code, "reasons": list(reasons), "at": now()}}
        )
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the entries of a journal; a last line that was cut off is left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                return
            if not isinstance(entry, dict):
                return
            yield entry


def take_in(folder: Path, store: Store) -> int:
    """Have `store` take in the journals of runs that have ended, however they did.

    Returns
    -------
    int
        How many it took in.
    """
    count = 0
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if _running(path):
            continue
        claimed = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.rename(claimed)  # of two that want it, one gets it
        except OSError:
            continue
        try:
            store.ingest(claimed)
        except BaseException:
            claimed.rename(path)
            raise
        claimed.unlink()
        count += 1
    return count


def _running(path: Path) -> bool:
    """Whether the run of this journal is still going on."""
    begin: dict[str, Any] = {}
    ended = False
    with contextlib.suppress(OSError):
        for entry in read_journal(path):
            begin = entry.get("begin", begin)
            ended |= "end" in entry
    if ended or not begin:
        return False
    if begin.get("host") != socket.gethostname():
        return True  # another machine's run: it is not for us to say
    return begin.get("pid") != os.getpid() and Path(f"/proc/{begin.get('pid')}").exists()
