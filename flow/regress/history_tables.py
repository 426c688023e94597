"""The tables of regressions: a result takes few bytes, for there are 100,000 in one."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["BUCKETS", "CASES", "META", "REGRESSIONS", "RERUNS", "RESULTS", "SYMPTOMS"]

META = sa.MetaData()

REGRESSIONS = sa.Table(
    "regressions",
    META,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), unique=True, nullable=False),
    sa.Column("design", sa.String(128), index=True, nullable=False),
    sa.Column("suite", sa.String(128), nullable=False),
    sa.Column("started", sa.String(32), nullable=False),
    sa.Column("commit", sa.String(64), nullable=False),
    sa.Column("dirty", sa.Boolean, nullable=False),
    sa.Column("night", sa.Text, nullable=False),
    sa.Column("buckets", sa.Text, nullable=False),
)
CASES = sa.Table(
    "regression_cases",
    META,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("design", sa.String(128), nullable=False),
    sa.Column("test", sa.String(256), nullable=False),
    sa.Column("testcase", sa.String(256), nullable=False),
    sa.UniqueConstraint("design", "test", "testcase"),
)
RESULTS = sa.Table(
    "regression_results",
    META,
    sa.Column("regression", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("case", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seed", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("verdict", sa.SmallInteger, nullable=False),
    sa.Column("inputs", sa.BigInteger, nullable=False),
    sa.Column("flaky", sa.Boolean, nullable=False),
    sa.Column("time_s", sa.Float),
    sa.Column("digest", sa.BigInteger),
    sa.Column("bucket", sa.String(10)),
    sqlite_with_rowid=False,
)
BUCKETS = sa.Table(
    "regression_buckets",
    META,
    sa.Column("design", sa.String(128), primary_key=True),
    sa.Column("id", sa.String(10), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("first_seen", sa.String(64), nullable=False),
    sa.Column("last_good", sa.String(64), nullable=False),
    sa.Column("since", sa.String(32), nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.Column("owner", sa.String(128), nullable=False, default=""),
    sa.Column("note", sa.Text, nullable=False, default=""),
)
SYMPTOMS = sa.Table(
    "regression_symptoms",
    META,
    sa.Column("design", sa.String(128), primary_key=True),
    sa.Column("symptom", sa.String(10), primary_key=True),
    sa.Column("bucket", sa.String(10), primary_key=True),
)
#: What single runs at other commits showed: a verdict, and the symptom of a failure.
RERUNS = sa.Table(
    "regression_reruns",
    META,
    sa.Column("design", sa.String(128), primary_key=True),
    sa.Column("commit", sa.String(64), primary_key=True),
    sa.Column("command", sa.String(64), primary_key=True),
    sa.Column("testcase", sa.String(256), primary_key=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("symptom", sa.String(10), nullable=False),
)
