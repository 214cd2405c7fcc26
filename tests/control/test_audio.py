"""The audio control with sound made by the test: levels, pictures, driving, devices that fail."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from perform.clock import FixedClock, ManualClock
from perform.control.audio import Audio, part
from perform.control.audio.device import LENGTH, Ring, listen
from perform.gl.context import Context
from perform.gl.transfer import read
from perform.params import Params, Spec
from perform.plugins import Stage
from perform.sources.shader import Shader

LOUD = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "fft", "TYPE": "audioFFT"}]}*/
void main() { gl_FragColor = vec4(vec3(IMG_NORM_PIXEL(fft, vec2(0.042, 0.5)).r), 1.0); }
"""


@dataclass
class Fake:
    samplerate: float = 48000.0
    channels: int = 2
    active: bool = True
    closed: bool = False

    def close(self) -> None:
        self.closed = True


class Room:
    """An open part in silence, until the test plays something."""

    def __init__(self, tmp: Path, stream: object = None, **keys: object) -> None:
        self.rings: list[Ring] = []
        self.stream, self.clock, self.params = stream or Fake(), ManualClock(), Params()
        self.params.declare("/layer/1/opacity", Spec("float", 0.2, 0.0, 1.0))
        self.params.declare("/layer/1/on", Spec("bool", True))
        self.stage = Stage(self.params, self.clock, "/audio", (16, 16), folder=tmp)
        self.audio = Audio(**keys)  # type: ignore[arg-type]
        self.audio._listen = self._listen
        self.audio.open(self.stage)

    def _listen(self, device: object, ring: Ring, again: bool) -> Fake:
        self.rings.append(ring)
        if isinstance(self.stream, Exception):
            raise self.stream
        return self.stream  # type: ignore[return-value]

    def play(self, block: np.ndarray | None, frames: int = 20) -> None:
        for _ in range(frames):
            if block is not None:
                assert self.audio._ear is not None
                self.audio._ear.ring.write(block)
            self.params.settle(self.clock.advance(1 / 60))

    def value(self, word: str) -> float:
        return float(self.params[f"/audio/{word}"].value)

    def until(self, text: str) -> None:
        end = time.monotonic() + 120.0
        while text not in str(self.params["/status/audio"].value):
            assert time.monotonic() < end, self.params["/status/audio"].value
            self.params.settle(self.clock.now())
            time.sleep(0.001)


def sine(pitch: float, loud: float = 1.0) -> np.ndarray:
    wave = loud * np.sin(2 * np.pi * pitch * np.arange(LENGTH) / 48000.0)
    return np.stack([wave, wave], axis=1).astype(np.float32)


@pytest.mark.parametrize(("pitch", "band"), [(93.75, "bass"), (937.5, "mid"), (6000.0, "treble")])
def test_each_band_hears_its_pitch(gl: Context, tmp_path: Path, pitch: float, band: str) -> None:
    room = Room(tmp_path)
    with room.audio:
        room.play(sine(pitch, 0.8))
        for other in ("bass", "mid", "treble"):
            assert room.value(other) == pytest.approx(0.8 if other == band else 0.0, abs=0.05)
        assert room.value("level") == pytest.approx(0.8, abs=0.05)
        room.play(None, 120)
        assert room.value("level") < 0.01


def test_a_beat_is_an_onset_that_dies_away(gl: Context, tmp_path: Path) -> None:
    room = Room(tmp_path)
    with room.audio:
        room.play(np.zeros((LENGTH, 2), np.float32), 5)
        assert room.value("beat") == 0.0
        room.play(sine(93.75), 1)
        assert room.value("beat") == 1.0
        room.play(sine(93.75), 200)
        assert room.value("beat") < 0.1


def test_what_is_no_number_is_silence(gl: Context, tmp_path: Path) -> None:
    room = Room(tmp_path)
    with room.audio:
        room.play(np.full((LENGTH * 3, 1), np.nan, np.float32))
        assert room.value("level") == 0.0
        room.play(np.full((64, 1), 1e30, np.float32))
        assert 0.0 <= room.value("level") <= 1.0


def test_a_patch_sees_the_sound(gl: Context, tmp_path: Path) -> None:
    (tmp_path / "loud.fs").write_text(LOUD)
    room = Room(tmp_path)
    with room.audio, Shader("loud.fs").open(room.stage) as shader:
        room.play(None, 1)
        assert read(shader.frame(room.clock.now()).texture)[0, 0, 0] == 0
        room.play(sine(1031.25))
        assert read(shader.frame(room.clock.now()).texture)[0, 0, 0] > 200
        assert np.ptp(read(room.stage.sound["audio"])[0, :, 0].astype(int)) > 240
        room.play(None, 30)
        assert read(shader.frame(room.clock.now()).texture)[0, 0, 0] == 0
    assert room.stage.sound == {}


