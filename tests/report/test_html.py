"""The HTML report: structure, escaping, and every state a run can end in."""
# ruff: noqa: E501 - tables and scripts read better unwrapped

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from strict_html import Page

from flow.report.html import SECTIONS, render, write

_SPEC = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("sample.py"))
assert _SPEC is not None and _SPEC.loader is not None
sample = sys.modules.setdefault("report_sample", importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(sample)

NAMES = ["pass", "failing", "cancelled", "empty", "bare"]
IDS = [ident for ident, _, _ in SECTIONS]


def page(run: dict[str, Any]) -> Page:
    return Page(render(run))


@pytest.fixture(scope="module")
def passing() -> Page:
    return page(sample.load("pass"))


@pytest.fixture(scope="module")
def failing() -> Page:
    return page(sample.load("failing"))


@pytest.mark.parametrize("name", [*NAMES, "hostile", "many"])
def test_is_well_formed_with_all_sections_and_no_url(name: str) -> None:
    run = sample.load(name) if name in NAMES else getattr(sample, name)()
    text = render(run)
    found = Page(text)
    assert len(found.ids) == len(set(found.ids))
    assert [i for i in found.ids if i in IDS] == IDS
    for tag, attrs in found.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form")
        for attr, value in attrs.items():
            assert not attr.startswith("on"), f"{tag} {attr}"
            if attr in ("href", "src"):
                assert value is not None
                assert not re.match(r"(?i)\s*([a-z][a-z0-9+.-]*:(?!,$)|//)", value), value
    assert "@import" not in text and "url(" not in text.replace("url(#hatch)", "")
    assert len(text.encode()) < 1_500_000


@pytest.mark.parametrize("name", NAMES)
def test_links_inside_the_page_have_a_target(name: str) -> None:
    found = page(sample.load(name))
    targets = {str(a["href"])[1:] for a in found.of("a") if str(a.get("href", "")).startswith("#")}
    assert targets and targets <= set(found.ids)


@pytest.mark.parametrize("run", [{}, {"steps": None, "pdks": [None], "limits": 3, "verdict": None},
                                 {"steps": [{}], "pdks": [{}], "tools": [{}], "limits": [{}]},
                                 {"steps": [{"kind": "timing", "status": "done", "tags": {"pdk": "p"}, "metrics": {"timing__setup__ws": "nan"},
                                             "data": {"paths": [None, {}], "endpoint_slacks": [None, "x"]}}]},
                                 {"steps": [{"kind": "simulate", "status": "done", "data": {"coverage": [1], "tests": "no"}}]}])  # fmt: skip
def test_odd_input_never_raises(run: dict[str, Any]) -> None:
    page(run)


def test_the_same_run_gives_the_same_text() -> None:
    assert render(sample.load("failing")) == render(sample.load("failing"))


def test_verdict_comes_first_with_reasons_and_links(failing: Page) -> None:
    words = failing.words
    assert (
        words.index("Fail") < words.index("sky130A misses setup by 0.720 ns") < words.index("Where to look")
    )
    assert words.index("Where to look") < words.index("Headline numbers")
    assert "3 latches were inferred for 'weights.hold' (3 times)" in words
    assert "Raise resources.wall_s of synthesis" in words
    assert "timing__setup__ws is −0.7200, asked for at least 0" in words


def test_every_pdk_has_a_card_and_rows_for_its_corners(passing: Page) -> None:
    words = passing.words
    for name, _, _, _, corners, *_ in sample.PDKS:
        assert words.count(name) >= 6
        for corner in corners:
            assert corner in words
    assert len(passing.of("article")) == 6


def test_units_are_chosen_for_the_reader(passing: Page) -> None:
    assert "98,112 µm²" in passing.words
    assert "11.90 mW" in passing.words
    assert "144.9 MHz" in passing.words


def test_a_slack_is_told_by_sign_shape_and_word(failing: Page) -> None:
    assert "▼ −0.720 violated" in failing.words
    assert "▲ 3.100 ns met" in failing.words


def test_a_null_is_a_dash_with_its_reason_never_zero(failing: Page) -> None:
    titles = [str(a["title"]) for a in failing.of("span") if a.get("class") == "null"]
    assert "timing.gf180mcuD.ss_125C_4v50 skipped: a step it needs did not succeed" in titles
    assert "synthesize.gf180mcuD failed: yosys: stopped after 1800 s, its wall-clock limit" in titles
    assert "no test has activity = true" in titles
    assert "the run has no power step for this corner" in titles
    assert all(titles)


def test_a_run_without_numbers_shows_dashes() -> None:
    found = page(sample.load("bare"))
    nulls = [a for a in found.of("span") if a.get("class") == "null"]
    assert len(nulls) > 20
    assert "0.000" not in found.words


def test_histogram_marks_violated_columns(passing: Page, failing: Page) -> None:
    assert not [a for a in passing.of("rect") if a.get("class") == "hatch"]
    assert [a for a in failing.of("rect") if a.get("class") == "col bad"]
    assert len([a for a in failing.of("rect") if a.get("class") == "hatch"]) == len(
        [a for a in failing.of("rect") if a.get("class") == "col bad"]
    )


def test_tests_fail_first_with_message_seed_and_coverage_holes(failing: Page) -> None:
    words = failing.words
    assert "scoreboard: 1 mismatch of 512" in words
    assert "93 of 96" in words
    assert words.index("Functional coverage") < words.index("min_times_min")
    rows = [a.get("data-state") for a in failing.of("tr") if a.get("data-state") in ("pass", "fail")]
    assert rows[:3] == ["fail"] * 3


def test_a_run_without_tests_says_so() -> None:
    assert "No test was run, so nothing here says that the design works." in page(sample.load("empty")).words


def test_paths_have_stages_and_a_waterfall(passing: Page) -> None:
    assert "pe_row[0]/weight_q[3]" in passing.words
    assert "Waterfall" in passing.words
    assert [a for a in passing.of("span") if a.get("class") == "bar fall"]


def test_checks_carry_place_and_remedy(failing: Page) -> None:
    assert "rtl/tensor/tile.py:118" in failing.words
    assert "waive the rule at this place with a reason" in failing.words


def test_tools_pdks_and_the_command_close_the_page(passing: Page) -> None:
    words = passing.words
    assert words.index("Tools and PDKs") < words.rindex("Provenance") < words.index("Reproduce this run")
    assert "LGPL-3.0-only" in words and "--seed 20261123 --locked" in words


def test_skipped_pdks_and_missing_tools_are_named_with_their_reason() -> None:
    run = sample.load("failing") | {"missing_tools": [{"name": "opensta", "reason": "apt install opensta"}]}
    words = page(run).words
    assert "asap7 not installed; suzuri pdk install asap7 says how" in words
    assert words.count("apt install opensta") == 2


def test_tables_have_captions_and_scoped_headers(passing: Page) -> None:
    assert len(passing.of("caption")) == len(passing.of("table"))
    assert all(a.get("scope") in ("row", "col", "rowgroup") for a in passing.of("th"))
    frames = [a for a in passing.of("div") if str(a.get("class", "")).startswith("frame")]
    assert all(a.get("tabindex") == "0" and a.get("aria-label") for a in frames)


def test_hostile_strings_stay_text() -> None:
    text = render(sample.hostile())
    found = Page(text)
    assert text.count("</script>") == 1 and len(found.of("script")) == 1
    assert "alert(1)" in found.words
    assert "\u202e" not in text and "\x00" not in text and "\x1b" not in text
    hrefs = {str(a.get("href")) for a in found.of("a")}
    assert not any("example.com" in h for h in hrefs)
    assert not any(h.startswith("javascript:") for h in hrefs)


def test_links_to_logs_stay_inside_the_results() -> None:
    def href(log: str) -> list[str | None]:
        found = page({"steps": [{"name": "a", "status": "done", "log": log}]})
        return [a.get("href") for a in found.of("a") if not str(a.get("href")).startswith("#")]

    assert href("../../steps/lint/lint log.txt") == ["steps/lint/lint%20log.txt"]
    assert href("steps/a/b.log") == ["steps/a/b.log"]
    for bad in ("/etc/passwd", "//host/x", "a/../../b", "..", ""):
        assert href(bad) == []
    assert href("javascript:alert(1)") == ["javascript%3Aalert%281%29"]


def test_the_policy_allows_the_own_script_only(passing: Page) -> None:
    policy = next(a["content"] for a in passing.of("meta") if a.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'") and "script-src 'sha256-" in policy


def test_300_tests_on_8_pdks_stay_small_and_complete() -> None:
    run = sample.many()
    found = page(run)
    assert len(found.of("article")) == 8
    assert "600 of 600" in found.words
    assert "further simulate steps" in found.words


def test_a_violation_that_no_limit_forbids_is_still_shown() -> None:
    run = sample.load("failing") | {
        "limits": [],
        "verdict": {"status": "pass", "exit_code": 0, "reasons": []},
    }
    words = page(run).words
    assert "Passed, but look at" in words
    assert "setup slack is −0.720 ns" in words


def test_what_is_told_once_is_not_told_twice() -> None:
    checks = [
        {
            "name": "timing.setup",
            "passed": False,
            "severity": "error",
            "message": "worst setup slack is -0.5 ns",
            "place": "a -> b",
        }
    ]
    step = sample.step("timing.p.tt", "timing", "time p", checks=checks, metrics={"timing__setup__ws": -0.5},
                       tags={"pdk": "p", "corner": "tt"})  # fmt: skip
    verdict = {"status": "fail", "exit_code": 1, "reasons": ["time p: worst setup slack is -0.5 ns (a -> b)"]}
    words = page({"steps": [step], "verdict": verdict}).words
    head = words[: words.index("Headline numbers")]
    assert head.count("worst setup slack is -0.5 ns") == 1 and "setup slack is −0.500 ns" not in head


def test_simulated_activity_is_preferred_to_the_default() -> None:
    def power(activity: str, watts: float) -> dict[str, Any]:
        return sample.step(f"power.p.{activity}", "power", "power", metrics={"power__total": watts},
                           data={"by_group": [{"group": "Clock", "total_w": watts}]},
                           tags={"pdk": "p", "corner": "tt", "activity": activity})  # fmt: skip

    words = page({"steps": [power("default", 0.5), power("simulated", 0.25)]}).words
    headline = words[words.index("Headline numbers") : words.index("PPA against")]
    assert "250.0 mW" in headline and "500.0 mW" not in headline
    assert "500.0 mW, default activity" in words


def test_two_recipes_are_two_targets() -> None:
    steps = [sample.step(f"synthesize.{r}", "synthesize", r, metrics={"design__instance__area": area},
                         tags={"pdk": "p", "recipe": r}) for r, area in (("area", 10.0), ("speed", 20.0))]  # fmt: skip
    words = page({"steps": steps}).words
    assert "p · area" in words and "p · speed" in words


def test_write_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new" / "report.html"
    assert write(sample.load("empty"), target) == target
    before = target.read_bytes()

    def refuse(self: Path, other: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write(sample.load("pass"), target)
    assert target.read_bytes() == before
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]


def test_write_survives_lone_surrogates(tmp_path: Path) -> None:
    path = write({"design": {"name": "a\udc80b"}}, tmp_path / "r.html")
    assert "a\ufffdb" in path.read_text(encoding="utf-8")


def test_a_column_that_zero_cuts_is_violated_left_of_zero_only() -> None:
    timing = sample.step("timing.p.tt", "timing", "t", data={"histogram": {"edges": [-0.2, 0.2], "counts": [4]}},
                         metrics={"timing__setup_vio__count": 1}, tags={"pdk": "p", "corner": "tt"})  # fmt: skip
    found = page({"steps": [timing]})
    assert [a["class"] for a in found.of("rect")] == ["col bad", "hatch", "col"]
    assert "4 endpoints, 1 violated" in found.words
