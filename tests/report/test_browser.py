"""The report in a real browser: it renders, fits, filters, copies and prints."""
# ruff: noqa: E501 - tables and scripts read better unwrapped

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flow.report.html import SECTIONS, write

pytestmark = pytest.mark.web

_SPEC = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("sample.py"))
assert _SPEC is not None and _SPEC.loader is not None
sample = sys.modules.setdefault("report_sample", importlib.util.module_from_spec(_SPEC))
_SPEC.loader.exec_module(sample)

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ["pass", "failing", "empty", "hostile", "bare"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing: pip install playwright"
    )
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no browser: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    runs = {n: sample.hostile() if n == "hostile" else sample.load(n) for n in NAMES}
    return {name: write(run, folder / f"{name}.html") for name, run in runs.items()}


def open_page(browser: Any, path: Path, width: int = 1280, scheme: str = "light", **options: Any) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
    page = context.new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
    page.on(
        "request", lambda r: page.problems.append(r.url) if not r.url.startswith(("file:", "data:")) else None
    )
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("pass", 1280, "light"),
        ("failing", 390, "dark"),
        ("empty", 390, "light"),
        ("hostile", 1280, "dark"),
        ("hostile", 390, "light"),
        ("bare", 390, "dark"),
    ],
)
def test_renders_without_errors_and_without_sideways_scrolling(
    browser: Any, reports: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    page = open_page(browser, reports[name], width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for ident, _, _ in SECTIONS:
        box = page.locator(f"#{ident}").bounding_box()
        assert box is not None and box["height"] > 20 and box["width"] > 200, ident
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.problems == []
    page.context.close()


def test_light_and_dark_differ_and_keep_contrast(browser: Any, reports: dict[str, Path]) -> None:
    script = """() => {
      const lum = (c) => { const v = c.match(/[0-9.]+/g).slice(0, 3).map((x) => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
        return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
      const back = (n) => { for (; n; n = n.parentElement) { const c = getComputedStyle(n).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return "rgb(255,255,255)"; };
      const ratio = (s) => { const n = document.querySelector(s); const [a, b] = [lum(getComputedStyle(n).color), lum(back(n))].sort((x, y) => y - x); return (a + .05) / (b + .05); };
      return ["body", ".note", "td .slack.good", "td .slack.bad", "thead th", "nav a", ".verdict h2", ".u", ".state.calm"].map(ratio);
    }"""
    backgrounds = []
    for scheme in ("light", "dark"):
        page = open_page(browser, reports["failing"], scheme=scheme)
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert min(page.evaluate(script)) >= 4.5
        page.context.close()
    assert backgrounds[0] != backgrounds[1]


def test_filter_narrows_the_tests_and_says_how_many(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["failing"])
    rows = page.locator("#t-tests tbody tr:visible")
    assert rows.count() == 96
    page.locator("[data-filter=t-tests]").fill("saturation stream")
    assert rows.count() == 8
    page.locator("[data-state-of=t-tests]").select_option("fail")
    assert rows.count() == 2
    assert page.locator("[data-hits=t-tests]").inner_text() == "2 of 96 shown"
    page.locator("[data-filter=t-checks]").fill("latches weights")
    assert page.locator("#t-checks tbody tr:visible").count() == 3
    page.context.close()


def test_sorting_by_a_header_works_from_the_keyboard(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["failing"])
    button = page.locator("#t-tests thead button", has_text="Time")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("#t-tests th[aria-sort=ascending]").count() == 1
    values = page.locator("#t-tests tbody td:nth-child(4)").evaluate_all(
        "cells => cells.map(c => +c.dataset.v)"
    )
    assert values == sorted(values)
    page.context.close()


def test_copy_button_copies_the_command(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["pass"], permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("[data-copy]")
    button.click()
    page.wait_for_function("document.querySelector('[data-copy]').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == sample.load("pass")["run"]["reproduce"]
    page.context.close()


def test_a_missing_number_tells_its_reason_on_focus(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["failing"])
    page.locator(".card .null").first.focus()
    assert "gf180mcuD failed: yosys: stopped" in page.locator(".tip").inner_text()
    page.context.close()


def test_paths_expand(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["pass"])
    page.locator(".path summary").first.click()
    assert page.locator(".path[open] .stages tbody tr:visible").count() == 16
    page.context.close()


def test_without_script_all_is_there_and_no_dead_button(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["failing"], java_script_enabled=False)
    assert page.locator("#t-tests tbody tr").count() == 96
    assert page.locator("button:visible").count() == 0
    page.context.close()


def test_prints(browser: Any, reports: dict[str, Path]) -> None:
    page = open_page(browser, reports["failing"], scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 10_000
    page.context.close()


def test_log_links_fit_both_places_of_the_report(browser: Any, tmp_path: Path) -> None:
    run = {"steps": [{"name": "lint", "status": "done", "log": "../../steps/lint/lint.log"}]}
    for path, expected in ((tmp_path / "report.html", "steps/lint/lint.log"),
                           (tmp_path / "runs" / "r1" / "report.html", "../../steps/lint/lint.log")):  # fmt: skip
        page = open_page(browser, write(run, path))
        assert page.locator("#t-steps a").get_attribute("href") == expected
        page.context.close()
