"""What a bridge promises. There are three kinds of it; `choice.open_bridge` finds the one that is best on this machine.

array    the texture itself is mapped: two copies on the card, nothing else. Where the driver allows it.
buffer   a pixel buffer is mapped: one more copy on the card.
host     through pinned memory of the host: where GL and CUDA are different cards, or strangers.
"""

from __future__ import annotations

from typing import Any, Protocol

from perform.frame import Texture
from perform.gl import target

KINDS = ("array", "buffer", "host")  # the fewest copies first: taken in this order unless a later one is quicker
Shape = tuple[int, int]  # (width, height) in pixels


class Bridge(Protocol):
    """Carries pictures of one size and format both ways. Render thread, GL context current, for every call.

    Rows stay as GL has them: the first in memory is the bottom of the picture. `address` is of contiguous memory on
    the card, width × height RGBA pixels of uint8 (rgba8) or float16 (rgba16f); `stream` a cudaStream_t as a number.
    Nothing waits on the host, except `take` of the host bridge, for GL to have drawn the picture. At most two pictures
    are under way each way: a third is taken once the first has arrived, a third dream ripens once the first was given.
    """

    @property
    def kind(self) -> str: ...

    @property
    def shape(self) -> Shape: ...

    def take(self, texture: Texture, address: int, stream: int, event: Any = None) -> None:
        """Copy a texture of the bridge's size to the card's memory. GL may change it at once; on `stream` the copy
        comes after all that GL was told before. `event` (a cudaEvent_t) is recorded right behind the copy, before GL
        gets its texture back, which takes longer. Raises ValueError for a texture of another size."""
        ...

    def ripen(self, address: int, stream: int) -> None:
        """Called behind the work that fills `address`, on its stream: what a host bridge needs to fetch it early."""
        ...

    def give(self, address: int, stream: int) -> target.Texture:
        """Copy what lies at `address` into a texture of the bridge's, which stays as it is until the call after the
        next. GL work from now on comes after it. For a host bridge `ripen` has been called and its stream is past it.
        """
        ...

    def exchange(self, texture: Texture, to: int, source: int, stream: int, event: Any = None) -> target.Texture:
        """`take(texture, to)` and `give(source)` in one go: the card changes between CUDA and GL once, not twice."""
        ...

    def resize(self, shape: Shape) -> None:
        """Carry another size from now on: registers anew. Costs about a millisecond; nothing if it is the same."""
        ...

    def rest(self) -> None:
        """Nobody uses it any more, and its streams still live. Another may once it is `idle`."""
        ...

    @property
    def idle(self) -> bool:
        """Whether no copy from before `rest` still uses memory of the bridge's. Asks, never waits."""
        ...

    def close(self, wait: bool = True) -> None:
        """Give everything back while the GL context still lives. May be called twice. Without `wait`, memory that
        copies still use is kept: it is to be closed again, by any thread, until it is `idle`."""
        ...
