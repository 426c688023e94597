"""A connection to a relational database, and its errors in the user's words.

SQLAlchemy, because the same code then serves the embedded SQLite file of one
user and the PostgreSQL server of a team; only Core is used, since rows come
in bulk.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from flow.engine.provenance import without_password
from flow.model.errors import ConfigError, InfraError

__all__ = ["Database"]

#: What a message holds, and what to do then.
_REMEDIES = (
    (("malformed", "not a database"), "Remove the file if it is damaged."),
    (("full",), "Free some space and run the same command again: finished steps are kept."),
    (
        ("no such column", "UndefinedColumn"),
        "Another version of Suzuri made it: move it away, or name another.",
    ),
)


#: What PostgreSQL and its driver say of a connection that broke, or of a server that comes or goes.
_LOST = (
    "server closed the connection", "terminating connection", "connection is lost", "connection is closed",
    "connection refused", "consuming input failed", "starting up", "shutting down", "recovery mode",
    "no such file or directory", "connection reset", "broken pipe", "could not receive data",
)  # fmt: skip
#: Seconds that a server is given to come back, and to be there at first.
_PATIENCE_S = 60.0
_FIRST_S = 10.0

T = TypeVar("T")


class Database:
    """A database that has the tables of `tables`; they are made where they are missing.

    A server that goes away is waited for, a minute once it was there.

    Parameters
    ----------
    where
        Path of an SQLite file, or a SQLAlchemy URL.
    tables
        The tables.
    what
        What it is, for messages: ``the run database``.

    Raises
    ------
    ConfigError
        The URL cannot be understood, or its driver is not installed.
    InfraError
        The database cannot be opened.
    """

    def __init__(self, where: Path | str, tables: sa.MetaData, what: str) -> None:
        if isinstance(where, str) and "://" not in where:
            where = Path(where)
        self._where, self._what, self._tables = without_password(str(where)), what, tables
        url = f"sqlite:///{where}" if isinstance(where, Path) else where
        try:
            self._engine = sa.create_engine(
                url, connect_args={"timeout": 60} if "sqlite" in url else {}, pool_pre_ping=True
            )
        except (sa.exc.ArgumentError, ImportError) as error:
            driver = getattr(error, "name", None)
            remedy = f"Install its driver: pip install {driver}[binary]" if driver == "psycopg" else (
                f"Install its driver: pip install {driver}" if driver else
                "Give a path, or postgresql+psycopg://HOST/NAME."
            )  # fmt: skip
            raise ConfigError(f"the database cannot be used ({error})", self._where, remedy) from None
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _tune_sqlite)
        with self._guard():
            if isinstance(where, Path):
                where.parent.mkdir(parents=True, exist_ok=True)
            self._patiently(self._create_tables, _FIRST_S)

    def _patiently(self, work: Callable[[], T], patience_s: float = _PATIENCE_S) -> T:
        """Do `work`, again when its connection is lost; the server may be restarting.

        A transaction that was under way counts for nothing, but whether one
        that was being committed did is not known: `work` must come to the same
        when it is done twice.
        """
        end = time.monotonic() + patience_s
        wait_s = 0.1
        while True:
            try:
                return work()
            except sa.exc.DBAPIError as error:
                if not self._lost(error) or time.monotonic() + wait_s > end:
                    raise
            time.sleep(wait_s)
            wait_s = min(2.0, 2 * wait_s)

    def _lost(self, error: sa.exc.DBAPIError) -> bool:
        if self._engine.dialect.name == "sqlite":
            return False  # a file is there or not
        return error.connection_invalidated or any(word in str(error).lower() for word in _LOST)

    def _transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Do `work`, which doing twice does once, in a transaction."""

        def once() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        with self._guard():
            return self._patiently(once)

    def _create_tables(self) -> None:
        """Make the tables that are not there; another process may be doing the same."""
        for attempt in range(5):
            try:
                self._tables.create_all(self._engine)
            except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
                if attempt == 4 or "exists" not in str(error):
                    raise
            else:
                return

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        """Say what a database's error means."""
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            text = str(getattr(error, "orig", None) or error)
            remedy = next((told for words, told in _REMEDIES if any(word in text for word in words)), None)
            raise InfraError(f"{self._what} cannot be used ({text})", self._where, remedy) from None

    def _ask(self, query: sa.Select[Any]) -> list[Any]:
        """Return the rows that answer a query."""

        def once() -> list[Any]:
            with self._engine.connect() as connection:
                return list(connection.execute(query))

        with self._guard():
            return self._patiently(once)

    def close(self) -> None:
        """Close it."""
        self._engine.dispose()


def _tune_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DB-API connection
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers and one writer do not wait for each other
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=60000")
    cursor.close()
