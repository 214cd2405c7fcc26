"""A live performance server: pictures flow down, numbers flow in, and they meet in one place, once a frame."""

__version__ = "0.1.0"
