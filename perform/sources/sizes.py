"""The size of a source's pictures, as a show asks for it."""

from __future__ import annotations


def check_size(size: tuple[int, int] | None) -> None:
    """Raises ValueError, one sentence, for a (width, height) that no picture has. None is any size."""
    if size is not None and not all(1 <= side <= 16384 for side in size):
        raise ValueError(f"size = {list(size)} is no size of a picture: each side has 1 to 16384 pixels")
