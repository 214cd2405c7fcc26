"""The built-in parts keep the contract that third parties are asked to keep."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PIL import Image as Pil

from perform import plugins, testing
from perform.control.osc import Osc
from perform.engines.passthrough import Input
from perform.sinks.null import Null
from perform.sinks.recorder import Recorder
from perform.sinks.snapshot import Snapshot
from perform.sources.camera import Camera
from perform.sources.image import Image
from perform.sources.shader import Shader
from perform.sources.testcard import TestCard
from perform.sources.video import Video
from tests.sources.films import film

PATCH = "/*{}*/ void main() { gl_FragColor = vec4(fract(TIME), isf_FragNormCoord, 1.0); }"


@pytest.fixture
def here(gl: object, tmp_path: Path) -> plugins.Stage:
    film(tmp_path / "clip.mp4")
    film(tmp_path / "long.mp4", frames=60, rate=5)
    Pil.new("RGB", (64, 64), "orange").save(tmp_path / "still.png")
    (tmp_path / "patch.fs").write_text(PATCH)
    return testing.stage("/source/mine", folder=tmp_path)


@pytest.mark.parametrize(
    ("make", "repeatable"),
    [
        (TestCard, True),
        (partial(Video, "clip.mp4"), True),
        (partial(Video, "long.mp4", start=10.0), True),  # seconds of film are no show time
        (partial(Image, "still.png"), True),
        (partial(Shader, "patch.fs"), True),
        (partial(Camera, "lavfi:testsrc2=size=64x48:rate=30,realtime"), False),
        (partial(Camera, "/dev/video987"), False),
        (partial(Video, "nothing.mp4"), False),
        (partial(Image, "nothing"), False),
        (testing.Paint, True),
    ],
)
def test_sources(here: plugins.Stage, make: object, repeatable: bool) -> None:
    testing.check_source(make, repeatable=repeatable, on=here)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [Null, partial(Null, hash=True), Recorder, Snapshot, testing.Tape])
def test_sinks(here: plugins.Stage, make: object) -> None:
    testing.check_sink(make, on=replace(here, prefix="/mine"))  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [Input, testing.Echo])
def test_engines(gl: object, make: object) -> None:
    testing.check_engine(make)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [testing.Script, partial(Osc, "127.0.0.1:0")])
def test_controls(make: object) -> None:
    testing.check_control(make)  # type: ignore[arg-type]


def test_every_announced_source_and_sink_is_checked_here() -> None:
    """A new built-in fails this until it stands in the lists above (the window needs a screen: see its own tests)."""
    assert set(plugins.names("sources")) >= {"camera", "video", "image", "shader", "testcard"}
    checked = {Camera, Video, Image, Shader, TestCard, Null, Recorder, Snapshot}
    for group in ("sources", "sinks"):
        for name in plugins.names(group):  # type: ignore[arg-type]
            part = plugins.find(group, name)  # type: ignore[arg-type]
            assert part in checked or name == "window" or not part.__module__.startswith("perform.")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (partial(Video, "a.mp4", start=-1.0), "not below 0"),
        (partial(Video, "a.mp4", start=5.0, end=3.0), "end = 3 must come after start = 5"),
        (partial(Camera, retry=()), "retry a list of seconds"),
        (partial(Camera, grace=0.0), "grace is above 0"),
        (partial(Camera, size=(0, 480)), r"size = \[0, 480\] is no size"),
        (partial(Image, "a", hold=1e6), r"hold = 1e\+06 is out of range: 0 to 604800"),
        (partial(Image, "a", crossfade=61.0), "crossfade = 61 is out of range: 0 to 60"),
        (partial(Image, "a", zoom=-0.1), r"zoom = -0\.1 is out of range: 0 to 1"),
        (partial(Image, "a", pan=2.0), "pan = 2 is out of range: 0 to 1"),
        (partial(Video, "a.mp4", speed=10.0), "speed = 10 is out of range: -4 to 4"),
        (partial(Shader, "a", speed=float("nan")), "speed = nan is out of range: -8 to 8"),
        (partial(Recorder, crf=52), "crf = 52"),
        (partial(Recorder, fps=-1.0), "fps = -1 is below 0"),
    ],
)
def test_keys_that_cannot_be_are_refused_in_a_sentence(make: partial[object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()
