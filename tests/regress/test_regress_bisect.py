"""The search for the first bad commit, over every place where it can be."""

from __future__ import annotations

from math import ceil, log2

import pytest

from flow.model.errors import ConfigError
from flow.regress.bisect import State, search, state_of
from flow.regress.model import Verdict
from flow.regress.past import Rerun

COMMITS = [f"c{number}" for number in range(21)]


def _judge(first_bad: int, untold: frozenset[int] = frozenset()):
    asked: list[str] = []

    def judge(commit: str) -> State:
        assert commit not in asked, "judged twice"
        asked.append(commit)
        number = int(commit[1:])
        return State.UNTOLD if number in untold else State.BAD if number >= first_bad else State.GOOD

    return judge, asked


@pytest.mark.parametrize("first_bad", range(1, 21))
def test_finds_every_first_bad_commit(first_bad: int) -> None:
    judge, asked = _judge(first_bad)
    found = search(COMMITS, judge)
    assert found.first_bad == f"c{first_bad}"
    assert found.candidates == (found.first_bad,)
    assert len(asked) <= 2 + ceil(log2(len(COMMITS) - 1))
    assert [commit for commit, _ in found.tried] == asked


@pytest.mark.parametrize("first_bad", range(1, 21))
@pytest.mark.parametrize("untold", [{5}, {9, 10, 11}, {1, 19}, {2, 4, 6, 8, 10, 12, 14, 16, 18}])
def test_says_what_it_may_be_where_commits_tell_nothing(first_bad: int, untold: set[int]) -> None:
    judge, _ = _judge(first_bad, frozenset(untold))
    found = search(COMMITS, judge)
    first = first_bad  # the candidates: the first that is seen to be bad, and what tells nothing before it
    while first in untold:
        first += 1
    candidates = [first]
    while candidates[0] - 1 in untold:
        candidates.insert(0, candidates[0] - 1)
    assert found.candidates == tuple(f"c{number}" for number in candidates)
    assert found.first_bad == (found.candidates[0] if len(candidates) == 1 else "")


def test_judges_the_ends_first() -> None:
    judge, asked = _judge(0)
    with pytest.raises(ConfigError, match="c0 is not good"):
        search(COMMITS, judge)
    assert asked == ["c20", "c0"]
    judge, asked = _judge(21)
    with pytest.raises(ConfigError, match="c20 does not show the failure"):
        search(COMMITS, judge)
    assert asked == ["c20"]
    with pytest.raises(ConfigError, match="no commit between"):
        search(["c1"], judge)


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        ([Rerun("a", Verdict.PASS)], State.GOOD),
        ([Rerun("a", Verdict.FAIL, "s1"), Rerun("b", Verdict.PASS)], State.BAD),
        # Another test case, or another failure, says nothing of this bug.
        ([Rerun("a", Verdict.FAIL, "s2")], State.UNTOLD),
        ([Rerun("b", Verdict.FAIL, "s1")], State.UNTOLD),
        ([Rerun("a", Verdict.SKIPPED)], State.UNTOLD),
        ([], State.UNTOLD),
        # A run that ended before its test cases were told apart.
        ([Rerun("crash", Verdict.CRASH, "s1")], State.BAD),
        ([Rerun("crash", Verdict.CRASH, "s3")], State.UNTOLD),
    ],
)
def test_only_the_same_failure_is_bad(shown: list[Rerun], state: State) -> None:
    assert state_of(shown, "a", frozenset({"s1"})) is state


def test_of_a_crash_the_whole_run_decides() -> None:
    assert state_of([Rerun("a", Verdict.PASS), Rerun("b", Verdict.PASS)], "", frozenset({"s"})) is State.GOOD
    assert state_of([Rerun("", Verdict.TIMEOUT, "s")], "", frozenset({"s"})) is State.BAD
    assert (
        state_of([Rerun("a", Verdict.PASS), Rerun("b", Verdict.FAIL, "t")], "", frozenset({"s"}))
        is State.UNTOLD
    )
