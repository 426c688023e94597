"""The run database."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.engine.provenance import without_password
from flow.engine.store import Store
from flow.model.check import Check
from flow.model.errors import ConfigError, InfraError
from flow.model.step import Outcome, Status, Step

ROW = {"design": "d", "commit": None, "dirty": None, "command": "suzuri run", "host": "h", "pid": 1}


def simulate(rows, **values):
    step = Step(name="simulate.t.0", kind="simulate", stage="s:S", tags={"test": "t"})
    return step, Outcome(status=Status.DONE, key="k", data={"tests": rows}, **values)


def case(name, seed=1, **values):
    return {"test": "t", "module": "m", "name": name, "status": "passed", "seed": seed, "time_s": 0.1,
            "message": "", **values}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path / "runs.sqlite")
    found.begin("r1", ROW)
    yield found
    found.close()


def test_what_was_added_can_be_read(store):
    store.add("r1", *simulate([case("a"), case("b", status="failed")], metrics={"sim__test__count": 2}))
    store.end("r1", "fail", 1, {"reasons": ["b failed"]})
    assert [(r["id"], r["status"], r["exit_code"]) for r in store.runs()] == [("r1", "fail", 1)]
    assert {r["testcase"]: r["status"] for r in store.rows("tests", "r1")} == {
        "a": "passed",
        "b": "failed",
    }
    assert store.rows("metrics", "r1")[0]["value"] == 2


def test_no_name_is_too_long_and_no_character_too_odd_for_any_database(store):
    long = "n" * 5000
    checks = (Check(name=f"sim.t.{long}", passed=False, message="zero \0, half \ud83d"),)
    store.add("r1", *simulate([case(long + "1"), case(long + "2")], checks=checks))
    store.flush()
    tests, (check,) = store.rows("tests", "r1"), store.rows("checks", "r1")
    assert len(tests) == 2  # still told apart
    assert all(len(row["testcase"]) <= 256 for row in tests)
    assert len(check["name"]) <= 128
    assert check["message"] == "zero \N{REPLACEMENT CHARACTER}, half ?"


def test_cases_called_alike_are_no_matter(store):
    store.add("r1", *simulate([case("a"), case("a", status="failed")]))
    store.flush()
    assert [row["status"] for row in store.rows("tests", "r1")] == ["failed"]


def test_a_path_is_taken_as_text_too(tmp_path):
    Store(str(tmp_path / "sub" / "runs.sqlite")).close()
    assert (tmp_path / "sub" / "runs.sqlite").is_file()


def test_a_database_of_an_unknown_kind():
    with pytest.raises(ConfigError, match="the database cannot be used"):
        Store("nosuch://me:secret@host/x")


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "x.sqlite").write_text("something else " * 100)
    with pytest.raises(InfraError, match="Remove the file if it is damaged"):
        Store(tmp_path / "x.sqlite")


def test_a_password_is_not_shown():
    with pytest.raises(ConfigError) as caught:
        Store("nosuch://me:secret@host/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql+psycopg://me:se:cret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("--database=s3://key:secret@bucket", "--database=s3://key:***@bucket"),
        ("tcp://127.0.0.1:8786", "tcp://127.0.0.1:8786"),
        ("a@b", "a@b"),
    ],
)
def test_passwords_in_urls_are_masked(text, masked):
    assert without_password(text) == masked


def test_two_stores_at_once(tmp_path: Path):
    first, second = Store(tmp_path / "x.sqlite"), Store(tmp_path / "x.sqlite")
    first.begin("a", ROW)
    second.begin("b", ROW)
    first.add("a", *simulate([case("x")]))
    second.add("b", *simulate([case("x")]))
    first.close()
    second.close()
    again = Store(tmp_path / "x.sqlite")
    assert {r["id"] for r in again.runs()} == {"a", "b"}
    assert len(again.rows("tests", "a")) == len(again.rows("tests", "b")) == 1
    again.close()
