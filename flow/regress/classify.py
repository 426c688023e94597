"""Hold a regression against those before: which buckets are new, known, fixed or back, and since when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flow.regress.buckets import UNLIKELY, Case, Known, group, missed
from flow.regress.flaky import mark_flaky
from flow.regress.history import History
from flow.regress.model import Bucket, BucketState, Regression, Verdict
from flow.regress.past import Failure, Past, digest_of

__all__ = ["classify"]

Tally = Mapping[Case, tuple[int, int]]


def classify(regression: Regression, history: History) -> Regression:
    """Return `regression` with its failures grouped and each bucket's state, owner and note.

    A bucket is *fixed* when the failures by which it was last seen all pass
    with their seeds, or when so many other seeds pass that chance does not
    explain it; until then it stays open, though it is not in this regression.
    What was fixed is *back* only if nothing speaks against its being the same:
    of the seeds that failed both times, nine of ten must fail with the same words.

    ``first_seen``, ``since`` and ``last_good`` are of the bucket's present
    spell: for one that is back, of its coming back.

    Parameters
    ----------
    regression
        Its buckets are made anew; if it was recorded, their states are as they were then.
    history
        Of the regressions before.
    """
    regression = mark_flaky(regression, history)
    past = _Past.read(regression, history)
    buckets = group(regression.results, past.known)
    if said := history.said_of(regression.id):
        return replace(regression, buckets=_as_said(buckets, said, regression, past))
    made = [_stated(bucket, regression, past) for bucket in buckets]
    present = {bucket.id for bucket in made}
    fixed = [
        replace(entry.bucket, state=BucketState.FIXED, members=())
        for identity, entry in past.buckets.items()
        if entry.open and identity not in present and _is_fixed(identity, entry, regression, past)
    ]
    return replace(regression, buckets=[*made, *sorted(fixed, key=lambda bucket: bucket.id)])


def _as_said(
    buckets: Sequence[Bucket], said: Mapping[str, Bucket], regression: Regression, past: _Past
) -> list[Bucket]:
    """Return buckets with the states that the same regression was recorded with."""
    live = [
        replace(said[bucket.id], members=bucket.members)
        if bucket.id in said
        else _stated(bucket, regression, past)
        for bucket in buckets
    ]
    return [*live, *(b for _, b in sorted(said.items()) if b.state is BucketState.FIXED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What `classify` needs of history, read once."""

    buckets: Mapping[str, Past]
    failures: Mapping[str, Sequence[Failure]]
    nights: Sequence[tuple[int, str, Tally]]
    known: Known

    @classmethod
    def read(cls, regression: Regression, history: History) -> _Past:
        design = regression.design
        buckets = history.buckets(design)
        nights = history.tallies(design, without=regression.id, before=regression.started)
        failures = {identity: history.failures(entry.last, identity) for identity, entry in buckets.items()}
        here = {r.key: digest_of(r) for r in regression.results if r.verdict.triaged}
        candidates: dict[str, list[str]] = defaultdict(list)
        for symptom, identity in history.symptoms(design):
            entry = buckets.get(identity)
            if entry is not None and (entry.open or _may_be_back(failures[identity], here)):
                candidates[symptom].append(identity)
        known = Known(
            buckets={
                symptom: tuple(sorted(found, key=lambda i: (not buckets[i].open, -buckets[i].last, i)))
                for symptom, found in candidates.items()
            },
            cases={i: frozenset((f.test, f.testcase) for f in found) for i, found in failures.items()},
            clean=_clean_runs([tally for _, _, tally in nights]),
            taken=frozenset(buckets),
        )
        return cls(buckets=buckets, failures=failures, nights=nights, known=known)


def _may_be_back(before: Sequence[Failure], here: Mapping[tuple[str, str, int], int]) -> bool:
    """Whether failures of now can be those of a fixed bucket: nine of ten seeds in common say the same."""
    common = [
        (f.digest, here[f.test, f.testcase, f.seed]) for f in before if (f.test, f.testcase, f.seed) in here
    ]
    return not common or 10 * sum(then == now for then, now in common) >= 9 * len(common)


def _clean_runs(nights: Sequence[Tally]) -> dict[Case, int]:
    """Return how many runs of each case passed since its last failure; `nights` newest first."""
    clean: Counter[Case] = Counter()
    broken: set[Case] = set()
    for tally in nights:
        for case, (passed, failed) in tally.items():
            if failed:
                broken.add(case)
            elif case not in broken:
                clean[case] += passed
    return dict(clean)


def _stated(bucket: Bucket, regression: Regression, past: _Past) -> Bucket:
    entry = past.buckets.get(bucket.id)
    if entry is not None:
        bucket = replace(bucket, owner=entry.bucket.owner, note=entry.bucket.note)
        if entry.open:
            return replace(
                bucket,
                state=BucketState.KNOWN,
                first_seen=entry.bucket.first_seen,
                last_good=entry.bucket.last_good,
                since=entry.bucket.since,
            )
    return replace(
        bucket,
        state=BucketState.NEW if entry is None else BucketState.BACK,
        first_seen=regression.commit,
        since=regression.started,
        last_good=_last_good(bucket, past.nights),
    )


def _last_good(bucket: Bucket, nights: Sequence[tuple[int, str, Tally]]) -> str:
    """Return the commit of the last regression in which all of a bucket's cases that ran had passed.

    Where there is none, since one of them failed for another reason, its reproducer's alone decides.
    """
    cases = list(dict.fromkeys((test, case) for test, case, _ in bucket.members))
    for wanted in (cases, cases[:1]):
        for _, commit, tally in nights:
            ran = [tally[case] for case in wanted if case in tally]
            if any(passed for passed, _ in ran) and not any(failed for _, failed in ran):
                return commit
    return ""


def _is_fixed(identity: str, entry: Past, regression: Regression, past: _Past) -> bool:
    """Whether what passes says that a bucket which is not here is gone."""
    failures = past.failures[identity]
    passes = {r.key for r in regression.results if r.verdict is Verdict.PASS and not r.flaky}
    firm = [f for f in failures if not f.flaky]
    if firm and all((f.test, f.testcase, f.seed) in passes for f in firm):
        return True
    since: Counter[Case] = Counter((test, case) for test, case, _ in passes)
    failed = Counter((f.test, f.testcase) for f in failures)
    if not any(since[case] for case in failed):
        return False
    then: Tally = {}
    for number, _, tally in past.nights:  # newest first
        if number == entry.last:
            then = tally
            break
        since.update({case: passed for case, (passed, _) in tally.items()})
    odds = 1.0
    for case, count in failed.items():
        passed, all_failed = then.get(case, (0, count))
        odds *= missed(count, passed + all_failed, since[case])
    return odds <= UNLIKELY
