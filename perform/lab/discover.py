"""Moods that nobody named: found in a world's own pictures, named after their colours, laid out on a pad.

k-means on the moods gives from five to nine; a name is a plain word or two for the mean colour of the mood ("rust",
"pale-blue", "misty-silver"), so that a performer can guess what comes. All of it is deterministic.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping

import torch
from torch import Tensor

from perform.lab.moods import Colours, Scale, cluster
from perform.lab.words import Moods

LEAST, MOST = 5, 9
SIDE = 3  # of the pad
# Hue in degrees from which a name holds, around the circle; two names each: light or middling, and dark.
HUES = (
    (0, "red", "maroon"),
    (12, "rust", "rust"),
    (24, "orange", "brown"),
    (36, "amber", "umber"),
    (46, "gold", "ochre"),
    (56, "yellow", "olive"),
    (72, "lime", "moss"),
    (95, "green", "forest"),
    (145, "jade", "pine"),
    (168, "teal", "teal"),
    (186, "cyan", "petrol"),
    (203, "blue", "navy"),
    (232, "indigo", "midnight"),
    (255, "violet", "plum"),
    (285, "magenta", "wine"),
    (325, "rose", "burgundy"),
    (348, "red", "maroon"),
)
# The same for colours that are nearly grey, as the mean of most photographs is.
MUTED = (
    (0, "clay", "umber"),
    (20, "sand", "earth"),
    (60, "sage", "moss"),
    (150, "mint", "pine"),
    (180, "haze", "steel"),
    (240, "lilac", "plum"),
    (310, "blush", "wine"),
    (345, "clay", "umber"),
)
GREYS = ((0.16, "black"), (0.30, "charcoal"), (0.44, "slate"), (0.60, "grey"), (0.76, "silver"), (1.01, "white"))


def discover(raw: Tensor) -> Moods:
    """Moods of the raw moods [N,7] of a world's pictures (`Batches.raw_of`, `moods.measure`). Under a second for
    thousands. Raises ValueError for fewer than two pictures.
    """
    if len(raw) < 2:
        raise ValueError(f"moods are found among at least two pictures, not {len(raw)}")
    scale = Scale.of(raw)
    centres, sizes = _centres(scale(raw))
    found = [_colours(centre * scale.std + scale.mean, float(centre[6])) for centre in centres]
    named: dict[str, Colours] = {}
    for one in found:
        named[_unused(names(one), named)] = one
    default = list(named)[max(range(len(sizes)), key=sizes.__getitem__)]
    return Moods(default, named, pad(named))


def names(mood: Colours) -> list[str]:
    """Names that fit, best first, of lower-case words joined by hyphens: OSC clients send them as they are."""
    light, dark = _word(mood.lights), _word(mood.darks)
    both = tuple((a + b) // 2 for a, b in zip(mood.lights, mood.darks, strict=True))
    middle = _word(both)
    shine = _lightness(both)
    how = "pale" if shine > 0.66 else "deep" if shine < 0.30 else "soft" if _chroma(both) < 0.17 else "bright"
    air = "misty" if mood.clarity < -0.7 else "crisp" if mood.clarity > 0.7 else ""
    plain = [middle, f"{how}-{middle}"]
    airy = [f"{air}-{middle}"] if air else []
    mixed = [f"{light}-{dark}", f"{how}-{light}-{dark}"] if light != dark else [f"{how}-{light}"]
    return [*plain, *airy, *mixed]


def pad(named: Mapping[str, Colours]) -> list[list[str]]:
    """Rows from dark to light, columns from cool to warm. With fewer moods than places, some lie on two or more."""
    order = sorted(named, key=lambda name: (_shine(named[name]), name))
    if len(order) == SIDE * SIDE:
        rows = [order[start : start + SIDE] for start in range(0, len(order), SIDE)]
        return [sorted(row, key=lambda name: (_warmth(named[name]), name)) for row in rows]
    warm = sorted(named, key=lambda name: (_warmth(named[name]), name))
    last = max(1, len(order) - 1)
    place = {name: (order.index(name) / last, warm.index(name) / last) for name in order}
    ends = [step / (SIDE - 1) for step in range(SIDE)]

    def away(name: str, up: float, across: float) -> tuple[float, str]:
        return (place[name][0] - up) ** 2 + (place[name][1] - across) ** 2, name

    return [[min(order, key=lambda name: away(name, up, across)) for across in ends] for up in ends]


def _centres(moods: Tensor) -> tuple[Tensor, list[int]]:
    """The tightest of some clusterings, without what is empty: [K,7], and how many pictures each has."""
    count = min(len(moods), LEAST if len(moods) < 40 else min(MOST, LEAST + len(moods) // 40))
    best, least = (moods[:1], torch.zeros(len(moods), dtype=torch.long)), float("inf")
    for seed in range(8):
        centres, nearest = cluster(moods, count, seed)
        spread = float((moods - centres[nearest]).square().sum())
        if spread < least:
            best, least = (centres, nearest), spread
    centres, nearest = best
    sizes = [int((nearest == index).sum()) for index in range(len(centres))]
    filled = [index for index, size in enumerate(sizes) if size]
    return centres[filled], [sizes[index] for index in filled]


def _colours(raw: Tensor, clarity: float) -> Colours:
    bytes_ = ((raw[:6] + 1) * 127.5).round().clamp(0, 255).int().tolist()
    return Colours((bytes_[0], bytes_[1], bytes_[2]), (bytes_[3], bytes_[4], bytes_[5]), round(clarity, 3))


def _unused(wanted: list[str], taken: Mapping[str, Colours]) -> str:
    free = next((name for name in wanted if name not in taken), None)
    if free is not None:
        return free
    number = 2
    while f"{wanted[0]}-{number}" in taken:
        number += 1
    return f"{wanted[0]}-{number}"


def _word(rgb: tuple[int, ...]) -> str:
    """One word for a colour."""
    light, chroma = _lightness(rgb), _chroma(rgb)
    if chroma < 0.04:
        return next(word for limit, word in GREYS if light < limit)
    hue = 360 * colorsys.rgb_to_hsv(*(value / 255 for value in rgb))[0]
    table = MUTED if chroma < 0.17 else HUES
    _, bright, dark = [entry for entry in table if entry[0] <= hue][-1]
    return dark if max(rgb) < 112 else bright


def _lightness(rgb: tuple[int, ...]) -> float:
    """Luma, 0..1."""
    return (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255


def _chroma(rgb: tuple[int, ...]) -> float:
    return (max(rgb) - min(rgb)) / 255


def _shine(mood: Colours) -> float:
    return _lightness(mood.lights) + _lightness(mood.darks)


def _warmth(mood: Colours) -> int:
    return mood.lights[0] + mood.darks[0] - mood.lights[2] - mood.darks[2]
