from __future__ import annotations

import hashlib
import os

import pytest

from flow.tools import _probe


@pytest.fixture
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SUZURI_CACHE", str(folder))
    monkeypatch.setattr(_probe, "_memory", None)
    return folder


def test_a_digest_is_remembered_until_the_file_changes(cache, tmp_path, monkeypatch):
    file = tmp_path / "tool"
    file.write_bytes(b"one")
    assert _probe.file_digest(file) == hashlib.sha256(b"one").hexdigest()
    monkeypatch.setattr(_probe, "_memory", None)  # as a new process would
    asked = []
    said = _probe.remembered(file, "digest", lambda: asked.append(1) or "asked")
    assert said == hashlib.sha256(b"one").hexdigest() and not asked
    file.write_bytes(b"two!")
    assert _probe.file_digest(file) == hashlib.sha256(b"two!").hexdigest()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 1, "known": 3}', '{"format": 0, "known": {}}']
)
def test_a_corrupt_memory_costs_only_the_memory(cache, tmp_path, content):
    cache.mkdir()
    (cache / "tools.json").write_text(content)
    file = tmp_path / "tool"
    file.write_bytes(b"x")
    assert _probe.file_digest(file) == hashlib.sha256(b"x").hexdigest()
    assert hashlib.sha256(b"x").hexdigest() in (cache / "tools.json").read_text()


def test_a_memory_that_cannot_be_written_is_no_error(cache, tmp_path):
    cache.parent.joinpath("cache").write_text("a file, where a folder should be")
    file = tmp_path / "tool"
    file.write_bytes(b"x")
    assert _probe.file_digest(file) == hashlib.sha256(b"x").hexdigest()


def test_a_program_that_does_not_start_or_hangs_says_nothing():
    assert _probe.probe(["/nowhere/tool"]) == ""
    assert _probe.probe(["sleep", "9"], timeout_s=0.05) == ""
    assert _probe.probe(["sh", "-c", "echo $X; echo err >&2; exit 3"], env={"X": "y"}) == "y\nerr\n"
    assert os.environ.get("X") is None
