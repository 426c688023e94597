"""Regressions on a PostgreSQL server whose connections, processes, or self, end in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import postgres
import pytest
import sqlalchemy as sa

from flow.engine.database import Database
from flow.engine.store import Store
from flow.model.errors import InfraError

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing()),
]

COUNT, STEPS = 40, 25


@pytest.fixture
def server(tmp_path):
    with postgres.started(tmp_path) as found:
        yield found


def journals(folder: Path) -> list[Path]:
    """Journals of so many runs of so many steps each."""
    import json

    folder.mkdir()
    paths = []
    for run in range(COUNT):
        name = f"run{run:03}"
        begin = {"id": name, "started": "2026-01-02T03:04:05+00:00", "status": "running", "design": "d"}
        lines: list[dict] = [{"begin": {**begin, "host": "h", "pid": 1}}]
        for step in range(STEPS):
            row = {"run": name, "name": f"s{step}", "kind": "k", "status": "done", "key": "x",
                   "finished": "2026-01-02T03:04:06+00:00"}  # fmt: skip
            lines.append({"rows": {"steps": [row], "metrics": [
                {"run": name, "step": f"s{step}", "name": "timing__fmax", "value": float(step), "text": None}
            ]}})  # fmt: skip
        lines.append(
            {"end": {"status": "pass", "exit_code": 0, "reasons": [], "at": "2026-01-02T03:05:05+00:00"}}
        )
        path = folder / f"{name}.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
        paths.append(path)
    return paths


def kill_connections(server, ended):
    while not ended.wait(0.15):
        server.ask("select pg_terminate_backend(pid) from pg_stat_activity "
                   "where backend_type = 'client backend' and pid <> pg_backend_pid()")  # fmt: skip


def kill_processes(server, ended):
    """A backend that dies makes the server end all others and recover."""
    for _ in range(3):
        if ended.wait(0.6):
            return
        for pid in server.backends()[:1]:
            os.kill(pid, signal.SIGKILL)
        while not ended.is_set():
            try:
                server.ask("select 1")
                break
            except Exception:
                time.sleep(0.1)


def restart(server, ended):
    ended.wait(0.5)
    server.stop()
    time.sleep(5)
    server.start()


@pytest.mark.parametrize("trouble", [kill_connections, kill_processes, restart])
def test_journals_that_are_taken_in_while_the_server_has_trouble(server, tmp_path, trouble):
    store = Store(server.url)
    ended = threading.Event()
    thread = threading.Thread(target=trouble, args=(server, ended))
    paths = journals(tmp_path / "journal")
    thread.start()
    try:
        for _ in range(2):  # twice is once
            for path in paths:
                store.ingest(path)
                time.sleep(0.02)
    finally:
        ended.set()
        thread.join()
    assert len(store.runs(1000)) == COUNT
    assert {run["status"] for run in store.runs(1000)} == {"pass"}
    for run in range(0, COUNT, 7):
        assert len(store.rows("steps", f"run{run:03}")) == STEPS
        assert len(store.rows("metrics", f"run{run:03}")) == STEPS
    store.close()


def test_a_server_that_stays_away_is_said_to(server):
    tables = sa.MetaData()
    sa.Table("t", tables, sa.Column("id", sa.Integer, primary_key=True))
    server.stop()
    began = time.monotonic()
    with pytest.raises(InfraError, match="the history cannot be used") as error:
        Database(server.url, tables, "the history")
    assert time.monotonic() - began > 5, "it is waited for a little"
    assert "suzuri@127.0.0.1" in str(error.value)


# -- whole regressions ---------------------------------------------------------


@pytest.mark.sim
@pytest.mark.parametrize("trouble", [kill_connections, kill_processes, restart])
def test_a_regression_while_the_server_has_trouble(server, tmp_path, trouble):
    import shutil

    if not shutil.which("iverilog"):
        pytest.skip("needs Icarus: apt-get install iverilog")
    killed = _killed()
    calm = killed.make(tmp_path / "calm")
    report = killed.said(killed.finish(killed.start(calm)))
    runs = Counter(calm.lines())
    place = killed.make(tmp_path / "troubled")
    process = killed.start(place, "--database", server.url)
    killed.wait_for(place, killed.SEEDS, process)
    ended = threading.Event()
    thread = threading.Thread(target=trouble, args=(server, ended))
    thread.start()
    try:
        data = killed.finish(process)
    finally:
        ended.set()
        thread.join()
    killed.check_same(killed.said(data), report)
    assert Counter(place.lines()) == runs, "nothing is run again for the database's sake"
    assert server.ask("select count(*) from regressions") == [(1,)]
    kept = server.ask("select count(*) from regression_results")
    assert kept == [(len(data["results"]),)]


def _killed():
    import importlib.util

    path = Path(__file__).with_name("test_regress_killed.py")
    spec = importlib.util.spec_from_file_location("regress_killed", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
