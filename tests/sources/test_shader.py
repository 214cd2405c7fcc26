"""Patches as sources: parameters, time, pictures of others, edits, mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.clock import FixedClock, ManualClock
from perform.frame import Frame
from perform.gl.target import Target
from perform.gl.transfer import read
from perform.sources.shader import Shader
from tests.sources.conftest import MakeStage, said, until

PLAIN = """/*{"ISFVSN": "2", "INPUTS": [
  {"NAME": "level", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0}]}*/
void main() { gl_FragColor = vec4(level, fract(TIME), 0.0, 1.0); }
"""
EYES = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/
void main() { gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb * 0.5, 1.0); }
"""


def first_pixel(frame: Frame) -> tuple[int, ...]:
    return tuple(int(v) for v in read(frame.texture)[0, 0])  # type: ignore[arg-type]


def test_inputs_are_parameters_and_time_has_a_speed(stage: MakeStage, tmp_path: Path) -> None:
    (tmp_path / "plain.fs").write_text(PLAIN)
    here = stage(FixedClock(10.0))
    with Shader("plain.fs", size=(16, 8)).open(here) as shader:
        assert here.params["/source/it/level"].value == 0.5
        frame = shader.frame(0.2)
        assert frame.size == (16, 8)
        assert first_pixel(frame)[:2] == (128, 51)
        assert shader.frame(0.2) is frame
        here.params.post("/source/it/level", 1.0)
        here.params.post("/source/it/time/speed", 0.0)
        for n in range(1, 40):
            here.params.settle(n / 10)
        assert first_pixel(shader.frame(0.3))[0] == 255
        assert first_pixel(shader.frame(0.7))[1] == first_pixel(shader.frame(0.3 + 0.5))[1]  # time stands still
        assert said(here) == "playing plain.fs"
        assert not shader.lost


def test_looks_at_other_sources_and_at_itself(stage: MakeStage, tmp_path: Path) -> None:
    (tmp_path / "eyes.fs").write_text(EYES)
    white = Target(8, 8)
    white.clear(1.0, 1.0, 1.0, 1.0)
    with Shader("eyes", images={"inputImage": "camera"}).open(stage(ManualClock())) as shader:
        assert first_pixel(shader.frame(0.0))[0] == 0  # nobody there: dark
        shader.connect(lambda name, now: Frame(white.texture, now, 1) if name == "camera" else None)
        assert first_pixel(shader.frame(1.0))[0] == 128
        shader.connect(lambda name, now: shader.frame(now))  # a circle is feedback of its last picture
        assert [first_pixel(shader.frame(now))[0] for now in (2.0, 3.0)] == [64, 32]
    white.close()


def test_a_mistake_keeps_the_last_good_version(stage: MakeStage, tmp_path: Path) -> None:
    path = tmp_path / "plain.fs"
    path.write_text(PLAIN)
    clock = ManualClock()
    here = stage(clock)
    with Shader("plain.fs").open(here) as shader:
        assert first_pixel(shader.frame(0.0))[0] == 128
        path.write_text(PLAIN.replace("fract(TIME)", "no such thing"))
        until(lambda: (shader.frame(clock.advance(0.01)), "plain.fs:" in said(here))[1])
        assert "the last good version stays" in said(here)
        assert first_pixel(shader.frame(clock.advance(0.01)))[0] == 128
        assert not shader.lost
        path.write_text(PLAIN.replace("level, fract", "1.0, fract"))
        until(lambda: first_pixel(shader.frame(clock.advance(0.01)))[0] == 255)


def test_another_patch_takes_the_place_of_the_one_that_plays_once_it_is_good(stage: MakeStage, tmp_path: Path) -> None:
    (tmp_path / "plain.fs").write_text(PLAIN)
    (tmp_path / "other.fs").write_text(PLAIN.replace("level, fract", "0.0, fract").replace("TIME", "no such thing"))
    here = stage(FixedClock(10.0))  # nobody watches the files
    with Shader("plain.fs").open(here) as shader:
        level = here.params["/source/it/level"]
        here.params.post("/source/it/level", 1.0)
        here.params.settle(0.0)
        before = shader.frame(0.0)
        for patch in ("other", "plain", "other"):  # taken back, and asked for again
            shader.become(patch)
        assert first_pixel(shader.frame(0.1))[0] == 255
        assert said(here).endswith("; the last good version stays")
        assert "other.fs:" in said(here)
        (tmp_path / "other.fs").write_text(PLAIN.replace("level, fract", "1.0 - level, fract"))
        assert shader._live.coming is not None
        shader._live.coming.look()
        after = shader.frame(0.2)
        assert first_pixel(after)[0] == 0
        assert after.serial == before.serial + 2  # it is news to whoever has seen the one before
        assert said(here) == "playing other.fs"
        assert here.params["/source/it/level"] is level
        with pytest.raises(LookupError):
            shader.become("none")
        assert first_pixel(shader.frame(0.3))[0] == 0
        assert said(here) == "playing other.fs"


def test_a_patch_that_never_was_good_is_lost(stage: MakeStage, tmp_path: Path) -> None:
    (tmp_path / "bad.fs").write_text("/*{}*/ void main() { oops }")
    here = stage(ManualClock())
    with Shader("bad.fs").open(here) as shader:
        assert shader.frame(0.0).serial == 0
        assert shader.lost
        assert "bad.fs:1" in said(here)


def test_no_such_patch(stage: MakeStage, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="there is no patch 'nowhere'"):
        Shader("nowhere").open(stage())
