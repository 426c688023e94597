"""Where a number comes from: commit, host, versions, command."""

from __future__ import annotations

import os
import platform
import re
import secrets
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from flow.engine.runner import Runner
from flow.model.errors import FlowError
from flow.model.step import Resources

__all__ = ["Commit", "commit_of", "host_facts", "new_run_id", "without_password"]


@dataclass(frozen=True, slots=True)
class Commit:
    """The state of the version control that a folder is under."""

    digest: str | None
    dirty: bool | None


def commit_of(folder: Path) -> Commit:
    """Return the git commit of `folder` and whether files below it differ from it.

    ``Commit(None, None)`` where there is no repository or no git.
    """
    with tempfile.TemporaryDirectory() as scratch:
        argv = ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch", "--", "."]
        runner = Runner(Path(scratch), Resources(wall_s=10))
        try:
            result = runner.run(
                argv,
                log=Path(scratch) / "git.log",
                # Another user's checkout is read, never written.
                env={
                    "GIT_OPTIONAL_LOCKS": "0",
                    "GIT_CONFIG_COUNT": "1",
                    "GIT_CONFIG_KEY_0": "safe.directory",
                    "GIT_CONFIG_VALUE_0": "*",
                },
            )
        except FlowError:
            return Commit(None, None)
        if result.returncode != 0:
            return Commit(None, None)
        lines = result.text().splitlines()
    oid = next((line.split()[-1] for line in lines if line.startswith("# branch.oid")), None)
    dirty = any(not line.startswith("#") for line in lines)
    return Commit(None if oid == "(initial)" else oid, dirty)


def new_run_id() -> str:
    """Return a name that sorts by time and is unique."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def host_facts() -> dict[str, str]:
    """Return host, Python and Suzuri versions."""
    try:
        own = version("suzuri")
    except PackageNotFoundError:
        own = "unknown"
    return {
        "host": socket.gethostname(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "suzuri_version": own,
    }


def without_password(text: str) -> str:
    """Return `text` with the passwords of URLs in it masked."""
    return re.sub(r"(://[^:/@\s]*):[^@/\s]+@", r"\1:***@", text)
