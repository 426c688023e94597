"""What the history of regressions tells: plain data, and digests by which results are compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from flow.regress.model import Bucket, BucketState, Night, Result, Verdict

__all__ = [
    "Failure",
    "Past",
    "Rerun",
    "TestPast",
    "digest_of",
    "hexdigest",
    "inputs_of",
    "night_of",
    "night_text",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPast:
    """What the latest regressions tell of a test, for its limit and its place in the queue.

    Attributes
    ----------
    runs, failed
        Of its test cases, with all seeds; what a machine broke or a test skipped is left out.
    mean_s, slowest_s
        Of those that passed; None where none did.
    cases
        How many test cases it has.
    """

    __test__ = False  # not a pytest class

    runs: int = 0
    failed: int = 0
    mean_s: float | None = None
    slowest_s: float | None = None
    cases: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure as history keeps it: which, and a digest of what it said, numbers included."""

    test: str
    testcase: str
    seed: int
    digest: int
    flaky: bool


@dataclass(frozen=True, slots=True)
class Rerun:
    """What one test case of a single run showed: its verdict, and the symptom's id of a failure."""

    testcase: str
    verdict: Verdict
    symptom: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A bucket as history keeps it.

    Attributes
    ----------
    bucket
        As it was last seen, without members.
    open
        Whether it is not yet known to be fixed.
    last
        Number of the last regression with it.
    """

    bucket: Bucket
    open: bool
    last: int


def inputs_of(result: Result) -> int:
    """Return 63 bits of the command that repeats a result: with the commit, they tell its inputs."""
    return int(hexdigest(result.command)[:16], 16) >> 1


def digest_of(result: Result) -> int:
    """Return 63 bits of the whole message and place, to tell whether two failures are equal."""
    text = f"{result.verdict}\0{result.message}\0{result.place.rpartition(':')[0] or result.place}"
    return int(hexdigest(text)[:16], 16) >> 1


def hexdigest(text: str) -> str:
    """Return the SHA-256 of a text, whatever characters it has."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def night_text(night: Night) -> str:
    """Return a regression in short as the database has it."""
    return json.dumps(
        {
            "id": night.id, "suite": night.suite, "commit": night.commit, "started": night.started,
            "elapsed_s": night.elapsed_s, "counts": dict(night.counts), "flaky": night.flaky,
            "states": dict(night.states), "coverage": dict(night.coverage),
        }
    )  # fmt: skip


def night_of(text: str) -> Night:
    """Return what :func:`night_text` made."""
    data = json.loads(text)
    counts = {Verdict(name): count for name, count in data["counts"].items()}
    states = {BucketState(name): count for name, count in data["states"].items()}
    return Night(**{**data, "counts": counts, "states": states})
