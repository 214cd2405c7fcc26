"""Which screen the window goes to: asked of stand-ins for pyglet's screens, whose names no virtual screen has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perform.health import Status
from perform.params import Params
from perform.sinks.whereabouts import Whereabouts
from perform.sinks.window import LOOK, Window


@dataclass
class Screen:
    """The part of `pyglet.display.base.Screen` that is used."""

    name: str
    x: int = 0
    y: int = 0
    width: int = 1920
    height: int = 1080

    def get_monitor_name(self) -> str:
        return self.name


@dataclass
class Display:
    """Screens that come and go."""

    screens: list[Screen]
    asked: int = 0

    def get_screens(self) -> list[Screen]:
        self.asked += 1
        return self.screens

    def get_default_screen(self) -> Screen:
        return self.screens[0]


@dataclass
class Pane:
    """A window: where it was put."""

    display: Display
    fullscreen: bool
    width: int = 640
    height: int = 360
    places: list[Any] = field(default_factory=list)
    handlers: dict[str, Any] = field(default_factory=dict)
    there: Whereabouts | None = None  # what the X server says; None: it is no X server
    insists: bool = False  # a window manager does on where the window is
    screen: Screen | None = None  # that it was made for, as it was then

    def set_location(self, x: int, y: int) -> None:
        self.places.append((x, y))

    def set_fullscreen(self, fullscreen: bool, screen: Screen) -> None:
        assert fullscreen
        self.places.append(screen.name)
        self.screen = screen
        if self.there is not None and not self.insists:
            self.there = filling(screen)
        self.handlers["on_resize"](screen.width, screen.height)


def filling(screen: Screen) -> Whereabouts:
    return Whereabouts((screen.x, screen.y), (screen.width, screen.height), (3200, 1080))


@pytest.fixture(autouse=True)
def x_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.sinks.window.whereabouts", lambda pane: pane.there)


LAPTOP, BEAMER = Screen("eDP-1"), Screen("HDMI-1", 1920, 0, 1280, 720)


def made(display: Display, params: Params, fullscreen: bool, **keys: Any) -> tuple[Window, Pane, Screen]:
    """A window opened on a display: with the screen that pyglet was given."""
    window, pane, given = Window(fullscreen=fullscreen, **keys), Pane(display, fullscreen), []

    def window_of(*size: int, **options: Any) -> Any:
        given.append(options["screen"])
        return SimpleNamespace(
            width=640, height=360, set_location=pane.set_location,
            set_mouse_visible=lambda shown: None, push_handlers=pane.handlers.update,
        )  # fmt: skip

    pyglet_ = SimpleNamespace(
        display=SimpleNamespace(get_display=lambda: display), window=SimpleNamespace(Window=window_of)
    )
    window._make(pyglet_, None, (640, 360))
    pane.screen = given[0]
    window._window, window._status = pane, Status(params, "/status/window")
    return window, pane, given[0]


def looks(window: Window, start: float, count: int) -> None:
    for n in range(count):
        window._look_for_screen(start + n * LOOK)


def test_the_stand_in_has_the_words_of_pyglets_screens() -> None:
    import pyglet  # its display is not to be imported here: that would choose a screen for all tests

    words = (Path(pyglet.__file__).parent / "display" / "base.py").read_text("utf-8")
    assert [w for w in ("get_monitor_name", "get_screens", "get_default_screen") if f"def {w}(" not in words] == []
    words = (Path(pyglet.__file__).parent / "window" / "xlib" / "__init__.py").read_text("utf-8")
    assert [w for w in ("    _x_display:", "    _window:", "def get_location(") if w not in words] == []


@pytest.mark.parametrize(
    ("wanted", "there", "given"),
    [
        (None, [LAPTOP, BEAMER], LAPTOP),
        ("hdmi", [LAPTOP, BEAMER], BEAMER),
        (1, [LAPTOP, BEAMER], BEAMER),
        (2, [LAPTOP, BEAMER], LAPTOP),
        ("hdmi", [LAPTOP], LAPTOP),
        ("screen 1", [Screen("Unknown"), one := Screen("Unknown")], one),
    ],
)
def test_a_screen_is_chosen_by_number_or_by_name(wanted: int | str | None, there: list[Screen], given: Screen) -> None:
    _, _, screen = made(Display(there), Params(), fullscreen=True, screen=wanted)
    assert screen is given


@pytest.mark.parametrize(("fullscreen", "place"), [(True, "HDMI-1"), (False, (1920 + 320, 180))])
def test_a_screen_that_is_switched_on_later_is_moved_to(fullscreen: bool, place: object) -> None:
    display, params = Display([LAPTOP]), Params()
    window, pane, screen = made(display, params, fullscreen, screen="hdmi")
    assert screen is LAPTOP
    pane.places.clear()
    window._look_for_screen(0.0)
    params.settle(0.0)
    assert params["/status/window"].value == "there is no screen 'hdmi' (there are eDP-1): on the main one"
    display.screens, before = [LAPTOP, BEAMER], display.asked
    window._look_for_screen(LOOK - 1.0)
    assert display.asked == before, "a driver is not asked in every frame"
    window._look_for_screen(LOOK)
    assert pane.places == [place]
    params.settle(1.0)
    assert params["/status/window"].value == "the screen 'hdmi' is there: moved to it"
    looks(window, 2 * LOOK, 2)  # whether it stays there: moving it has told of another size
    before = display.asked
    window._look_for_screen(10 * LOOK)
    assert display.asked == before, "found is found"


def test_without_a_wish_nobody_looks() -> None:
    display = Display([LAPTOP])
    window, pane, _ = made(display, Params(), fullscreen=True)
    before = display.asked
    window._look_for_screen(LOOK)
    assert display.asked == before
    assert pane.places == []


@pytest.mark.parametrize("known", [0, 1], ids=["known at once", "known later"])
@pytest.mark.parametrize(("fullscreen", "place"), [(True, "HDMI-1"), (False, (1920 + 320, 180))])
def test_a_screen_that_goes_at_night_is_moved_to_in_the_morning(fullscreen: bool, place: object, known: int) -> None:
    display, params = Display([LAPTOP, BEAMER]), Params()
    window, pane, screen = made(display, params, fullscreen, screen="hdmi")
    assert screen is BEAMER
    pane.places.clear()
    before = display.asked
    window._look_for_screen(1000.0)
    assert display.asked == before, "a screen that is there is not looked for"
    pane.handlers["on_move"](0, 0)  # the system has put the window onto the screen that is left
    for look in range(2):
        display.screens = [LAPTOP] if look >= known else [LAPTOP, BEAMER]
        window._look_for_screen(2000.0 + look * LOOK)
    assert pane.places == ["eDP-1"] * fullscreen  # what is left may have another size
    pane.places.clear()
    params.settle(0.0)
    assert params["/status/window"].value == "there is no screen 'hdmi' (there are eDP-1): on the main one"
    window._look_for_screen(9000.0)
    display.screens = [LAPTOP, BEAMER]
    window._look_for_screen(9000.0 + LOOK)
    assert pane.places == [place]


def test_a_window_that_is_moved_by_hand_stays_there() -> None:
    display = Display([LAPTOP, BEAMER])
    window, pane, _ = made(display, Params(), fullscreen=False, screen="hdmi")
    pane.places.clear()
    before = display.asked
    for n in range(100):
        pane.handlers["on_resize"](640, 360 + n)
        window._look_for_screen(n / 60.0)
    for n in range(5):
        window._look_for_screen((n + 1) * LOOK)
    assert pane.places == []
    assert display.asked == before + 3  # one in the drag, two after it


def test_a_full_screen_that_the_system_moves_at_night_is_back_in_the_morning() -> None:
    """Under X11: pyglet's window tells nothing of it."""
    display, params = Display([LAPTOP, BEAMER]), Params()
    window, pane, _ = made(display, params, fullscreen=True, screen="hdmi")
    pane.there = filling(BEAMER)
    before = display.asked
    looks(window, 0.0, 100)
    assert display.asked == before, "a driver is not asked for a screen that nothing has happened to"
    display.screens, pane.there = [LAPTOP], filling(LAPTOP)
    looks(window, 5000.0, 100)
    params.settle(0.0)
    assert params["/status/window"].value == "there is no screen 'hdmi' (there are eDP-1): on the main one"
    display.screens = [LAPTOP, BEAMER]
    looks(window, 9000.0, 10)
    assert pane.places[-1] == "HDMI-1"
    assert pane.places.count("HDMI-1") == 1
    params.settle(1.0)
    assert params["/status/window"].value == "the screen 'hdmi' is there: moved to it"


