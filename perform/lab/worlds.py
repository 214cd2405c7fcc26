"""Worlds to learn: where photographs come from, which of them, and under what terms.

    python -m perform.lab.worlds landscape --out runs/landscape

writes `world.safetensors` (uint8 [N,3,H,W] and who is held out), `world.json` (package, version, sha256) and
`ATTRIBUTION.csv`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from perform.lab.licences import Grant, allowed, grant_for, parse

PACKAGE = "endless-sky-data"
FOLDER = "usr/share/games/endless-sky/images/land"
COPYRIGHT = f"usr/share/doc/{PACKAGE}/copyright"
# Chosen by eye from a contact sheet: towns, rockets, stations, the Earth from orbit, Jupiter's clouds, a pier, a tower.
NOT_LANDSCAPE = re.compile(r"(city|station|space|loc|industrial|earthrise|nasa)\d*\b.*|mfield[0-4]|beach0|bwerner0")
HELD_OUT = 13  # every 13th photograph is never trained on


@dataclass(frozen=True)
class Photograph:
    """One source picture: its name, and the terms it is used under."""

    name: str
    path: Path
    grant: Grant


@dataclass(frozen=True)
class World:
    """A world's photographs in memory: uint8 [N,3,H,W], and which are held out from training."""

    pictures: Tensor
    held_out: Tensor

    @classmethod
    def load(cls, folder: Path) -> World:
        """Read what `collect` wrote. About 0.2 s and 180 MB for landscape."""
        with safe_open(folder / "world.safetensors", "pt") as file:
            return cls(file.get_tensor("pictures"), file.get_tensor("held_out"))

    def training(self) -> Tensor:
        """The photographs to train on, uint8 [N,3,H,W]."""
        return self.pictures[~self.held_out]

    def unseen(self) -> Tensor:
        """The held-out photographs, uint8 [N,3,H,W]."""
        return self.pictures[self.held_out]


def fetch(cache: Path) -> Path:
    """Download the Debian package (70 MB) into `cache` and unpack it; what is already there is used. Returns the
    .deb.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(f"{PACKAGE}_*.deb")):
        subprocess.run(["apt-get", "download", PACKAGE], cwd=cache, check=True)
    package = sorted(cache.glob(f"{PACKAGE}_*.deb"))[-1]
    if not (cache / "x" / FOLDER).is_dir():
        subprocess.run(["dpkg-deb", "-x", str(package), str(cache / "x")], check=True)
    return package


def choose(root: Path, copyright_text: str) -> tuple[list[Photograph], list[str]]:
    """(the photographs that are landscape and may be used, one line on each that was refused)."""
    grants = parse(copyright_text)
    chosen, refused = [], []
    for path in sorted((root / FOLDER).glob("*.jpg")):
        grant = grant_for(f"images/land/{path.name}", grants)
        if NOT_LANDSCAPE.fullmatch(path.stem):
            refused.append(f"{path.name}: not a landscape")
        elif grant is None or not allowed(grant.licence):
            refused.append(f"{path.name}: licence {grant.licence if grant else 'unknown'!r} is not on the allow-list")
        else:
            chosen.append(Photograph(path.name, path, grant))
    return chosen, refused


def attribution(photographs: Sequence[Photograph], source: str) -> str:
    """ATTRIBUTION.csv: file, author, licence, remark, source."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "author", "licence", "remark", "source"])
    for photograph in photographs:
        grant = photograph.grant
        writer.writerow([photograph.name, grant.author, grant.licence, grant.remark, source])
    return out.getvalue()


def collect(out: Path, cache: Path) -> World:
    """Fetch, choose, license and pack the landscape world into `out`. Minutes for the download, then 3 s."""
    package = fetch(cache)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    text = (cache / "x" / COPYRIGHT).read_text(encoding="utf-8")
    photographs, refused = choose(cache / "x", text)
    version = package.name.split("_")[1]
    out.mkdir(parents=True, exist_ok=True)
    stacked = np.stack([np.asarray(Image.open(p.path).convert("RGB")) for p in photographs])
    pictures = torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous()
    held_out = torch.arange(len(photographs)) % HELD_OUT == 6
    save_file({"pictures": pictures, "held_out": held_out}, out / "world.safetensors")
    source = f"Debian package {PACKAGE} {version} (https://github.com/endless-sky/endless-sky), images/land"
    (out / "ATTRIBUTION.csv").write_text(attribution(photographs, source), encoding="utf-8")
    about: dict[str, object] = {"world": "landscape", "package": PACKAGE, "version": version, "sha256": digest}
    about |= {"pictures": len(photographs), "held_out": [p.name for p in photographs[6::HELD_OUT]], "refused": refused}
    (out / "world.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return World(pictures, held_out)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Collect a world's photographs, with their licences.")
    parser.add_argument("world", choices=["landscape"])
    parser.add_argument("--out", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="downloads; reused when present")
    args = parser.parse_args(argv)
    world = collect(args.out, args.cache)
    print(f"{len(world.pictures)} photographs, {int(world.held_out.sum())} of them held out, in {args.out}")


if __name__ == "__main__":
    main()
