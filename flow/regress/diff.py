"""What differs between two regressions: which results changed, and which buckets came and went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flow.regress.model import Bucket, BucketState, Regression, Result

__all__ = ["Change", "Diff", "diff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A result in both regressions, or in one; the other is None."""

    before: Result | None
    after: Result | None

    @property
    def key(self) -> tuple[str, str, int]:
        """Test, test case and seed."""
        either = self.after or self.before
        if either is None:
            raise ValueError("a change needs a result, before or after")
        return either.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two regressions, one against the other.

    Attributes
    ----------
    a, b
        The earlier and the later one.
    broken, mended
        Results with the same seed that were good and are bad, and the reverse.
    changed
        Those that are bad in both, with another verdict or in another bucket.
    still
        Those that are bad in both, alike.
    failing_only_a, failing_only_b
        Bad results that only one of them has, with tests or seeds of its own.
    only_a, only_b
        Tests, with their test cases, that only one of them has.
    new, gone, kept
        Buckets of the later only, of the earlier only, and of both, as the later has them.
    lost
        Tests without a result, with the reason, of which the earlier has results.
    """

    a: Regression
    b: Regression
    broken: tuple[Change, ...]
    mended: tuple[Change, ...]
    changed: tuple[Change, ...]
    still: tuple[Change, ...]
    failing_only_a: tuple[Result, ...]
    failing_only_b: tuple[Result, ...]
    only_a: tuple[tuple[str, str], ...]
    only_b: tuple[tuple[str, str], ...]
    new: tuple[Bucket, ...]
    gone: tuple[Bucket, ...]
    kept: tuple[Bucket, ...]
    lost: tuple[tuple[str, str], ...] = ()

    @property
    def worse(self) -> bool:
        """Whether the later has a bucket or a failure with the same seed that is new, or lost a test."""
        return bool(self.broken or self.new or self.lost)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it; seeds as text, as in a regression's record."""
        return {
            "version": 1,
            "worse": self.worse,
            "a": _head(self.a),
            "b": _head(self.b),
            **{
                name: [_change(change) for change in getattr(self, name)]
                for name in ("broken", "mended", "changed", "still")
            },
            "failing_only_a": [_change(Change(before=r, after=None)) for r in self.failing_only_a],
            "failing_only_b": [_change(Change(before=None, after=r)) for r in self.failing_only_b],
            "only_a": [list(case) for case in self.only_a],
            "only_b": [list(case) for case in self.only_b],
            "buckets": {name: [_bucket(b) for b in getattr(self, name)] for name in ("new", "gone", "kept")},
            "lost": [list(test) for test in self.lost],
        }


def diff(a: Regression, b: Regression) -> Diff:
    """Return how `b` differs from `a`, in `b`'s order."""
    before = {result.key: result for result in a.results}
    after = {result.key: result for result in b.results}
    was, now = _live(a), _live(b)
    bucket_a = {key: bucket.id for bucket in was.values() for key in bucket.members}
    bucket_b = {key: bucket.id for bucket in now.values() for key in bucket.members}
    both = [Change(before=before[key], after=result) for key, result in after.items() if key in before]

    def chosen(was_bad: bool, is_bad: bool) -> Iterator[Change]:
        for change in both:
            old, new = change.before, change.after
            if (
                old is not None
                and new is not None
                and (old.verdict.bad, new.verdict.bad) == (was_bad, is_bad)
            ):
                yield change

    def alike(change: Change) -> bool:
        old, new = change.before, change.after
        same = old is not None and new is not None and old.verdict is new.verdict
        return same and bucket_a.get(change.key) == bucket_b.get(change.key)

    cases_a, cases_b = _cases(a), _cases(b)
    return Diff(
        a=a,
        b=b,
        broken=tuple(chosen(was_bad=False, is_bad=True)),
        mended=tuple(chosen(was_bad=True, is_bad=False)),
        changed=tuple(c for c in chosen(was_bad=True, is_bad=True) if not alike(c)),
        still=tuple(c for c in chosen(was_bad=True, is_bad=True) if alike(c)),
        failing_only_a=tuple(r for key, r in before.items() if key not in after and r.verdict.bad),
        failing_only_b=tuple(r for key, r in after.items() if key not in before and r.verdict.bad),
        only_a=tuple(case for case in cases_a if case not in cases_b),
        only_b=tuple(case for case in cases_b if case not in cases_a),
        new=tuple(bucket for identity, bucket in now.items() if identity not in was),
        gone=tuple(bucket for identity, bucket in was.items() if identity not in now),
        kept=tuple(bucket for identity, bucket in now.items() if identity in was),
        lost=tuple((test, reason) for test, reason in b.missing if test in {r.test for r in a.results}),
    )


def _live(regression: Regression) -> dict[str, Bucket]:
    return {bucket.id: bucket for bucket in regression.buckets if bucket.state is not BucketState.FIXED}


def _cases(regression: Regression) -> dict[tuple[str, str], None]:
    return {(result.test, result.testcase): None for result in regression.results}


def _head(regression: Regression) -> dict[str, Any]:
    return {
        "id": regression.id,
        "design": regression.design,
        "suite": regression.suite,
        "commit": regression.commit,
        "dirty": regression.dirty,
        "started": regression.started,
        "counts": {str(verdict): n for verdict, n in regression.counts.items() if n},
    }


def _change(change: Change) -> dict[str, Any]:
    test, testcase, seed = change.key
    told = change.after or change.before
    return {
        "test": test,
        "testcase": testcase,
        "seed": str(seed),
        "before": change.before and str(change.before.verdict),
        "after": change.after and str(change.after.verdict),
        "message": told.message if told else "",
        "command": told.command if told else "",
    }


def _bucket(bucket: Bucket) -> dict[str, Any]:
    return {
        "id": bucket.id,
        "title": bucket.title,
        "verdict": str(bucket.verdict),
        "failures": len(bucket.members),
        "owner": bucket.owner,
        "note": bucket.note,
    }
