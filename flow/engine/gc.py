"""Frees the cache: what was not used for longest goes first, and nothing that a run uses."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flow.engine.record import load_sealed
from flow.model.errors import ConfigError

__all__ = ["Freed", "collect", "in_use", "usage"]

_LOCK = "gc.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What a collection removed, and what is left; sizes in bytes."""

    results: int
    blobs: int
    freed_bytes: int
    left_results: int
    left_bytes: int


@contextlib.contextmanager
def in_use(root: Path) -> Iterator[None]:
    """Hold the cache against collection; a cache that cannot be written needs no holding."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        fd = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    fd = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError("a run is using the cache", root, "Try again when it has ended.") from None
        yield
    finally:
        os.close(fd)


def usage(root: Path) -> int:
    """Return the bytes that blobs take."""
    return sum(size for _, size in _files(root / "blobs"))


def collect(root: Path, *, keep_bytes: int | None = None, older_s: float | None = None) -> Freed:
    """Remove results until the rest fits `keep_bytes` and none is older than `older_s`.

    Parameters
    ----------
    root
        The cache.
    keep_bytes
        Bytes of blobs to keep at the most, ``None`` for no limit.
    older_s
        Remove results that were not used for this many seconds.

    Raises
    ------
    ConfigError
        There is no cache there, or a run is using it.
    """
    if not root.is_dir():
        raise ConfigError("there is no cache", root, "Nothing to do.")
    with _alone(root):
        kept = _choose(root, keep_bytes, older_s)
        removed = 0
        for path, _ in _files(root / "results"):
            if path not in kept:
                path.unlink(missing_ok=True)
                removed += 1
        wanted = {digest for digests in kept.values() for digest in digests}
        blobs = freed = left = 0
        for path, size in _files(root / "blobs"):
            if path.name in wanted:
                left += size
            else:
                path.unlink(missing_ok=True)
                blobs += 1
                freed += size
        for name in ("trees", "work", "locks"):
            # Made again when needed; hard links, so the blobs decide the space.
            shutil.rmtree(root / name, ignore_errors=True)
        _forget_reads(root)
    return Freed(results=removed, blobs=blobs, freed_bytes=freed, left_results=len(kept), left_bytes=left)


def _choose(root: Path, keep_bytes: int | None, older_s: float | None) -> dict[Path, dict[str, int]]:
    """Results to keep, each with the blobs it refers to, latest use first until the space is used up."""
    entries = []
    for path, _ in _files(root / "results"):
        with contextlib.suppress(OSError):
            data = load_sealed(path.read_bytes())
            if isinstance(data, dict):
                entries.append((path.stat().st_mtime, path, data))
    entries.sort(key=lambda entry: entry[0], reverse=True)
    kept: dict[Path, dict[str, int]] = {}
    seen: dict[str, int] = {}
    now = time.time()
    for used, path, data in entries:
        blobs = {v["digest"]: int(v["size"]) for v in data["outputs"].values()}
        if older_s is not None and now - used > older_s:
            continue
        if keep_bytes is not None and sum((seen | blobs).values()) > keep_bytes:
            continue
        seen |= blobs
        kept[path] = blobs
    return kept


def _forget_reads(root: Path) -> None:
    """Drop read lists whose results are all gone, by age: they are small and harmless."""
    limit = time.time() - 90 * 86400
    for path, _ in _files(root / "reads"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < limit:
                path.unlink()


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    if not folder.is_dir():
        return
    for sub in os.scandir(folder):
        if sub.is_dir():
            for entry in os.scandir(sub.path):
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat().st_size
