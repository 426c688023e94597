"""What each verdict and each state of a bucket is called, and in which tone it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from flow.regress.model import Bucket, BucketState, Regression, Result, Verdict

__all__ = [
    "STATES",
    "VERDICTS",
    "commit",
    "name_of",
    "open_first",
    "percent",
    "reasons",
    "said_of",
    "seeds_of",
    "short",
]

#: Verdict: tone, word of one result, word of many. Worst first, which is the order of tables.
VERDICTS = {
    Verdict.FAIL: ("bad", "Fail", "failed"),
    Verdict.TIMEOUT: ("bad", "Timeout", "timed out"),
    Verdict.CRASH: ("bad", "Crash", "crashed"),
    Verdict.XPASS: ("bad", "Unexpected pass", "passed unexpectedly"),
    Verdict.INFRA: ("bad", "Machine failed", "lost to machines"),
    Verdict.XFAIL: ("calm", "Expected failure", "failed as expected"),
    Verdict.SKIPPED: ("mute", "Skipped", "skipped"),
    Verdict.PASS: ("good", "Pass", "passed"),
}

#: State of a bucket: tone and word, in the order in which a reader wants them.
STATES = {
    BucketState.NEW: ("bad", "New"),
    BucketState.BACK: ("bad", "Back"),
    BucketState.KNOWN: ("warn", "Known"),
    BucketState.FIXED: ("good", "Fixed"),
}


def open_first(buckets: Sequence[Bucket]) -> list[Bucket]:
    """Return `buckets` as a reader wants them: new ones, those with most failures first."""
    order = list(STATES)
    return sorted(buckets, key=lambda b: (order.index(b.state), -len(b.members), b.id))


def short(commit: str) -> str:
    """Return a commit as people write it."""
    return commit[:10]


def commit(regression: Regression) -> str:
    """Return what was tested, in short; empty where it is not known."""
    if not regression.commit:
        return ""
    return f"commit {short(regression.commit)}{' + changes' if regression.dirty else ''}"


def seeds_of(bucket: Bucket) -> str:
    """Return how many failures of how many test cases it has."""
    tests = len({member[:2] for member in bucket.members})
    many = len(bucket.members)
    return f"{many:,} failure{'s' if many != 1 else ''} of {tests:,} test case{'s' if tests != 1 else ''}"


def reasons(regression: Regression) -> list[str]:
    """Return why the regression failed, one line each; nothing when it passed."""
    found = []
    counting: dict[Verdict, int] = {}
    for result in regression.results:
        if result.counts:
            counting[result.verdict] = counting.get(result.verdict, 0) + 1
    for verdict, (_, _, words) in VERDICTS.items():
        if n := counting.get(verdict, 0):
            found.append(f"{n:,} result{'s' if n != 1 else ''} {words}")
    if lost := len(regression.missing):
        found.append(f"{lost:,} test{'s' if lost != 1 else ''} without any result")
    if not found and not regression.passed:
        found.append("nothing ran" if not regression.results else "every test was skipped")
    return found


def name_of(result: Result) -> str:
    """Return a result's test and test case."""
    return f"{result.test}.{result.testcase}" if result.testcase else result.test


def said_of(regression: Regression) -> str:
    """Return which regression it is, of which sources, and when it ran."""
    return ", ".join(
        part
        for part in (regression.id, commit(regression), regression.started.replace("T", " ")[:16])
        if part
    )


def percent(covered: int, total: int) -> str:
    """Return covered points in percent; 100 only where none is missing."""
    if covered == total:
        return "100 %"
    return f"{min(99.99, 100 * covered / total):.2f} %"
