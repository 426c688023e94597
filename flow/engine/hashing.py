"""Digests: of values, of files, and a memo so that no file is read twice for nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

__all__ = ["DigestMemo", "canonical_json", "digest_file", "digest_value"]

_CHUNK = 1 << 20


def canonical_json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the one JSON text of `value`: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_value(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the SHA-256 of the canonical JSON of `value`, in hex."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_file(path: str | Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, in hex, and its size in bytes."""
    sha = hashlib.sha256()
    size = 0
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - hot path
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
            size += len(chunk)
    return sha.hexdigest(), size


class DigestMemo:
    """Digests of files by (path, size, mtime, inode), kept between runs.

    A wrong guess would need a file changed within the clock's granularity
    without changing its size; a file younger than two seconds is therefore
    never remembered.

    Parameters
    ----------
    path
        JSON file that keeps the memo; a missing, corrupt or read-only one
        only costs time.
    """

    _YOUNG_NS = 2_000_000_000

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: dict[str, list[Any]] = {}
        self._dirty = False
        with contextlib.suppress(OSError, ValueError):
            loaded = json.loads(path.read_text())
            if isinstance(loaded, dict):
                self._entries = loaded

    def digest(self, path: Path) -> tuple[str, int]:
        """Return ``(sha256, size)`` of the file at `path`."""
        stat = path.stat()
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        key = str(path)
        found = self._entries.get(key)
        if found is not None and found[:3] == stamp:
            return str(found[3]), stat.st_size
        digest, size = digest_file(path)
        after = path.stat()
        now = _now_ns()
        stable = [after.st_size, after.st_mtime_ns, after.st_ino] == stamp
        with self._lock:
            if stable and now - stat.st_mtime_ns > self._YOUNG_NS:
                self._entries[key] = [*stamp, digest]
                self._dirty = True
            elif self._entries.pop(key, None) is not None:
                self._dirty = True
        return digest, size

    def save(self) -> None:
        """Write the memo; a failure to do so is harmless and ignored."""
        with self._lock:
            if not self._dirty:
                return
            if len(self._entries) > 50_000:
                self._entries = dict(list(self._entries.items())[-25_000:])
            text = json.dumps(self._entries, separators=(",", ":"))
            self._dirty = False
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text)
            temporary.replace(self._path)


def _now_ns() -> int:
    import time  # noqa: PLC0415 - keeps the module's import cheap

    return time.time_ns()
