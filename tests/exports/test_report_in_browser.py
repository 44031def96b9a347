"""The report in a real browser: what it looks like on a phone and on a desk, and what the keyboard can do with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.exports.browser import OVERFLOW, SHAPE_CONTRAST, TEXT_CONTRAST, Browser
from tests.exports.past import make_kpi, make_past

from kizuna.exports.pack import ListPack
from kizuna.exports.report import write_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium"),
]

A4_WIDTH = 703
VISIBLE = "[...document.querySelectorAll('#list tbody tr:not([hidden])')]"
RANKS = "[...document.querySelectorAll('#list tbody tr')].map((row) => Number(row.querySelector('.rank').textContent))"
Build = Callable[..., ListPack]


def rich(build: Build, language: str) -> ListPack:
    """A list with a past, KPIs, markets with long names, and all that can be said of how to contact."""
    pack = build(language, past=make_past(), kpi=make_kpi())
    count, draw = len(pack.at_risk), np.random.default_rng(1)
    place = draw.integers(0, 5, count)
    more = {
        "market": np.array(["JP", "US", "KR", "</td><script>alert(3)</script>", "N" * 60], dtype=object)[place],
        "language": np.array(["ja", "en", "ko", "zh-Hant", None], dtype=object)[place],
        "call_hours": np.where(pack.at_risk["channel"] == "phone", "10:00-19:00", None),
        "offer_max_cost": np.where(draw.random(count) < 0.3, 1800.0, np.nan),
    }
    return replace(pack, at_risk=pack.at_risk.assign(**more))


def undated(build: Build) -> ListPack:
    bare = build("en", values=False).at_risk.assign(days_since_purchase=float("nan"))
    return build("en", values=False, answer=None, definition="provided", dated=False, at_risk=bare)


def long_list(build: Build, count: int = 5000) -> ListPack:
    pack = build("en", past=make_past(), kpi=make_kpi())
    rows = pd.concat([pack.at_risk] * (count // len(pack.at_risk) + 1), ignore_index=True).head(count)
    ids = [f"X{number:06d}" for number in range(count)]
    return replace(pack, at_risk=rows.assign(customer_id=ids, list_rank=np.arange(1, count + 1)))


CASES: dict[str, Callable[[Build], ListPack]] = {
    "ja": lambda build: rich(build, "ja"),
    "en": lambda build: rich(build, "en"),
    "first_ja": lambda build: build("ja", first_run=True),
    "first_en": lambda build: build("en", first_run=True),
    "no_values": lambda build: build(
        "en", values=False, answer=None, past=make_past(value=False), kpi=make_kpi(months=2)
    ),
    "undated": undated,
    "empty": lambda build: build("ja", listed=0, first_run=True),
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def report(tmp_path: Path, build_pack: Build) -> Callable[[str], Path]:
    def written(case: str) -> Path:
        write_report(CASES[case](build_pack), tmp_path / f"{case}.html")
        return tmp_path / f"{case}.html"

    return written


def focused(browser: Browser, what: str = "id") -> Any:
    return browser.value(f"document.activeElement.{what}")


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("case", CASES)
def test_it_fits_the_screen_in_silence(browser, report, case, width):
    path = report(case)
    browser.open(path, width)
    # As it opens, and with everything unfolded.
    for _ in range(2):
        assert browser.value("document.documentElement.scrollWidth") <= width
        assert browser.value(OVERFLOW) == []
        assert browser.value(TEXT_CONTRAST) == []
        assert browser.value(SHAPE_CONTRAST) == []
        browser.value("for (const part of document.querySelectorAll('details')) part.open = true")
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]


@pytest.mark.parametrize("case", CASES)
def test_headings_come_in_order_and_pictures_have_words(browser, report, case):
    browser.open(report(case), 1440)
    levels = browser.value("[...document.querySelectorAll('h1,h2,h3,h4')].map((head) => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) <= 1
    mute = "[...document.querySelectorAll('svg')].filter((svg) => !svg.ariaLabel && svg.ariaHidden !== 'true').length"
    assert browser.value(mute) == 0
    # What is hidden from those who listen stands in the same row of a table.
    assert browser.value("[...document.querySelectorAll('svg[aria-hidden]')].every((svg) => svg.closest('tr'))")
    ids = browser.value("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("case", ["ja", "en", "first_en", "no_values"])
def test_it_fits_on_paper(browser, report, case):
    browser.open(report(case), A4_WIDTH)
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert browser.value(OVERFLOW) == []
        assert browser.value(TEXT_CONTRAST) == []
        assert browser.value("getComputedStyle(document.querySelector('.controls label')).display") == "none"
        assert len(browser.call("Page.printToPDF", printBackground=True)["data"]) > 10_000
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_the_policy_is_enforced(browser, report):
    browser.open(report("en"), 1440)
    browser.value(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert browser.value("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in browser.complaints())


@pytest.mark.parametrize("width", [390, 1440])
def test_sorting_by_keyboard(browser, report, width):
    browser.open(report("en"), width)
    assert browser.value(RANKS) == list(range(1, 301))
    browser.value("document.querySelector('th.probability button').focus()")
    browser.press("Enter")
    sorts = "[...document.querySelectorAll('#list thead th')].map((head) => head.getAttribute('aria-sort'))"
    assert browser.value(sorts) == [None, None, "descending", *[None] * 5]
    risks = "[...document.querySelectorAll('#list tbody td.probability')].map((cell) => Number(cell.dataset.sort))"
    assert browser.value(risks) == sorted(browser.value(risks), reverse=True)
    browser.press("Enter")
    assert browser.value(risks) == sorted(browser.value(risks))
    browser.value("document.querySelector('th.rank button').focus()")
    browser.press("Enter")
    assert browser.value(RANKS) == list(range(1, 301))
    assert browser.complaints() == []


def test_the_keyboard_alone_finds_filters_and_unfolds(browser, report):
    browser.open(report("en"), 1440)
    browser.press("Tab")
    assert focused(browser, "className") == "skip"
    browser.press("Enter")
    assert focused(browser) == "list-title"
    browser.press("Tab")
    assert focused(browser) == "search"
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.write("late deliveries")
    shown = browser.value(f"{VISIBLE}.map((row) => row.textContent)")
    assert 0 < len(shown) < 300
    assert all("late deliveries" in text for text in shown)
    assert browser.value("document.getElementById('shown').getAttribute('role')") == "status"
    assert browser.value("document.getElementById('shown').textContent") == f"{len(shown)} of 300 shown"
    browser.press("Tab")
    browser.press("ArrowDown")
    assert browser.value(f"{VISIBLE}.every((row) => row.dataset.place === 'contact')")
    assert 0 < browser.value(f"{VISIBLE}.length") < len(shown)
    # Risk, stage, the eight columns, then the reasons of the first row.
    for _ in range(11):
        browser.press("Tab")
    assert focused(browser, "tagName") == "SUMMARY"
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter")
    assert browser.value("document.activeElement.parentElement.open")
    assert browser.value("document.activeElement.parentElement.querySelectorAll('li').length") == 3
    assert browser.complaints() == []


def test_what_has_the_focus_is_not_under_the_header(browser, report):
    browser.open(report("en"), 1440)
    browser.value("document.querySelectorAll('#list summary')[40].focus()")
    browser.value("window.scrollBy(0, 700); document.querySelectorAll('#list summary')[36].focus()")
    top = browser.value("document.activeElement.getBoundingClientRect().top")
    assert top >= browser.value("document.querySelector('#list thead th').getBoundingClientRect().bottom")


def test_searching_and_filtering(browser, report, build_pack):
    listed = CASES["ja"](build_pack).at_risk
    browser.open(report("ja"), 1440)
    shown = f"{VISIBLE}.map((row) => row.querySelector('bdi').textContent)"
    search = "(() => { const box = document.getElementById('search'); box.value = %s; box.dispatchEvent(new Event('input')) })()"
    # Full-width digits find the same customer.
    browser.value(search % json.dumps("\uff10\uff10\uff17"))
    assert "007" in browser.value(shown)
    browser.value(search % json.dumps("<img src=x"))
    assert "<img src=x onerror=alert(1)>" in browser.value(shown)
    browser.value(search % json.dumps("nobody is called so"))
    assert browser.value(shown) == []
    assert browser.value("!document.getElementById('nobody').hidden")
    browser.value(search % '""')
    choose = (
        "(() => { const box = document.querySelector('[data-filter=place]'); box.value = 'control';"
        " box.dispatchEvent(new Event('change')) })()"
    )
    browser.value(choose)
    assert browser.value(shown) == listed.loc[listed["arm"] == "control", "customer_id"].tolist()
    count = len(browser.value(shown))
    assert browser.value("document.getElementById('shown').textContent") == f"300名中{count}名を表示"


@pytest.mark.parametrize("width", [390, 1440])
def test_five_thousand_rows_stay_quick(browser, tmp_path, build_pack, width):
    write_report(long_list(build_pack), tmp_path / "long.html")
    assert (tmp_path / "long.html").stat().st_size < 8_000_000
    browser.open(tmp_path / "long.html", width)
    laid_out = f"{VISIBLE}.length"
    assert browser.value(laid_out) == 500
    assert browser.value("document.getElementById('shown').textContent") == "500 of 5,000 shown"
    took = "(() => { const begun = performance.now(); %s; document.body.offsetHeight; return performance.now() - begun })()"
    # Generous, for a machine that does other things besides; what is felt is a fraction of it.
    assert browser.value(took % "document.querySelector('th.probability button').click()") < 2500
    assert browser.value(RANKS)[0] != 1
    find = "const box = document.getElementById('search'); box.value = 'X004321'; box.dispatchEvent(new Event('input'))"
    assert browser.value(took % find) < 1500
    assert browser.value(laid_out) == 1
    assert browser.value(took % find.replace("X004321", "")) < 2500
    browser.value("document.querySelector('#more button').focus()")
    browser.press("Enter")
    assert browser.value(laid_out) == 1000
    # The keyboard is where the new rows begin.
    assert browser.value(f"{VISIBLE}.indexOf(document.activeElement)") == 500
    assert browser.value("document.querySelector('#more button').textContent") == "Show 500 more"
    assert browser.complaints() == []
