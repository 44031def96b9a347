"""A real browser, driven over the DevTools pipe (file descriptors 3 and 4, messages ended by a null byte), and its checks."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"),
)
# Contrast of every visible text against the nearest background, by the WCAG formula; see-through text is a fault of its own.
_COLOURS = """
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
  const ratio = (color, paper) => {
    const [ink, ground] = [light(color), light(paper)];
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
  };
  const name = (node) => node.tagName + "." + node.getAttribute("class");
"""
TEXT_CONTRAST = (
    "(() => {"
    + _COLOURS
    + """
  const low = new Set();
  const judge = (node, style, key, paper) => {
    const color = rgb(style[key]);
    const seen = ratio(color, paper);
    if (seen < 4.5 || color[3] < 1) low.add(name(node) + " " + seen.toFixed(2));
  };
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!node.getClientRects().length || ["SCRIPT", "TITLE", "title"].includes(node.tagName)) continue;
    if (Number(getComputedStyle(node).opacity) < 1) low.add(name(node) + " is see-through");
    const paper = background(node.ownerSVGElement ?? node);
    if (own) judge(node, getComputedStyle(node), node.ownerSVGElement ? "fill" : "color", paper);
    for (const part of ["::before", "::after"]) {
      const style = getComputedStyle(node, part);
      if (!["none", "normal", '""'].includes(style.content)) judge(node, style, "color", paper);
    }
    if (node.placeholder) judge(node, getComputedStyle(node, "::placeholder"), "color", paper);
  }
  return [...low];
})()
"""
)
# Every shape that carries data, by its fill or its edge, whichever stands out more: three to one.
SHAPE_CONTRAST = (
    "(() => {"
    + _COLOURS
    + """
  const low = new Set();
  for (const node of document.querySelectorAll("svg rect, svg circle, svg path, svg line")) {
    if (!node.getClientRects().length || node.classList.contains("grid")) continue;
    const style = getComputedStyle(node);
    const paper = background(node.ownerSVGElement);
    const parts = [[style.fill, style.fillOpacity], [style.stroke, style.strokeOpacity]];
    const seen = parts.filter(([color]) => color !== "none").map(([color, share]) => (share < 1 ? 0 : ratio(rgb(color), paper)));
    if (Math.max(0, ...seen) < 3) low.add(name(node) + " " + seen);
  }
  return [...low];
})()
"""
)
# What sticks out of the screen, or out of its own box; what may be scrolled sideways is meant to.
OVERFLOW = """
(() => {
  const out = [];
  for (const node of document.querySelectorAll("header *, nav *, main *, footer *")) {
    if (!node.getClientRects().length || node.closest("select, .scroll *, title")) continue;
    const box = node.getBoundingClientRect();
    const isShape = node.ownerSVGElement && node.tagName !== "text";
    const name = node.tagName + "." + node.getAttribute("class");
    if (!isShape && (box.right > innerWidth + 1 || box.left < -1)) out.push("screen " + name);
    const isBox = !node.closest("svg") && getComputedStyle(node).display !== "inline";
    if (isBox && !node.matches(".scroll, input") && node.scrollWidth > node.clientWidth + 1 && node.clientWidth)
      out.push("box " + name + " " + node.textContent.slice(0, 40));
  }
  return [...new Set(out)];
})()
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
        code = {"Tab": 9, "Enter": 13, "ArrowDown": 40}[key]
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def write(self, text: str) -> None:
        self.call("Input.insertText", text=text)

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
