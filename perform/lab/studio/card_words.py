"""What the card says of somebody's own world: its moods are found and named, the rest is plain."""

from __future__ import annotations

from perform.lab import discover, words
from perform.lab.batches import Batches
from perform.lab.studio.wish import Wish


def said(wish: Wish, batches: Batches, count: int) -> words.Words:
    """Words for a world of `count` pictures. A second."""
    title = wish.name.replace("-", " ").replace("_", " ").capitalize()
    author = wish.credit.author or "somebody with pictures"
    what = "pairs of pictures" if batches.pairs else "pictures"
    return words.Words(
        title=title,
        description=f"A network that has seen {count} {what} and nothing else.",
        sources=f"{count} {what} from {wish.photos.name}",
        licence=wish.credit.licence or "all rights with the author",
        moods=discover.discover(batches.raw_of(batches.pictures)),
        author=author,
    )
