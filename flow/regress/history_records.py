"""Writes regressions into their database: any number of processes may, at the same time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flow.engine.database import Database
from flow.model.errors import ConfigError
from flow.regress.buckets import Case
from flow.regress.history_tables import BUCKETS, CASES, META, REGRESSIONS, RERUNS, RESULTS, SYMPTOMS
from flow.regress.model import BucketState, Night, Regression, Verdict
from flow.regress.normalise import symptom_of
from flow.regress.past import (
    Rerun,
    digest_of,
    hexdigest,
    inputs_of,
    night_text,
)

__all__ = ["BAD", "CODE_OF", "Records", "rerun_key", "unsigned"]

_CODES = tuple(Verdict)  # a verdict is stored as its number here: only ever add at the end
CODE_OF = {verdict: code for code, verdict in enumerate(_CODES)}
BAD = tuple(CODE_OF[verdict] for verdict in Verdict if verdict.triaged)
_CHUNK = 5000
#: How often a transaction is begun again that collided with another writer's.
_ATTEMPTS = 8


def _signed(seed: int) -> int:
    return seed - (1 << 64) if seed >= 1 << 63 else seed


def unsigned(seed: int) -> int:
    """Return a seed as it was before the database took it."""
    return seed + (1 << 64) if seed < 0 else seed


def rerun_key(design: str, commit: str, command: str) -> list[sa.ColumnElement[bool]]:
    """Return what finds the rows of a command at a commit."""
    return [RERUNS.c.design == design, RERUNS.c.commit == commit, RERUNS.c.command == hexdigest(command)]


def _clean(text: str, length: int | None = None) -> str:
    """Return text as every database takes it."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if length is None or len(text) <= length:
        return text
    return f"{text[: length - 9]}~{hexdigest(text)[:8]}"


class Records(Database):
    """The database of regressions, as it is written to.

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

        def once() -> None:
            with self._engine.begin() as connection:
                work(connection)

        with self._guard():
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._patiently(once)
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
                "verdict": CODE_OF[r.verdict],
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

    def keep_reruns(self, design: str, commit: str, command: str, shown: Sequence[Rerun]) -> None:
        """Keep what a command showed at a commit."""
        at = {"design": design, "commit": commit, "command": hexdigest(command)}
        rows = {_clean(r.testcase, 256): {"verdict": str(r.verdict), "symptom": r.symptom} for r in shown}

        def write(connection: sa.Connection) -> None:
            connection.execute(RERUNS.delete().where(*rerun_key(design, commit, command)))
            if rows:
                connection.execute(
                    RERUNS.insert(), [{**at, "testcase": case, **row} for case, row in rows.items()]
                )

        self._write(write)
