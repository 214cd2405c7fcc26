"""A projector that is not square to its wall: the picture's corners are moved in the window, the picture follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from perform.frame import Frame
from perform.gl.shader import Program
from perform.gl.target import Target

CORNERS = {"bottom_left": (0.0, 0.0), "bottom_right": (1.0, 0.0), "top_right": (1.0, 1.0), "top_left": (0.0, 1.0)}
FLATTEST = 1e-3  # of the picture's area: twice that of the smallest triangle that three corners may make
Matrix = npt.NDArray[np.float64]

FIT = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D picture;
uniform mat3 place;     // from the window to the picture, both 0..1
void main() {
    vec3 q = place * vec3(uv, 1.0);
    vec2 p = q.xy / q.z;
    vec2 within = min(p, 1.0 - p) / fwidth(p);      // pixels from the nearest edges: a slanted one has no steps
    float there = clamp(min(within.x, within.y) + 0.5, 0.0, 1.0);
    vec3 light = texture(picture, clamp(p, 0.0, 1.0)).rgb * there;
    color = vec4(q.z > 0.0 && there > 0.0 ? light : vec3(0.0), 1.0);
}
"""


def moved(corners: Mapping[str, Any]) -> Matrix:
    """Where the four corners are, in the order of CORNERS, in widths and heights of the picture from its lower left:
    float64, 4 x 2. `corners` says how far each is moved right and up, -1 to 1; the others stay.

    Raises ValueError, one sentence, for what is no corner, and for corners between which a picture would be folded.
    """
    places = {name: np.array(place) for name, place in CORNERS.items()}
    for name, by in corners.items():
        if name not in CORNERS:
            raise ValueError(f"corners: there is no {name!r}; there are {', '.join(CORNERS)}")
        if not (isinstance(by, (list, tuple)) and len(by) == 2 and all(_share(number) for number in by)):
            raise ValueError(f"corners: {name} is moved by [right, up], each -1 to 1 of the picture, not {by!r}")
        places[name] = places[name] + by
    where = np.stack(list(places.values()))
    along = np.roll(where, -1, axis=0) - where
    turns = along[:, 0] * np.roll(along, -1, axis=0)[:, 1] - along[:, 1] * np.roll(along, -1, axis=0)[:, 0]
    if turns.min() < FLATTEST:
        raise ValueError("corners: they would fold the picture; each has to stay outside the triangle of the others")
    return where


def _share(number: object) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and -1.0 <= number <= 1.0


def placing(corners: Matrix, extent: tuple[float, float]) -> Matrix:
    """From a place in the window (0..1) to the one in the picture that is seen there: 3 x 3, homogeneous, of which the
    last is positive where there is picture. `corners` as `moved` gives them; `extent` is what the unmoved picture has
    of the window, centred. (Hartley and Zisserman, Multiple View Geometry, 4.1: four places give eight equations.)
    """
    square = np.array(list(CORNERS.values()))
    window = (corners - 0.5) * extent + 0.5
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(window, square, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    found = np.append(np.linalg.solve(np.array(rows), square.ravel()), 1.0).reshape(3, 3)
    middle = found @ np.append(window.mean(axis=0), 1.0)
    return found if middle[2] > 0.0 else -found


class Fitting:
    """Draws a picture into what may have another shape, unstretched, with its corners where they were moved. Render
    thread; one pass. Raises ValueError as `moved` does.
    """

    def __init__(self, corners: Mapping[str, Any]) -> None:
        self.pin(corners)
        self._program = Program(FIT, name="window")

    def pin(self, corners: Mapping[str, Any]) -> None:
        """Have the corners elsewhere from now on. Raises ValueError, and leaves them, as `moved` does."""
        self._corners = moved(corners)
        self._placed: tuple[tuple[float, float], tuple[float, ...]] | None = None  # for an extent: `place`

    def draw(self, target: Target | None, picture: Frame, size: tuple[int, int]) -> None:
        """Fill the target, or the window (None), which is `size` pixels large; black beside the picture."""
        shown, there = picture.size[0] / picture.size[1], size[0] / size[1]
        extent = (min(1.0, shown / there), min(1.0, there / shown))
        if self._placed is None or self._placed[0] != extent:
            self._placed = extent, tuple(placing(self._corners, extent).T.ravel().tolist())  # by columns
        self._program.draw(target, {"picture": picture.texture}, {"place": self._placed[1]}, viewport=(0, 0, *size))

    def close(self) -> None:
        """Give the program back."""
        self._program.close()
