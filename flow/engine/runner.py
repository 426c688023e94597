"""Starts processes: the only place in Suzuri that does.

Each process leads a session of its own, writes to a log file (never to a
pipe, so that a forgotten grandchild cannot hold its parent), and is watched
for wall-clock time, resident memory of its whole process group, and bytes
printed. When it passes a limit, or the run is cancelled, the whole group is
killed, and with it whatever left the group but still carries the step's
marker in its environment.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.engine import reaper as reaper_module
from flow.engine.reaper import MARKER, kill_marked
from flow.model.errors import InfraError, ToolError
from flow.model.step import ProcessResult, Resources

__all__ = ["Cancelled", "Runner", "clean_environment", "run_attended"]

_FIRST_LOOK_S = 0.05
_LOOK_EVERY_S = 0.2
_PAGE = os.sysconf("SC_PAGE_SIZE")

# What a tool may need of the user's environment; everything else is left out,
# so that a result does not depend on it.
_PASSED = ("PATH", "LD_LIBRARY_PATH", "LM_LICENSE_FILE", "SSL_CERT_FILE", "TZ", "CCACHE_DIR")


class Cancelled(BaseException):
    """The run was cancelled while a process was running."""


def clean_environment(workdir: Path) -> dict[str, str]:
    """Return the environment that every step starts from.

    The virtual environment's own ``bin`` comes first on ``PATH``, so that a
    tool installed beside Suzuri is found without activation.
    """
    env = {name: os.environ[name] for name in _PASSED if name in os.environ}
    bin_dir = str(Path(sys.executable).parent)
    path = env.get("PATH", "/usr/local/bin:/usr/bin:/bin")
    if bin_dir not in path.split(":"):
        path = f"{bin_dir}:{path}"
    return env | {
        "PATH": path,
        "HOME": str(workdir),
        "TMPDIR": str(workdir),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class _Reaper:
    """The reaper of this process, started with the first tool."""

    def __init__(self) -> None:
        self.token = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._pipe: int | None = None
        self._pid = 0

    def _start(self) -> int:
        read, write = os.pipe()
        argv = [sys.executable, "-S", "-E", str(Path(reaper_module.__file__)), self.token]
        process = subprocess.Popen(
            argv, stdin=read, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        os.close(read)
        process.returncode = 0  # it outlives us on purpose: nothing is to be waited for
        self._pid = os.getpid()
        return write

    def tell(self, sign: str, pgid: int) -> None:
        with self._lock:
            if self._pipe is None or self._pid != os.getpid():
                self._pipe = self._start()
            with contextlib.suppress(OSError):
                os.write(self._pipe, f"{sign}{pgid}\n".encode())


_REAPER = _Reaper()


@dataclass(frozen=True, slots=True)
class _Watched:
    """A running process and what its limits are checked against."""

    process: subprocess.Popen[bytes]
    marker: str
    log: Path
    started: float


class Runner:
    """Starts the processes of one step and enforces its limits.

    Parameters
    ----------
    workdir
        Current directory of the processes.
    resources
        Limits; a command may have a shorter wall-clock limit of its own.
    cancelled
        Asked now and then; when it says yes, the group is killed and
        :class:`Cancelled` raised.
    """

    def __init__(
        self, workdir: Path, resources: Resources, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._workdir = workdir
        self._resources = resources
        self._cancelled = cancelled
        self._deadline = time.monotonic() + resources.wall_s

    def run(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        wall_s: float | None = None,
        tool: str | None = None,
    ) -> ProcessResult:
        """Run `argv` to its end.

        Raises
        ------
        ToolError
            It could not be started, or passed a limit.
        InfraError
            The log cannot be written.
        Cancelled
            The run was cancelled.
        """
        name = tool or Path(argv[0]).name
        marker = f"{_REAPER.token}-{uuid.uuid4().hex[:12]}"
        watched = self._start(argv, name, log, env or {}, marker)
        pid = watched.process.pid
        _REAPER.tell("+", pid)
        limit = min(self._resources.wall_s, self._resources.wall_s if wall_s is None else wall_s)
        deadline = min(self._deadline, watched.started + limit)
        try:
            peak = self._watch(watched, name, deadline, limit)
        except BaseException:
            self._kill(watched)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            watched.process.returncode = -9
            _REAPER.tell("-", pid)
            self._trim(log)
            raise
        _, status, usage = os.wait4(pid, 0)
        code = watched.process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - watched.started
        self._bury(watched, wall)
        _REAPER.tell("-", pid)
        return ProcessResult(
            returncode=code,
            log=log,
            wall_s=wall,
            cpu_s=usage.ru_utime + usage.ru_stime,
            peak_mb=max(peak, usage.ru_maxrss / 1024),
        )

    def _start(
        self, argv: Sequence[str], name: str, log: Path, env: Mapping[str, str], marker: str
    ) -> _Watched:
        environment = clean_environment(self._workdir) | dict(env) | {MARKER: marker}
        try:
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise InfraError(
                f"cannot write a log ({error.strerror})", log, "Free space and try again."
            ) from None
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                list(argv), cwd=self._workdir, env=environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise ToolError(name, f"{argv[0]} cannot be started: no such program", None,
                            "See: suzuri doctor") from None  # fmt: skip
        except OSError as error:
            raise ToolError(name, f"{argv[0]} cannot be started: {error.strerror}") from None
        finally:
            os.close(out)
        return _Watched(process, marker, log, started)

    def _watch(self, watched: _Watched, name: str, deadline: float, limit: float) -> float:
        """Wait for the end of the process, looking at its limits; return its peak in MB."""
        peak = 0.0
        wait = _FIRST_LOOK_S
        pidfd = os.pidfd_open(watched.process.pid)
        try:
            poller = select.poll()
            poller.register(pidfd, select.POLLIN)
            while True:
                left = deadline - time.monotonic()
                if poller.poll(max(0.0, min(wait, left)) * 1000):
                    return peak
                if self._cancelled():
                    raise Cancelled
                if time.monotonic() >= deadline:
                    raise ToolError(name, f"was stopped after its limit of {limit:g} s of wall-clock time",
                                    watched.log, "It may hang; or give it more time.")  # fmt: skip
                self._check_log(watched, name)
                peak = max(peak, self._check_memory(watched, name))
                wait = _LOOK_EVERY_S
        finally:
            os.close(pidfd)

    def _check_log(self, watched: _Watched, name: str) -> None:
        size_mb = watched.log.stat().st_size / 1e6
        if size_mb > self._resources.log_mb:
            raise ToolError(name, f"was stopped after printing more than {self._resources.log_mb} MB",
                            watched.log, "Print less; the beginning of the log was kept.")  # fmt: skip

    def _check_memory(self, watched: _Watched, name: str) -> float:
        resident = _session_mb(watched.process.pid)
        if resident > self._resources.memory_mb:
            raise ToolError(name, f"was stopped at {resident:.0f} MB of memory; its limit is "
                            f"{self._resources.memory_mb} MB", watched.log)  # fmt: skip
        return resident

    def _trim(self, log: Path) -> None:
        limit = int(self._resources.log_mb * 1e6)
        with contextlib.suppress(OSError):
            if log.stat().st_size > limit:
                os.truncate(log, limit)

    def _kill(self, watched: _Watched) -> None:
        with contextlib.suppress(OSError):
            os.killpg(watched.process.pid, signal.SIGKILL)
        kill_marked(watched.marker.encode())

    def _bury(self, watched: _Watched, wall: float) -> None:
        """Kill what the process left behind when it ended."""
        try:
            os.killpg(watched.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # The group is empty. Only what ran for a while had the time to
            # start a daemon in another session; looking costs milliseconds.
            if wall > _LOOK_EVERY_S:
                kill_marked(watched.marker.encode())
        except PermissionError:
            pass
        else:
            kill_marked(watched.marker.encode())


def _session_mb(session: int) -> float:
    """Return the resident memory, in MB, of all processes of a session."""
    pages = 0
    for name in os.listdir("/proc"):  # noqa: PTH208 - hot path
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                # The command may hold spaces and parentheses: count from the last one.
                parts = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        # A process that is just going may have left an empty file.
        if len(parts) > 21 and int(parts[3]) == session:
            pages += int(parts[21])
    return pages * _PAGE / 1e6


def run_attended(argv: Sequence[str], show: Callable[[str], None]) -> tuple[int, str]:
    """Run a command that its user watches, such as an installer.

    Parameters
    ----------
    argv
        Program and arguments.
    show
        Given the output as it comes.

    Returns
    -------
    tuple
        Exit code (127 when there is no such program) and the last 64 kB of
        output.
    """
    try:
        process = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except FileNotFoundError:
        return 127, ""
    kept = b""
    assert process.stdout is not None
    try:
        while chunk := os.read(process.stdout.fileno(), 4096):
            show(chunk.decode(errors="replace"))
            kept = (kept + chunk)[-65536:]
        return process.wait(), kept.decode(errors="replace")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
