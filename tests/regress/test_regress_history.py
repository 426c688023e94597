"""Regressions in a database: what is kept, in how many bytes, and what is read back."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from flow.model.errors import ConfigError, InfraError
from flow.regress.classify import classify
from flow.regress.diff import diff
from flow.regress.history import History, annotate
from flow.regress.model import BucketState, Regression, Result, Verdict


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "new" / "regressions.sqlite")


def _result(seed: int, message: str = "", *, test: str = "fifo", verdict: Verdict | None = None) -> Result:
    verdict = verdict or (Verdict.FAIL if message else Verdict.PASS)
    return Result(
        test=test, testcase="main", seed=seed, verdict=verdict, message=message, module="bench",
        place="b.py:3" if message else "", time_s=float(seed % 7),
        command=f"suzuri test {test} --seed {seed}",
    )  # fmt: skip


def _regression(night: int, *results: Result, **others: object) -> Regression:
    return Regression(
        id=f"r{night}", design="d", suite="nightly", commit=f"c{night}",
        started=f"2026-01-{night:02d}T00:00:00", results=results, **others,
    )  # fmt: skip


def _keep(history: History, regression: Regression) -> Regression:
    classified = classify(regression, history)
    history.record(classified)
    return classified


def test_owner_and_note_stay_with_a_bucket(history: History) -> None:
    (bucket,) = _keep(history, _regression(1, _result(1, "E: word 1 lost"))).buckets
    annotate(history, "d", bucket.id, owner="ann")
    annotate(history, "d", bucket.id, note="see the arbiter\0")
    (again,) = _keep(history, _regression(2, _result(1, "E: word 2 lost"))).buckets
    assert (again.owner, again.note) == ("ann", "see the arbiter\N{REPLACEMENT CHARACTER}")
    annotate(history, "d", bucket.id, owner="", note="")
    (cleared,) = classify(_regression(3, _result(1, "E: word 2 lost")), history).buckets
    assert (cleared.owner, cleared.note, cleared.state) == ("", "", BucketState.KNOWN)


def test_a_bucket_that_never_was_cannot_be_owned(history: History) -> None:
    with pytest.raises(ConfigError, match="no regression of d had a bucket 0123456789"):
        annotate(history, "d", "0123456789", owner="ann")


def test_recording_twice_is_recording_once(history: History) -> None:
    seeds = (1, (1 << 63) - 1, (1 << 64) - 1)
    regression = _regression(1, *(_result(seed, "E: word 1 lost") for seed in seeds))
    first = _keep(history, regression)
    assert classify(regression, history) == first
    history.record(first)
    assert history.tests("d")["fifo"].runs == 3
    assert {failure.seed for failure in history.failures(1, first.buckets[0].id)} == set(seeds)
    assert len(history.nights("d", "nightly")) == 1
    assert history.latest("d") == ("r1", "c1")
    assert history.latest("other") is None


def test_a_recorded_regression_is_classified_as_it_was(history: History) -> None:
    nights = [
        _regression(1, _result(1, "E: x"), _result(2)),
        _regression(2, _result(1), _result(2, "ProtocolError: o: withdrawn")),
        _regression(3, _result(1, "E: x"), _result(2)),
    ]
    for night, states in zip(nights, (["new"], ["new", "fixed"], ["back", "fixed"]), strict=True):
        first = _keep(history, night)
        assert [bucket.state for bucket in first.buckets] == states
        assert classify(night, history) == first


def test_tells_what_tests_took_and_how_often_they_failed(history: History) -> None:
    _keep(
        history, _regression(1, _result(2), _result(6), _result(3, "E: x"), _result(5, verdict=Verdict.INFRA))
    )
    past = history.tests("d")["fifo"]
    assert (past.runs, past.failed, past.mean_s, past.slowest_s) == (3, 1, 4.0, 6.0)
    _keep(history, _regression(2, _result(1)))
    assert history.tests("d", regressions=1)["fifo"].failed == 0
    assert history.tests("other") == {}


def test_trends_are_of_one_suite_and_oldest_first(history: History) -> None:
    for night in (2, 1, 3):
        _keep(history, _regression(night, _result(1), _result(2, "E: x")))
    _keep(history, replace(_regression(4, _result(1)), suite="smoke"))
    nights = history.nights("d", "nightly", limit=2)
    assert [night.id for night in nights] == ["r2", "r3"]
    assert nights[0].counts[Verdict.FAIL] == 1
    assert nights[1].states[BucketState.KNOWN] == 1


def test_a_regression_without_a_buckets_tests_says_nothing_of_it(history: History) -> None:
    _keep(history, _regression(1, _result(1, "E: x")))
    assert not _keep(history, _regression(2, _result(1, test="other"))).buckets
    assert [b.state for b in _keep(history, _regression(3, _result(1, "E: x"))).buckets] == [
        BucketState.KNOWN
    ]


def test_a_test_that_fails_otherwise_is_not_fixed(history: History) -> None:
    (before,) = _keep(history, _regression(1, _result(1, "ProtocolError: o: valid withdrawn"))).buckets
    (now,) = _keep(history, _regression(2, _result(1, "ProtocolError: i: ready is low"))).buckets
    assert now.id != before.id
    assert now.state is BucketState.NEW
    assert history.buckets("d")[before.id].open


def test_says_why_the_database_cannot_be_used(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(InfraError, match="history of regressions cannot be used"):
        History(damaged)
    with pytest.raises(ConfigError, match="cannot be used"):
        History("nonsense://somewhere")


def test_what_differs_between_two_regressions(history: History) -> None:
    lost, hangs = "E: word 1 lost", "ProtocolError: o: valid withdrawn"
    a = _keep(
        history,
        _regression(1, _result(1), _result(2, lost), _result(3, lost), _result(4, lost), _result(9, lost)),
    )
    b = classify(
        _regression(
            2,
            _result(1, hangs),
            _result(2),
            _result(3, "E: word 7 lost"),
            _result(4, hangs),
            _result(1, test="new"),
        ),
        history,
    )
    found = diff(a, b)
    changes = (found.broken, found.mended, found.still, found.changed)
    assert [[change.key[2] for change in part] for part in changes] == [[1], [2], [3], [4]]
    assert [r.seed for r in found.failing_only_a] == [9]
    assert (found.failing_only_b, found.only_a, found.only_b) == ((), (), (("new", "main"),))
    assert [len(part) for part in (found.new, found.gone, found.kept)] == [1, 0, 1]
    assert found.worse
    assert not diff(b, b).worse
    assert not diff(b, a).new


@pytest.mark.nightly
def test_a_hundred_thousand_results_take_few_bytes(tmp_path: Path) -> None:
    where = tmp_path / "regressions.sqlite"
    history = History(where)
    results = [
        replace(_result(seed, f"E: word {seed} lost" if seed % 50 == 0 else ""), test=f"t{seed % 100}")
        for seed in range(1 << 62, (1 << 62) + 100_000)
    ]
    started = time.monotonic()
    first = _keep(history, _regression(1, *results))
    print(f"recorded in {time.monotonic() - started:.1f} s")
    assert sum(len(bucket.members) for bucket in first.buckets) == 2000
    assert {b.state for b in classify(_regression(2, *results), history).buckets} == {BucketState.KNOWN}
    history.close()
    size_mb = sum(path.stat().st_size for path in tmp_path.iterdir()) / 1e6
    print(f"{size_mb:.1f} MB")
    assert size_mb < 20


def test_says_that_another_version_made_the_database(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE regressions (number INTEGER PRIMARY KEY)")
    history = History(path)
    with pytest.raises(InfraError, match="no such column") as caught:
        history.latest("fifo")
    history.close()
    assert "Another version" in (caught.value.remedy or "")


def test_another_writer_may_be_first(tmp_path: Path) -> None:
    """What is not there when a transaction looks may be there when it inserts."""
    where = tmp_path / "regressions.sqlite"
    history, other = History(where), History(where)
    regression = classify(_regression(1, _result(1, "E: word 1 lost"), _result(2)), history)
    inserts: list[str] = []

    def be_first(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO regressions "):
            inserts.append(statement)
            if len(inserts) == 1:  # this transaction holds no lock yet
                other.record(regression)

    sa.event.listen(history._engine, "before_cursor_execute", be_first)
    history.record(regression)
    assert len(inserts) == 2
    assert [night.id for night, _ in history.regressions("d")] == ["r1"]
    assert history.tests("d")["fifo"].runs == 2
    assert len(history.failures(1, regression.buckets[0].id)) == 1
    history.close()
    other.close()


def test_what_collides_for_ever_is_an_error(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.regress.history_records.time.sleep", lambda seconds: None)
    asked: list[object] = []

    def collide(connection: object, regression: object) -> int:
        asked.append(connection)
        raise sa.exc.IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))

    monkeypatch.setattr(history, "_begin", collide)
    with pytest.raises(InfraError, match="UNIQUE constraint failed"):
        history.record(_regression(1, _result(1)))
    assert len(asked) == 8


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    where = tmp_path / "regressions.sqlite"
    History(where).close()

    def record(night: int) -> None:
        history = History(where)
        try:
            _keep(history, _regression(night, _result(1, "E: word 1 lost"), _result(2)))
        finally:
            history.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(record, [1, 2, 3, 4, 5, 5]))
    history = History(where)
    assert [night.id for night, _ in history.regressions("d")] == ["r5", "r4", "r3", "r2", "r1"]
    assert history.tests("d")["fifo"].runs == 10
    (bucket,) = history.buckets("d")
    assert history.with_bucket("d", bucket) == ["r5", "r4", "r3", "r2", "r1"]
    assert history.with_bucket("d", "0" * 10) == []
    history.close()
