"""The pages in a real browser: what is drawn, what moves, and that nothing complains."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from gpudrift.report import render_overview, render_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",  # a press lands where the page has come to rest
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield chrome
    chrome.quit()


@pytest.fixture
def page(browser, tmp_path, report, feature, categories):
    """A report of 16 features, worst first by name, PSI not in the order of the table."""
    hostile = '<img src=x onerror="document.title=1">'
    features = [
        feature("a" * 500, psi=0.2),
        categories("carrier", psi=0.9, bins=[{"label": hostile * 9, "reference": 5, "current": 9}]),
        feature("row", psi=None, counted=False),
        *(feature(f"feature_{f}", psi=0.01 * f, drifted=False) for f in range(13)),
    ]
    return _open(browser, tmp_path / "report.html", render_report(report(*features, title="t" * 200)))


def _open(browser: Chrome, path: Path, text: str) -> Chrome:
    path.write_text(text, encoding="utf-8")
    _screen(browser, width=1280)
    browser.get(path.as_uri())
    return browser


def _screen(browser: Chrome, *, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )


def _column(browser: Chrome, number: int) -> list[str]:
    return browser.execute_script(
        "return Array.from(document.querySelectorAll('table.features tbody tr'))"
        ".filter(row => !row.hidden).map(row => row.cells[arguments[0]].textContent)",
        number,
    )


def _overflows(browser: Chrome) -> bool:
    return browser.execute_script("return document.documentElement.scrollWidth > innerWidth")


def test_the_table_reads_worst_first(page):
    assert _column(page, 0)[1:4] == ["carrier", "row", "feature_0"]
    assert _column(page, 2)[:4] == ["drifted", "drifted", "reported only", "stable"]
    assert _column(page, 3)[:4] == ["0.200", "0.900", "–", "0"]


def test_a_press_on_a_heading_sorts_and_the_third_restores_the_order(page):
    at_first = _column(page, 3)
    heading = page.find_element("css selector", "table.features thead th:nth-child(4)")
    button = heading.find_element("tag name", "button")
    button.click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert _column(page, 3)[:3] == ["0.900", "0.200", "0.120"]
    assert _column(page, 3)[-1] == "–"
    button.send_keys("\n")  # by keyboard
    assert heading.get_attribute("aria-sort") == "ascending"
    assert _column(page, 3)[:2] == ["0", "0.0100"]
    assert _column(page, 3)[-1] == "–"
    button.click()
    assert heading.get_attribute("aria-sort") is None
    assert _column(page, 3) == at_first


def test_the_filter_keeps_the_features_that_match(page):
    page.find_element("id", "q").send_keys("FEATURE_1")
    assert _column(page, 0) == ["feature_1", "feature_10", "feature_11", "feature_12"]
    assert page.find_element("css selector", "[role=status]").text == "4 of 16"
    assert len([d for d in page.find_elements("css selector", "details") if d.is_displayed()]) == 4


def test_a_link_opens_the_section_it_leads_to(page):
    link = page.find_element("link text", "feature_12")
    section = page.find_element("css selector", "details:has(#f16)")
    assert section.get_attribute("open") is None
    page.execute_script("arguments[0].click()", link)
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert section.get_attribute("open") is not None


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_width_makes_the_page_overflow(page, width):
    _screen(page, width=width)
    page.execute_script("document.querySelectorAll('details').forEach(section => { section.open = true })")
    assert page.execute_script("return innerWidth") == width
    assert not _overflows(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_an_overview_of_many_windows_scrolls_inside_its_own_box(browser, tmp_path, overview, width):
    _open(browser, tmp_path / "overview.html", render_overview(overview(n_windows=60, n_features=40)))
    _screen(browser, width=width)
    assert not _overflows(browser)
    assert browser.execute_script(
        "const box = document.querySelector('.scroll'); return box.scrollWidth > box.clientWidth"
    )


@pytest.fixture
def over_time(browser, tmp_path, report, feature, windows, slices):
    """A report of 90 windows and 12 slices."""
    features = [feature(f"feature_{f}") for f in range(3)]
    view = report(*features, windows=windows(90, 3), slices=slices(12))
    return _open(browser, tmp_path / "over_time.html", render_report(view))


def test_arrow_keys_read_the_heat_map(over_time):
    from selenium.webdriver import Keys

    strips = over_time.find_elements("css selector", "svg[data-values]")
    reading = over_time.find_element("css selector", "[data-reading]")
    assert [strip.get_attribute("tabindex") for strip in strips] == ["0", "-1", "-1"]
    strips[0].send_keys(Keys.HOME)
    assert reading.text == "feature_0, day 1: PSI 0.0100"
    over_time.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    for _ in range(4):
        over_time.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert reading.text == "feature_1, day 5: PSI 0.200, drifted"
    assert strips[1].get_attribute("aria-valuetext") == "day 5: PSI 0.200, drifted"
    assert strips[1].get_attribute("aria-valuenow") == "5"
    assert [strip.get_attribute("tabindex") for strip in strips] == ["-1", "0", "-1"]
    over_time.switch_to.active_element.send_keys(Keys.END, Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_UP)
    assert reading.text == "feature_0, day 90: PSI 0.0100"


def test_the_pointer_reads_the_heat_map(over_time):
    from selenium.webdriver import ActionChains

    strip = over_time.find_elements("css selector", "svg[data-values]")[2]
    ActionChains(over_time).move_to_element_with_offset(strip, -strip.size["width"] // 2 + 1, 0).perform()
    reading = over_time.find_element("css selector", "[data-reading]")
    assert reading.text == "feature_2, day 1: PSI 0.0100"
    ActionChains(over_time).move_to_element_with_offset(strip, strip.size["width"] // 2 - 1, 0).perform()
    assert reading.text == "feature_2, day 90: PSI 0.300, drifted"


def test_strips_and_time_lines_are_as_wide_as_their_place(over_time):
    widths = over_time.execute_script(
        "return ['.strip .fd', '.timeline .now', '.strip.share .fs']"
        ".map(path => document.querySelector(path).getBoundingClientRect().width)"
    )
    assert min(widths) > 300


def test_tables_of_windows_and_slices_sort_and_restore(over_time):
    heading = over_time.find_element("css selector", "section[aria-labelledby=slices] thead th:nth-child(3) button")

    def first() -> str:
        return over_time.execute_script(
            "return document.querySelector('section[aria-labelledby=slices] tbody th').textContent"
        )

    firsts = []
    for _ in range(3):
        over_time.execute_script("arguments[0].click()", heading)
        firsts.append(first())
    assert firsts == ["JFK / carrier 0", "JFK / carrier 11", "JFK / carrier 0"]


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_windows_and_slices_fit_any_width(over_time, width):
    _screen(over_time, width=width)
    over_time.execute_script("document.querySelectorAll('details').forEach(section => { section.open = true })")
    assert not _overflows(over_time)


def test_windows_bring_no_complaint_and_no_request(over_time):
    assert [entry for entry in over_time.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert over_time.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_pictures_are_drawn(page):
    box = page.execute_script("return document.querySelector('svg.density path.cur').getBoundingClientRect().toJSON()")
    assert box["width"] > 200
    assert box["height"] > 50


def test_dark_and_light_differ(page):
    def background(scheme: str) -> str:
        page.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light, dark = background("light"), background("dark")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert sum(map(int, light[4:-1].split(","))) > 600
    assert sum(map(int, dark[4:-1].split(","))) < 150


def test_nothing_complains_and_nothing_is_fetched(page):
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.execute_script("return document.images.length") == 0
    assert page.title == "t" * 200
