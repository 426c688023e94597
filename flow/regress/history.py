"""Regressions over nights, in a relational database: results in few bytes each, buckets with their owners.

SQLAlchemy Core, as the store of runs has it and in the same database where
one is given: an SQLite file of one user, or the PostgreSQL server of a team.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flow.engine.database import Database
from flow.model.errors import ConfigError
from flow.regress.buckets import Case
from flow.regress.history_tables import BUCKETS, CASES, META, REGRESSIONS, RERUNS, RESULTS, SYMPTOMS
from flow.regress.model import Bucket, BucketState, Night, Regression, Verdict
from flow.regress.normalise import symptom_of
from flow.regress.past import (
    Failure,
    Past,
    Rerun,
    TestPast,
    digest_of,
    hexdigest,
    inputs_of,
    night_of,
    night_text,
)

__all__ = ["History", "TestPast", "annotate"]

_CODES = tuple(Verdict)  # a verdict is stored as its number here: only ever add at the end
_CODE_OF = {verdict: code for code, verdict in enumerate(_CODES)}
_BAD = tuple(_CODE_OF[verdict] for verdict in Verdict if verdict.triaged)
_CHUNK = 5000
#: How often a transaction is begun again that collided with another writer's.
_ATTEMPTS = 8

Shown = tuple[str, str, int, int]


def _signed(seed: int) -> int:
    return seed - (1 << 64) if seed >= 1 << 63 else seed


def _unsigned(seed: int) -> int:
    return seed + (1 << 64) if seed < 0 else seed


def _rerun_key(design: str, commit: str, command: str) -> list[sa.ColumnElement[bool]]:
    return [RERUNS.c.design == design, RERUNS.c.commit == commit, RERUNS.c.command == hexdigest(command)]


def _clean(text: str, length: int | None = None) -> str:
    """Return text as every database takes it."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if length is None or len(text) <= length:
        return text
    return f"{text[: length - 9]}~{hexdigest(text)[:8]}"


