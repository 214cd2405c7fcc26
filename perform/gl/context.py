"""The GL context: headless (EGL) or a window's own. This is the one place where pyglet's options are set.

Every context is OpenGL 3.3 core (4.1 on macOS, which has nothing newer) with 8 bits a channel: pyglet's own
headless default is RGB565, and that bands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from ctypes import c_char_p, cast
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from perform.gl import egl
from perform.gl.lib import gl

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software rasterizer", "gdi generic", "basic render")
APT = "sudo apt-get install libgl1 libegl1"


class GLUnavailable(RuntimeError):
    """There is no GL context to be had; the text is one sentence that says what to do."""


@dataclass(slots=True)
class Context:
    """An OpenGL context and the (possibly invisible) window it belongs to. One thread only: the render thread.

    `software` is True on a CPU rasteriser, where direct uploads beat PBOs and every pixel costs.
    """

    window: Any
    renderer: str
    version: str
    software: bool

    def make_current(self) -> None:
        """Make this the context that GL calls go to."""
        self.window.switch_to()

    def close(self) -> None:
        """Give the context back; what lived in it is gone. May be called twice."""
        if self.window is not None:
            self.window.close()
            self.window = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prepare(headless: bool, cuda: int | None = None) -> Any:
    """Set pyglet's options and import it; returns the pyglet module with `gl`, `window` and `display` loaded.

    `cuda`: without a screen, draw on the card that is this CUDA device, if EGL knows which one that is. Raises
    GLUnavailable where libGL or libEGL is missing, or if this process already chose the other kind: pyglet decides
    once, on import.
    """
    import pyglet

    loaded = "pyglet.gl" in sys.modules
    headless = headless and sys.platform.startswith("linux")  # elsewhere an invisible window does the same
    if loaded and bool(pyglet.options.headless) != headless:
        kinds = ("headless", "a window") if pyglet.options.headless else ("a window", "headless")
        raise GLUnavailable(f"this process already renders {kinds[0]}; start another one for {kinds[1]}")
    pyglet.options.headless = headless
    if headless and cuda is not None and not loaded and pyglet.options.headless_device == 0:
        pyglet.options.headless_device = egl.device_of(cuda) or 0
    pyglet.options.shadow_window = False
    pyglet.options.debug_gl = False
    try:
        import pyglet.display
        import pyglet.gl
        import pyglet.window
    except ImportError as e:
        if sys.platform.startswith("linux"):
            raise GLUnavailable(f"OpenGL is not installed ({e}); on Debian and Ubuntu: {APT}") from e
        raise GLUnavailable(f"OpenGL cannot be loaded: {e}") from e
    return pyglet


def config() -> Any:
    """The framebuffer and context every part agrees on: core profile, 8 bits a channel, double buffered."""
    major, minor = (4, 1) if sys.platform == "darwin" else (3, 3)
    return gl.Config(
        major_version=major,
        minor_version=minor,
        forward_compatible=sys.platform == "darwin",
        double_buffer=True,
        red_size=8,
        green_size=8,
        blue_size=8,
        alpha_size=8,
        depth_size=0,
    )


def _text(name: int) -> str:
    return (cast(gl.glGetString(name), c_char_p).value or b"").decode("utf-8", "replace")


def _adopt(make: Callable[[Any, Any], Any], headless: bool, cuda: int | None = None) -> tuple[Context, Any]:
    pyglet = prepare(headless, cuda)
    try:
        window = make(pyglet, config())
        window.switch_to()
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 1)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        renderer, version = _text(gl.GL_RENDERER), _text(gl.GL_VERSION)
    except Exception as e:  # each platform has its own kinds: no display, no config, no device, no library
        what = "no OpenGL 3.3 context can be made" if headless else "no window can be opened"
        raise GLUnavailable(f"{what}: {e or type(e).__name__}") from e
    return Context(window, renderer, version, any(s in renderer.lower() for s in SOFTWARE)), window


def open_headless(cuda: int | None = 0) -> Context:
    """A context without a screen, current on this thread. Costs about 0.1 s.

    On the card that is CUDA device `cuda` where there is one, else on EGL's first device. Raises GLUnavailable with
    one sentence (and the line that installs what is missing).
    """
    return _adopt(lambda pyglet, wish: pyglet.window.Window(16, 16, visible=False, config=wish), True, cuda)[0]


def adopt_window(make: Callable[[Any, Any], Any]) -> tuple[Context, Any]:
    """The context of a window that `make(pyglet, config)` opens; returns (context, window).

    Raises GLUnavailable with one sentence where there is no screen or no GL.
    """
    return _adopt(make, headless=False)
