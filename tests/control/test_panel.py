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

    def at(self, selector: str, x: float = 0.5, y: float = 0.5) -> dict[str, float]:
        """A place (0..1) of an element, in pixels of the page."""
        edges = (
            f"(() => {{ const r = {selector}.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; }})()"
        )
        left, top, width, height = self.js(edges)
        return {"x": left + x * width, "y": top + y * height}

    def mouse(self, kind: str, at: dict[str, float]) -> None:
        self.do("Input.dispatchMouseEvent", type=f"mouse{kind}", button="left", clickCount=1, **at)

    def touch(self, kind: str, *at: dict[str, float]) -> None:
        self.do("Input.dispatchTouchEvent", type=f"touch{kind}", touchPoints=list(at))

    def point(self, selector: str, x: float = 0.5, y: float = 0.5) -> None:
        """Press and let go at a place of an element."""
        for kind in ("Pressed", "Released"):
            self.mouse(kind, self.at(selector, x, y))


@pytest.fixture
def desk() -> Iterator[Desk]:
    params = tree()
    params.declare("/layer/dream/mood", Spec("choice", 0, choices=("noon", "pad")))
    for axis in "xy":
        params.declare(f"/layer/dream/mood/{axis}", Spec("float", 0.5, 0.0, 1.0))
    with open_desk(params) as desk:
        yield desk


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One browser for all: it takes a while to start."""
    profile = tmp_path_factory.mktemp("browser")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1200,900")
    command = [str(BROWSER), *options, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
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
                yield page
        finally:
            process.kill()


@pytest.fixture
def page(desk: Desk, browser: Page) -> Iterator[Page]:
    """The panel of this desk."""
    browser.do("Page.navigate", url=f"http://127.0.0.1:{desk.osc.query_port}/")
    desk.until(lambda: browser.js("document.querySelector('input[type=range]') !== null"))
    yield browser
    browser.do("Page.navigate", url="about:blank")
    assert not browser.wrong


def button(name: str) -> str:
    return f"[...document.querySelectorAll('button')].find((b) => b.textContent === '{name}')"


def slider(path: str) -> str:
    return f"document.querySelector('input[type=range][data-key=\"{path}\"]')"


def test_a_hand_in_the_browser_plays_the_show(desk: Desk, page: Page) -> None:
    page.point(slider("/master/steps"), 0.99)
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
    desk.until(lambda: float(page.js(f"{slider('/layer/dream/opacity')}.value")) == 0.25)
    desk.params.declare("/layer/dream/glow", Spec("float", 0.0, 0.0, 1.0))
    desk.until(lambda: page.js(f"{slider('/layer/dream/glow')} !== null"))


def test_a_show_that_is_gone_and_comes_back(desk: Desk, page: Page) -> None:
    port = desk.osc.query_port
    desk.osc.close()
    desk.until(lambda: page.js("document.body.className") == "gone")
    stage = Stage(desk.params, desk.clock, "/osc", (64, 64), folder=Path())
    with Osc(listen="127.0.0.1:0", query=f"127.0.0.1:{port}").open(stage):
        desk.until(lambda: page.js("document.body.className") == "")


def test_who_scrolls_moves_nothing(desk: Desk, page: Page) -> None:
    page.do("Emulation.setTouchEmulationEnabled", enabled=True)
    opacity = slider("/layer/dream/opacity")
    begin = page.at(opacity, 0.3)
    page.touch("Start", begin)
    for step in range(1, 8):
        page.touch("Move", {"x": begin["x"], "y": begin["y"] - 20 * step})
    page.touch("End")
    page.point(button("ocean"))  # what was sent before it has landed with it
    desk.until(lambda: desk.params["/layer/dream/world"].base == "ocean")
    assert desk.params["/layer/dream/opacity"].base == 1.0
    assert float(page.js(f"{opacity}.value")) == 1.0
    begin = page.at(opacity, 0.3)
    page.touch("Start", begin)
    page.touch("End")  # a tap is meant
    desk.until(lambda: abs(desk.params["/layer/dream/opacity"].base - 0.3) < 0.05)


def test_an_edit_takes_no_control_out_of_a_hand(desk: Desk, page: Page) -> None:
    opacity = slider("/layer/dream/opacity")
    page.mouse("Pressed", page.at(opacity, 0.5))
    desk.until(lambda: abs(desk.params["/layer/dream/opacity"].base - 0.5) < 0.05)
    asked = page.js("looks")
    desk.params.declare("/layer/dream/glow", Spec("float", 0.0, 0.0, 1.0))
    desk.until(lambda: page.js("timer > 0"))  # the page has heard of it
    page.mouse("Moved", page.at(opacity, 0.8))
    desk.until(lambda: abs(desk.params["/layer/dream/opacity"].base - 0.8) < 0.05)
    assert page.js("looks") == asked
    page.mouse("Released", page.at(opacity, 0.8))
    desk.until(lambda: page.js(f"{slider('/layer/dream/glow')} !== null"))


def test_what_the_show_made_of_a_value_is_shown(desk: Desk, page: Page) -> None:
    desk.params.declare("/master/seed", Spec("int", 7, 0.0))
    field = "document.querySelector('input[type=number][data-key=\"/master/seed\"]')"
    desk.until(lambda: page.js(f"{field} !== null"))
    page.js(f"{field}.value = '-5'; {field}.onchange()")
    desk.until(lambda: desk.params["/master/seed"].base == 0)
    desk.until(lambda: page.js(f"{field}.value") == "0")
    page.js(f"{field}.value = '3000000000'; {field}.onchange()")
    desk.until(lambda: desk.params["/master/seed"].base == 3_000_000_000)
    page.js(f"{field}.value = ''; {field}.onchange()")
    assert page.js(f"{field}.value") == "3000000000"


def test_what_is_being_typed_is_left_alone(desk: Desk, page: Page) -> None:
    field = "document.querySelector('input[type=text][data-key=\"/title\"]')"
    page.js(f"{field}.focus()")
    page.do("Input.insertText", text="to the se")
    desk.params.post("/title", "another's")
    desk.params.post("/layer/dream/opacity", 0.25)
    desk.until(lambda: float(page.js(f"{slider('/layer/dream/opacity')}.value")) == 0.25)
    page.do("Input.insertText", text="a")
    for kind in ("keyDown", "keyUp"):
        page.do("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13)
    desk.until(lambda: desk.params["/title"].base == "to the sea")
