"""The panel in a real browser: what a hand does there reaches the show, and what others do is seen there."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from perform.control.osc import Osc
from perform.params import Spec
from perform.plugins import Stage

from .desk import DEADLINE, Desk, open_desk, tree

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="Chromium is not here")


@dataclass(slots=True)
class Page:
    """One page, by Chromium's own protocol (DevTools)."""

    wire: ClientConnection
    wrong: list[str] = field(default_factory=list)  # what the page complained of
    numbers: Iterator[int] = field(default_factory=count)

    def do(self, method: str, **keys: Any) -> Any:
        number = next(self.numbers)
        self.wire.send(json.dumps({"id": number, "method": method, "params": keys}))
        while (said := json.loads(self.wire.recv(DEADLINE))).get("id") != number:
            if said["method"] == "Runtime.exceptionThrown":
                self.wrong.append(json.dumps(said["params"]))
        return said["result"]

    def js(self, words: str) -> Any:
        return self.do("Runtime.evaluate", expression=words, returnByValue=True)["result"].get("value")

    def point(self, selector: str, x: float = 0.5, y: float = 0.5) -> None:
        """Press and let go at a place (0..1) of an element."""
        edges = (
            f"(() => {{ const r = {selector}.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; }})()"
        )
        left, top, width, height = self.js(edges)
        for kind in ("mousePressed", "mouseReleased"):
            at = {"x": left + x * width, "y": top + y * height, "button": "left", "clickCount": 1}
            self.do("Input.dispatchMouseEvent", type=kind, **at)


@pytest.fixture
def desk() -> Iterator[Desk]:
    params = tree()
    params.declare("/layer/dream/mood", Spec("choice", 0, choices=("noon", "pad")))
    for axis in "xy":
        params.declare(f"/layer/dream/mood/{axis}", Spec("float", 0.5, 0.0, 1.0))
    with open_desk(params) as desk:
        yield desk


@pytest.fixture
def page(desk: Desk, tmp_path: Path) -> Iterator[Page]:
    profile = tmp_path / "profile"
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1200,900")
    command = [str(BROWSER), *options, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
        try:
            end = time.monotonic() + DEADLINE
            while not (said := profile / "DevToolsActivePort").is_file() or not said.read_text().count("\n"):
                assert time.monotonic() < end, "Chromium did not start"
                time.sleep(0.05)
            with urllib.request.urlopen(f"http://127.0.0.1:{said.read_text().split()[0]}/json") as answer:
                (target,) = [each for each in json.load(answer) if each["type"] == "page"]
            with connect(target["webSocketDebuggerUrl"], max_size=None) as wire:
                page = Page(wire)
                page.do("Runtime.enable")
                page.do("Page.navigate", url=f"http://127.0.0.1:{desk.osc.query_port}/")
                desk.until(lambda: page.js("document.querySelector('input[type=range]') !== null"))
                yield page
                assert not page.wrong
        finally:
            browser.kill()


def button(name: str) -> str:
    return f"[...document.querySelectorAll('button')].find((b) => b.textContent === '{name}')"


def slider(name: str) -> str:
    return f"document.querySelector('input[type=range][aria-label={name}]')"


def test_a_hand_in_the_browser_plays_the_show(desk: Desk, page: Page) -> None:
    page.point(slider("steps"), 0.99)
    desk.until(lambda: desk.params["/master/steps"].base == 10)
    page.point(button("ocean"))
    desk.until(lambda: desk.params["/layer/dream/world"].base == "ocean")
    page.point("document.querySelector('.pad')", 0.02, 0.02)
    desk.until(lambda: (desk.params["/layer/dream/mood/x"].base, desk.params["/layer/dream/mood/y"].base) == (0.0, 1.0))
    fired = []
    desk.params["/cue/go"].on_change = fired.append
    page.point(button("go"))
    desk.until(lambda: fired)


def test_what_others_do_is_seen_in_the_browser(desk: Desk, page: Page) -> None:
    desk.until(lambda: page.js("document.body.className") == "" and desk.osc.query_port)
    desk.params.post("/layer/dream/opacity", 0.25)
    desk.until(lambda: float(page.js(f"{slider('opacity')}.value")) == 0.25)
    desk.params.declare("/layer/dream/glow", Spec("float", 0.0, 0.0, 1.0))
    desk.until(lambda: page.js(f"{slider('glow')} !== null"))


def test_a_show_that_is_gone_and_comes_back(desk: Desk, page: Page) -> None:
    port = desk.osc.query_port
    desk.osc.close()
    desk.until(lambda: page.js("document.body.className") == "gone")
    stage = Stage(desk.params, desk.clock, "/osc", (64, 64), folder=Path())
    with Osc(listen="127.0.0.1:0", query=f"127.0.0.1:{port}").open(stage):
        desk.until(lambda: page.js("document.body.className") == "")
