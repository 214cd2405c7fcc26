"""The part that a show's [audio] table opens: levels and beats as numbers, waveform and spectrum as pictures."""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from perform.clock import FixedClock
from perform.control.audio.device import CHANNELS, LENGTH, Ring, Samples, Stream, listen, why
from perform.control.movers import Movers
from perform.gl.target import Texture
from perform.gl.transfer import upload
from perform.health import Status
from perform.params import Modulator, Post, Spec
from perform.plugins import Closing, Stage
from perform.workers import BACKOFF, Worker, spawn

log = logging.getLogger(__name__)
Listen = Callable[[str | int | None, Ring, bool], Stream]
WIDTH = LENGTH // 2  # pixels of both pictures
SILENCE = 0.2  # seconds without a sample that count as silence
PERIOD = 0.25  # seconds between looks at the stream
GONE = 8  # looks without a sample, then it is opened again
ATTACK, RELEASE, DECAY = 0.01, 0.25, 0.15  # seconds
BANDS = {"level": (0.0, 1e9), "bass": (20.0, 250.0), "mid": (250.0, 2000.0), "treble": (2000.0, 20000.0)}  # Hz
WORDS = (*BANDS, "beat")
DOCS = {"level": "How loud it is.", "beat": "1 at an onset, then dying away."}
LARGEST = sys.float_info.max
LIKE = '{ "/layer/1/opacity" = { band = "bass", amount = 0.5 } }'


@dataclass(slots=True)
class Audio(Closing):
    """`type = "audio"`. `device` is a name (or part of it) or a number, the system's own if left out; `gain` a factor.

    `drive` lets the sound move floats: `{ "/layer/1/opacity" = { band = "bass", amount = -0.5 } }` adds the band
    (level, bass, mid, treble or beat, 0..1) times `amount` to the value, never to the fader. With a FixedClock there
    is silence, so that a film is the same twice. Render thread; costs about 0.1 ms a frame.
    """

    device: str | int | None = None
    gain: float = 1.0
    drive: dict[str, Any] = field(default_factory=dict, metadata={"like": LIKE})
    _listen: Listen = field(default=listen, init=False, repr=False)
    _ear: _Ear | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.gain <= 1000.0:
            raise ValueError(f"gain = {self.gain} is not within 0 to 1000")
        if wrong := [f"drive: {address} {why}" for address, how in self.drive.items() if (why := _misfit(how))]:
            raise ValueError("\n".join(wrong))

    def declare(self, stage: Stage) -> None:
        """What is heard, as addresses, and the status."""
        for word in WORDS:
            spec = Spec("float", 0.0, 0.0, 1.0, doc=DOCS.get(word, f"How much {word} is heard."), readonly=True)
            stage.params.declare(f"{stage.prefix}/{word}", spec)
        Status(stage.params, f"/status{stage.prefix}")

    def open(self, stage: Stage) -> Self:
        """Start to listen. Never fails for the device's sake: the show plays in silence, and it is tried again.

        Raises ValueError if another control listens already.
        """
        self.close()
        if stage.sound:
            raise ValueError("another control listens already; a show has one ear")
        self.declare(stage)
        self._ear = _Ear(stage, self.gain, self.drive, Status(stage.params, f"/status{stage.prefix}"))
        self._ear.open(self.device, self._listen)
        return self

    def close(self) -> None:
        """Stop listening. Twice is allowed."""
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()


def _misfit(how: Any) -> str:
    """What is wrong with one entry of `drive`, as the end of a sentence; empty if nothing is."""
    if not isinstance(how, dict):
        return f'is {{ band = "bass", amount = 0.5 }}, not {how!r}'
    amount = how.get("amount", 1.0)
    if strange := [key for key in how if key not in ("band", "amount")]:
        return f"takes a band ({', '.join(WORDS)}) and an amount, and no {strange[0]!r}"
    if how.get("band") not in WORDS:
        return f"takes a band ({', '.join(WORDS)}) and an amount" + (f", not {how['band']!r}" if "band" in how else "")
    if not isinstance(amount, (int, float)) or isinstance(amount, bool) or not abs(amount) <= LARGEST:
        return f"takes a number as its amount, not {str(amount)[:40]}"
    return ""


