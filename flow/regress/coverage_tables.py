"""Coverage over nights, in the database of the history: covered and total of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from flow.engine.database import Database
from flow.regress.model import Regression

__all__ = ["CoverageNights"]

_META = sa.MetaData()
_COVERAGE = sa.Table(
    "regression_coverage",
    _META,
    sa.Column("regression", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), primary_key=True),
    sa.Column("covered", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
)


class CoverageNights(Database):
    """What regressions covered, by their id and kind of coverage.

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
        super().__init__(where, _META, "the history of coverage")

    def record(self, regression: Regression) -> None:
        """Keep what a regression covered; doing it twice is doing it once."""
        rows = [
            {"regression": regression.id, "kind": kind, "covered": covered, "total": total}
            for kind, (covered, total) in regression.coverage.get("kinds", {}).items()
        ]
        with self._guard(), self._engine.begin() as connection:
            connection.execute(_COVERAGE.delete().where(_COVERAGE.c.regression == regression.id))
            if rows:
                connection.execute(_COVERAGE.insert(), rows)

    def nights(self, regressions: Sequence[str]) -> dict[str, Mapping[str, tuple[int, int]]]:
        """Return covered and total by kind, of those of these regressions that left coverage."""
        found: dict[str, dict[str, tuple[int, int]]] = {}
        query = sa.select(_COVERAGE).where(_COVERAGE.c.regression.in_(list(regressions)))
        for row in self._ask(query):
            found.setdefault(row.regression, {})[row.kind] = row.covered, row.total
        return dict(found)