class History(Database):
    """The database of regressions.

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

    def __init__(self, where: Path | str) -> None:
        super().__init__(where, META, "the history of regressions")

    # Writing.

    def record(self, regression: Regression) -> None:
        """Keep a regression, as ``classify`` returned it; doing it twice is doing it once.

        Any number of processes may record at the same time.
        """
        self._write(lambda connection: self._record(connection, regression))

    def _write(self, work: Callable[[sa.Connection], None]) -> None:
        """Do `work` in a transaction, again where another writer was first.

        Two that find the same row missing both insert it: the database
        refuses the second, which finds the row when it begins again. The same
        goes for two that wait for each other.
        """
        with self._guard():
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    with self._engine.begin() as connection:
                        work(connection)
                except (sa.exc.IntegrityError, sa.exc.OperationalError) as error:
                    collided = isinstance(error, sa.exc.IntegrityError) or any(
                        word in str(error) for word in ("deadlock", "locked", "serialize")
                    )
                    if not collided or attempt == _ATTEMPTS:
                        raise
                    time.sleep(random.uniform(0, 0.05 * attempt))  # so that two do not keep step
                else:
                    return

    def _record(self, connection: sa.Connection, regression: Regression) -> None:
        number = self._begin(connection, regression)
        cases = self._case_numbers(connection, regression)
        where = {key: b.id for b in regression.buckets for key in b.members}
        rows = {
            (cases[r.test, r.testcase], _signed(r.seed)): {
                "regression": number,
                "case": cases[r.test, r.testcase],
                "seed": _signed(r.seed),
                "verdict": _CODE_OF[r.verdict],
                "inputs": inputs_of(r),
                "flaky": r.flaky,
                "time_s": r.time_s,
                "digest": digest_of(r) if r.verdict.triaged else None,
                "bucket": where.get(r.key),
            }
            for r in regression.results
        }
        values = list(rows.values())
        for start in range(0, len(values), _CHUNK):
            connection.execute(RESULTS.insert(), values[start : start + _CHUNK])
        self._keep_buckets(connection, regression, number)
        found = {(symptom_of(r).id, where[r.key]) for r in regression.results if r.key in where}
        known = connection.execute(
            sa.select(SYMPTOMS.c.symptom, SYMPTOMS.c.bucket).where(SYMPTOMS.c.design == regression.design)
        )
        new = found - {(symptom, bucket) for symptom, bucket in known}
        if new:
            connection.execute(
                SYMPTOMS.insert(),
                [{"design": regression.design, "symptom": s, "bucket": b} for s, b in sorted(new)],
            )

    def _begin(self, connection: sa.Connection, regression: Regression) -> int:
        old = connection.scalar(sa.select(REGRESSIONS.c.number).where(REGRESSIONS.c.id == regression.id))
        if old is not None:
            connection.execute(RESULTS.delete().where(RESULTS.c.regression == old))
            connection.execute(REGRESSIONS.delete().where(REGRESSIONS.c.number == old))
        row = {
            "id": regression.id,
            "design": _clean(regression.design, 128),
            "started": regression.started,
            "commit": regression.commit,
            "dirty": regression.dirty,
            "night": night_text(Night.of(regression)),
            "buckets": json.dumps(
                {b.id: [b.state, b.first_seen, b.last_good, b.since] for b in regression.buckets}
            ),
            "suite": _clean(regression.suite, 128),
        }
        if old is not None:
            row["number"] = old
        made = connection.execute(REGRESSIONS.insert(), row).inserted_primary_key
        return int(made[0]) if made else int(old or 0)

    def _case_numbers(self, connection: sa.Connection, regression: Regression) -> dict[Case, int]:
        query = sa.select(CASES).where(CASES.c.design == regression.design)

        def known() -> dict[Case, int]:
            return {(row.test, row.testcase): row.number for row in connection.execute(query)}

        cases = {(r.test, r.testcase) for r in regression.results}
        named = {case: (_clean(case[0], 256), _clean(case[1], 256)) for case in cases}
        if missing := sorted(set(named.values()) - known().keys()):
            rows = [{"design": regression.design, "test": t, "testcase": c} for t, c in missing]
            connection.execute(CASES.insert(), rows)
        found = known()
        return {case: found[name] for case, name in named.items()}

    def _keep_buckets(self, connection: sa.Connection, regression: Regression, number: int) -> None:
        for bucket in sorted(regression.buckets, key=lambda bucket: bucket.id):  # all writers in one order
            key = (BUCKETS.c.design == regression.design) & (BUCKETS.c.id == bucket.id)
            row: dict[str, Any] = {"open": bucket.state is not BucketState.FIXED}
            if row["open"]:
                row |= {
                    "title": _clean(bucket.title), "verdict": str(bucket.verdict),
                    "place": _clean(bucket.place), "first_seen": bucket.first_seen,
                    "last_good": bucket.last_good, "since": bucket.since, "last": number,
                }  # fmt: skip
            if not connection.execute(BUCKETS.update().where(key).values(**row)).rowcount and row["open"]:
                new = {
                    "design": regression.design,
                    "id": bucket.id,
                    "owner": bucket.owner,
                    "note": bucket.note,
                }
                connection.execute(BUCKETS.insert(), {**new, **row})

    def annotate(
        self, design: str, bucket: str, *, owner: str | None = None, note: str | None = None
    ) -> None:
        """Say whose a bucket is, and what is known of it; None leaves what was said before.

        Raises
        ------
        ConfigError
            No regression of the design had such a bucket.
        """
        said = {"owner": None if owner is None else _clean(owner, 128), "note": note and _clean(note)}
        values = {name: value for name, value in said.items() if value is not None}
        if note == "":
            values["note"] = ""
        key = (BUCKETS.c.design == design) & (BUCKETS.c.id == bucket)
        with self._guard(), self._engine.begin() as connection:
            there = connection.scalar(sa.select(BUCKETS.c.id).where(key))
            if there is not None and values:
                connection.execute(BUCKETS.update().where(key).values(**values))
        if there is None:
            raise ConfigError(
                f"no regression of {design} had a bucket {bucket}",
                self._where,
                "Its id is in the report: ten hexadecimal digits",
            )

    # Reading.

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
                REGRESSIONS.c.dirty.is_(False), RESULTS.c.verdict.in_([*_BAD, _CODE_OF[Verdict.PASS]]),
            )
        )  # fmt: skip
        passed: set[Shown] = set()
        failed: set[Shown] = set()
        for row in self._ask(query):
            shown = (row.test, row.testcase, _unsigned(row.seed), row.inputs)
            (failed if row.verdict in _BAD else passed).add(shown)
        return passed, failed

    def reruns(self, design: str, commit: str, command: str) -> list[Rerun]:
        """Return what a command showed at a commit when it was last run there; nothing where it never was."""
        query = sa.select(RERUNS).where(*_rerun_key(design, commit, command))
        return [Rerun(row.testcase, Verdict(row.verdict), row.symptom) for row in self._ask(query)]

    def keep_reruns(self, design: str, commit: str, command: str, shown: Sequence[Rerun]) -> None:
        """Keep what a command showed at a commit."""
        at = {"design": design, "commit": commit, "command": hexdigest(command)}
        rows = {_clean(r.testcase, 256): {"verdict": str(r.verdict), "symptom": r.symptom} for r in shown}

        def write(connection: sa.Connection) -> None:
            connection.execute(RERUNS.delete().where(*_rerun_key(design, commit, command)))
            if rows:
                connection.execute(
                    RERUNS.insert(), [{**at, "testcase": case, **row} for case, row in rows.items()]
                )

        self._write(write)

    def failures(self, number: int, bucket: str) -> list[Failure]:
        """Return a regression's failures in a bucket."""
        query = (
            sa.select(CASES.c.test, CASES.c.testcase, RESULTS.c.seed, RESULTS.c.digest, RESULTS.c.flaky)
            .join(CASES, CASES.c.number == RESULTS.c.case)
            .where(RESULTS.c.regression == number, RESULTS.c.bucket == bucket)
        )
        return [
            Failure(
                test=r.test, testcase=r.testcase, seed=_unsigned(r.seed), digest=r.digest or 0, flaky=r.flaky
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
        passed = sa.func.sum(sa.case((RESULTS.c.verdict == _CODE_OF[Verdict.PASS], 1), else_=0))
        failed = sa.func.sum(sa.case((RESULTS.c.verdict.in_(_BAD), 1), else_=0))
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
        good = RESULTS.c.verdict == _CODE_OF[Verdict.PASS]
        time_s = sa.case((good, RESULTS.c.time_s))
        ran = RESULTS.c.verdict.in_([*_BAD, _CODE_OF[Verdict.PASS]])
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
