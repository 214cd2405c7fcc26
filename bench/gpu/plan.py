"""What is to be measured, the most telling first: a bench that runs out of time has the important lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.gpu.nets import OURS, PUBLISHED

GROUPS = ("roofline", "engines", "path", "naive", "diffusion", "switch", "memory")
RESOLUTIONS = {
    "256": (256, 256), "512": (512, 512), "720p": (1280, 720), "1080p": (1920, 1080), "2160p": (3840, 2160),
}  # fmt: skip
LARGEST_PUBLISHED = 1920 * 1080  # pixels: beyond, the published networks take seconds and gigabytes
GL_ALONE = "GL alone"  # the whole path without an engine
ALL = ("graph", "eager", "compile", "compiled graph", "TensorRT")
PLAIN = ("eager", "graph")
COMPILED_AT = {("m", "1080p"), ("m", "2160p"), ("m", "512"), ("s", "1080p"), ("l", "1080p")}  # compiling takes its time


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure: its group, what exactly, and the seconds it is thought to take."""

    name: str
    group: str
    seconds: float
    what: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        return {**asdict(self), "what": dict(self.what)}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asked for."""

    groups: Sequence[str] = GROUPS
    sizes: Sequence[str] = OURS
    resolutions: Sequence[str] = tuple(RESOLUTIONS)
    seconds: float = 1.5  # a case
    published: Sequence[str] = tuple(PUBLISHED)
    frames: int = 10_000  # of the memory run
    switches: int = 200


def plan(wishes: Wishes) -> list[Case]:
    """All cases that are wished for, the most important first; none twice."""
    found: dict[str, Case] = {}
    for case in _all(wishes):
        if case.group == "roofline" or case.group in wishes.groups:
            found.setdefault(case.name, case)
    return list(found.values())


def _all(w: Wishes) -> Iterator[Case]:
    yield Case("ceilings", "roofline", 6)
    yield from _engines(w, ["m"], ["1080p"])
    yield from _path(w, "1080p", ("interop", "host bridge", "host"))
    yield from _landed(w, "1080p", ("interop", "host bridge"))
    yield from _path(w, "2160p", ("interop",))
    yield from _path(w, "512", ("interop",))  # three sizes: what grows with the picture, and what does not
    yield from _engines(w, ["m"], ["2160p", "512"])
    yield from _naive(w, ("m",), ("1080p", "512"))
    if "512" in w.resolutions:
        yield Case("diffusion 512 recorded", "diffusion", 20, {"engines": PLAIN, "size": (512, 512)})
    yield from _steady(w)
    yield from _engines(w, ["s", "l"], ["1080p"])
    yield from _published(w, ("512",))
    yield from _path(w, "512", ("host",))
    yield from _published(w, ("1080p", "256", "720p"))
    yield from _naive(w, ("unet256",), ("512",))
    yield from _engines(w, ["m", "s", "l"], ["720p", "256", "512", "2160p"])
    yield from _path(w, "2160p", ("host",))
    yield from _naive(w, ("resnet9",), ("512",))
    if "512" in w.resolutions:
        yield Case("diffusion 512 compiled", "diffusion", 100, {"engines": ("compiled graph",), "size": (512, 512)})


def _engines(w: Wishes, sizes: Sequence[str], names: Sequence[str]) -> Iterator[Case]:
    for name in [n for n in names if n in w.resolutions]:
        for size in [s for s in sizes if s in w.sizes]:
            engines = ALL if (size, name) in COMPILED_AT else PLAIN
            cost = len(engines) * w.seconds + 2 + 12 * (engines == ALL)
            yield _network_case(size, name, engines, cost)


def _published(w: Wishes, names: Sequence[str]) -> Iterator[Case]:
    for name in [n for n in names if n in w.resolutions]:
        width, height = RESOLUTIONS[name]
        if width * height <= LARGEST_PUBLISHED:
            for network in w.published:
                yield _network_case(network, name, PLAIN, 2.5 * w.seconds + 3)


def _network_case(network: str, name: str, engines: Sequence[str], seconds: float) -> Case:
    what = {"network": network, "size": RESOLUTIONS[name], "engines": engines}
    return Case(f"engine {network} {name}", "engines", seconds, what)


def _path(w: Wishes, name: str, ways: Sequence[str]) -> Iterator[Case]:
    if name in w.resolutions and "m" in w.sizes:
        gl = {"size": RESOLUTIONS[name], "way": GL_ALONE}
        yield Case(f"{GL_ALONE} {name}", "path", 3 * w.seconds + 2, gl)  # or nobody knows whose the time is
        for way in ways:
            seconds = 4 * w.seconds + {"interop": 18, "host bridge": 12, "host": 5}[way]
            yield Case(f"path m {name} {way}", "path", seconds, {"network": "m", "size": RESOLUTIONS[name], "way": way})


def _landed(w: Wishes, name: str, ways: Sequence[str]) -> Iterator[Case]:
    """The same once more, each dream there before the next picture is handed over: what was compiled is kept."""
    if name in w.resolutions and "m" in w.sizes:
        for way in ways:
            what = {"network": "m", "size": RESOLUTIONS[name], "way": way, "landed": True}
            yield Case(f"path m {name} {way}, landed", "path", 2 * w.seconds + 6, what)


def _naive(w: Wishes, networks: Sequence[str], names: Sequence[str]) -> Iterator[Case]:
    for network in networks:
        for name in [n for n in names if n in w.resolutions]:
            what = {"network": network, "size": RESOLUTIONS[name]}
            yield Case(f"naive {network} {name}", "naive", 1.5 * w.seconds + 3, what)


def _steady(w: Wishes) -> Iterator[Case]:
    size = RESOLUTIONS["1080p" if "1080p" in w.resolutions else w.resolutions[0]]
    yield Case("a frame's syncs and allocations", "memory", 15, {"size": size, "frames": 200, "way": "counts"})
    seconds = 20 + w.switches * 5 / 60
    yield Case("world switches at 60 fps", "switch", seconds, {"size": size, "switches": w.switches, "every": 5})
    small = RESOLUTIONS["512" if "512" in w.resolutions else w.resolutions[0]]
    yield Case("memory", "memory", 25, {"size": small, "frames": w.frames, "way": "growth"})
