"""What a terminal says when a regression has ended."""

from __future__ import annotations

import io

from regress_sample import regression
from rich.console import Console

from flow.regress.model import Bucket, Regression, Result, Verdict
from flow.report.regress.terminal import summary


def shown(made: Regression, report: str | None = None) -> str:
    console = Console(file=io.StringIO(), width=200)
    for part in summary(made, report):
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_verdict_counts_buckets_commands_and_the_report() -> None:
    made = regression()
    text = shown(made, "build/report.html")
    assert text.startswith("✘ FAIL  tile nightly: 400 results of 20 test cases")
    assert text.index(" passed") < text.index(" crashed")
    states = [line.split()[1] for line in text.splitlines() if line[:2] in ("✘ ", "✔ ") and " 0000" in line]
    assert states == ["new", "back", "known", "known"]
    by_key = {result.key: result for result in made.results}
    for bucket in made.buckets:
        if bucket.members:
            assert by_key[bucket.members[0]].command in text
    assert "tile_power has no result: the simulation ended without a result file" in text
    assert "✔ fixed" in text and text.rstrip().endswith("Report: build/report.html")


def test_markup_in_a_message_is_text() -> None:
    row = Result(test="t", testcase="c", seed=1, verdict=Verdict.FAIL, message="[red]x[/red]")
    bucket = Bucket(id="0123456789", title="[red]x[/red]\x1b[2J", verdict=Verdict.FAIL, members=(row.key,))
    text = shown(Regression(id="r", design="d", results=[row], buckets=[bucket]))
    assert "[red]x[/red]" in text and "\x1b" not in text


def test_nothing_run_and_all_passed() -> None:
    assert "✘ FAIL" in shown(Regression(id="r", design="d"))
    assert "nothing ran" in shown(Regression(id="r", design="d"))
    good = Result(test="t", testcase="c", seed=1, verdict=Verdict.PASS)
    assert shown(Regression(id="r", design="d", results=[good])).startswith(
        "✔ PASS  d: 1 result of 1 test case"
    )


def test_failures_without_a_bucket_are_said() -> None:
    rows = [
        Result(test=f"t{n}", testcase="c", seed=n, verdict=Verdict.INFRA, message="lost") for n in range(5)
    ]
    text = shown(Regression(id="r", design="d", results=rows))
    assert "t0: machine failed, lost" in text and "and 2 more lost to machines" in text


def test_many_buckets_end_in_a_count() -> None:
    rows = [Result(test="t", testcase="c", seed=n, verdict=Verdict.FAIL, message=f"m{n}") for n in range(15)]
    buckets = [
        Bucket(id=f"{n:010x}", title=r.message, verdict=r.verdict, members=(r.key,))
        for n, r in enumerate(rows)
    ]
    text = shown(Regression(id="r", design="d", results=rows, buckets=buckets))
    assert "and 3 more buckets in the report" in text and "m12" not in text
