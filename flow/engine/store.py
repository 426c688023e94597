"""Runs, steps, metrics, tests, checks and coverage in a relational database.

SQLAlchemy, because the same code then serves the embedded SQLite file of one
user and the PostgreSQL server of a team; only Core is used, since rows come
in bulk.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flow.engine.hashing import canonical_json
from flow.model.errors import ConfigError, InfraError
from flow.model.step import Outcome, Step

__all__ = ["Store"]

_FLUSH_S = 0.25
_FLUSH_ROWS = 500

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


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Store:
    """The database.

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
        self._where = str(where)
        url = f"sqlite:///{where}" if isinstance(where, Path) else where
        try:
            self._engine = sa.create_engine(url, connect_args={"timeout": 60} if "sqlite" in url else {})
        except (sa.exc.ArgumentError, ImportError) as error:
            raise ConfigError(f"the database cannot be used ({error})", url,
                              "Give a path, or a URL such as postgresql+psycopg://HOST/NAME.") from None  # fmt: skip
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _tune_sqlite)
        self._lock = threading.Lock()
        self._pending: dict[sa.Table, list[dict[str, Any]]] = {}
        self._flushed = time.monotonic()
        with self._guard():
            if isinstance(where, Path):
                where.parent.mkdir(parents=True, exist_ok=True)
            self._create_tables()

    def _create_tables(self) -> None:
        """Make the tables that are not there; another run may be doing the same."""
        for attempt in range(5):
            try:
                _META.create_all(self._engine)
            except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
                if attempt == 4 or "exists" not in str(error):
                    raise
            else:
                return

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            text = str(getattr(error, "orig", None) or error)
            remedy = (
                "Remove the file if it is damaged."
                if "malformed" in text or "not a database" in text
                else None
            )
            if "full" in text:
                remedy = "Free some space and run the same command again: finished steps are kept."
            raise InfraError(f"the run database cannot be used ({text})", self._where, remedy) from None

    def begin(self, run_id: str, record: Mapping[str, Any]) -> None:
        """Record that a run started."""
        row = {"id": run_id, "started": _now(), "status": "running", **record}
        with self._guard(), self._engine.begin() as connection:
            connection.execute(RUNS.insert(), row)

    def add(self, run_id: str, step: Step, outcome: Outcome) -> None:
        """Record a step's outcome; it is on the disk a quarter of a second later at most."""
        rows = _rows(run_id, step, outcome)
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
            with self._guard(), self._engine.begin() as connection:
                for table, rows in pending.items():
                    connection.execute(table.insert(), rows)

    def end(self, run_id: str, status: str, exit_code: int, detail: Mapping[str, Any]) -> None:
        """Record how a run ended."""
        self.flush()
        values = {"ended": _now(), "status": status, "exit_code": exit_code, "detail": canonical_json(detail)}
        with self._guard(), self._engine.begin() as connection:
            connection.execute(RUNS.update().where(RUNS.c.id == run_id).values(**values))

    def runs(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the latest runs, newest first."""
        query = sa.select(RUNS).order_by(RUNS.c.started.desc()).limit(limit)
        with self._guard(), self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def rows(self, table: str, run_id: str) -> list[dict[str, Any]]:
        """Return a run's rows of ``steps``, ``metrics``, ``tests``, ``checks`` or ``coverage``."""
        found = _META.tables[table]
        with self._guard(), self._engine.connect() as connection:
            query = sa.select(found).where(found.c.run == run_id)
            return [dict(row) for row in connection.execute(query).mappings()]

    def close(self) -> None:
        """Write what is pending and close the database."""
        self.flush()
        self._engine.dispose()


def _tune_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DB-API connection
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers and one writer do not wait for each other
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=60000")
    cursor.close()


def _rows(run_id: str, step: Step, outcome: Outcome) -> dict[sa.Table, list[dict[str, Any]]]:
    at = {"run": run_id, "step": step.name}
    rows: dict[sa.Table, list[dict[str, Any]]] = {STEPS: [_step_row(run_id, step, outcome)]}
    if outcome.metrics:
        rows[METRICS] = [
            {
                **at,
                "name": name,
                "value": float(value) if isinstance(value, int | float) else None,
                "text": value if isinstance(value, str) else None,
            }
            for name, value in outcome.metrics.items()
        ]
    if outcome.checks:
        rows[CHECKS] = [
            {
                **at,
                "name": c.name,
                "passed": c.passed,
                "severity": str(c.severity),
                "message": c.message,
                "place": c.place,
            }
            for c in outcome.checks
        ]
    tests = outcome.data.get("tests") or ()
    if tests:
        rows[TESTS] = list({(t["name"], t.get("seed")): _test_row(at, step, t) for t in tests}.values())
    points = (outcome.data.get("coverage") or {}).get("coverpoints") or ()
    bins = [
        {**at, "point": p["name"], "bin": b["name"], "hits": b["hits"], "goal": b.get("goal", 1)}
        for p in points
        for b in p["bins"]
    ]
    if bins:
        rows[COVERAGE] = bins
    return rows


def _step_row(run_id: str, step: Step, outcome: Outcome) -> dict[str, Any]:
    return {
        "run": run_id,
        "name": step.name,
        "kind": step.kind,
        "key": outcome.key,
        "status": str(outcome.status),
        "finished": _now(),
        "wall_s": outcome.wall_s,
        "tool_s": outcome.tool_s,
        "cpu_s": outcome.cpu_s,
        "peak_mb": outcome.peak_mb,
        "attempts": outcome.attempts,
        "host": outcome.host,
        "tags": canonical_json(dict(step.tags)),
        "error": None if outcome.error is None else canonical_json(dict(outcome.error)),
    }


def _test_row(at: Mapping[str, str], step: Step, case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **at,
        "testcase": case["name"],
        "test": step.tags.get("test", step.name),
        "seed": str(case.get("seed", step.tags.get("seed", ""))),
        "status": case.get("status"),
        "time_s": case.get("time_s", case.get("time")),
        "message": case.get("message"),
    }
