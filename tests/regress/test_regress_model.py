"""Results of a regression as data."""

from __future__ import annotations

import json

import pytest

from flow.regress.model import Bucket, BucketState, Night, Regression, Result, Verdict


def _result(verdict: Verdict, seed: int = 1, *, quarantined: bool = False) -> Result:
    return Result(test="fifo", testcase="fills", seed=seed, verdict=verdict, quarantined=quarantined)


def _regression(*results: Result, missing: tuple[tuple[str, str], ...] = ()) -> Regression:
    return Regression(id="r", design="d", results=results, missing=missing)


def test_survives_json_with_seeds_that_javascript_would_round() -> None:
    seed = (1 << 63) - 1
    bucket = Bucket(
        id="0123456789",
        title="got <n>",
        verdict=Verdict.FAIL,
        members=(("fifo", "fills", seed),),
        state=BucketState.BACK,
    )
    before = Regression(
        id="r", design="d", suite="nightly", results=[_result(Verdict.FAIL, seed)], buckets=[bucket],
        missing=[("slow", "no result file")], coverage={"line": 0.5},
    )  # fmt: skip
    text = json.dumps(before.to_json())
    assert f'"{seed}"' in text
    assert Regression.from_json(json.loads(text)) == before


@pytest.mark.parametrize("damage", [{"version": 2}, {"results": [{}]}, {"buckets": None}, {"surplus": 1}])
def test_refuses_a_damaged_record(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="record"):
        Regression.from_json({**_regression().to_json(), **damage})


@pytest.mark.parametrize("verdict", Verdict)
def test_passes_only_when_nothing_bad_counts(verdict: Verdict) -> None:
    good = verdict in (Verdict.PASS, Verdict.XFAIL, Verdict.SKIPPED)
    assert _regression(_result(Verdict.PASS), _result(verdict, 2)).passed is good
    assert _regression(_result(Verdict.PASS), _result(verdict, 2, quarantined=True)).passed


def test_nothing_run_is_no_pass() -> None:
    assert not _regression().passed
    assert not _regression(_result(Verdict.SKIPPED)).passed
    assert not _regression(_result(Verdict.PASS), missing=(("slow", "no result"),)).passed


def test_counts_every_verdict() -> None:
    counts = _regression(_result(Verdict.PASS), _result(Verdict.PASS, 2), _result(Verdict.CRASH, 3)).counts
    assert counts[Verdict.PASS] == 2
    assert counts[Verdict.CRASH] == 1
    assert counts[Verdict.XPASS] == 0


def test_a_night_is_the_regression_in_short() -> None:
    results = [
        _result(Verdict.PASS),
        Result(test="t", testcase="c", seed=2, verdict=Verdict.FAIL, flaky=True),
    ]
    bucket = Bucket(id="0123456789", title="x", verdict=Verdict.FAIL, state=BucketState.KNOWN)
    night = Night.of(Regression(id="r", design="d", suite="smoke", results=results, buckets=[bucket]))
    assert (night.id, night.suite, night.flaky) == ("r", "smoke", 1)
    assert night.counts == {Verdict.PASS: 1, Verdict.FAIL: 1}
    assert night.states == {BucketState.KNOWN: 1}
