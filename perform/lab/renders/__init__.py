"""Procedural pictures for worlds of which no free photographs are at hand: one seed, one picture.

`ocean`, `nebula` and `agate` each have `render(seed, side) -> [3,side,side] in 0..1`. `many.render` makes hundreds.
"""
