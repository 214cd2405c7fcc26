"""Whether two pictures are nearly the same: by their gradients (dHash) and by their colours, both coarse."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from perform.lab.conditions import luma

BITS, COLOUR = 7, 9.0  # of 64 bits, and of 255: both nearer than this, and they are nearly the same
CONTRAST = 0.35  # and nearer than this share of the picture's own contrast: dark pictures are not all one


class Seen:
    """Pictures seen so far, as 64 bits and 8 x 8 colours each. 2 ms a picture, also among thousands."""

    def __init__(self, bits: int = BITS, colour: float = COLOUR) -> None:
        self.bits, self.colour = bits, colour
        self.hashes = np.zeros((0, 8), np.uint8)
        self.tints = np.zeros((0, 192), np.float32)

    def twin(self, picture: Tensor) -> int | None:
        """The number of the first seen picture that uint8 [3,H,W] is nearly the same as, or None."""
        if not len(self.hashes):
            return None
        code, tint = _print(picture)
        apart = np.unpackbits(self.hashes ^ code, axis=1).sum(1)
        away = self.tints - tint
        alike = np.sqrt(np.square(away).mean(1)) <= CONTRAST * float(tint.std())
        near = (apart <= self.bits) & (np.abs(away).mean(1) <= self.colour) & alike
        return int(near.argmax()) if near.any() else None

    def add(self, picture: Tensor) -> None:
        """Remember uint8 [3,H,W] as the next number."""
        code, tint = _print(picture)
        self.hashes = np.concatenate([self.hashes, code[None]])
        self.tints = np.concatenate([self.tints, tint[None]])


def _print(picture: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    light = picture[None].float()
    grey = F.interpolate(luma(light), (8, 9), mode="area")[0, 0]
    code = np.packbits((grey[:, 1:] > grey[:, :-1]).numpy().reshape(-1))
    return code, F.interpolate(light, (8, 8), mode="area")[0].reshape(-1).numpy()
