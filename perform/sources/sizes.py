"""What a show may ask of a source: the size of its pictures, and numbers within their range."""

from __future__ import annotations


def check_size(size: tuple[int, int] | None) -> None:
    """Raises ValueError, one sentence, for a (width, height) that no picture has. None is any size."""
    if size is not None and not all(1 <= side <= 16384 for side in size):
        raise ValueError(f"size = {list(size)} is no size of a picture: each side has 1 to 16384 pixels")


def check_range(key: str, value: float, lo: float, hi: float) -> None:
    """Raises ValueError, one sentence, unless `value` lies within lo..hi: a parameter would clip it in silence."""
    if not lo <= value <= hi:
        raise ValueError(f"{key} = {value:g} is out of range: {lo:g} to {hi:g}")
