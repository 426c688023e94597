"""What is kept of files, and when it is read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flow.formats.kept import Kept


def test_one_file_is_read_once_whatever_it_is_called(tmp_path: Path) -> None:
    kept: Kept[str] = Kept(100)
    reads: list[Path] = []

    def read(path: Path) -> str:
        reads.append(path)
        return path.read_text()

    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("one")
    os.link(first, second)
    link = tmp_path / "c"
    link.symlink_to(first)
    assert [kept.get(p, read) for p in (first, second, link)] == ["one"] * 3
    assert len(reads) == 1
    first.write_text("other")
    assert kept.get(second, read) == "other"
    with pytest.raises(FileNotFoundError):
        kept.get(tmp_path / "d", read)


def test_only_so_much_is_kept(tmp_path: Path) -> None:
    kept: Kept[str] = Kept(25)
    reads: list[str] = []

    def read(path: Path) -> str:
        reads.append(path.name)
        return path.name

    for name, size in (("a", 10), ("b", 10), ("c", 10), ("large", 26)):
        (tmp_path / name).write_bytes(b"x" * size)
    for name in ("a", "b", "a", "c", "a", "b", "large", "large"):
        assert kept.get(tmp_path / name, read) == name
    assert reads == ["a", "b", "c", "b", "large", "large"]


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    kept: Kept[str] = Kept(25)
    path = tmp_path / "a"
    path.write_text("x")

    def fail(_path: Path) -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        kept.get(path, fail)
    assert kept.get(path, Path.read_text) == "x"


def test_what_it_was_read_for_matters(tmp_path: Path) -> None:
    kept: Kept[str] = Kept(25)
    path = tmp_path / "a"
    path.write_text("x")
    assert kept.get(path, lambda _path: "one", "top") == "one"
    assert kept.get(path, lambda _path: "two", None) == "two"
    assert kept.get(path, lambda _path: "three", "top") == "one"
