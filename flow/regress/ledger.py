"""The results of a regression while it runs: by test and seed, with the logs and waves that are kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flow.engine.cache import Cache
from flow.model.design import Design
from flow.model.step import Outcome, Status, Step
from flow.project.request import Request
from flow.regress.commands import test_command
from flow.regress.model import Result
from flow.regress.verdicts import expected
from flow.stages.chip import TestRun

__all__ = ["Ledger", "keys_of", "why_missing"]

_LOG_BYTES = 1 << 20

Key = tuple[str, int]


def keys_of(step: Step) -> list[Key]:
    """Return test and seed of the runs of a step."""
    params = step.params
    return [(params["test"], seed) for seed in params.get("seeds", [params.get("seed")])]


def why_missing(outcome: Outcome) -> str:
    """Return why a step left no results."""
    if outcome.status is Status.CANCELLED:
        return "interrupted"
    return str((outcome.error or {}).get("what") or "was not run")


class Ledger:
    """Results by run.

    Parameters
    ----------
    design, request
        What was asked for.
    cache
        Where steps left their files.
    folder
        Where logs and waves are kept.
    fixed
        Whether all tests ran with one seed that was named.
    """

    def __init__(self, design: Design, request: Request, cache: Cache, folder: Path, *, fixed: bool) -> None:
        self.results: dict[Key, list[Result]] = {}
        self.runs: Mapping[Key, TestRun] = {}
        #: Runs that shared a process.
        self.together: set[Key] = set()
        self.missing: dict[Key, str] = {}
        self._design = design
        self._request = request
        self._cache = cache
        self._folder = folder
        self._fixed = fixed

    def dress(self, results: Sequence[Result], step: Step, outcome: Outcome) -> list[Result]:
        """Give results their commands, and those that failed their log."""
        log = self._keep_log(step, outcome) if any(result.verdict.bad for result in results) else ""
        waves = self.keep_waves(step, outcome) if len(keys_of(step)) == 1 else ""
        return [
            replace(
                result,
                command=test_command(self._design, self._request, result.test, result.seed),
                index=-1 if self._fixed else result.index,
                log=log if result.verdict.bad else "",
                waves=waves,
            )
            for result in results
        ]

    def keep_waves(self, step: Step, outcome: Outcome) -> str:
        """Copy the waves of a step beside the report; return where they are, or nothing."""
        view = outcome.outputs.get("waves")
        if view is None:
            return ""
        name = step.name.removeprefix("simulate.").removesuffix(".waves")
        target = self._folder / "waves" / f"{name}{Path(view.name).suffix}"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(self._cache.locate(view), target)
        return str(target.relative_to(self._folder))

    def _keep_log(self, step: Step, outcome: Outcome) -> str:
        view = outcome.outputs.get("log")
        kept = (outcome.error or {}).get("log")
        source = self._cache.locate(view) if view is not None else Path(kept) if kept else None
        if source is None or not source.is_file():
            return ""
        target = self._folder / "logs" / f"{step.name.removeprefix('simulate.')}.log"
        with source.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _LOG_BYTES))
            start = b"(its beginning is left out)\n" if size > _LOG_BYTES else b""
            target.write_bytes(start + stream.read())
        return str(target.relative_to(self._folder))

    def times(self) -> dict[Key, float]:
        """Return how long each run took, in seconds."""
        return {key: sum(result.time_s or 0.0 for result in own) for key, own in self.results.items()}

    def all_results(self) -> list[Result]:
        """Return the results in the manifest's order, expected failures as such."""
        tests = {test.name: place for place, test in enumerate(self._design.tests)}
        keys = sorted(self.results, key=lambda key: (tests[key[0]], self.runs[key].index))
        xfail = {test.name: test.xfail for test in self._design.tests}
        return expected([result for key in keys for result in self.results[key]], xfail)

    def all_missing(self) -> list[tuple[str, str]]:
        """Return tests without results, with the reason."""
        counts: dict[tuple[str, str], int] = {}
        for (test, _), reason in self.missing.items():
            counts[test, reason] = counts.get((test, reason), 0) + 1
        return [
            (test, reason if count == 1 else f"{reason} ({count} seeds)")
            for (test, reason), count in counts.items()
        ]
