"""A PostgreSQL server of one's own: on loopback, in a temporary folder, ended with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Server", "missing", "started"]


def missing() -> str:
    """Say why there can be no server here; empty where there can."""
    for name in ("initdb", "postgres"):
        if not _program(name):
            return f"needs PostgreSQL ({name}): apt-get install postgresql"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "needs psycopg: pip install 'psycopg[binary]'"
    return ""


def _program(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(installed[-1]) if installed else None)


class Server:
    """A server that can be ended and started again, with the data that it had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgres"
        self.folder.mkdir()
        folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        # The server refuses to run as root.
        self._user = None
        if os.geteuid() == 0:
            self._user = pwd.getpwnam("nobody")
            for parent in [self.folder, *self.folder.parents]:
                if parent == Path("/tmp") or parent == Path("/"):
                    break
                parent.chmod(parent.stat().st_mode | 0o055)
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        done = subprocess.run(
            [str(_program("initdb")), "-D", str(self.folder / "data"), "-U", "suzuri", "-A", "trust",
             "--no-sync", "-E", "UTF8", "--locale=C"],
            capture_output=True, text=True, check=False, cwd="/", **self._as_user(),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def _as_user(self) -> dict:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://suzuri@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        log = (self.folder.parent / "postgres.log").open("ab")
        self._process = subprocess.Popen(
            [str(_program("postgres")), "-D", str(self.folder / "data"), "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"],
            stdout=log, stderr=log, cwd="/", **self._as_user(),
        )  # fmt: skip
        log.close()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(Exception):
                self.ask("select 1")
                return
            time.sleep(0.1)
        raise AssertionError((self.folder.parent / "postgres.log").read_text())

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: immediate shutdown
            self._process.wait(timeout=60)
            self._process = None

    def ask(self, query: str) -> list[tuple]:
        import psycopg

        with psycopg.connect(
            self.url.replace("+psycopg", ""), autocommit=True, connect_timeout=5
        ) as connection:
            return connection.execute(query).fetchall()

    def backends(self) -> list[int]:
        """Process ids that serve connections of others."""
        rows = self.ask(
            "select pid from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in rows]


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """Start a server; end it."""
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
