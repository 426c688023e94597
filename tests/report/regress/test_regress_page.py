"""The page of a regression: structure, escaping, and every state a night can end in."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from regress_sample import nights, regression
from strict_html import Page

from flow.regress.model import Bucket, BucketState, Regression, Result, Verdict
from flow.report.regress import render, write
from flow.report.regress.data import MARK

HOSTILE = "</script><script>alert(1)</script><b a='\"&\x00\u202e\ud800" + MARK


def block(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="rows">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def hostile() -> Regression:
    result = Result(
        test=HOSTILE, testcase=HOSTILE, seed=3, verdict=Verdict.FAIL, message=HOSTILE, place=HOSTILE,
        traceback=HOSTILE, command=HOSTILE, log="javascript:alert(1)", waves="../../etc/passwd", host=HOSTILE,
    )  # fmt: skip
    bucket = Bucket(
        id="0123456789", title=HOSTILE, verdict=Verdict.FAIL, place=HOSTILE, members=(result.key,),
        owner=HOSTILE, note=HOSTILE, first_seen=HOSTILE, since=HOSTILE,
    )  # fmt: skip
    return Regression(
        id=HOSTILE, design=HOSTILE, suite=HOSTILE, commit=HOSTILE, started=HOSTILE, command=HOSTILE,
        results=[result], buckets=[bucket], missing=[(HOSTILE, HOSTILE)],
    )  # fmt: skip


CASES = {
    "night": regression(),
    "hostile": hostile(),
    "empty": Regression(id="r", design="d"),
    "one": Regression(
        id="r", design="d", results=[Result(test="t", testcase="", seed=1, verdict=Verdict.PASS)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_is_well_formed_and_asks_for_nothing(name: str) -> None:
    text = render(CASES[name], nights())
    found = Page(text)
    assert len(found.ids) == len(set(found.ids))
    links = {str(a["href"]) for a in found.of("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(found.ids)
    for tag, attrs in found.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form")
        for attr, value in attrs.items():
            assert not attr.startswith("on"), f"{tag} {attr}"
            if attr in ("href", "src"):
                assert value is not None and not re.match(r"(?i)\s*([a-z][a-z0-9+.-]*:(?!,$)|//)", value), (
                    value
                )
                assert ".." not in value
    assert "url(" not in text.replace("url(#hatch)", "")


def test_the_data_gives_every_result_back() -> None:
    made = regression()
    data = block(render(made))
    texts = data["texts"]
    by_key = {result.key: result for result in made.results}
    assert len(data["seed"]) == len(by_key) == len(made.results)
    for row, seed in enumerate(data["seed"]):
        result = by_key[texts[data["test"][row]], texts[data["testcase"][row]], int(seed)]

        def filled(name: str, row: int = row, seed: str = seed) -> str:
            column = data[name]
            number = column.get(str(row), 0) if isinstance(column, dict) else column[row]
            return texts[number].replace(MARK, seed)

        assert filled("command") == result.command and filled("log") == result.log
        assert filled("message") == result.message and filled("trace") == result.traceback.strip()
        flags = data["flags"].get(str(row), 0)
        assert (bool(flags & 1), bool(flags & 2)) == (result.flaky, result.quarantined)
    # What repeats is there once: 400 commands of 20 tests are 20 texts.
    assert sum(text.startswith("suzuri test ") for text in texts) == 20


def test_what_fails_comes_first_and_by_bucket() -> None:
    data = block(render(regression()))
    bad = [verdict < 5 for verdict in data["verdict"]]
    assert bad == sorted(bad, reverse=True) and 0 < sum(bad) < len(bad)
    in_bucket = [n for n in data["bucket"] if n >= 0]
    assert in_bucket == sorted(in_bucket) and data["bucket"][: len(in_bucket)] == in_bucket


def test_new_buckets_come_first_with_the_command_of_their_first_member() -> None:
    made = regression()
    text = render(made)
    found = Page(text)
    order = [
        str(a["class"]).split()[1] for a in found.of("details") if str(a.get("class")).startswith("bucket ")
    ]
    assert order == ["new", "back", "known", "known", "fixed"]
    by_key = {result.key: result for result in made.results}
    fresh = next(bucket for bucket in made.buckets if bucket.state is BucketState.NEW)
    assert by_key[fresh.members[0]].command in found.words
    assert text.index("New since the last regression") < text.index("Failures that look like one bug")


def test_says_why_it_failed_and_what_has_no_result() -> None:
    words = Page(render(regression())).words
    assert "Fail" in words and "1 test without any result" in words
    assert "tile_power" in words and "the simulation ended without a result file" in words


def test_a_quarantined_failure_is_seen_and_does_not_fail() -> None:
    rows = [Result(test="t", testcase="c", seed=1, verdict=Verdict.FAIL, quarantined=True, message="late"),
            Result(test="t", testcase="c", seed=2, verdict=Verdict.PASS)]  # fmt: skip
    bucket = Bucket(id="0123456789", title="late", verdict=Verdict.FAIL, members=(rows[0].key,))
    words = Page(render(Regression(id="r", design="d", results=rows, buckets=[bucket]))).words
    assert "Everything that was asked for ran" in words
    assert "1 failure in quarantine" in words
    assert "New since the last regression" in words


def test_a_trend_needs_a_night_before() -> None:
    assert 'id="trend"' not in render(regression())
    text = render(regression(), nights(3))
    assert "The last 4 regressions of this suite" in Page(text).words


def test_tracebacks_have_a_budget_and_say_when_it_is_spent() -> None:
    rows = [
        Result(test="t", testcase="c", seed=seed, verdict=Verdict.FAIL, traceback=f"{'x' * 4000} {n}")
        for n, seed in enumerate(range(10**6, 10**6 + 3000))
    ]  # fmt: skip
    text = render(Regression(id="r", design="d", results=rows))
    assert len(text) < 8_000_000
    traces = block(text)["trace"]
    assert traces["0"] > 0 and traces["2999"] == -1


def test_write_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new" / "report.html"
    assert write(CASES["one"], target) == target
    before = target.read_bytes()

    def refuse(self: Path, other: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write(regression(), target)
    assert target.read_bytes() == before
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_a_missing_wave_file_is_no_error(tmp_path: Path) -> None:
    made = regression()
    rows = [dataclasses.replace(r, waves="waves/none.fst") if r.message else r for r in made.results]
    text = write(dataclasses.replace(made, results=rows), tmp_path / "r.html").read_text()
    assert 'class="waves"' not in text
