"""The end: what was made, how well, where it is and how to see it, in plain words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perform.lab import card, run
from perform.lab.studio import ingest, watching
from perform.lab.studio.plan import Plan
from perform.lab.studio.wish import Wish

TEXT = "summary.txt"
SHOW = """\
# Written by perform train. Yours to change: the show takes it up while it plays.

[show]
name   = {name}
size   = [1280, 720]
fps    = 60
inset  = true
models = [{models}]

[source.camera]
type     = "camera"
mirror   = true
fallback = "drift"

[source.drift]
type  = "shader"
patch = "sources/drift.fs"
size  = [640, 360]

[[layer]]
name       = "dream"
source     = "camera"
world      = {name}
size       = {size}
resolution = [480, 272]
memory     = 0.5
crossfade  = 4.0

[osc]
listen = "127.0.0.1:9000"
"""


def note(path: Path, what: Mapping[str, Any]) -> None:
    """Mark a stage as done, atomically."""
    text = json.dumps(dict(what), indent=1, default=str) + "\n"
    run.write(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def done(wish: Wish) -> bool:
    """Whether this world is finished and still there."""
    return (wish.desk / TEXT).exists() and (wish.world / card.NAME).exists()


def read(wish: Wish) -> str:
    return (wish.desk / TEXT).read_text(encoding="utf-8").rstrip()


def write_show(wish: Wish, sizes: Sequence[str]) -> None:
    """`show.toml` on the desk, a show of this world; one that is there is left alone."""
    path = wish.desk / "show.toml"
    if path.exists():
        return
    size = "m" if "m" in sizes else sizes[0]
    models = os.path.relpath(wish.models.resolve(), wish.desk.resolve())
    text = SHOW.format(name=json.dumps(wish.name, ensure_ascii=False), models=json.dumps(models), size=json.dumps(size))
    run.write(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write(wish: Wish, plan: Plan) -> str:
    """Write and return the summary. That it is there says that the world is finished."""
    about, made = ingest.told(wish.world_folder), card.read(wish.world)
    judged = json.loads((wish.desk / "teacher" / "done.json").read_text(encoding="utf-8"))
    lines = [
        f"{wish.name} is ready: a world of {about['pictures']} pictures, in {wish.world}.",
        f"The teacher took {plan.teacher.steps:,} steps, {', '.join(plan.sizes)} {plan.students.steps:,}.",
        "",
        *judgement(judged, made["size"]),
        "",
        "In a show.toml:",
        "",
        "    [[layer]]",
        '    source = "camera"',
        f'    world  = "{wish.name}"',
        f'    size   = "{"m" if "m" in plan.sizes else plan.sizes[0]}"',
        "",
        f"See it now: perform run {wish.desk / 'show.toml'}",
        f"What it learned: {wish.desk / 'sheet.jpg'}. Its moods: {', '.join(made['mood']['named'])}.",
    ]
    text = "\n".join(lines)
    run.write(wish.desk / TEXT, lambda path: path.write_text(text + "\n", encoding="utf-8"))
    return text


def judgement(teacher: Mapping[str, float], sizes: Mapping[str, Any]) -> list[str]:
    """What it does well and what not, from what the teacher's state was judged (score, variety; empty where it was
    not) and what export measured.
    """
    out = []
    if teacher:
        away, variety = teacher["score"], teacher["variety"]
        near = (
            "close to your pictures" if away < 1.4 else "of their kind, softer" if away < 2.2 else "still far from them"
        )
        out.append(
            f"Pictures it has never seen are dreamt {near} (distance {away:.2f}; the lab's own worlds: about 1)."
        )
        various = (
            "as various as your pictures"
            if variety > 0.75
            else "less various than your pictures"
            if variety > watching.VARIETY
            else "nearly one and the same picture: more, and more different, pictures would help"
        )
        out.append(f"Its dreams are {various} ({variety:.2f} of their variety).")
    for size, entry in sizes.items():
        got = entry.get("quality", {})
        if "follow" not in got:
            continue
        follows = "closely" if got["follow"] > 0.88 else "loosely" if got["follow"] > 0.7 else "hardly"
        lost = f", int8 loses {max(0.0, got['int8_loss']):.2f} dB" if "int8_loss" in got else ""
        out.append(f"{size} follows the light of its input {follows} ({got['follow']:.2f}){lost}.")
    return out