def test_drive_moves_the_value_and_never_the_fader(gl: Context, tmp_path: Path) -> None:
    room = Room(tmp_path, drive={"/layer/1/opacity": {"band": "bass", "amount": 0.5}})
    opacity = room.params["/layer/1/opacity"]
    with room.audio:
        room.play(sine(93.75))
        assert opacity.value == pytest.approx(0.7, abs=0.03)
        assert opacity.base == 0.2
        room.params.remove("/layer/1/opacity")
        again = room.params.declare("/layer/1/opacity", Spec("float", 0.1, 0.0, 1.0))
        room.play(sine(93.75))
        assert again.value == pytest.approx(0.6, abs=0.03)
    room.params.settle(room.clock.advance(0.1))
    assert again.value == 0.1


def test_drive_by_a_layers_number_follows_the_number(gl: Context, tmp_path: Path) -> None:
    room = Room(tmp_path, drive={"/layer/2/opacity": {"band": "bass", "amount": 0.5}})
    params = room.params
    a, b = (params.declare(f"/layer/{name}/opacity", Spec("float", 0.2, 0.0, 1.0)) for name in "ab")
    moved, still = pytest.approx(0.7, abs=0.03), 0.2
    with room.audio:
        for layer, of_a, of_b in (("a", moved, still), ("b", still, moved), ("", still, still), ("a", moved, still)):
            params.alias("/layer/2", f"/layer/{layer}" if layer else None)
            room.play(sine(93.75))
            assert (a.value, b.value) == (of_a, of_b)
        params.alias("/layer/2", "/layer/b")  # and no frame since
    params.settle(room.clock.advance(0.1))
    assert (a.value, b.value) == (still, still)
    assert a.modulators == b.modulators == []


def test_what_cannot_be_driven_is_said(gl: Context, tmp_path: Path) -> None:
    room = Room(tmp_path, drive={"/nowhere": {"band": "bass"}, "/layer/1/on": {"band": "mid"}})
    with room.audio:
        room.until("listening at 48000 Hz")
        room.params.declare("/later", Spec("float"))
        room.until("`perform params` lists all that there are; drive: /layer/1/on is a bool")


@pytest.mark.parametrize(
    "keys",
    [{"gain": -1.0}, {"drive": {"/a": {"band": "drums"}}}, {"drive": {"/a": {"band": "bass", "amount": "much"}}}],
)
def test_mistakes_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"gain|drive"):
        Audio(**keys)  # type: ignore[arg-type]


def test_a_device_that_goes_is_opened_again(gl: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "PERIOD", 0.001)
    monkeypatch.setattr(part, "BACKOFF", (0.001,))
    first = Fake(active=False)
    room = Room(tmp_path, first)
    with room.audio:
        room.until("it has gone")
        room.stream = Fake(samplerate=44100.0)
        room.until("listening at 44100 Hz")
    assert first.closed
    assert room.stream.closed


def test_a_show_has_one_ear(gl: Context, tmp_path: Path) -> None:
    room = Room(tmp_path)
    with room.audio, pytest.raises(ValueError, match="another control listens"):
        Audio().open(room.stage)


def test_without_portaudio(gl: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(tmp_path, OSError("PortAudio library not found"))
    with room.audio:
        room.until("apt-get install libportaudio2" if sys.platform == "linux" else "PortAudio library is missing")


def test_without_a_device(gl: Context, tmp_path: Path) -> None:
    pytest.importorskip("sounddevice")
    params = Params()
    with Audio(device="no such microphone").open(Stage(params, ManualClock(), "/audio", (16, 16), folder=tmp_path)):
        end = time.monotonic() + 120.0
        while "silent: no sound" not in str(params["/status/audio"].value):
            assert time.monotonic() < end
            params.settle(0.0)
            time.sleep(0.001)


class PortAudio(ModuleType):
    """As sounddevice: what is not running cannot be ended. `broken`: it cannot be started."""

    class PortAudioError(Exception): ...

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.running, self.broken = True, False

    def _terminate(self) -> None:
        if not self.running:
            raise self.PortAudioError("Error terminating PortAudio: PortAudio not initialized")
        self.running = False

    def _initialize(self) -> None:
        if self.broken:
            raise self.PortAudioError("Error initializing PortAudio: Unanticipated host error")
        self.running = True

    def query_devices(self, device: object, kind: str) -> dict[str, int]:
        return {"max_input_channels": 2}

    def InputStream(self, **keys: object) -> Any:
        stream: Any = Fake()
        stream.start = lambda: None
        return stream


def test_a_portaudio_that_could_not_be_started_once_is_started_later(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = PortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", sound)
    sound.broken = True
    for _ in range(2):
        with pytest.raises(sound.PortAudioError, match="initializing"):
            listen(None, Ring(), again=True)
    sound.broken = False
    assert listen(None, Ring(), again=True).active


def test_a_rendered_film_is_silent(gl: Context, tmp_path: Path) -> None:
    params = Params()
    with Audio().open(Stage(params, FixedClock(), "/audio", (16, 16), folder=tmp_path)):
        params.settle(0.0)
        assert str(params["/status/audio"].value).startswith("silent: a film")


def test_what_is_heard_says_what_it_is() -> None:
    params = Params()
    Audio().declare(Stage(params, ManualClock(), "/audio", (64, 64)))
    docs = {word: params[f"/audio/{word}"].spec.doc for word in ("level", "bass", "beat")}
    assert docs == {
        "level": "How loud it is.",
        "bass": "How much bass is heard.",
        "beat": "1 at an onset, then dying away.",
    }
