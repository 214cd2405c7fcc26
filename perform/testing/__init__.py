"""For those who write parts of their own: checks that a part keeps its contract, and parts to test others with.

    from perform.testing import check_source
    from mine import Mine

    def test_mine() -> None:
        check_source(Mine)

Each check opens the part on a stage of its own (and a headless GL context, if none is current), treats it as a show
would and worse, and raises `Broken` with one sentence when a promise of `perform.plugins` is not kept. The built-in
parts pass the same checks. Nothing here needs pytest.
"""

from perform.testing.engines import check_engine
from perform.testing.fakes import Echo, Paint, Script, Tape
from perform.testing.parts import check_control, check_sink, check_source
from perform.testing.rehearsal import Broken, context, stage

__all__ = [
    "Broken",
    "Echo",
    "Paint",
    "Script",
    "Tape",
    "check_control",
    "check_engine",
    "check_sink",
    "check_source",
    "context",
    "stage",
]
