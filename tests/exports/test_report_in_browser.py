"""The report in a real browser, driven over the DevTools pipe (file descriptors 3 and 4, messages ended by a null byte)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kizuna.exports.report import write_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium"),
]

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"),
)
CASES: dict[str, dict[str, Any]] = {
    "ja": {"language": "ja"},
    "en": {"language": "en"},
    "no_values": {"language": "en", "values": False, "answer": None},
    "empty": {"language": "ja", "listed": 0, "first_run": True},
}
# Contrast of every visible text against the nearest opaque background, by the WCAG formula.
CONTRAST = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (node) => {
    for (; node; node = node.parentElement) {
      const color = rgb(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.getClientRects().length || ["SCRIPT", "TITLE", "title"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const ink = light(rgb(node.ownerSVGElement ? style.fill : style.color));
    const paper = light(background(node.ownerSVGElement ? node.ownerSVGElement : node));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) low.add(node.tagName + "." + node.getAttribute("class") + " " + ratio.toFixed(2));
  }
  return [...low];
})()
"""
OVERFLOW = """
[...document.querySelectorAll("main *, header *, footer *")]
  .filter((node) => node.getClientRects().length && !node.closest("svg, select, option"))
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.tagName + "." + node.className)
"""


class Browser:
    """One headless browser with one page."""

    def __init__(self, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # The shell moves both ends to where the browser looks for them; a duplicate survives the start of a program.
        moved = f'exec chromium "$@" 3<&{to_browser} 4>&{from_browser}'
        command = ["bash", "-c", moved, "chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self._last, self._received, self.events, self._session = 0, b"", [], None
        page = next(target for target in self.call("Target.getTargets")["targetInfos"] if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _message(self) -> bytes:
        while b"\0" not in self._received:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser ended"
            self._received += part
        message, self._received = self._received.split(b"\0", 1)
        return message

    def value(self, expression: str) -> Any:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, path: Path, width: int) -> None:
        self.events.clear()
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=mobile)
        self.call("Page.navigate", url=path.as_uri())
        until = time.monotonic() + 30
        while self.value("document.readyState + location.protocol") != "completefile:":
            assert time.monotonic() < until, "the page did not load"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        code = {"Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def complaints(self) -> list[str]:
        self.value("1")
        methods = (
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Page.javascriptDialogOpening",
        )
        return [json.dumps(event["params"])[:500] for event in self.events if event["method"] in methods]

    def requests(self) -> list[str]:
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def close(self) -> None:
        self._session = None
        os.write(self._write, b'{"id": 1000000, "method": "Browser.close"}\0')
        self._process.wait(timeout=20)
        os.close(self._write)
        os.close(self._read)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def report(tmp_path, build_pack):
    def written(case):
        write_report(build_pack(**CASES[case]), tmp_path / f"{case}.html")
        return tmp_path / f"{case}.html"

    return written


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("case", CASES)
def test_it_fits_the_screen_in_silence(browser, report, case, width):
    path = report(case)
    browser.open(path, width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(OVERFLOW) == []
    assert browser.value(CONTRAST) == []
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]


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
    ranks = "[...document.querySelectorAll('tbody tr')].map((row) => Number(row.querySelector('.rank').textContent))"
    assert browser.value(ranks) == list(range(1, 301))
    browser.value("document.querySelector('th.probability button').focus()")
    browser.press("Enter")
    sorts = "[...document.querySelectorAll('thead th')].map((head) => head.getAttribute('aria-sort'))"
    assert browser.value(sorts) == [None, None, "descending", *[None] * 5]
    risks = "[...document.querySelectorAll('tbody td.probability')].map((cell) => Number(cell.dataset.sort))"
    assert browser.value(risks) == sorted(browser.value(risks), reverse=True)
    browser.press("Enter")
    assert browser.value(risks) == sorted(browser.value(risks))
    browser.value("document.querySelector('th.rank button').focus()")
    browser.press("Enter")
    assert browser.value(ranks) == list(range(1, 301))
    assert browser.complaints() == []


def test_searching_and_filtering(browser, report, build_pack):
    listed = build_pack(**CASES["ja"]).at_risk
    browser.open(report("ja"), 1440)
    shown = "[...document.querySelectorAll('tbody tr:not([hidden]) bdi')].map((name) => name.textContent)"
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


def test_it_prints(browser, report):
    browser.open(report("ja"), 1440)
    assert len(browser.call("Page.printToPDF", printBackground=True)["data"]) > 10_000
