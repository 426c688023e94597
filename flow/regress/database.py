"""The connection to the database of regressions, and its errors in the user's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from flow.engine.provenance import without_password
from flow.model.errors import ConfigError, InfraError
from flow.regress.history_tables import META

__all__ = ["Database"]


class Database:
    """A database with the tables of regressions.

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
        if isinstance(where, str) and "://" not in where:
            where = Path(where)
        self._where = without_password(str(where))
        url = f"sqlite:///{where}" if isinstance(where, Path) else where
        try:
            self._engine = sa.create_engine(url, connect_args={"timeout": 60} if "sqlite" in url else {})
        except (sa.exc.ArgumentError, ImportError) as error:
            raise ConfigError(
                f"the database cannot be used ({error})", self._where, "Give a path, or install its driver."
            ) from None
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _tune_sqlite)
        with self._guard():
            if isinstance(where, Path):
                where.parent.mkdir(parents=True, exist_ok=True)
            for attempt in range(5):  # another process may be making the same tables
                try:
                    META.create_all(self._engine)
                    break
                except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
                    if attempt == 4 or "exists" not in str(error):
                        raise

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            text = str(getattr(error, "orig", None) or error)
            raise InfraError(f"the history of regressions cannot be used ({text})", self._where) from None

    def _ask(self, query: sa.Select[Any]) -> list[Any]:
        with self._guard(), self._engine.connect() as connection:
            return list(connection.execute(query))

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()


def _tune_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DB-API connection
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers and one writer do not wait for each other
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=60000")
    cursor.close()
