"""Two regressions side by side: page and terminal."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from regress_sample import regression
from rich.console import Console
from strict_html import Page

from flow.regress.diff import Diff, diff
from flow.regress.model import Regression, Result, Verdict
from flow.report.regress.compare import render, write
from flow.report.regress.terminal import comparison

BEFORE = regression(400)


def after() -> Regression:
    """Return `BEFORE` with one failure mended, one result broken, a bucket gone and another one new."""
    rows = list(BEFORE.results)
    gone, kept = BEFORE.buckets[0], BEFORE.buckets[1]
    for n, row in enumerate(rows):
        if row.key in gone.members:
            rows[n] = dataclasses.replace(row, verdict=Verdict.PASS, message="")
    place = next(
        n for n, row in enumerate(rows) if row.verdict is Verdict.PASS and row.key not in gone.members
    )
    rows[place] = dataclasses.replace(rows[place], verdict=Verdict.CRASH, message="<b>core dumped</b>")
    new = dataclasses.replace(kept, id="abcdefabcd", title="core <dumped>", members=(rows[place].key,))
    rows.append(Result(test="added", testcase="c", seed=1, verdict=Verdict.PASS))
    return dataclasses.replace(BEFORE, id="later", results=rows, buckets=[*BEFORE.buckets[1:], new])


DIFF = diff(BEFORE, after())


def shown(made: Diff) -> str:
    console = Console(file=io.StringIO(), width=220)
    for part in comparison(made, "diff.html"):
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("made", [DIFF, diff(BEFORE, BEFORE), diff(Regression(id="a", design=""), BEFORE)])
def test_the_page_is_well_formed(made: Diff) -> None:
    found = Page(render(made))
    assert len(found.ids) == len(set(found.ids))
    targets = {str(a["href"])[1:] for a in found.of("a")}
    assert targets <= set(found.ids)
    assert not [a for _, attrs in found.elements for a in attrs if a.startswith("on")]


def test_the_page_says_what_broke_and_what_was_mended(tmp_path: Path) -> None:
    text = write(DIFF, tmp_path / "diff.html").read_text()
    words = Page(text).words
    mended = len(BEFORE.buckets[0].members)
    assert "Worse" in words and "Broken (1)" in words and f"Mended ({mended})" in words
    assert "<b>core dumped</b>" in words and "added.c" in words
    new = next(r for r in after().results if r.verdict is Verdict.CRASH and "core dumped" in r.message)
    assert new.command in words
    states = re.findall(r'class="bucket (\w+)"', text)
    assert states[:2] == ["new", "fixed"] and set(states[2:]) == {"known"}


def test_the_terminal_says_the_same_and_how_to_repeat_it() -> None:
    text = shown(DIFF)
    assert text.startswith("✘ WORSE  1 result broken")
    assert "pass → crash: <b>core dumped</b>" in text and "✘ new abcdefabcd core <dumped>" in text
    assert f"✔ gone {BEFORE.buckets[0].id}" in text and "1 test case that only one of them ran" in text
    broken = next(r for r in after().results if "core dumped" in r.message)
    assert broken.command in text


def test_a_regression_against_itself_is_no_worse() -> None:
    text = shown(diff(BEFORE, BEFORE))
    assert text.startswith("✔ NO WORSE  0 results broken, 0 mended, 0 changed")
    assert "No worse" in Page(render(diff(BEFORE, BEFORE))).words
