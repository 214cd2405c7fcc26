"""Contexts: what is there, and one clear sentence where there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from perform.gl.context import APT, Context, GLUnavailable, adopt_window, open_headless, prepare

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL and X11 are Linux's")


def said(code: str) -> str:
    """What a fresh process without a display prints."""
    env = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


SAY = """
from perform.gl.context import *
try:
    {}
except GLUnavailable as e:
    print(e)
"""


def test_the_context_is_core_has_eight_bits_and_knows_software(gl: Context) -> None:
    assert float(gl.version[:3]) >= 3.3
    assert gl.software == ("llvmpipe" in gl.renderer.lower())
    config = gl.window.config
    assert [config.red_size, config.green_size, config.blue_size, config.alpha_size] == [8] * 4


@linux
def test_a_process_that_renders_headless_opens_no_window(gl: Context) -> None:
    with pytest.raises(GLUnavailable, match="already renders headless; start another one for a window"):
        prepare(headless=False)
    with pytest.raises(GLUnavailable, match="already renders headless"):
        adopt_window(lambda pyglet, config: None)


def test_a_second_context_opens_and_closes_twice(gl: Context) -> None:
    with open_headless() as other:
        assert other.renderer == gl.renderer
    other.close()
    gl.make_current()


def test_importing_gl_loads_no_library() -> None:
    code = "import sys, perform.gl.isf, perform.gl.transfer; print('pyglet.gl' in sys.modules)"
    assert said(code) == "False\n"


@linux
def test_without_libraries_the_line_that_installs_them_is_said() -> None:
    hide = "import pyglet.lib\ndef none(*names, **more): raise ImportError('Library GL not found')\n"
    text = said(hide + "pyglet.lib.load_library = none" + SAY.format("open_headless()"))
    assert text.startswith("OpenGL is not installed (Library GL not found)")
    assert APT in text


@linux
def test_without_a_screen_no_window_is_opened_and_it_says_so() -> None:
    make = "adopt_window(lambda pyglet, config: pyglet.window.Window(8, 8, config=config))"
    assert said(SAY.format(make)).startswith("no window can be opened: ")


@linux
def test_a_device_that_is_not_there_is_said() -> None:
    text = said("import pyglet\npyglet.options.headless_device = 99" + SAY.format("open_headless()"))
    assert text == "no OpenGL 3.3 context can be made: Invalid EGL device id: 99\n"


def test_only_names_of_gl_are_looked_up(gl: Context) -> None:
    from perform.gl.lib import gl as library

    assert library.GL_TRUE == 1
    with pytest.raises(AttributeError):
        _ = library.pytestmark
