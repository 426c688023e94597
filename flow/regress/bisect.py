"""Find the commit that brought a bucket, by running its reproducer at the commits between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from flow.model.errors import ConfigError
from flow.regress.history import History
from flow.regress.model import Bucket, Regression, Result, Verdict
from flow.regress.normalise import symptom_of
from flow.regress.past import Rerun
from flow.regress.worktree import WorkTrees

__all__ = ["Bisection", "State", "bisect", "search", "state_of"]


class State(StrEnum):
    """What a commit showed."""

    GOOD = "good"
    BAD = "bad"
    UNTOLD = "untold"  # it does not build, has no such test, or fails in another way


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """What a search found.

    Attributes
    ----------
    bucket
        Its id; empty for a search in itself.
    first_bad
        The first commit with the failure; empty where commits that tell
        nothing stand before it, so that `candidates` has several.
    candidates
        Commits of which one is the first bad one, oldest first.
    tried
        Commits in the order in which they were judged, and what they showed.
    """

    bucket: str = ""
    first_bad: str
    candidates: tuple[str, ...]
    tried: tuple[tuple[str, State], ...]


def search(commits: Sequence[str], judge: Callable[[str], State]) -> Bisection:
    """Return the first bad of `commits`.

    Parameters
    ----------
    commits
        Oldest first; the first is known to be good and the last to be bad, so
        says the caller, and both are judged before anything is concluded.
    judge
        Tells what a commit shows; asked once for each.

    Raises
    ------
    ConfigError
        The last is not bad, or the first not good: there is nothing to find between them.
    """
    if len(commits) < 2:
        raise ConfigError(
            "there is no commit between the good one and the bad one", None, "Name an older good commit"
        )
    tried: dict[str, State] = {}

    def ask(index: int) -> State:
        commit = commits[index]
        tried[commit] = judge(commit)
        return tried[commit]

    good, bad = 0, len(commits) - 1
    if (state := ask(bad)) is not State.BAD:
        raise ConfigError(
            f"commit {commits[bad][:12]} does not show the failure ({state})", None,
            "It may be flaky, or depend on what is not in the commit",
        )  # fmt: skip
    if (state := ask(good)) is not State.GOOD:
        raise ConfigError(
            f"commit {commits[good][:12]} is not good ({state})", None, "Name an older good commit"
        )
    open_ = set(range(good + 1, bad))  # neither judged nor ruled out
    while open_:
        middle = (good + bad) / 2
        index = min(open_, key=lambda i: (abs(i - middle), i))
        state = ask(index)
        open_.discard(index)
        if state is State.BAD:
            bad = index
        elif state is State.GOOD:
            good = index
        open_ = {i for i in open_ if good < i < bad}
    candidates = tuple(commits[good + 1 : bad + 1])
    return Bisection(
        first_bad=candidates[0] if len(candidates) == 1 else "",
        candidates=candidates,
        tried=tuple(tried.items()),
    )


def state_of(shown: Sequence[Rerun], testcase: str, symptoms: frozenset[str]) -> State:
    """Return what a commit's run says of a bucket.

    Parameters
    ----------
    shown
        Test cases of the run.
    testcase
        The reproducer's; empty for one that ended before any.
    symptoms
        Ids of the bucket's. Another failure tells nothing: it may hide this one.
    """
    own = [r for r in shown if r.testcase == testcase] or [
        r for r in shown if not testcase or r.verdict in (Verdict.TIMEOUT, Verdict.CRASH)
    ]
    if any(r.verdict.triaged and r.symptom in symptoms for r in own):
        return State.BAD
    good = own and all(r.verdict in (Verdict.PASS, Verdict.XPASS, Verdict.SKIPPED) for r in own)
    return State.GOOD if good and any(r.verdict is not Verdict.SKIPPED for r in own) else State.UNTOLD


def bisect(
    regression: Regression,
    bucket: str,
    history: History,
    top: Path,
    *,
    good: str = "",
    wall_s: float = 3600.0,
    note: Callable[[str, State, bool], None] = lambda commit, state, cached: None,
) -> Bisection:
    """Return the commit that brought a bucket.

    Its reproducer's command is run in work trees of the commits between the
    last good one and the first that was seen to be bad, along first parents,
    so that of a branch the merge is found. What a commit showed is kept.

    Parameters
    ----------
    regression
        With the bucket.
    bucket
        Its id.
    history
        Keeps what commits showed.
    top
        The checkout's top.
    good
        A commit without the failure; the bucket's last good one where it is not said.
    wall_s
        Limit of one run.
    note
        Told of each commit, what it showed, and whether that was known.

    Raises
    ------
    ConfigError
        There is no such bucket, it has no reproducer that repeats, no good
        commit is known, or the ends are not as they should be.
    ToolError
        git failed.
    """
    found = next((b for b in regression.buckets if b.id == bucket), None)
    if found is None or not found.members:
        raise ConfigError(f"regression {regression.id} has no failures in a bucket {bucket}", None)
    reproducer = _reproducer(found, regression)
    members = set(found.members)
    own = {symptom_of(r).id for r in regression.results if r.key in members and r.verdict.triaged}
    earlier = {symptom for symptom, known in history.symptoms(regression.design) if known == bucket}
    good = good or found.last_good
    if not good:
        raise ConfigError(f"no commit is known to be without bucket {bucket}", None, "Name one with --good")
    trees = WorkTrees(top)
    commits = trees.between(good, found.first_seen or regression.commit)

    def judge(commit: str) -> State:
        shown = history.reruns(regression.design, commit, reproducer.command)
        cached = bool(shown)
        if not cached:
            results = trees.run(commit, reproducer.command, wall_s=wall_s)
            shown = [
                Rerun(r.testcase, r.verdict, symptom_of(r).id if r.verdict.triaged else "")
                for r in results
                if r.verdict is not Verdict.INFRA
            ]
            if shown:
                history.keep_reruns(regression.design, commit, reproducer.command, shown)
        state = state_of(shown, reproducer.testcase, frozenset(own | earlier))
        note(commit, state, cached)
        return state

    result = search(commits, judge)
    return Bisection(
        bucket=bucket, first_bad=result.first_bad, candidates=result.candidates, tried=result.tried
    )


def _reproducer(bucket: Bucket, regression: Regression) -> Result:
    """Return the shortest failure that repeats."""
    results = {r.key: r for r in regression.results}
    firm = [results[key] for key in bucket.members if key in results and not results[key].flaky]
    chosen = next((r for r in firm if r.command), None)
    if chosen is None:
        why = "all its failures are flaky" if not firm else "none of its failures has a command"
        raise ConfigError(f"bucket {bucket.id} cannot be bisected: {why}", None)
    return chosen
