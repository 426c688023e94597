"""What a regression is made of: plain data, which selection, triage, history and report share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Bucket", "BucketState", "Night", "Regression", "Result", "Verdict"]


class Verdict(StrEnum):
    """What came of one test case with one seed."""

    PASS = "pass"
    FAIL = "fail"  # an assertion or another error of bench or design, or no test that ran
    TIMEOUT = "timeout"  # stopped at its wall-clock limit
    CRASH = "crash"  # the simulator ended without results
    INFRA = "infra"  # a machine's failure, after its retries
    SKIPPED = "skipped"  # by its own wish
    XFAIL = "xfail"  # failed as the manifest expects, which says why
    XPASS = "xpass"  # passed although the manifest expects a failure

    @property
    def bad(self) -> bool:
        """Whether it fails the regression. An unexpected pass does: the manifest is out of date."""
        return self not in (Verdict.PASS, Verdict.SKIPPED, Verdict.XFAIL)

    @property
    def triaged(self) -> bool:
        """Whether it goes into a bucket: failures that a bug can explain."""
        return self in (Verdict.FAIL, Verdict.TIMEOUT, Verdict.CRASH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One test case with one seed.

    Attributes
    ----------
    test, testcase
        Name in the manifest, and of the function in its module; of a run that
        ended before any test case, ``testcase`` is empty.
    module
        Python module of the bench: failures of one bench may be one bug.
    seed, index
        Its seed, and which of the test's it is; -1 for a seed that was named.
    verdict
        What came of it.
    message, place, traceback
        Of a failure: one line, ``file:line``, and the end of the traceback or log.
    time_s, sim_time_ns
        Wall-clock and simulated time; None where there is none.
    flaky
        Whether the same seed on the same inputs once passed and once did not.
    quarantined
        Whether the manifest keeps it from failing the regression; it stays visible.
    command
        What repeats it in another checkout.
    step, log, waves
        Step of the run's record, and files relative to the report; empty where there are none.
    host, attempts
        Where it ran, and how often it was tried for a machine's failure.
    """

    test: str
    testcase: str
    seed: int
    index: int = -1
    verdict: Verdict
    message: str = ""
    place: str = ""
    traceback: str = ""
    time_s: float | None = None
    sim_time_ns: float | None = None
    flaky: bool = False
    quarantined: bool = False
    command: str = ""
    step: str = ""
    log: str = ""
    waves: str = ""
    host: str = ""
    attempts: int = 1
    module: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells results of a regression apart."""
        return self.test, self.testcase, self.seed

    @property
    def counts(self) -> bool:
        """Whether it decides the exit code."""
        return self.verdict.bad and not self.quarantined


class BucketState(StrEnum):
    """A bucket against the regressions before."""

    NEW = "new"
    KNOWN = "known"
    FIXED = "fixed"  # not in this regression, although its tests ran
    BACK = "back"  # fixed once, and here again


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Failures that look like one bug.

    Attributes
    ----------
    id
        Ten hexadecimal digits, the same in every regression.
    title
        The message that its failures share, with ``<n>`` and the like for what differs.
    verdict
        Theirs.
    place
        Where they fail, in the bench or the RTL.
    members
        Keys of the results, the reproducer first: that of the shortest simulated time.
    state
        Against earlier regressions.
    first_seen, last_good
        Commits: of the first regression with it, and of the last before that in which
        its tests passed; empty where it is not known.
    since
        When it was first seen, ISO.
    owner, note
        Whose it is, and what is known of it, as somebody wrote.
    """

    id: str
    title: str
    verdict: Verdict
    place: str = ""
    members: tuple[tuple[str, str, int], ...] = ()
    state: BucketState = BucketState.NEW
    first_seen: str = ""
    last_good: str = ""
    since: str = ""
    owner: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """One regression.

    Attributes
    ----------
    id, design, suite
        Its run, what was tested, and the suite's name; empty for a choice of tests.
    commit, dirty
        Of the sources.
    started, elapsed_s
        ISO in UTC, and seconds.
    master_seed
        What seeds derive from.
    command
        What repeats it.
    results, buckets
        All of them.
    missing
        Tests that were asked for and have no result, with the reason.
    coverage
        What all runs together covered, as :func:`flow.regress.coverage.summary` returns it;
        empty where none left coverage. ``testplan``: see :func:`flow.regress.testplan.plan_rows`.
    """

    id: str
    design: str
    suite: str = ""
    commit: str = ""
    dirty: bool = False
    started: str = ""
    elapsed_s: float = 0.0
    master_seed: int = 1
    command: str = ""
    results: Sequence[Result] = ()
    buckets: Sequence[Bucket] = ()
    missing: Sequence[tuple[str, str]] = ()
    coverage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many results have each verdict; those that none has are there as 0."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def passed(self) -> bool:
        """Whether something ran, everything that was asked for has a result, and nothing failed."""
        ran = any(result.verdict is not Verdict.SKIPPED for result in self.results)
        return ran and not self.missing and not any(result.counts for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it; seeds as text, since JavaScript's numbers hold 53 bits."""
        data = asdict(self)
        for result in data["results"]:
            result["seed"] = str(result["seed"])
        for bucket in data["buckets"]:
            bucket["members"] = [[test, case, str(seed)] for test, case, seed in bucket["members"]]
        return {"version": 1, **data, "passed": self.passed, "counts": dict(self.counts)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Regression:
        """Return what :meth:`to_json` made.

        Raises
        ------
        ValueError
            It is of another version, or no regression.
        """
        if data.get("version") != 1:
            raise ValueError(f"version {data.get('version')!r} of a regression's record is not known")
        try:
            results = [
                Result(**{**row, "seed": int(row["seed"]), "verdict": Verdict(row["verdict"])})
                for row in data["results"]
            ]
            buckets = [
                Bucket(
                    **{
                        **row,
                        "verdict": Verdict(row["verdict"]),
                        "state": BucketState(row["state"]),
                        "members": tuple((test, case, int(seed)) for test, case, seed in row["members"]),
                    }
                )
                for row in data["buckets"]
            ]
            rest = {k: data[k] for k in data if k not in ("version", "passed", "counts")}
            missing = [(name, reason) for name, reason in data["missing"]]
            return cls(**{**rest, "results": results, "buckets": buckets, "missing": missing})
        except (KeyError, TypeError) as error:
            raise ValueError(f"the record of the regression is damaged ({error})") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What a trend needs of one regression.

    Attributes
    ----------
    id, suite, commit, started, elapsed_s
        As the regression has them.
    counts
        How many results have each verdict; a verdict that is not there has none.
    flaky
        How many results are flaky.
    states
        How many buckets have each state; as with `counts`.
    coverage
        Covered and total by kind of coverage; empty where none was left.
    """

    id: str
    suite: str = ""
    commit: str = ""
    started: str = ""
    elapsed_s: float = 0.0
    counts: Mapping[Verdict, int] = field(default_factory=dict)
    flaky: int = 0
    states: Mapping[BucketState, int] = field(default_factory=dict)
    coverage: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, regression: Regression) -> Night:
        """Return `regression` in short."""
        return cls(
            id=regression.id,
            suite=regression.suite,
            commit=regression.commit,
            started=regression.started,
            elapsed_s=regression.elapsed_s,
            counts={verdict: n for verdict, n in regression.counts.items() if n},
            flaky=sum(result.flaky for result in regression.results),
            states=Counter(bucket.state for bucket in regression.buckets),
            coverage=regression.coverage.get("kinds", {}),
        )