@dataclass(slots=True)
class _Ear:
    """Everything that is there while the part is open."""

    stage: Stage
    gain: float
    drive: dict[str, dict[str, Any]]
    status: Status
    ring: Ring = field(default_factory=Ring)
    rate: float = 48000.0
    values: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WORDS, 0.0))
    movers: Movers = field(init=False)
    pictures: dict[str, Texture] = field(default_factory=dict)
    worker: Worker | None = None
    _count: int = 0
    _news: float = -math.inf  # when the last samples came
    _then: float = 0.0
    _usual: float = 0.0  # bass, slowly averaged: what a beat stands out from
    _how: str = ""  # the device is
    _wrong: str = ""  # with what is driven
    _silent: bool = True

    def open(self, device: str | int | None, listen: Listen) -> None:
        self.pictures = {kind: Texture.make(WIDTH, CHANNELS) for kind in ("audio", "audioFFT")}
        self._draw(np.zeros((LENGTH, CHANNELS), np.float32), np.zeros((WIDTH, CHANNELS)))
        self.stage.sound.update(self.pictures)
        self.movers = Movers(self.stage.params, {address: self._mover(how) for address, how in self.drive.items()})
        self.stage.params.feeds.append(self.hear)
        if isinstance(self.stage.clock, FixedClock):
            self._say("silent: a film that is rendered hears nothing")
            return
        self.worker = spawn("audio", lambda stop: self._work(stop, device, listen))

    def _work(self, stop: threading.Event, device: str | int | None, listen: Listen) -> None:
        failures = 0
        while not stop.is_set():
            stream: Stream | None = None
            try:
                stream = listen(device, self.ring, failures > 0)
                self.rate = float(stream.samplerate)
                self._say(f"listening at {self.rate:.0f} Hz")
                failures = 0
                self._stay(stop, stream)
            except Exception as e:
                log.debug("audio", exc_info=True)
                self._say(why(e), trouble=True)
            finally:
                if stream is not None:
                    stream.close()
            stop.wait(BACKOFF[min(failures, len(BACKOFF) - 1)])
            failures += 1

    def _stay(self, stop: threading.Event, stream: Stream) -> None:
        """Return when asked to; raise when the device has gone."""
        count, still = -1, 0
        while not stop.wait(PERIOD):
            still = 0 if self.ring.count != count else still + 1
            count = self.ring.count
            if not stream.active or still >= GONE:
                raise OSError("it has gone")

    # ------------------------------------------------------------------ the render thread
    def hear(self, now: float) -> Sequence[Post]:
        """What is heard at `now`: pictures are drawn, values returned for this very frame."""
        if (wrong := self.movers.follow()) is not None:
            self._wrong = wrong
            self._say(self._how, trouble=bool(wrong))
        count = self.ring.count
        fresh, self._count = count != self._count, count
        self._news = now if fresh else self._news
        silent = now - self._news > SILENCE
        power: dict[str, float] | None = dict.fromkeys(BANDS, 0.0) if silent else None
        if fresh or (silent and not self._silent):
            sound = self.ring.read() * self.gain if not silent else np.zeros((LENGTH, CHANNELS), np.float32)
            power = self._listen_to(np.clip(sound, -1.0, 1.0))
        self._silent = silent
        dt, self._then = max(0.0, now - self._then), now
        return self._smooth(power, dt)

    def _listen_to(self, sound: Samples) -> dict[str, float]:
        window = np.hanning(LENGTH)
        spectrum = np.abs(np.fft.rfft(sound * window[:, None], axis=0))[1:] * (2.0 / window.sum())
        self._draw(sound, spectrum)
        pitches = np.arange(1, WIDTH + 1) * self.rate / LENGTH
        loud = (spectrum**2).mean(axis=1) / 1.5  # 1.5: what a Hann window spreads a sine over
        return {
            band: min(1.0, math.sqrt(float(loud[(pitches >= low) & (pitches < high)].sum())))
            for band, (low, high) in BANDS.items()
        }

    def _smooth(self, power: dict[str, float] | None, dt: float) -> list[Post]:
        for band, goal in (power or {}).items():
            before = self.values[band]
            seconds = ATTACK if goal > before else RELEASE
            self.values[band] = before + (goal - before) * (1.0 - math.exp(-dt / seconds))
        self.values["beat"] *= math.exp(-dt / DECAY)
        if power is not None:
            if power["bass"] > 1.5 * self._usual + 0.05 and self.values["beat"] < 0.3:
                self.values["beat"] = 1.0
            self._usual += (power["bass"] - self._usual) * (1.0 - math.exp(-dt / 0.5))
        return [Post(f"{self.stage.prefix}/{word}", value, inside=True) for word, value in self.values.items()]

    def _draw(self, sound: Samples, spectrum: npt.NDArray[Any]) -> None:
        for kind, rows in (("audio", sound[-WIDTH:] * 0.5 + 0.5), ("audioFFT", spectrum)):
            pixels = np.full((CHANNELS, WIDTH, 4), 255, np.uint8)
            pixels[..., :3] = np.rint(np.clip(rows.T, 0.0, 1.0) * 255.0)[..., None]
            upload(self.pictures[kind], pixels)

    def _mover(self, how: dict[str, Any]) -> Modulator:
        band, amount = str(how["band"]), float(how.get("amount", 1.0))
        return lambda now: amount * self.values[band]

    def _say(self, how: str, trouble: bool = False) -> None:
        self._how = how
        self.status.say("; ".join(filter(None, (how, self._wrong))), trouble=trouble or bool(self._wrong))

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
        params = self.stage.params
        params.feeds[:] = [feed for feed in params.feeds if feed != self.hear]
        self.movers.close()
        for kind, picture in self.pictures.items():
            if self.stage.sound.get(kind) is picture:
                del self.stage.sound[kind]
            picture.close()
        self.pictures.clear()
