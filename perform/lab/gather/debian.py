"""Data packages of Debian, unpacked into a cache."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """An unpacked package: `root` holds its `usr/…`."""

    name: str
    version: str
    sha256: str
    root: Path

    @property
    def origin(self) -> dict[str, object]:
        return {"package": self.name, "version": self.version, "sha256": self.sha256}


def fetch(name: str, cache: Path) -> Package:
    """Download the Debian package `name` into `cache` and unpack it; what is already there is used.

    Raises ValueError where there is no apt-get or it cannot find the package, and where the package is damaged, with
    what to do instead.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"{name}_*.deb")):
        try:
            subprocess.run(["apt-get", "download", name], cwd=cache, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ValueError(
                f"apt-get could not download {name} ({error}); put {name}_*.deb of Debian into {cache}"
            ) from error
    package = sorted(cache.glob(f"{name}_*.deb"))[-1]
    root = cache / package.stem
    if not root.is_dir():
        fresh = cache / (package.stem + ".new")
        try:
            subprocess.run(["dpkg-deb", "-x", str(package.resolve()), str(fresh.resolve())], check=True)
        except subprocess.CalledProcessError as error:
            raise ValueError(f"{package} is cut off or damaged ({error}): remove it to fetch it again") from error
        fresh.rename(root)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return Package(name, package.name.split("_")[1], digest, root)
