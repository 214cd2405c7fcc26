"""What a collector hands back: pictures with the terms they are used under, their origin, and what was refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from perform.lab.licences import Grant
from perform.lab.renders import many

RENDERED = Grant((), "the perform authors", "CC0-1.0", "")


@dataclass(frozen=True)
class Piece:
    """One picture, uint8 [3,H,W]: its name, its terms, and where it is from."""

    name: str
    picture: Tensor
    grant: Grant
    source: str


@dataclass(frozen=True)
class Gathering:
    """`origin` goes into world.json: packages with versions and sha256, seeds."""

    pieces: Sequence[Piece]
    origin: Mapping[str, object]
    refused: Sequence[str]

    def attribution(self) -> str:
        """ATTRIBUTION.csv: file, author, licence, remark, source."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file", "author", "licence", "remark", "source"])
        for piece in self.pieces:
            grant = piece.grant
            writer.writerow([piece.name, grant.author, grant.licence, grant.remark, piece.source])
        return out.getvalue()


def rendered(kind: str, count: int, side: int, workers: int) -> tuple[list[Piece], dict[str, object]]:
    """(renders as pieces, what world.json says of them)."""
    found = many.render(kind, count, side, workers)
    source = f"perform.lab.renders.{kind}"
    pieces = [Piece(f"{kind}-{seed:05d}", picture, RENDERED, source) for seed, picture in found]
    seeds = {"renders": source, "count": count, "side": side, "last_seed": found[-1][0], "torch": torch.__version__}
    return pieces, seeds
