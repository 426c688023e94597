"""Record which files of the bench the simulator's Python really reads.

Every record is one line, appended at once, so that it survives a crash, and
so that forked runs can share the file.
"""

# Every import here is paid for by every simulation, so os.path serves.
# ruff: noqa: PTH100, PTH114, PTH118

from __future__ import annotations

import json
import os
import sys
from typing import Any

_STARTS_PROGRAMS = frozenset(("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"))
_WRITE_ONLY = os.O_WRONLY


class Trace:
    """The open record of this process.

    Parameters
    ----------
    root
        Folder of the bench.
    record
        File to append to.
    """

    def __init__(self, root: str, record: str) -> None:
        self._roots = tuple({os.path.join(root, ""), os.path.join(os.path.realpath(root), "")})
        self._seen: set[str] = set()
        self._unknown = False
        self._descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, **entry: Any) -> None:  # noqa: ANN401 - any JSON value
        """Append one line."""
        os.write(self._descriptor, (json.dumps(entry) + "\n").encode("utf-8", "replace"))

    def install(self) -> None:
        """Watch from now on; what was imported before is recorded too."""
        self.write(event="start", pid=os.getpid())
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str):
                self.saw(file)
        sys.addaudithook(self._hook)

    def inside(self, path: str) -> str | None:
        """Return `path` relative to the bench, or ``None`` outside of it."""
        for root in self._roots:
            if path.startswith(root):
                return os.path.normpath(path[len(root) :])
        return None

    def saw(self, path: str) -> None:
        """Record that `path` was read, if it belongs to the bench."""
        if path in self._seen:
            return
        self._seen.add(path)
        absolute = os.path.abspath(path)
        relative = self.inside(absolute)
        if relative is None and os.path.islink(absolute):
            relative = self.inside(os.path.realpath(absolute))
        if relative is not None and "__pycache__" not in relative:
            self.write(event="read", file=relative)

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _mode, flags = args
            if isinstance(flags, int) and flags & _WRITE_ONLY:
                return
            if isinstance(path, bytes):
                path = os.fsdecode(path)
            if isinstance(path, str):
                self.saw(path)
        elif event in ("import", "ctypes.dlopen"):
            # Extension modules and libraries are opened by the loader, not by Python.
            path = args[1] if event == "import" and len(args) > 1 else args[0]
            if isinstance(path, str) and path.startswith(self._roots):
                self.saw(path)
        elif event in _STARTS_PROGRAMS and not self._unknown:
            self._unknown = True
            self.write(event="unknown", reason=event)
