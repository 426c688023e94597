"""Failures of one bug share a bucket or two, and failures of two benches none."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from random import Random

import pytest

from flow.regress.buckets import Known, group, grouped, missed
from flow.regress.model import Result, Verdict
from flow.regress.normalise import symptom_of
from tests.regress.faults import FAULTS, failures_of, results_of

TILE = [fault for fault in FAULTS if not fault.startswith("fifo")]
FIFO = [fault for fault in FAULTS if fault.startswith("fifo")]


def _failure(
    message: str, seed: int = 1, *, case: str = "c", module: str = "bench", within: str = ""
) -> Result:
    return Result(
        test="t", testcase=case, seed=seed, verdict=Verdict.FAIL, message=message, place="b.py:3",
        module=module, traceback=f'File "b.py", line 3, in {within}' if within else "",
    )  # fmt: skip


def _pass(seed: int, *, case: str = "c") -> Result:
    return Result(test="t", testcase=case, seed=seed, verdict=Verdict.PASS, module="bench")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_makes_two_buckets_at_most(fault: str) -> None:
    failures = failures_of(fault)
    buckets = group(results_of(fault))
    assert failures
    assert 1 <= len(buckets) <= 2, [bucket.title for bucket in buckets]
    members = [key for bucket in buckets for key in bucket.members]
    assert sorted(members) == sorted(result.key for result in failures)


def test_faults_of_two_designs_are_never_mixed() -> None:
    for tile, fifo in zip(TILE, cycle(FIFO), strict=False):
        for bucket in group([*results_of(tile), *results_of(fifo)]):
            assert len({test for test, _, _ in bucket.members}) == 1, (tile, fifo, bucket.title)


@pytest.mark.parametrize("fault", ["skid_lost", "swap_late", "fifo_6", "fifo_7"])
def test_order_and_seeds_change_no_bucket(fault: str) -> None:
    results = results_of(fault)
    before = {bucket.id: set(bucket.members) for bucket in group(results)}
    shuffled = [*results]
    Random(1).shuffle(shuffled)
    assert {bucket.id: set(bucket.members) for bucket in group(shuffled)} == before
    others = [replace(result, seed=result.seed + 1000) for result in results]
    assert {bucket.id for bucket in group(others)} == set(before)


def test_the_reproducer_is_the_shortest_that_repeats() -> None:
    long, short, flaky = (
        replace(_failure("E: wrong", seed), sim_time_ns=time)
        for seed, time in ((1, 90.0), (2, 20.0), (3, 5.0))
    )
    unknown = _failure("E: wrong", 4)
    (bucket,) = group([unknown, long, replace(flaky, flaky=True), short])
    assert [seed for _, _, seed in bucket.members] == [2, 1, 4, 3]


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        # The same test case, with another seed: what says little is joined.
        (_failure("E: word 3 is 5"), _failure("HangError: stuck", 2), True),
        (_failure("E: word 3 is 5"), _failure("E: 4 words, not 5", 2), True),
        # What names a rule or a signal stays apart from a difference.
        (_failure("PE: o: valid withdrawn"), _failure("E: word 3 is 5", 2), False),
        (_failure("PE: o: valid withdrawn"), _failure("PE: i: valid withdrawn", 2), False),
        (_failure("PE: ProtocolError"), _failure("E: word 3 is 5", 2, case="d"), False),
        # One signal.
        (
            _failure("ProtocolError: o: valid withdrawn"),
            _failure("ProtocolError: o: changed", case="d"),
            True,
        ),
        # A hang where a difference is seen.
        (
            _failure("E: word 3 is 5", case="d", within="check"),
            _failure("HangError: stuck", within="check"),
            True,
        ),
        (
            _failure("E: word 3 is 5", case="d", within="check"),
            _failure("HangError: stuck", within="run"),
            False,
        ),
        # Unknown values spread.
        (_failure("E: bus is XXXX"), _failure("V: non-0/1 values", case="d"), True),
        # Another function, test case or bench.
        (_failure("E: word 3 is 5"), _failure("E: 4 words, not 5", case="d"), False),
        (_failure("E: word 3 is 5"), _failure("E: word 3 is 5", case="d"), True),
        (_failure("E: word 3 is 5"), _failure("E: word 3 is 5", module="other"), False),
    ],
)
def test_joins_by_evidence(one: Result, other: Result, joined: bool) -> None:
    assert len(group([one, other])) == (1 if joined else 2)


def test_one_rule_on_many_signals_is_one_bug() -> None:
    broken = [_failure(f"PE: axi__{x}valid: withdrawn before axi__{x}ready", n) for n, x in enumerate("rwb")]
    assert len(group(broken[:2])) == 2
    assert len(group(broken)) == 1
    wrong = [_failure(f"PE: axi__{x}data: 7, must be 9", n) for n, x in enumerate("rwb")]
    assert len(group(wrong)) == 3


def test_what_is_no_bug_is_in_no_bucket() -> None:
    others = [v for v in Verdict if not v.triaged]
    assert not group([replace(_failure("E: x", n), verdict=verdict) for n, verdict in enumerate(others)])


def _known(*, clean: int) -> Known:
    symptom = symptom_of(_failure("E: word 3 is 5")).id
    return Known(
        buckets={symptom: ("feedbeef00",)},
        cases={"feedbeef00": frozenset({("t", "c")})},
        clean={("t", "d"): clean},
        taken=frozenset({"feedbeef00", symptom}),
    )


def test_a_known_bucket_keeps_its_id() -> None:
    (bucket,) = group([_failure("E: word 9 is 8", 7)], _known(clean=0))
    assert bucket.id == "feedbeef00"


def test_a_known_bucket_hides_no_failure_where_all_was_well() -> None:
    both = [_failure("E: word 9 is 8"), _failure("E: word 1 is 0", case="d")]
    buckets = group(both, _known(clean=4))
    assert [len(bucket.members) for bucket in buckets] == [1, 1]
    assert len({bucket.id for bucket in buckets} - {"feedbeef00"}) == 1
    assert symptom_of(both[1]).id not in {bucket.id for bucket in buckets}  # it was another's once


def test_a_rare_failure_elsewhere_is_not_taken_for_a_new_bug() -> None:
    results = [
        _failure("E: word 9 is 8"),
        _failure("E: word 1 is 0", case="d"),
        *(_pass(n, case="d") for n in (2, 3, 4)),
    ]
    (bucket,) = group(results, _known(clean=4))
    assert bucket.id == "feedbeef00"


def test_new_symptoms_do_not_join_two_known_buckets() -> None:
    word, count = _failure("E: word 3 is 5"), _failure("E: 4 words, not 5", 2)
    known = Known(buckets={symptom_of(word).id: ("a" * 10,), symptom_of(count).id: ("b" * 10,)})
    found = grouped([word, count, _failure("HangError: stuck", 3)], known)
    assert sorted(bucket.id for bucket, _ in found) == ["a" * 10, "b" * 10]


def test_odds() -> None:
    assert missed(4, 4, 1) == 0.0
    assert missed(1, 4, 2) == pytest.approx(0.5625)
    assert missed(0, 0, 5) == 1.0
