"""Which file and which libavdevice format a camera's name means, on each system.

Linux: an index, a path, a name (as in /sys/class/video4linux) or a serial number (/dev/v4l/by-id, which survives
a change of port). macOS and Windows: an index or a name, as PyAV lists them. Anywhere: a URL (rtsp, http…), or
`lavfi:` and a libavfilter graph, which is a camera for people without one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class NoCamera(OSError):
    """There is no such camera; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a camera is: what `av.open` takes. `remote` ones answer over a network and can be timed out."""

    file: str
    format: str | None = None
    remote: bool = False
    options: dict[str, str] = field(default_factory=dict)


def _listed(format: str) -> list[tuple[str, str]]:
    """(name, description) of the cameras that PyAV lists for a libavdevice format."""
    import av

    try:
        devices = av.enumerate_input_devices(format)
    except (av.FFmpegError, ValueError) as e:
        raise NoCamera(f"the cameras of this machine cannot be listed: {e}") from e
    return [(d.name, d.description) for d in devices if "audio" not in d.media_types or "video" in d.media_types]


@dataclass(frozen=True, slots=True)
class Cameras:
    """The cameras of this machine. The fields exist so that a test can stand in for the machine."""

    platform: str = sys.platform
    sys: Path = Path("/sys/class/video4linux")
    dev: Path = Path("/dev")
    listed: Callable[[str], Sequence[tuple[str, str]]] = _listed

    def find(self, device: int | str) -> Address:
        """The address of a camera by index, path, name, serial or URL. Raises NoCamera."""
        text = str(device).strip()
        if text.startswith("lavfi:"):
            return Address(text.removeprefix("lavfi:"), "lavfi")
        if "://" in text:
            return _remote(text)
        if self.platform == "darwin":
            return self._named("avfoundation", text, "")
        if self.platform == "win32":
            return self._named("dshow", text, "video=")
        return Address(self._node(text), "v4l2")

    def _node(self, text: str) -> str:
        """The /dev/videoN that a text means on Linux."""
        if text.isdigit():
            path = self.dev / f"video{text}"
        elif text.startswith("/"):
            path = Path(text)
        else:
            return str(self._by_id(text) or self._by_name(text))
        if path.is_file():
            raise NoCamera(f'{path} is a file, not a camera; for a film use type = "video"')
        if not path.exists():
            raise NoCamera(f"there is no camera at {path}{self._there()}")
        return str(path)

    def _by_id(self, serial: str) -> Path | None:
        """A capture node whose by-id link holds the serial. The link itself is kept: it follows the camera."""
        links = sorted((self.dev / "v4l" / "by-id").glob("*-video-index0"))
        wanted = serial.casefold()
        return next((link for link in links if wanted in link.name.casefold() and link.exists()), None)

    def _names(self) -> list[tuple[str, str, int]]:
        """(node, name, index) of each v4l2 node; index 0 is the one that captures, others carry metadata."""
        found = []
        for node in sorted(self.sys.glob("video*"), key=lambda p: (len(p.name), p.name)):
            try:
                name = (node / "name").read_text().strip()
                index = int((node / "index").read_text())
            except (OSError, ValueError):
                continue  # unplugged while we looked
            found.append((node.name, name, index))
        return sorted(found, key=lambda n: n[2])

    def _by_name(self, name: str) -> Path:
        for node, there, _ in self._names():
            if name.casefold() in there.casefold():
                return self.dev / node
        raise NoCamera(f"there is no camera called {name!r}{self._there()}")

    def _there(self) -> str:
        names = [f"{name} (/dev/{node})" for node, name, index in self._names() if index == 0]
        return f"; there are {', '.join(names)}" if names else "; this machine has no camera"

    def _named(self, format: str, text: str, prefix: str) -> Address:
        """macOS and Windows: the n-th or the first whose name or description holds the text."""
        cameras = list(self.listed(format))
        if text.isdigit():
            if int(text) < len(cameras):
                return Address(prefix + cameras[int(text)][0], format)
        else:
            for name, description in cameras:
                if text.casefold() in f"{name} {description}".casefold():
                    return Address(prefix + name, format)
        there = ", ".join(f"{i}: {description or name}" for i, (name, description) in enumerate(cameras))
        hint = f"; there are {there}" if there else "; this machine has no camera, or it may not be used"
        raise NoCamera(f"there is no camera {text!r}{hint}")


def _remote(url: str) -> Address:
    """Low latency over networks: no buffers, no long look at the stream before the first picture."""
    options = {"fflags": "nobuffer", "flags": "low_delay", "fpsprobesize": "0", "analyzeduration": "1000000"}
    if url.startswith(("rtsp://", "rtsps://")):
        options["rtsp_flags"] = "prefer_tcp"
    return Address(url, None, True, options)


def wishes(address: Address, size: tuple[int, int] | None, rate: float, format: str) -> dict[str, str]:
    """Options that ask a device for a size, a rate and a pixel format; a network camera has its own mind."""
    if address.remote or address.format in (None, "lavfi"):
        return {}
    asked = {}
    if size:
        asked["video_size"] = f"{size[0]}x{size[1]}"
    if rate > 0:
        asked["framerate"] = f"{rate:g}"
    elif address.format == "avfoundation":
        asked["framerate"] = "30"  # its default of 29.97 is refused by most Macs
    if format:
        compressed = {"mjpeg", "mjpg", "h264"}
        key = "input_format" if address.format == "v4l2" else "vcodec" if format in compressed else "pixel_format"
        asked[key] = "mjpeg" if format == "mjpg" else format
    return asked
