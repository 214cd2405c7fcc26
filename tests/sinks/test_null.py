"""The sink that counts and takes fingerprints."""

from __future__ import annotations

from perform import testing
from perform.frame import Frame
from perform.gl.target import Target
from perform.sinks.null import Null


def test_counts_and_tells_equal_pictures_from_others(gl: object) -> None:
    here = testing.stage(size=(16, 9))
    with testing.Paint().open(here) as paint, Null(hash=True).open(here) as one, Null(hash=True).open(here) as two:
        for sink, last in ((one, 30), (two, 30)):
            for shade in (10, 20, last):
                paint.paint((shade, 0, 0))
                sink.show(paint.frame(0.0))
        assert one.frames == 3
        assert one.digest == two.digest
        assert len(set(one.digests)) == 3
        paint.paint((31, 0, 0))
        two.show(paint.frame(0.0))
        assert one.digest != two.digest


def test_float_pictures_are_the_same_for_the_same_serial(gl: object) -> None:
    here = testing.stage(size=(16, 9))
    target = Target(16, 9, "rgba16f")
    target.clear(0.1234, 0.5, 0.9, 1.0)
    with Null(hash=True).open(here) as sink:
        for serial in (1, 1, 2):
            sink.show(Frame(target.texture, 0.0, serial))
        assert sink.digests[0] == sink.digests[1]
    target.close()


def test_without_hash_it_looks_at_nothing(gl: object) -> None:
    with Null().open(testing.stage()) as sink:
        sink.show(Frame(None, 0.0, 1))  # type: ignore[arg-type]
        assert (sink.frames, sink.digests) == (1, [])
