"""How one shape covers another without being stretched: what stands over is cut off evenly. Aspects: width / height."""

from __future__ import annotations


def share(picture: float, stage: float) -> tuple[float, float]:
    """(width, height) of the part that is seen of a picture of one aspect on a stage of another; 1 is all of it."""
    return min(1.0, stage / picture), min(1.0, picture / stage)


def cover(picture: float, stage: float) -> tuple[float, float]:
    """(width, height) in stage heights of a picture of one aspect that covers a stage of another."""
    wide, high = share(picture, stage)
    return stage / wide, 1.0 / high
