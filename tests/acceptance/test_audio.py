"""Real sound through a real sound server: PulseAudio plays into a null sink, and the show listens at its monitor."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.acceptance.running import Running, running

RATE = 44100
MISSING = [tool for tool in ("pulseaudio", "pacat", "pactl") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING) and "CI" not in os.environ, reason=f"{', '.join(MISSING)} not installed (make test installs them)"
)
SHOW = """
[show]
size = [64, 36]
[source.bars]
type = "shader"
patch = "bars.fs"
[[layer]]
source = "bars"
[audio]
[osc]
listen = "127.0.0.1:PORT"
[sink.stills]
type = "snapshot"
folder = "stills"
"""
BARS = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "fft", "TYPE": "audioFFT"}]}*/
void main() {
    float low = 0.0, high = 0.0;
    for (int n = 0; n < 16; n++) {
        low = max(low, IMG_NORM_PIXEL(fft, vec2((float(n) + 0.5) / 512.0, 0.5)).r);
        high = max(high, IMG_NORM_PIXEL(fft, vec2((float(n) + 250.5) / 512.0, 0.5)).r);
    }
    gl_FragColor = vec4(low, high, 0.0, 1.0);
}
"""


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A sound server of our own with one sink that nobody hears, and its monitor as the only microphone."""
    server = f"unix:{tmp_path}/sound"
    alsa = tmp_path / "asound.conf"
    pcm = f'{{ type pulse server "{server}" device "ear" }}'
    alsa.write_text(f"</usr/share/alsa/alsa.conf>\npcm.!default {pcm}\n")
    for name in ("XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", server)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(alsa))
    modules = (
        f"module-native-protocol-unix socket={tmp_path}/sound auth-anonymous=1",
        f"module-null-sink sink_name=hall rate={RATE}",
        "module-remap-source master=hall.monitor source_name=ear",
    )
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    with (tmp_path / "sound.log").open("w") as log:
        sound = subprocess.Popen([*command, *(w for m in modules for w in ("-L", m))], stdout=log, stderr=log)
        try:
            end = time.monotonic() + 120.0
            while subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode:
                assert time.monotonic() < end, (tmp_path / "sound.log").read_text()
                time.sleep(0.05)
            yield server
        finally:
            sound.terminate()
            sound.wait(60.0)


def tone(pitch: float) -> subprocess.Popen[bytes]:
    """Four minutes of a sine, played until terminated."""
    wave = 0.8 * np.sin(2 * np.pi * pitch * np.arange(RATE * 240) / RATE)
    path = Path(os.environ["HOME"]) / f"{pitch:.0f}.raw"
    path.write_bytes(np.repeat((wave * 32767).astype("<i2"), 2).tobytes())
    words = ["pacat", "--playback", "--raw", f"--rate={RATE}", "--format=s16le", "--channels=2", "--device=hall", path]
    return subprocess.Popen(words)


def hears(show: Running, loud: str, quiet: str) -> bool:
    return show.ask(f"/audio/{loud}")[0] > 0.5 and show.ask(f"/audio/{quiet}")[0] < 0.1


@pytest.mark.parametrize(
    ("pitch", "loud", "quiet", "channel"), [(110, "bass", "treble", 0), (11000, "treble", "bass", 1)]
)
def test_a_show_hears(tmp_path: Path, hall: str, pitch: float, loud: str, quiet: str, channel: int) -> None:
    (tmp_path / "bars.fs").write_text(BARS)
    with running(tmp_path, SHOW) as show:
        show.until(lambda: "listening" in str(show.ask("/status/audio")[0]))
        assert show.picture().max() < 20
        player = tone(pitch)
        try:
            show.until(lambda: hears(show, loud, quiet))

            def seen() -> bool:
                pixel = show.picture()[18, 32].astype(int)
                return bool(pixel[channel] > 100 and pixel[1 - channel] < 40)

            show.until(seen)  # where the sound breaks off for a moment, a little later
        finally:
            player.terminate()
            player.wait(60.0)
        show.until(lambda: show.ask("/audio/level")[0] < 0.05)
