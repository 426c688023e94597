"""Nights with a fault in the design, one after the other, in one history."""

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verif.mutants.regressions.faults import DESIGNS, Design, Fault

__all__ = ["Night", "Summary", "run_nights"]

_COPIED = ("ips", "rtl", "verif", "examples")
_AUTHOR = ("-c", "user.name=Planter", "-c", "user.email=planter@localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A regression with one fault.

    Attributes
    ----------
    fault
        It.
    found
        Whether the regression failed, in its tests.
    failed, runs
        How many runs failed, of how many.
    buckets
        Ids of those that have failures.
    message
        Of the largest bucket; or why there is no result.
    """

    fault: Fault
    found: bool
    failed: int = 0
    runs: int = 0
    buckets: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a sequence of nights comes to."""

    nights: Sequence[Night]

    @property
    def found(self) -> int:
        """How many faults made their regression fail."""
        return sum(night.found for night in self.nights)

    @property
    def mixed(self) -> Mapping[str, Sequence[str]]:
        """Buckets that hold failures of two faults or more, and these."""
        names: dict[str, list[str]] = defaultdict(list)
        for night in self.nights:
            for bucket in night.buckets:
                names[bucket].append(night.fault.mutant.name)
        return {bucket: found for bucket, found in names.items() if len(found) > 1}

    @property
    def spread(self) -> Sequence[Night]:
        """Nights whose fault is in more than two buckets."""
        return [night for night in self.nights if len(night.buckets) > 2]


def run_nights(
    faults: Sequence[Fault], root: Path, scratch: Path, env: Mapping[str, str] | None = None
) -> Iterator[Night]:
    """Regress each design as it is, then with each fault, and mended again; every night is a commit.

    Parameters
    ----------
    faults
        In the order of the nights.
    root
        Of the sources, which are copied.
    scratch
        A folder for the copy, the history and builds.
    env
        For ``suzuri``; this process's, by default.

    Raises
    ------
    RuntimeError
        A design does not pass without a fault, or ``suzuri`` fails.
    """
    copy = scratch / "sources"
    for name in _COPIED:
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "build"))
    (copy / ".gitignore").write_text("__pycache__/\nbuild/\n")
    _git(copy, "init", "-q")
    _commit(copy, "As it is")
    night = _Nightly(copy, scratch, env)
    for design in DESIGNS:
        if any(fault.design == design for fault in faults):
            data = night.run(design)
            if not data["passed"]:
                raise RuntimeError(f"{design.name} does not pass without a fault: {_first_message(data)}")
    for fault in faults:
        target = copy / fault.mutant.path
        before = target.read_text()
        target.write_text(fault.mutant.mutate(before))
        _commit(copy, f"Plant {fault.mutant.name}")
        data = night.run(fault.design)
        yield _night(fault, data)
        target.write_text(before)
        _commit(copy, f"Mend {fault.mutant.name}")
        night.run(fault.design)  # from the cache


class _Nightly:
    def __init__(self, copy: Path, scratch: Path, env: Mapping[str, str] | None) -> None:
        self._copy, self._scratch = copy, scratch
        self._env = {**(os.environ if env is None else env), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, design: Design) -> dict[str, Any]:
        argv = [
            sys.executable, "-m", "flow.cli.main", "regress", "nightly",
            "--design", str(self._copy / design.folder),
            "--build", str(self._scratch / f"build-{design.name}"),
            "--database", str(self._scratch / "history.sqlite"), "--json",
        ]  # fmt: skip
        done = subprocess.run(
            argv, cwd=self._scratch, env=self._env, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1) or not done.stdout:
            raise RuntimeError(f"suzuri regress of {design.name}: {done.stdout[-500:]}{done.stderr[-2000:]}")
        data: dict[str, Any] = json.loads(done.stdout)
        return data


def _night(fault: Fault, data: Mapping[str, Any]) -> Night:
    present = [bucket for bucket in data["buckets"] if bucket["members"]]
    failed = [row for row in data["results"] if row["verdict"] in ("fail", "timeout", "crash")]
    present.sort(key=lambda bucket: -len(bucket["members"]))
    return Night(
        fault=fault,
        found=bool(failed),
        failed=len(failed),
        runs=len(data["results"]),
        buckets=tuple(bucket["id"] for bucket in present),
        message=present[0]["title"] if present else _first_message(data),
    )


def _first_message(data: Mapping[str, Any]) -> str:
    for row in data["results"]:
        if row["message"]:
            return str(row["message"])
    return "; ".join(f"{test}: {why}" for test, why in data["missing"])


def _commit(copy: Path, message: str) -> None:
    _git(copy, "add", "-A")
    _git(copy, *_AUTHOR, "commit", "-q", "--allow-empty", "-m", message)


def _git(copy: Path, *words: str) -> None:
    done = subprocess.run(["git", *words], cwd=copy, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {words[0]}: {done.stderr}")
