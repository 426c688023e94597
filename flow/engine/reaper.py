"""A tiny process that outlives its parent just long enough to clean up after it.

A driver or a Dask worker that is killed with ``kill -9`` cannot stop the
tools it started. The reaper can: it holds the read end of a pipe, is told
each process group as it starts and ends, and when the pipe closes kills what
is left. It imports next to nothing, so that it starts in milliseconds.

Run as ``python -S -E reaper.py MARKER``; the protocol is one line a change,
``+PGID`` or ``-PGID``, on standard input.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["kill_marked", "main"]

MARKER = "SUZURI_STEP"


def kill_marked(value: bytes) -> int:
    """Kill every process whose environment has ``SUZURI_STEP`` starting with `value`.

    A daemon that left its process group and session still carries the
    environment it was started with.

    Returns
    -------
    int
        How many processes were killed.
    """
    needle = MARKER.encode() + b"=" + value
    killed = 0
    own = os.getpid()
    for name in os.listdir("/proc"):  # noqa: PTH208 - no pathlib in a process that must start fast
        if not name.isdigit() or int(name) == own:
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123
                environ = file.read()
            if any(entry.startswith(needle) for entry in environ.split(b"\0")):
                os.kill(int(name), signal.SIGKILL)
                killed += 1
        except OSError:
            continue  # it ended meanwhile, or is another user's
    return killed


def main() -> None:
    """Follow the parent until it goes, then kill what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        pgid = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(pgid)
    for pgid in groups:
        try:
            os.killpg(pgid, signal.SIGKILL)
        except OSError:
            continue
    if groups:
        kill_marked(sys.argv[1].encode())


if __name__ == "__main__":
    main()
