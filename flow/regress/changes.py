"""Which tests changed since a commit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flow.engine.runner import Runner
from flow.model.design import Design
from flow.model.errors import FlowError
from flow.model.step import Resources

__all__ = ["changed_tests"]


def changed_tests(design: Design, commit: str) -> frozenset[str]:
    """Return the names of the tests whose module differs from the one at `commit`.

    Empty where there is no version control, or it does not know the commit.
    """
    files = {test.name: f"{test.module.replace('.', '/')}.py" for test in design.tests}
    wanted = sorted(set(files.values()))
    if not commit or not wanted:
        return frozenset()
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "git.log"
        argv = ["git", "-C", str(design.python_root), "diff", "--name-only", "--relative", commit, "--"]
        try:
            result = Runner(Path(scratch), Resources(wall_s=30)).run(
                [*argv, *wanted], log=log, env={"GIT_OPTIONAL_LOCKS": "0"}
            )
        except FlowError:
            return frozenset()
        changed = set(result.text().splitlines()) if result.returncode == 0 else set()
    return frozenset(name for name, file in files.items() if file in changed)
