"""Regressions over nights, in a relational database: results in few bytes each, buckets with their owners.

SQLAlchemy Core, as the store of runs has it and in the same database where
one is given: an SQLite file of one user, or the PostgreSQL server of a team.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from flow.regress.buckets import Case
from flow.regress.history_records import BAD, CODE_OF, Records, rerun_key, unsigned
from flow.regress.history_tables import BUCKETS, CASES, REGRESSIONS, RERUNS, RESULTS, SYMPTOMS
from flow.regress.model import Bucket, BucketState, Night, Verdict
from flow.regress.past import (
    Failure,
    Past,
    Rerun,
    TestPast,
    night_of,
)

__all__ = ["History", "TestPast", "annotate"]

Shown = tuple[str, str, int, int]


class History(Records):
    """The database of regressions: what trends, triage and comparisons ask of it.

    Parameters
    ----------
    where
        Path of an SQLite file, or a SQLAlchemy URL.

    Raises
    ------
    ConfigError
        The URL cannot be understood, or its driver is not installed.
    InfraError
        The database cannot be opened.
    """

    def _numbers(self, design: str, limit: int, without: str = "", before: str = "") -> list[Any]:
        """Return number and commit of the latest regressions, newest first."""
        query = sa.select(REGRESSIONS.c.number, REGRESSIONS.c.commit).where(
            REGRESSIONS.c.design == design, REGRESSIONS.c.id != without
        )
        if before:
            query = query.where(REGRESSIONS.c.started <= before)
        order = REGRESSIONS.c.started.desc(), REGRESSIONS.c.number.desc()
        return self._ask(query.order_by(*order).limit(limit))

    def nights(self, design: str, suite: str = "", limit: int = 30) -> list[Night]:
        """Return what trends need of the latest regressions of a suite, oldest first."""
        query = (
            sa.select(REGRESSIONS.c.night)
            .where(REGRESSIONS.c.design == design, REGRESSIONS.c.suite == suite)
            .order_by(REGRESSIONS.c.started.desc(), REGRESSIONS.c.number.desc())
            .limit(limit)
        )
        return [night_of(row.night) for row in reversed(self._ask(query))]

    def regressions(self, design: str, limit: int | None = None) -> list[tuple[Night, bool]]:
        """Return a design's regressions, newest first, and whether the sources had changes."""
        query = (
            sa.select(REGRESSIONS.c.night, REGRESSIONS.c.dirty)
            .where(REGRESSIONS.c.design == design)
            .order_by(REGRESSIONS.c.started.desc(), REGRESSIONS.c.number.desc())
            .limit(limit)
        )
        return [(night_of(row.night), row.dirty) for row in self._ask(query)]

    def with_bucket(self, design: str, bucket: str) -> list[str]:
        """Return the ids of the regressions that had failures in a bucket, newest first."""
        query = (
            sa.select(REGRESSIONS.c.id)
            .where(
                REGRESSIONS.c.design == design,
                REGRESSIONS.c.number.in_(sa.select(RESULTS.c.regression).where(RESULTS.c.bucket == bucket)),
            )
            .order_by(REGRESSIONS.c.started.desc(), REGRESSIONS.c.number.desc())
        )
        return [row.id for row in self._ask(query)]

    def latest(self, design: str) -> tuple[str, str] | None:
        """Return id and commit of the latest regression of a design; None where there is none."""
        query = (
            sa.select(REGRESSIONS.c.id, REGRESSIONS.c.commit)
            .where(REGRESSIONS.c.design == design)
            .order_by(REGRESSIONS.c.started.desc(), REGRESSIONS.c.number.desc())
            .limit(1)
        )
        return next(((row.id, row.commit) for row in self._ask(query)), None)

    def buckets(self, design: str) -> dict[str, Past]:
        """Return all buckets that a design ever had, by id."""
        return {
            row.id: Past(
                bucket=Bucket(
                    id=row.id, title=row.title, verdict=Verdict(row.verdict), place=row.place,
                    first_seen=row.first_seen, last_good=row.last_good, since=row.since,
                    owner=row.owner, note=row.note,
                    state=BucketState.KNOWN if row.open else BucketState.FIXED,
                ),
                open=row.open,
                last=row.last,
            )
            for row in self._ask(sa.select(BUCKETS).where(BUCKETS.c.design == design))
        }  # fmt: skip

    def said_of(self, regression: str) -> dict[str, Bucket]:
        """Return the buckets that a regression was recorded with, by id; none where it was not.

        They have state and commits as they were then, and owner and note as they are now.
        """
        query = sa.select(REGRESSIONS.c.design, REGRESSIONS.c.buckets).where(REGRESSIONS.c.id == regression)
        row = next(iter(self._ask(query)), None)
        if row is None:
            return {}
        now = self.buckets(row.design)
        return {
            identity: replace(
                now[identity].bucket, state=BucketState(state), first_seen=first, last_good=good, since=since
            )
            for identity, (state, first, good, since) in json.loads(row.buckets).items()
        }

    def symptoms(self, design: str) -> list[tuple[str, str]]:
        """Return each symptom, by its id, and the bucket that it was put in."""
        query = sa.select(SYMPTOMS.c.symptom, SYMPTOMS.c.bucket).where(SYMPTOMS.c.design == design)
        return [(row.symptom, row.bucket) for row in self._ask(query)]

    def shown_at(self, design: str, commit: str, without: str = "") -> tuple[set[Shown], set[Shown]]:
        """Return what passed in clean checkouts of a commit, and what failed: each by key and inputs."""
        query = (
            sa.select(
                CASES.c.test, CASES.c.testcase, RESULTS.c.seed, RESULTS.c.inputs, RESULTS.c.verdict
            )
            .join(CASES, CASES.c.number == RESULTS.c.case)
            .join(REGRESSIONS, REGRESSIONS.c.number == RESULTS.c.regression)
            .where(
                REGRESSIONS.c.design == design, REGRESSIONS.c.commit == commit, REGRESSIONS.c.id != without,
                REGRESSIONS.c.dirty.is_(False), RESULTS.c.verdict.in_([*BAD, CODE_OF[Verdict.PASS]]),
            )
        )  # fmt: skip
        passed: set[Shown] = set()
        failed: set[Shown] = set()
        for row in self._ask(query):
            shown = (row.test, row.testcase, unsigned(row.seed), row.inputs)
            (failed if row.verdict in BAD else passed).add(shown)
        return passed, failed

    def reruns(self, design: str, commit: str, command: str) -> list[Rerun]:
        """Return what a command showed at a commit when it was last run there; nothing where it never was."""
        query = sa.select(RERUNS).where(*rerun_key(design, commit, command))
        return [Rerun(row.testcase, Verdict(row.verdict), row.symptom) for row in self._ask(query)]

    def failures(self, number: int, bucket: str) -> list[Failure]:
        """Return a regression's failures in a bucket."""
        query = (
            sa.select(CASES.c.test, CASES.c.testcase, RESULTS.c.seed, RESULTS.c.digest, RESULTS.c.flaky)
            .join(CASES, CASES.c.number == RESULTS.c.case)
            .where(RESULTS.c.regression == number, RESULTS.c.bucket == bucket)
        )
        return [
            Failure(
                test=r.test, testcase=r.testcase, seed=unsigned(r.seed), digest=r.digest or 0, flaky=r.flaky
            )
            for r in self._ask(query)
        ]

    def tallies(
        self, design: str, limit: int = 20, *, without: str = "", before: str = ""
    ) -> list[tuple[int, str, dict[Case, tuple[int, int]]]]:
        """Return the latest regressions, newest first: number, commit, and (passed, failed) of each case.

        Parameters
        ----------
        design
            Whose.
        limit
            How many at most.
        without
            Id of a regression to leave out.
        before
            Leave out what started after that; ISO.
        """
        latest = self._numbers(design, limit, without, before)
        found: dict[int, dict[Case, tuple[int, int]]] = {row.number: {} for row in latest}
        passed = sa.func.sum(sa.case((RESULTS.c.verdict == CODE_OF[Verdict.PASS], 1), else_=0))
        failed = sa.func.sum(sa.case((RESULTS.c.verdict.in_(BAD), 1), else_=0))
        query = (
            sa.select(
                RESULTS.c.regression, CASES.c.test, CASES.c.testcase, passed.label("p"), failed.label("f")
            )
            .join(CASES, CASES.c.number == RESULTS.c.case)
            .where(RESULTS.c.regression.in_(found))
            .group_by(RESULTS.c.regression, CASES.c.test, CASES.c.testcase)
        )
        for row in self._ask(query):
            found[row.regression][row.test, row.testcase] = int(row.p), int(row.f)
        return [(row.number, row.commit, found[row.number]) for row in latest]

    def tests(self, design: str, regressions: int = 5) -> dict[str, TestPast]:
        """Return what the latest regressions tell of each test."""
        good = RESULTS.c.verdict == CODE_OF[Verdict.PASS]
        time_s = sa.case((good, RESULTS.c.time_s))
        ran = RESULTS.c.verdict.in_([*BAD, CODE_OF[Verdict.PASS]])
        query = (
            sa.select(
                CASES.c.test,
                sa.func.count().label("runs"),
                sa.func.sum(sa.case((good, 0), else_=1)).label("failed"),
                sa.func.avg(time_s).label("mean_s"),
                sa.func.max(time_s).label("slowest_s"),
                sa.func.count(sa.distinct(CASES.c.number)).label("cases"),
            )
            .join(CASES, CASES.c.number == RESULTS.c.case)
            .where(RESULTS.c.regression.in_([row.number for row in self._numbers(design, regressions)]), ran)
            .group_by(CASES.c.test)
        )
        return {
            row.test: TestPast(
                runs=int(row.runs),
                failed=int(row.failed),
                mean_s=row.mean_s,
                slowest_s=row.slowest_s,
                cases=int(row.cases),
            )
            for row in self._ask(query)
        }


def annotate(
    history: History, design: str, bucket: str, *, owner: str | None = None, note: str | None = None
) -> None:
    """Say whose a bucket is; see :meth:`History.annotate`."""
    history.annotate(design, bucket, owner=owner, note=note)
