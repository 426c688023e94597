"""Run a command of the report at another commit, in a work tree of its own."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.engine.runner import Runner
from flow.model.errors import ConfigError, FlowError, ToolError
from flow.model.step import Resources
from flow.regress.model import Regression, Result

__all__ = ["Ran", "WorkTrees"]

#: What the command inherits: where its cache, its PDKs and its Python are.
_PASSED = ("HOME", "PDK_ROOT", "PYTHONPATH", "SUZURI_CACHE", "XDG_CACHE_HOME", "VIRTUAL_ENV")
_GIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left at a commit: results, or why there are none."""

    results: Sequence[Result]
    why: str = ""


class WorkTrees:
    """Work trees of a repository, each made for a run and removed after it.

    Parameters
    ----------
    top
        The checkout's top.

    Raises
    ------
    ConfigError
        It is none.
    """

    def __init__(self, top: Path) -> None:
        self._top = top.resolve()
        found = self._git(["rev-parse", "--show-toplevel"], missing_is_error=False)
        if found is None or Path(found.strip()).resolve() != self._top:
            raise ConfigError(f"{top} is no checkout of git", None, "Bisection needs the history of commits")

    def subject(self, commit: str) -> str:
        """Return the first line of a commit's message."""
        return (self._git(["log", "-1", "--format=%s", commit]) or "").strip()

    def between(self, good: str, bad: str) -> list[str]:
        """Return the commits from `good` to `bad`, both included, along first parents, oldest first.

        Raises
        ------
        ConfigError
            One is not known here, or `good` is no ancestor of `bad` along first parents.
        """
        ends = []
        for name in (good, bad):
            digest = self._git(
                ["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], missing_is_error=False
            )
            if digest is None:
                raise ConfigError(f"commit {name} is not in {self._top}", None, "Fetch it first")
            ends.append(digest.strip())
        listed = self._git(["rev-list", "--first-parent", "--reverse", ends[1]]) or ""
        commits = listed.split()
        if ends[0] not in commits:
            raise ConfigError(
                f"commit {good[:12]} is no ancestor of {bad[:12]} along first parents",
                None,
                "Name a good commit on the same branch",
            )
        return commits[commits.index(ends[0]) :]

    def run(self, commit: str, command: str, *, wall_s: float) -> Ran:
        """Run a command at a commit, and return its results, or why it has none.

        Parameters
        ----------
        commit
            What to check out.
        command
            As the report gives it: ``suzuri test ...`` at the checkout's top.
        wall_s
            Its limit.

        Raises
        ------
        ToolError
            The work tree cannot be made.
        """
        words = shlex.split(command)
        if words[:1] == ["suzuri"]:  # the one that runs now, whatever the commit holds
            words = [sys.executable, "-P", "-m", "flow.cli.main", *words[1:], "--json"]
        with tempfile.TemporaryDirectory(prefix="suzuri-bisect-") as scratch:
            tree = Path(scratch) / "tree"
            self._git(["worktree", "add", "--quiet", "--detach", str(tree), commit])
            try:
                return _results(words, tree, Path(scratch), wall_s)
            finally:
                self._git(["worktree", "remove", "--force", str(tree)], missing_is_error=False)

    def _git(self, words: Sequence[str], *, missing_is_error: bool = True) -> str | None:
        """Return what git says, or nothing where it refuses and may."""
        with tempfile.TemporaryDirectory() as scratch:
            runner = Runner(Path(scratch), Resources(wall_s=_GIT_S))
            log = Path(scratch) / "git.log"
            done = runner.run(["git", "-C", str(self._top), *words], log=log)
            text = done.text()
        if done.returncode == 0:
            return text
        if missing_is_error:
            raise ToolError("git", f"git {words[0]} failed: {text.strip().splitlines()[-1:] or 'no message'}")
        return None


def _results(words: Sequence[str], tree: Path, scratch: Path, wall_s: float) -> Ran:
    env = {name: os.environ[name] for name in _PASSED if name in os.environ}
    runner = Runner(tree, Resources(wall_s=wall_s))
    try:
        text = runner.run(words, log=scratch / "run.log", env=env | {"TMPDIR": str(scratch)}).text()
    except FlowError as error:
        return Ran((), error.what)  # past its limit: this commit tells nothing
    decoder = json.JSONDecoder()
    at = -1
    while (at := text.find("{", at + 1)) >= 0:  # warnings may stand before it
        if at and text[at - 1] != "\n":
            continue
        try:
            regression = Regression.from_json(decoder.raw_decode(text, at)[0])
        except (ValueError, AttributeError):
            continue
        return Ran(regression.results, "" if regression.results else _why(text, regression))
    return Ran((), _why(text, None))


def _why(text: str, regression: Regression | None) -> str:
    """Return in one line why there is no result."""
    for start in ("Note: ", "Error: "):  # the first thing that went wrong
        for line in text.splitlines():
            if line.startswith(start):
                return line.removeprefix(start)
    if regression is not None and regression.missing:
        return regression.missing[0][1]
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it printed nothing")
