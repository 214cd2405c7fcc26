"""From a sound device to a fixed piece of memory."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (samples, channels), -1..1
LENGTH = 1024  # samples that are kept, and that a spectrum is made of: 47 Hz a bin at 48 kHz
CHANNELS = 2


class Stream(Protocol):
    """What is used of sounddevice.InputStream."""

    samplerate: float
    channels: int
    active: bool

    def close(self) -> None: ...


class Ring:
    """The last LENGTH samples, a fixed piece of memory. One thread writes, another reads; neither waits."""

    def __init__(self) -> None:
        self._data = np.zeros((LENGTH, CHANNELS), np.float32)
        self.count = 0  # samples so far

    def write(self, block: npt.NDArray[Any]) -> None:
        """Take a block (samples, 1 or more channels); mono goes to both. PortAudio's thread."""
        block = block[-LENGTH:, :CHANNELS]
        places = (self.count + np.arange(len(block))) % LENGTH
        self._data[places] = block
        self.count += len(block)

    def read(self) -> Samples:
        """All of it, oldest first, without what is no number, clipped to -1..1."""
        data = np.roll(self._data, -(self.count % LENGTH), axis=0)
        return np.clip(np.nan_to_num(data, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)


def listen(device: str | int | None, ring: Ring, again: bool) -> Stream:
    """Open and start a device with PortAudio. Raises OSError or sounddevice.PortAudioError."""
    import sounddevice as sd

    if again:  # PortAudio reads the list of devices only when it starts
        with contextlib.suppress(sd.PortAudioError):  # it is not running where the last try could not start it
            sd._terminate()
        sd._initialize()
    channels = min(CHANNELS, int(sd.query_devices(device, "input")["max_input_channels"]))

    def hear(block: npt.NDArray[Any], frames: int, when: object, flags: object) -> None:
        ring.write(block)

    stream: Any = sd.InputStream(device=device, channels=channels, dtype="float32", callback=hear)
    stream.start()
    return stream  # type: ignore[no-any-return]


def why(error: BaseException) -> str:
    """One sentence for what keeps us from listening."""
    if isinstance(error, (ImportError, OSError)) and "PortAudio" in str(error):
        cure = ": sudo apt-get install libportaudio2" if sys.platform == "linux" else ""
        return f"silent: the PortAudio library is missing{cure} (trying again)"
    return f"silent: no sound can be had from the device, {error} (trying again)"
