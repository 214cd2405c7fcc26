"""Sound that comes in."""

from perform.control.audio.part import Audio

__all__ = ["Audio"]
