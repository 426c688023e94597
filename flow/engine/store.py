"""Runs, steps, metrics, tests, checks and coverage in a relational database."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flow.engine.database import Database
from flow.engine.hashing import canonical_json
from flow.engine.journal import read_journal
from flow.engine.rows import now, outcome_rows
from flow.model.step import Outcome, Step

__all__ = ["Store"]

_FLUSH_S = 0.25
_FLUSH_ROWS = 500
_MOST = 2**31 - 1  # of an integer in PostgreSQL

_META = sa.MetaData()

RUNS = sa.Table(
    "runs",
    _META,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("design", sa.String(128), index=True),
    sa.Column("started", sa.DateTime, nullable=False),
    sa.Column("ended", sa.DateTime),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("commit", sa.String(64)),
    sa.Column("dirty", sa.Boolean),
    sa.Column("command", sa.Text),
    sa.Column("host", sa.String(128)),
    sa.Column("pid", sa.Integer),
    sa.Column("detail", sa.Text),
)
STEPS = sa.Table(
    "steps",
    _META,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("kind", sa.String(64), index=True),
    sa.Column("key", sa.String(64), index=True),
    sa.Column("status", sa.String(16)),
    sa.Column("finished", sa.DateTime),
    sa.Column("wall_s", sa.Float),
    sa.Column("tool_s", sa.Float),
    sa.Column("cpu_s", sa.Float),
    sa.Column("peak_mb", sa.Float),
    sa.Column("attempts", sa.Integer),
    sa.Column("host", sa.String(128)),
    sa.Column("tags", sa.Text),
    sa.Column("error", sa.Text),
)
METRICS = sa.Table(
    "metrics",
    _META,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("step", sa.String(256), primary_key=True),
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("value", sa.Float),
    sa.Column("text", sa.Text),
)
TESTS = sa.Table(
    "tests",
    _META,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("step", sa.String(256), primary_key=True),
    sa.Column("testcase", sa.String(256), primary_key=True),
    sa.Column("test", sa.String(128), index=True),
    sa.Column("seed", sa.String(24), primary_key=True),
    sa.Column("status", sa.String(16)),
    sa.Column("time_s", sa.Float),
    sa.Column("message", sa.Text),
)
CHECKS = sa.Table(
    "checks",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.String(64), index=True),
    sa.Column("step", sa.String(256)),
    sa.Column("name", sa.String(128)),
    sa.Column("passed", sa.Boolean),
    sa.Column("severity", sa.String(16)),
    sa.Column("message", sa.Text),
    sa.Column("place", sa.Text),
)
COVERAGE = sa.Table(
    "coverage",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.String(64), index=True),
    sa.Column("step", sa.String(256)),
    sa.Column("point", sa.String(256)),
    sa.Column("bin", sa.String(256)),
    sa.Column("hits", sa.Integer),
    sa.Column("goal", sa.Integer),
)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _insert(connection: sa.Connection, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    for name, new in rows.items():
        table = _META.tables[name]
        values = [{**row, "finished": _time(row["finished"])} for row in new] if name == "steps" else new
        fitted = [{key: _fit(table.c[key], value) for key, value in row.items()} for row in values]
        if "id" not in table.c:  # what a bench called alike is one row, the last
            key = [column.name for column in table.primary_key]
            fitted = list({tuple(row[k] for k in key): row for row in fitted}.values())
        connection.execute(table.insert(), fitted)


def _fit(column: sa.Column[Any], value: object) -> object:
    """Return `value` as every database takes it: SQLite minds neither length nor zero characters."""
    if isinstance(value, int) and not isinstance(value, bool) and isinstance(column.type, sa.Integer):
        return max(-_MOST, min(value, _MOST))
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    length = getattr(column.type, "length", None)
    if length is None or len(text) <= length:
        return text
    return f"{text[: length - 9]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _end(
    connection: sa.Connection,
    run_id: str,
    status: str,
    *,
    exit_code: int | None,
    reasons: Sequence[str],
    at: str | None = None,
) -> None:
    values = {
        "ended": _time(at or now()),
        "status": status,
        "exit_code": exit_code,
        "detail": canonical_json({"reasons": list(reasons)}),
    }
    connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(**values))


def _forget(connection: sa.Connection, run_id: str) -> None:
    for table in (STEPS, METRICS, TESTS, CHECKS, COVERAGE):
        connection.execute(table.delete().where(table.c.run == run_id))
    connection.execute(RUNS.delete().where(RUNS.c.id == run_id))


def _take_in(connection: sa.Connection, journal: Path) -> None:
    """Write what a journal has, in the place of what an earlier take of it left."""
    run_id, ended = None, False
    for entry in read_journal(journal):
        if "begin" in entry:
            run_id = entry["begin"]["id"]
            _forget(connection, run_id)
            row = {**entry["begin"], "started": _time(entry["begin"]["started"])}
            connection.execute(RUNS.insert(), row)
        elif run_id is None:
            return  # not a journal
        elif "end" in entry:
            ended = True
            end = entry["end"]
            _end(
                connection, run_id, end["status"],
                exit_code=end["exit_code"], reasons=end["reasons"], at=end["at"],
            )  # fmt: skip
        else:
            _insert(connection, entry["rows"])
    if run_id is not None and not ended:
        _end(connection, run_id, "killed", exit_code=None, reasons=())


class Store(Database):
    """The database of runs.

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
        super().__init__(where, _META, "the run database")
        self._lock = threading.Lock()
        self._pending: dict[str, list[dict[str, Any]]] = {}
        self._flushed = time.monotonic()

    def begin(self, run_id: str, record: Mapping[str, Any]) -> None:
        """Record that a run started."""
        row = {"id": run_id, "started": _time(now()), "status": "running", **record}

        def write(connection: sa.Connection) -> None:
            connection.execute(RUNS.delete().where(RUNS.c.id == run_id))
            connection.execute(RUNS.insert(), row)

        self._transact(write)

    def add(self, run_id: str, step: Step, outcome: Outcome) -> None:
        """Record a step's outcome; it is on the disk a quarter of a second later at most."""
        rows = outcome_rows(run_id, step, outcome)
        with self._lock:
            for table, new in rows.items():
                self._pending.setdefault(table, []).extend(new)
            count = sum(map(len, self._pending.values()))
        if count >= _FLUSH_ROWS or time.monotonic() - self._flushed > _FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        with self._lock:
            pending, self._pending = self._pending, {}
            self._flushed = time.monotonic()
        if pending:
            self._transact(lambda connection: _insert(connection, pending))

    def end(self, run_id: str, status: str, exit_code: int, reasons: Sequence[str]) -> None:
        """Record how a run ended."""
        self.flush()
        self._transact(
            lambda connection: _end(connection, run_id, status, exit_code=exit_code, reasons=reasons)
        )

    def ingest(self, journal: Path) -> None:
        """Take in the journal of a run; doing it twice is doing it once.

        A run without an end was killed.
        """
        self._transact(lambda connection: _take_in(connection, journal))

    def runs(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the latest runs, newest first."""
        query = sa.select(RUNS).order_by(RUNS.c.started.desc()).limit(limit)
        return [dict(row._mapping) for row in self._ask(query)]

    def rows(self, table: str, run_id: str) -> list[dict[str, Any]]:
        """Return a run's rows of ``steps``, ``metrics``, ``tests``, ``checks`` or ``coverage``."""
        found = _META.tables[table]
        return [dict(row._mapping) for row in self._ask(sa.select(found).where(found.c.run == run_id))]

    def close(self) -> None:
        """Write what is pending and close the database."""
        self.flush()
        super().close()
