"""Pictures of waves for the failures whose waves were recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flow.regress.model import Regression, Result, Verdict
from flow.report.markup import Html
from flow.report.regress.waves import available, read
from flow.report.regress.wavesvg import draw
from flow.report.regress.words import open_first

__all__ = ["Key", "failed_at", "pictures"]

Key = tuple[str, str, int]
_MOST = 60


def failed_at(regression: Regression) -> Mapping[Key, float]:
    """Return when each failure happened in its simulation (ns), as far as its results tell.

    Test cases of one test and seed run one after the other in one simulation,
    each timed by itself, so a failure lies at the end of its own time. A crash
    or a hang has no time of its own: it lies at the end of the waves.
    """
    reached: dict[tuple[str, int], float] = {}
    found: dict[Key, float] = {}
    for result in regression.results:
        run = (result.test, result.seed)
        if result.verdict is Verdict.SKIPPED:
            continue
        if result.sim_time_ns is None:
            reached[run] = float("nan")
            continue
        reached[run] = reached.get(run, 0.0) + result.sim_time_ns
        if result.verdict is Verdict.FAIL:
            found[result.key] = reached[run]
    return found


def _file(folder: Path, result: Result) -> Path | None:
    """Return the wave file of `result`, if it is one below `folder`."""
    path = folder / result.waves
    inside = bool(result.waves) and path.resolve().is_relative_to(folder.resolve())
    return path if inside and path.is_file() else None


def pictures(regression: Regression, folder: Path) -> dict[Key, Html]:
    """Return pictures of the waves around failures, one for each bucket.

    Parameters
    ----------
    regression
        Waves of its results are relative to `folder`.
    folder
        That of the report.

    Returns
    -------
    dict
        By the key of the result; empty where pywellen is not installed.
    """
    if not available():
        return {}
    by_key = {result.key: result for result in regression.results}
    when = failed_at(regression)
    found: dict[Key, Html] = {}
    for bucket in open_first(regression.buckets):
        for key in bucket.members:
            result = by_key.get(key)
            path = _file(folder, result) if result is not None else None
            if result is None or path is None:
                continue
            said = f"{result.message}\n{result.traceback}"
            if window := read(path, failed_ns=when.get(key), text=said):
                found[key] = draw(
                    window, f"Signals around the failure of {result.test} with seed {result.seed}"
                )
                break
        if len(found) >= _MOST:
            break
    return found
