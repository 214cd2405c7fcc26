"""The window: shows the picture on the chosen screen, takes keys, writes the status overlay.

pyglet makes the GL context together with the window, so the window is opened before anything that draws; see
`open_window`. Every key posts to an address: what a key can do, OSC can do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from perform.frame import Frame
from perform.gl.context import Context, adopt_window
from perform.health import Status
from perform.params import Params
from perform.plugins import Closing, Stage
from perform.sinks.corners import Fitting, moved
from perform.sinks.overlay import Overlay
from perform.sinks.whereabouts import Whereabouts, whereabouts

STATUS = "/status/window"
LOOK = 30.0  # seconds between looks for a screen that is not there: asking a driver may take a frame or two

# key (as pyglet names it) -> what it is called on screen, what it does
KEYS: dict[str, tuple[str, str]] = {
    "F": ("f", "full screen"),
    "S": ("s", "status"),
    "I": ("i", "what the generator is given: off, inset, side by side"),
    "SPACE": ("space", "next cue"),
    "BACKSPACE": ("backspace", "cue back"),
    "B": ("b", "blackout"),
    "Z": ("z", "freeze"),
    "P": ("p", "picture: a still and its parameters"),
    "QUESTION": ("?", "these keys"),
    "ESCAPE": ("esc", "leave full screen, then quit"),
    "Q": ("q", "quit"),
}


def status_lines(params: Params) -> list[tuple[str, str]]:
    """Everything under /status that has something to say, as (name, text) for the overlay."""
    lines = []
    for param in params:
        if not param.address.startswith("/status/") or param.value in ("", None):
            continue
        value = param.value
        if isinstance(value, float):
            text = f"{value:.1f}" if value % 1 else f"{value:.0f}"
            text = f"{text} {param.spec.unit}".rstrip()
        else:
            text = str(value)
        lines.append((param.address.removeprefix("/status/"), text[:96]))
    return lines


def _names(screens: Sequence[Any]) -> list[str]:
    """What screens are called ("HDMI-1" on Linux); by number where the system gives no name."""
    names = [str(screen.get_monitor_name() or "Unknown") for screen in screens]
    return [f"screen {n}" if name == "Unknown" else name for n, name in enumerate(names)]


def _shape(screen: Any) -> tuple[int, int, int, int]:
    return screen.x, screen.y, screen.width, screen.height


def _centre(window: Any, screen: Any) -> None:
    window.set_location(screen.x + (screen.width - window.width) // 2, screen.y + (screen.height - window.height) // 2)


@dataclass(slots=True)
class Window(Closing):
    """show.toml's [window]. `screen` is a number from 0 or a part of the screen's name; None: the main one, which also
    stands in for a screen that is not there, until it is. `corners` are moved as `perform.sinks.corners.moved` says."""

    screen: int | str | None = None
    fullscreen: bool = False
    cursor: bool = False
    vsync: bool = True
    title: str = "perform"
    corners: dict[str, Any] = field(default_factory=dict, metadata={"like": "{ top_left = [0.03, -0.02] }"})
    dropped: int = 0
    closed: bool = field(default=False, init=False)
    _window: Any = field(default=None, init=False)
    _stage: Stage | None = field(default=None, init=False)
    _status: Status | None = field(default=None, init=False)
    _fitting: Fitting | None = field(default=None, init=False)
    _overlay: Overlay = field(default_factory=Overlay, init=False)
    _panel: str = field(default="", init=False)  # "", "status" or "keys"
    _due: float = field(default=0.0, init=False)
    _missing: bool = field(default=False, init=False)  # the screen that was asked for
    _doubts: int = field(default=0, init=False)  # looks that are due, since the window was moved: is it still there?
    _look: float = field(default=0.0, init=False)  # show time of the next look for it
    _there: Whereabouts | None = field(default=None, init=False)  # in full screen, when it was last asked for
    _ask: float = field(default=0.0, init=False)  # show time at which it is asked for again
    _tried: tuple[int, int] | None = field(default=None, init=False)  # the place that it was last put right from

    def __post_init__(self) -> None:
        if isinstance(self.screen, int) and self.screen < 0:
            raise ValueError(f"screen is a number from 0 or a part of a screen's name, not {self.screen}")
        moved(self.corners)  # refuses what cannot be, before there is a window

    def open_window(self, size: tuple[int, int]) -> Context:
        """Make the window and its GL context (render thread, before anything that draws).

        Raises `perform.gl.context.GLUnavailable` with one sentence where there is no screen or no GL.
        """
        context, self._window = adopt_window(
            lambda pyglet, config: self._make(pyglet, config, size),
        )
        return context

    def _make(self, pyglet: Any, config: Any, size: tuple[int, int]) -> Any:
        display = pyglet.display.get_display()
        screen = self._find(display)
        if screen is None:
            screen, self._missing = display.get_default_screen(), self.screen is not None
        options: dict[str, Any] = {"config": config, "screen": screen, "vsync": self.vsync, "caption": self.title}
        if self.fullscreen:
            window = pyglet.window.Window(fullscreen=True, **options)
        else:
            k = min(1.0, 0.9 * screen.width / size[0], 0.9 * screen.height / size[1])
            window = pyglet.window.Window(round(size[0] * k), round(size[1] * k), resizable=True, **options)
            _centre(window, screen)
        window.set_mouse_visible(self.cursor)
        window.push_handlers(on_key_press=self._key, on_close=self._quit, on_text=self._text)
        window.push_handlers(on_move=self._shifted, on_resize=self._shifted)
        return window

    def _shifted(self, *_: int) -> None:
        """The window has another place or size: by hand, or because its screen has gone. A system may take a while to
        know which, so there are two looks.
        """
        self._doubts = 2

    def _watch(self, now: float) -> None:
        """In full screen pyglet says nothing of that under X11, so the X server is asked now and then. A driver is not:
        that may cost a frame or two, and only a window that has been moved is worth them.
        """
        if not self._window.fullscreen:
            self._there = None
        elif now >= self._ask:
            before, self._there, self._ask = self._there, whereabouts(self._window), now + LOOK
            if before is not None and self._there != before:
                self._shifted()

    def _find(self, display: Any) -> Any:
        """The screen that was asked for; None if it is not there, or none was."""
        screens = display.get_screens()
        if isinstance(self.screen, int):
            return screens[self.screen] if self.screen < len(screens) else None
        names = [name.casefold() for name in _names(screens)]
        wanted = (self.screen or "").casefold()
        return next((s for s, name in zip(screens, names, strict=True) if wanted and wanted in name), None)

    def _look_for_screen(self, now: float) -> None:
        """Move to the screen that was asked for once it is there: a projector may be switched on after the show, or off
        at night. A window that somebody has moved off a screen that is there stays where it is; one that fills a screen
        is put back, since nobody drags such a window: the system has moved it. What it fills, it fills as it is now.
        """
        self._watch(now)
        idle = self.screen is None and not self._window.fullscreen
        if idle or not (self._missing or self._doubts) or now < self._look:
            return
        self._doubts, self._look = max(0, self._doubts - 1), now + LOOK
        assert self._status is not None
        display = self._window.display
        screen = self._find(display)
        if screen is None:
            self._fill(display.get_default_screen())
            if self.screen is not None:
                names = ", ".join(_names(display.get_screens()))
                say = f"there is no screen {self.screen!r} (there are {names}): on the main one"
                self._status.say(say, trouble=True)
                self._missing = True
        elif self._missing:
            self._missing = False
            self._move_to(screen)
            self._status.say(f"the screen {self.screen!r} is there: moved to it")
        elif not self._fill(screen) and self._astray(screen):
            self._move_to(screen)
            self._status.say(f"back on the screen {self.screen!r}")

    def _astray(self, screen: Any) -> bool:
        """Whether a window in full screen is still off its screen at the last look. From one place it is put back only
        once: there are window managers that insist on theirs.
        """
        if not self._window.fullscreen or self._doubts or (there := whereabouts(self._window)) is None:
            return False
        before, self._tried = self._tried, None if there.place == (screen.x, screen.y) else there.place
        return self._tried is not None and self._tried != before

    def _fill(self, screen: Any) -> bool:
        """In full screen, fill this screen if it isn't (or is no more) the one that is filled; True if so.

        pyglet keeps the size that the window was given, whatever the system makes of it.
        """
        if not self._window.fullscreen or _shape(screen) == _shape(self._window.screen):
            return False
        self._window.set_fullscreen(True, screen=screen)
        return True

    def _move_to(self, screen: Any) -> None:
        if self._window.fullscreen:
            self._window.set_fullscreen(True, screen=screen)
        else:
            _centre(self._window, screen)

    def declare(self, stage: Stage) -> None:
        """The status."""
        Status(stage.params, STATUS)

    def open(self, stage: Stage) -> Self:
        """Start showing. `open_window` must have been called."""
        if self._window is None:
            raise RuntimeError("open_window comes first: the GL context is the window's own")
        self._stage = stage
        self._status = Status(stage.params, STATUS)
        self._fitting = Fitting(self.corners)
        return self

    def retitle(self, title: str) -> None:
        """Be called something else from now on. Render thread."""
        self.title = title
        if self._window is not None:
            self._window.set_caption(title)

    def pin(self, corners: dict[str, Any]) -> None:
        """Have the picture's corners elsewhere from now on. Raises ValueError. Render thread."""
        if self._fitting is not None:
            self._fitting.pin(corners)
        self.corners = corners

    # ------------------------------------------------------------------ picture
    def show(self, picture: Frame) -> None:
        """Draw, flip, and take the events that came. Render thread."""
        if self._window is None or self._stage is None or self.closed:
            return
        window = self._window
        window.switch_to()
        window.dispatch_events()
        self._look_for_screen(picture.time)
        width, height = window.get_framebuffer_size()
        if width < 1 or height < 1:  # minimised
            self.dropped += 1
            return
        assert self._fitting is not None
        self._fitting.draw(None, picture, (width, height))
        self._write(picture.time)
        self._overlay.draw((width, height), window.get_pixel_ratio())
        window.flip()

    def _write(self, now: float) -> None:
        assert self._stage is not None
        if not self._panel:
            self._overlay.say(())
        elif now >= self._due:
            self._due = now + 0.5
            keys = [("", "keys"), *KEYS.values()]
            self._overlay.say(keys if self._panel == "keys" else [("", "perform"), *status_lines(self._stage.params)])

    # ------------------------------------------------------------------ keys
    def _key(self, symbol: int, modifiers: int) -> bool:
        from pyglet.window import key

        name = key.symbol_string(symbol)
        name = {"F11": "F", "F1": "QUESTION", "H": "QUESTION", "RETURN": "SPACE"}.get(name, name)
        if symbol != key.QUESTION:  # that one comes as text, wherever a keyboard keeps it
            self.press(name)
        return True  # pyglet's own Escape would close the window

    def _text(self, text: str) -> None:
        if text == "?":
            self.press("QUESTION")

    def press(self, name: str) -> None:
        """Do what a key does, by its name in KEYS; other names do nothing. Render thread."""
        deeds: dict[str, Callable[[], None]] = {
            "F": lambda: self._window.set_fullscreen(not self._window.fullscreen),
            "S": lambda: self._toggle("status"),
            "QUESTION": lambda: self._toggle("keys"),
            "I": self._next_inset,
            "SPACE": lambda: self._post("/cue/go", True),
            "BACKSPACE": lambda: self._post("/cue/back", True),
            "B": lambda: self._flip("/master/blackout"),
            "Z": lambda: self._flip("/master/freeze"),
            "P": lambda: self._post("/snapshot", True),
            "ESCAPE": self._escape,
            "Q": lambda: setattr(self, "closed", True),
        }
        if name in deeds:
            deeds[name]()

    def _post(self, address: str, value: Any) -> None:
        if self._stage is not None:
            self._stage.params.post(address, value, origin=self)

    def _flip(self, address: str) -> None:
        if self._stage is not None:
            self._post(address, not self._stage.params[address].base)

    def _next_inset(self) -> None:
        if self._stage is not None:
            param = self._stage.params["/master/inset"]
            names = list(param.spec.names)
            self._post(param.address, names[(names.index(param.base) + 1) % len(names)])

    def _toggle(self, panel: str) -> None:
        self._panel = "" if self._panel == panel else panel
        self._due = 0.0

    def _escape(self) -> None:
        if self._panel:
            self._panel = ""
        elif self._window.fullscreen:
            self._window.set_fullscreen(False)
        else:
            self.closed = True

    def _quit(self) -> bool:
        self.closed = True
        return True

    def close(self) -> None:
        """Close the window; its GL context goes with it."""
        self._overlay.close()
        if self._fitting is not None:
            self._fitting.close()
            self._fitting = None
        if self._window is not None:
            self._window.close()
            self._window = None