def test_a_full_screen_that_is_off_its_screen_is_put_back_though_the_screen_was_gone_between_two_looks() -> None:
    display, params = Display([LAPTOP, BEAMER]), Params()
    window, pane, _ = made(display, params, fullscreen=True, screen="hdmi")
    for night in range(3):
        pane.there = filling(BEAMER)
        looks(window, night * 9000.0, 5)
        pane.there = filling(LAPTOP)
        looks(window, night * 9000.0 + 5000.0, 5)
        assert pane.places == ["HDMI-1"] * (night + 1)
    params.settle(0.0)
    assert params["/status/window"].value == "back on the screen 'hdmi'"


def test_a_window_manager_that_insists_on_another_place_is_not_fought() -> None:
    display = Display([LAPTOP, BEAMER])
    window, pane, _ = made(display, Params(), fullscreen=True, screen="hdmi")
    pane.there, pane.insists = filling(BEAMER)._replace(place=(1920, 32)), True
    pane.handlers["on_resize"](1280, 720)  # as it comes when the window does
    looks(window, 0.0, 100)
    assert pane.places == ["HDMI-1"]


@pytest.mark.parametrize("wanted", ["hdmi", 0, None])
def test_a_full_screen_fills_a_screen_that_comes_back_with_another_mode(wanted: int | str | None) -> None:
    there, other = (Screen("HDMI-1", 0, 0, *size) for size in ((1280, 720), (1920, 1080)))
    display = Display([there])
    window, pane, _ = made(display, Params(), fullscreen=True, screen=wanted)
    pane.there = filling(there)
    pane.handlers["on_resize"](1280, 720)  # as it comes when the window does
    looks(window, 0.0, 5)
    assert pane.places == []
    display.screens, pane.there = [other], filling(other)  # a window manager has changed what pyglet does not see
    looks(window, 5000.0, 5)
    assert pane.screen is other
    assert pane.places == ["HDMI-1"]


def test_a_mode_that_changes_where_no_window_manager_looks_after_the_window_is_seen_by_the_desktop() -> None:
    there, other = (Screen("HDMI-1", 0, 0, *size) for size in ((1280, 720), (1920, 1080)))
    display = Display([there])
    window, pane, _ = made(display, Params(), fullscreen=True)
    pane.there = filling(there)._replace(desktop=(1280, 720))
    looks(window, 0.0, 5)
    display.screens, pane.there = [other], filling(there)._replace(desktop=(1920, 1080))
    looks(window, 5000.0, 5)
    assert pane.screen is other
