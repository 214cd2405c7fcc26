"""What many tests share: one headless GL context for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from perform.gl.context import Context, GLUnavailable, open_headless

settings.register_profile("perform", deadline=None, max_examples=60)  # busy machines are slow, not wrong
settings.load_profile("perform")


@pytest.fixture(scope="session")
def _context() -> Iterator[Context]:
    try:
        context = open_headless()
    except GLUnavailable as why:
        pytest.fail(str(why))
    yield context
    context.close()


@pytest.fixture
def gl(_context: Context) -> Context:
    """A headless context with 8 bits a channel, current, without errors left over from another test."""
    from perform.gl.lib import gl as library

    _context.make_current()
    while library.glGetError():
        pass
    return _context
