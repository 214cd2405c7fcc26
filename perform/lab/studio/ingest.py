"""Taking pictures in: from whatever somebody has to `runs/NAME/world`, whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from perform.lab import card, photos, run
from perform.lab.photos import folder
from perform.lab.studio import pairs
from perform.lab.studio.wish import HALF, Wish, sign

OWN = "the author's own pictures"


def take_in(wish: Wish, say: Callable[[str], None]) -> Path:
    """The world's folder; its pictures are read if that has not been done. What was refused is written to
    `refused.txt` beside it. About 20 ms a photograph. Raises ValueError, one sentence, if nothing can be learned.
    """
    world = wish.desk / "world"
    if (world / "world.json").exists():
        about = told(world)
        for what, wanted in (("author", wish.credit.author), ("licence", wish.credit.licence)):
            if wanted not in ("", about[what]):
                say(f"! The {what} stays what it was when the pictures were read: {about[what]}. The world's card.toml "
                    "and ATTRIBUTION.csv are where to change it.")  # fmt: skip
        return world
    say(f"Reading the pictures of {folder.written(str(wish.photos))} …")
    found = pairs.take(wish.photos) if wish.how.pairs else photos.take(wish.photos)
    half = wish.desk / HALF
    shutil.rmtree(half, ignore_errors=True)  # of a start that was interrupted here
    found.save(half, wish.name, wish.credit.author or OWN, wish.credit.licence or "all rights with the author")
    if found.refused:
        run.text(half / "refused.txt", "\n".join(found.refused) + "\n")
    sources = f"{len(found.names)} {'pairs' if wish.how.pairs else 'pictures'} from {found.source}"
    said = {"author": wish.credit.author, "licence": wish.credit.licence, "sources": sources}
    words = card.dumps({key: value for key, value in said.items() if value})
    run.text(half / "words.toml", words)
    sign(wish)  # first: a desk with pictures says whose they are, whenever it is stopped
    half.rename(world)
    return world


def told(world: Path) -> dict[str, object]:
    """What `world.json` says: pictures, held_out, warnings, refused … Raises ValueError, one sentence, if it is
    damaged.
    """
    try:
        about: dict[str, object] = json.loads((world / "world.json").read_text(encoding="utf-8"))
    except ValueError:
        damaged = f"{world / 'world.json'} is damaged"
        raise ValueError(f"{damaged}; remove {world} and the same command reads the pictures again") from None
    return about
