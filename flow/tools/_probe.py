"""What ``detect()`` may do: ask a tool its version, and know a file by its content.

Detection happens on every run, also when nothing is to be done, so it costs
milliseconds: what was found is kept in a small file in the user's cache, and
taken from there while the executable has the same path, size and
modification time.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["cache_dir", "file_digest", "probe", "remembered", "wheel_file"]

_FORMAT = 1
_memory: dict[str, Any] | None = None
_memory_file: Path | None = None


def cache_dir() -> Path:
    """Return the user's cache folder: ``$SUZURI_CACHE``, else ``~/.cache/suzuri``."""
    named = os.environ.get("SUZURI_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "suzuri"


def probe(argv: list[str], timeout_s: float = 20, env: Mapping[str, str] | None = None) -> str:
    """Run ``argv``, for instance ``[tool, "--version"]``, and return all that it prints.

    The exit status does not matter: what counts is whether the answer can be
    understood. A program that cannot start, or does not answer in time,
    printed nothing.

    Parameters
    ----------
    argv
        Program and arguments.
    timeout_s
        How long to wait.
    env
        Added to the environment.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            env={**os.environ, **env} if env else None,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace")


def remembered(path: str | Path, what: str, find: Callable[[], str]) -> str:
    """Return ``find()``, or what it said before about the same file.

    Parameters
    ----------
    path
        The file that the answer is about.
    what
        Distinguishes questions about one file: ``digest``, ``version``.
    find
        Gives the answer; an empty one is not kept.
    """
    resolved = Path(path).resolve()
    stat = resolved.stat()
    key = f"{what}:{resolved}:{stat.st_size}:{stat.st_mtime_ns}"
    memory = _load()
    known = memory.get(key)
    if isinstance(known, str) and known:
        return known
    answer = find()
    if answer:
        memory[key] = answer
        _save(memory)
    return answer


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file in hex, remembered by path, size and time."""

    def read() -> str:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    return remembered(path, "digest", read)


def wheel_file(distribution: str, package: str, file: str) -> tuple[str, Path] | None:
    """Return a wheel's version and a file of its package, without importing it; ``None`` without it."""
    try:
        version = importlib.metadata.version(distribution)
        spec = importlib.util.find_spec(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name(file)
    return (version, path) if path.is_file() else None


def _load() -> dict[str, Any]:
    global _memory, _memory_file
    file = cache_dir() / "tools.json"
    if _memory is not None and _memory_file == file:
        return _memory
    found: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored.get("format") == _FORMAT and isinstance(stored.get("known"), dict):
            found = stored["known"]
    _memory, _memory_file = found, file
    return found


def _save(memory: Mapping[str, Any]) -> None:
    file = cache_dir() / "tools.json"
    text = json.dumps({"format": _FORMAT, "known": dict(memory)}, indent=0, sort_keys=True)
    temporary: str | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".tools-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).replace(file)
    except OSError:  # a read-only or full home only costs the memory
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
