"""Find the commit that brought a bucket, by running its reproducer at the commits between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from flow.model.errors import ConfigError
from flow.regress.history import History
from flow.regress.model import Bucket, Regression, Result, Verdict
from flow.regress.normalise import symptom_of
from flow.regress.past import Rerun
from flow.regress.worktree import WorkTrees

__all__ = ["Bisection", "NothingToFind", "State", "Step", "bisect", "search", "state_of"]


class NothingToFind(ConfigError):
    """The ends of the search are not as they should be: the failure does not come between them."""

    exit_code = 1


class State(StrEnum):
    """What a commit showed."""

    GOOD = "good"
    BAD = "bad"
    UNTOLD = "untold"  # it does not build, has no such test, or fails in another way


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a commit showed.

    Attributes
    ----------
    commit, subject
        Which, and the first line of its message.
    state
        What it showed.
    why
        Of one that told nothing.
    cached
        Whether that was known without running it.
    time_s
        What it took.
    """

    commit: str
    subject: str
    state: State
    why: str = ""
    cached: bool = False
    time_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """What a search found.

    Attributes
    ----------
    bucket
        Its id; empty for a search in itself.
    command
        The reproducer's, which was run.
    first_bad
        The first commit with the failure; empty where commits that tell
        nothing stand before it, so that `candidates` has several.
    candidates
        Commits of which one is the first bad one, oldest first.
    tried
        Commits in the order in which they were judged, and what they showed.
    """

    bucket: str = ""
    command: str = ""
    first_bad: str
    candidates: tuple[str, ...]
    tried: tuple[tuple[str, State], ...]


_SHOWN = {State.GOOD: "its test passes", State.BAD: "it fails too", State.UNTOLD: "it tells nothing"}


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
    NothingToFind
        The last is not bad, or the first not good: there is nothing to find between them.
    """
    if len(commits) < 2:
        raise NothingToFind(
            "there is no commit between the good one and the bad one", None, "Name an older good commit"
        )
    tried: dict[str, State] = {}

    def ask(index: int) -> State:
        commit = commits[index]
        tried[commit] = judge(commit)
        return tried[commit]

    good, bad = 0, len(commits) - 1
    if (state := ask(bad)) is not State.BAD:
        raise NothingToFind(
            f"commit {commits[bad][:12]} does not show the failure ({_SHOWN[state]})", None,
            "It may be flaky, or depend on what is not in the commit" if state is State.GOOD
            else "Name another bad commit",
        )  # fmt: skip
    if (state := ask(good)) is not State.GOOD:
        older = "an older" if state is State.BAD else "another"
        raise NothingToFind(
            f"commit {commits[good][:12]} is not good ({_SHOWN[state]})", None, f"Name {older} good commit"
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
    bad: str = "",
    again: bool = False,
    wall_s: float = 3600.0,
    plan: Callable[[Sequence[str], str], None] = lambda commits, command: None,
    note: Callable[[Step], None] = lambda step: None,
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
    bad
        A commit with it; the first one with it where it is not said.
    again
        Whether to run commits of which it is known what they show.
    wall_s
        Limit of one run.
    plan
        Told of the commits before the first is run, oldest first, and of the command.
    note
        Told of each commit when it has been judged.

    Raises
    ------
    ConfigError
        There is no such bucket, it has no reproducer that repeats, no good
        commit is known, or a commit is not there.
    NothingToFind
        The ends are not as they should be.
    ToolError
        git failed.
    """
    found = next((b for b in regression.buckets if b.id == bucket), None)
    if found is None or not found.members:
        raise ConfigError(f"regression {regression.id} has no failures in a bucket {bucket}", None)
    reproducer = _reproducer(found, regression)
    members = set(found.members)
    own = {symptom_of(r).id for r in regression.results if r.key in members and r.verdict.triaged}
    symptoms = frozenset(own | {s for s, known in history.symptoms(regression.design) if known == bucket})
    good, bad = good or found.last_good, bad or _bad_commit(found, regression, history)
    for name, commit in (("without", good), ("with", bad)):
        if not commit:
            option = "--good" if name == "without" else "--bad"
            raise ConfigError(
                f"no commit is known to be {name} bucket {bucket}", None, f"Name one with {option}"
            )
    trees = WorkTrees(top)
    commits = trees.between(good, bad)
    plan(commits, reproducer.command)

    def judge(commit: str) -> State:
        clock, why = time.monotonic(), ""
        shown = [] if again else history.reruns(regression.design, commit, reproducer.command)
        cached = bool(shown)
        if not cached:
            ran = trees.run(commit, reproducer.command, wall_s=wall_s)
            why = ran.why
            shown = [
                Rerun(r.testcase, r.verdict, symptom_of(r).id if r.verdict.triaged else "")
                for r in ran.results
                if r.verdict is not Verdict.INFRA
            ]
            if not ran.results:
                shown = [Rerun(why, Verdict.INFRA)]  # nothing ran; why is remembered in the case's place
            if shown:
                history.keep_reruns(regression.design, commit, reproducer.command, shown)
        elif all(r.verdict is Verdict.INFRA for r in shown):
            why = shown[0].testcase
        state = state_of(shown, reproducer.testcase, symptoms)
        if state is State.UNTOLD and not why:
            why = (
                "it fails in another way"
                if any(r.verdict.bad for r in shown)
                else "the test case did not run"
            )
        spent = time.monotonic() - clock
        subject = trees.subject(commit)
        note(Step(commit=commit, subject=subject, state=state, why=why, cached=cached, time_s=spent))
        return state

    result = search(commits, judge)
    return replace(result, bucket=bucket, command=reproducer.command)


def _bad_commit(bucket: Bucket, regression: Regression, history: History) -> str:
    """Return the first commit that was seen to be bad in itself, not by changes on top of it."""
    first = bucket.first_seen or regression.commit
    changed = {night.commit for night, dirty in history.regressions(regression.design) if dirty}
    return regression.commit if first in changed and not regression.dirty else first


def _reproducer(bucket: Bucket, regression: Regression) -> Result:
    """Return the shortest failure that repeats."""
    results = {r.key: r for r in regression.results}
    firm = [results[key] for key in bucket.members if key in results and not results[key].flaky]
    chosen = next((r for r in firm if r.command), None)
    if chosen is None:
        why = "all its failures are flaky" if not firm else "none of its failures has a command"
        raise ConfigError(f"bucket {bucket.id} cannot be bisected: {why}", None)
    return chosen
