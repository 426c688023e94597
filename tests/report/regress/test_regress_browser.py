"""The page of a regression in a real browser: filters, sorting, opening, fitting a telephone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from regress_sample import nights, regression

from flow.regress.model import Regression
from flow.report.regress import write

pytestmark = pytest.mark.web

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
MADE = regression(2000)


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
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(MADE, tmp_path_factory.mktemp("night") / "report.html", nights())


def open_page(browser: Any, path: Path, width: int = 1280, scheme: str = "light", **options: Any) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **options
    )
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


def column(page: Any, name: str) -> list[str]:
    """Return the cells of a column in the order in which they are seen."""
    lines = page.locator(".r-line").evaluate_all(
        f"lines => lines.map(l => [+l.dataset.place, l.querySelector('.c-{name}').textContent])"
    )
    return [text for _, text in sorted(lines)]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(1280, "dark"), pytest.param(390, "light", marks=pytest.mark.nightly), (390, "dark")],
)
def test_fits_and_asks_the_network_for_nothing(browser: Any, report: Path, width: int, scheme: str) -> None:
    page = open_page(browser, report, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    page.locator(".r").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Lines of a row lie within it, and rows do not overlap.
    boxes = page.locator(".r").evaluate_all("rows => rows.map(r => [r.clientHeight, r.scrollHeight])")
    assert all(inner <= outer for outer, inner in boxes)
    assert page.problems == []
    page.context.close()


def test_shows_only_rows_in_sight_and_scrolls_to_the_last(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    assert 10 < page.locator(".r").count() < 60
    page.evaluate("document.getElementById('r-body').scrollTop = 1e9")
    page.wait_for_function("document.querySelector('.r[aria-rowindex=\"2001\"]') !== null")
    assert page.locator(".r").count() < 90
    page.context.close()


def test_filters_together_and_says_how_many(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    expected = [r for r in MADE.results if r.test == "tile_stall" and r.verdict.bad]
    page.locator("#r-test").select_option("tile_stall")
    page.locator("#r-verdict").select_option("bad")
    assert page.locator("#r-hits").inner_text() == f"{len(expected)} of 2,000 shown"
    page.locator("#r-search").fill(f"{expected[0].seed} scoreboard")
    assert column(page, "seed") == [str(expected[0].seed)]
    page.locator("#r-search").fill("nothing has these words")
    assert page.locator("#r-rows").inner_text() == "No result fits."
    page.context.close()


@pytest.mark.nightly
def test_a_message_is_found_by_the_number_in_it(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    row = next(r for r in MADE.results if r.message.startswith("scoreboard"))
    page.locator("#r-search").fill(row.message.split()[2].rstrip(","))
    assert str(row.seed) in column(page, "seed")
    page.context.close()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("seed", lambda r: r.seed),
        pytest.param("time", lambda r: r.time_s, marks=pytest.mark.nightly),
        pytest.param("sim", lambda r: r.sim_time_ns, marks=pytest.mark.nightly),
    ],
)
def test_sorts_by_value_both_ways(browser: Any, report: Path, name: str, key: Any) -> None:
    page = open_page(browser, report)
    button = page.locator(f"[data-sort={name}]")
    seeds = [str(r.seed) for r in sorted(MADE.results, key=key)]
    button.focus()
    page.keyboard.press("Enter")
    assert column(page, "seed")[:12] == seeds[:12]
    button.click()
    assert page.locator("[aria-sort=descending]").count() == 1
    assert column(page, "seed")[:12] == seeds[::-1][:12]
    page.context.close()


def test_a_row_opens_with_its_command_which_copies(browser: Any, report: Path) -> None:
    page = open_page(browser, report, permissions=["clipboard-read", "clipboard-write"])
    row = next(r for r in MADE.results if r.traceback)
    page.locator("#r-search").fill(str(row.seed))
    button = page.locator(".r button")
    button.focus()
    page.keyboard.press("Enter")
    opened = page.locator(".r-open")
    assert (
        row.message in opened.inner_text() and f"seed {row.seed}" in opened.locator("pre.trace").inner_text()
    )
    opened.locator("[data-copy]").click()
    page.wait_for_function("document.querySelector('.r-open [data-copy]').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == row.command
    page.keyboard.press("Escape")
    page.locator(".r").click()
    assert page.locator(".r-open").count() == 0
    page.context.close()


@pytest.mark.nightly
def test_arrow_keys_walk_the_rows(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    page.locator(".r button").first.focus()
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('.r').getAttribute('aria-rowindex')") == "42"
    page.context.close()


def test_a_bucket_shows_its_results(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    bucket = MADE.buckets[0]
    page.locator("[data-bucket='0']").click()
    assert page.locator("#r-hits").inner_text() == f"{len(bucket.members)} of 2,000 shown"
    assert column(page, "seed")[0] == str(bucket.members[0][2])
    assert page.locator(".r-open").count() == 1
    page.context.close()


def test_without_a_script_buckets_and_tests_are_there(browser: Any, report: Path) -> None:
    page = open_page(browser, report, java_script_enabled=False)
    assert page.locator(".bucket").count() == 5
    assert page.locator("#r-table").is_hidden() and page.locator(".unscripted").is_visible()
    assert page.locator("button:visible").count() == 0
    page.context.close()


def test_an_empty_night_has_no_table_and_no_error(browser: Any, tmp_path: Path) -> None:
    page = open_page(browser, write(Regression(id="r", design="d"), tmp_path / "r.html"))
    assert "nothing ran" in page.locator("#verdict").inner_text()
    assert page.problems == []
    page.context.close()


@pytest.mark.nightly
def test_a_file_opens_its_source(browser: Any, tmp_path: Path) -> None:
    lines = [[n, f"line {n}", 0, [["branch", "if", "", ""]]] for n in range(1, 200)]
    files = [
        {"file": f"rtl/{name}.sv", "kinds": {"branch": [0, 199]}, "lines": lines, "more": 0} for name in "abc"
    ]
    code = {
        "runs": 1,
        "unread": [],
        "unread_more": 0,
        "kinds": {"branch": [0, 597]},
        "files": files,
        "waived": [],
    }
    coverage = {"runs": 0, "groups": [], "kinds": code["kinds"], "code": code}
    made = Regression(id="r", design="d", coverage=coverage)
    page = open_page(browser, write(made, tmp_path / "r.html"), 390)
    assert page.locator("#code-0").is_visible() and not page.locator("#code-2").is_visible()
    page.locator("#t-code a", has_text="rtl/c.sv").click()
    page.wait_for_function("document.getElementById('code-2').checkVisibility()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []
    page.context.close()


@pytest.mark.nightly
def test_prints(browser: Any, report: Path) -> None:
    page = open_page(browser, report, scheme="dark")
    page.emulate_media(media="print")
    assert len(page.pdf(format="A4")) > 10_000
    page.context.close()
