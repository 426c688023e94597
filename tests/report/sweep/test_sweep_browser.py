"""The page of a sweep in a real browser: axes, brushes, filters, the table, the fragment, keys."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sweep_sample import sweep

from flow.report.sweep import write_page

pytestmark = [pytest.mark.web, pytest.mark.nightly]

ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
DATA = sweep()


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
    return write_page(DATA, tmp_path_factory.mktemp("sweep") / "report.html")


def open_page(
    browser: Any, path: Path, fragment: str = "", width: int = 1280, scheme: str = "light", **more: Any
) -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", **more
    )
    page = context.new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("dialog", lambda dialog: (page.problems.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri() + fragment)
    page.wait_for_selector("#t-rows .tr", state="attached")
    return page


def cells(page: Any, key: str) -> list[str]:
    lines = page.locator("#t-rows .tr").evaluate_all(
        f"rows => rows.map(r => [+r.dataset.place, r.querySelector('[data-key=\"{key}\"]').textContent])"
    )
    return [text for _, text in sorted(lines)]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_opens_without_an_error_and_fits(browser: Any, report: Path, width: int, scheme: str) -> None:
    page = open_page(browser, report, width=width, scheme=scheme)
    for ident in ("best", "explore", "parallel", "pdks", "sensitivity", "fidelity", "points", "failures"):
        page.locator(f"#{ident}").scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.problems == []
    page.context.close()


def test_axes_colour_and_logarithm_can_be_chosen(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    page.evaluate("document.getElementById('explore').scrollIntoView()")
    page.locator("#s-x").select_option("m:design__instance__area")
    page.locator("#s-y").select_option("m:power__total")
    page.locator("#s-c").select_option("a:config.rows")
    page.wait_for_function("() => /power__total/.test(document.querySelector('#s-scatter .over').ariaLabel)")
    page.wait_for_function("() => /x=m:design__instance__area/.test(location.hash)")
    assert page.problems == []
    page.context.close()


def test_a_brush_filters_and_the_fragment_restores_it(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    page.evaluate("document.getElementById('explore').scrollIntoView()")
    box = page.locator("#s-scatter").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 640, box["y"] + 260, steps=4)
    page.mouse.up()
    said = page.locator("#s-hits").inner_text()
    kept = int(said.split()[0])
    assert 0 < kept < 240 and page.locator(".chip").count() == 2
    page.wait_for_timeout(400)  # the fragment waits for a pause
    fragment = page.evaluate("location.hash")
    low, high = map(float, fragment.split("r.o:throughput=")[1].split("&")[0].split(".."))
    down, up = map(float, fragment.split("r.o:energy=")[1].split("&")[0].split(".."))
    goals = [p["objectives"] for p in DATA["points"] if p["objectives"].get("energy") is not None]
    expected = [g for g in goals if low <= g["throughput"] <= high and down <= g["energy"] <= up]
    assert len(expected) == kept
    again = open_page(browser, report, fragment)
    assert again.locator("#s-hits").inner_text() == said
    again.locator(".chip button").first.click()
    assert again.locator(".chip").count() == 1
    page.context.close()
    again.context.close()


def test_filters_of_text_status_range_and_front(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    page.locator("#s-text").fill("rows=16 recipe=fast")
    values = [p["point"]["values"] for p in DATA["points"]]
    expected = [v for v in values if v["config.rows"] == 16 and v["recipe"] == "fast"]
    assert page.locator("#s-hits").inner_text() == f"{len(expected)} of 240 points"
    page.locator("#s-clear").click()
    page.locator("#s-status").select_option("timeout")
    late = sum(p["status"] == "timeout" for p in DATA["points"])
    assert page.locator("#s-hits").inner_text() == f"{late} of 240 points"
    page.locator("#s-clear").click()
    page.locator("#s-front").check()
    assert page.locator("#s-hits").inner_text() == f"{len(DATA['front'])} of 240 points"
    page.locator("#s-clear").click()
    field = page.locator("[data-range='a:config.rows'][data-end='0']")
    field.fill("8")
    field.press("Enter")
    large = sum(p["point"]["values"]["config.rows"] >= 8 for p in DATA["points"])
    assert page.locator("#s-hits").inner_text() == f"{large} of 240 points"
    page.context.close()


def test_sorts_both_ways_with_missing_values_last(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    known = sorted(p["objectives"]["throughput"] for p in DATA["points"] if p["objectives"])
    button = page.locator("[data-by='o:throughput']")
    for pick in (min, max):
        button.focus()
        page.keyboard.press("Enter")
        first = pick(known)
        page.wait_for_function(
            """v => { const cell = document.querySelector('[data-place="0"] [data-key="o:throughput"]');
            return cell && Math.abs(parseFloat(cell.textContent.replaceAll(',', '')) / v - 1) < 1e-3; }""",
            arg=first,
        )
    assert page.locator("[aria-sort=descending]").count() == 1
    page.context.close()


def test_a_point_opens_by_key_with_its_command_and_report(browser: Any, report: Path) -> None:
    page = open_page(browser, report, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("document.getElementById('explore').scrollIntoView()")
    page.locator("#s-scatter canvas.over").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    ident = page.locator(".drawer h2").inner_text()
    point = next(p for p in DATA["points"] if p["id"] == ident)
    page.locator(".drawer [data-copy]").click()
    page.wait_for_function("() => document.querySelector('.drawer [data-copy]').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == point["command"]
    page.keyboard.press("Escape")
    assert page.locator(".drawer").count() == 0
    linked = next(p for p in DATA["points"] if p["report"])
    page.locator("#s-text").fill(linked["id"])
    assert page.locator("#t-rows a").get_attribute("href") == linked["report"]
    page.context.close()


def test_axes_in_parallel_move_by_key_and_filter_by_brush(browser: Any, report: Path) -> None:
    page = open_page(browser, report)
    page.locator("#parallel").scroll_into_view_if_needed()
    first = page.locator("[data-axis]").first
    assert first.get_attribute("data-axis") == "a:pdk"
    first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelectorAll('[data-axis]')[1].dataset.axis === 'a:pdk'")
    head = page.locator("[data-axis='a:config.rows']").bounding_box()
    box = page.locator("#s-parallel").bounding_box()
    x = head["x"] + head["width"] / 2
    page.mouse.move(x, box["y"] + 46)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 90, steps=4)
    page.mouse.up()
    rows = sum(p["point"]["values"]["config.rows"] == 16 for p in DATA["points"])
    assert page.locator("#s-hits").inner_text() == f"{rows} of 240 points"
    page.context.close()


def test_a_reason_shows_its_points_and_the_csv_has_them(browser: Any, report: Path) -> None:
    page = open_page(browser, report, accept_downloads=True)
    page.locator("[data-why^='timeout']").click()
    late = [p["id"] for p in DATA["points"] if p["status"] == "timeout"]
    assert page.locator("#s-hits").inner_text() == f"{len(late)} of 240 points"
    with page.expect_download() as waiting:
        page.locator("#s-csv").click()
    with Path(waiting.value.path()).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == late
    assert {row["status"] for row in rows} == {"timeout"} and "timing__fmax [MHz]" in rows[0]
    page.context.close()


def test_a_broken_fragment_is_ignored(browser: Any, report: Path) -> None:
    page = open_page(browser, report, "#x=nothing&r.o:energy=a..b&s.a:pdk=none&cols=%E0%A4%A&sort=-nope&p=zz")
    assert page.locator("#s-hits").inner_text() == "240 points"
    assert page.problems == []
    page.context.close()


def test_ten_thousand_points_have_few_rows_and_filter(browser: Any, tmp_path: Path) -> None:
    page = open_page(browser, write_page(sweep(10_000), tmp_path / "report.html"))
    assert page.locator("#t-rows .tr").count() < 60
    page.evaluate("document.getElementById('t-points').scrollTop = 1e9")
    page.wait_for_selector("#t-rows [aria-rowindex='10001']", state="attached")
    page.locator("#s-text").fill("rows=16")
    assert " of 10,000 points" in page.locator("#s-hits").inner_text()
    assert page.problems == []
    page.context.close()
