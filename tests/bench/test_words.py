"""What the benches' command lines refuse, in a sentence; and what a bench counts as its cores."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bench import engines, patches, show


@pytest.mark.parametrize(
    ("main", "words", "said"),
    [
        (show.main, "--minutes 0.5", "at least 1, not 0.5"),
        (patches.main, "--size 640", "a size is written like 1280x720, not '640'"),
        (engines.main, "--shape 100", "a size is written like 1280x720, not '100'"),
        (engines.main, "--show 100", "a size is written like 1280x720, not '100'"),
        (engines.main, "--world nope", "'nope'"),
        (engines.main, "--size xl", "'xl'"),
    ],
)
def test_words_that_cannot_be_are_refused(
    main: Callable[[], None],
    words: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", *words.split()])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_cores_are_those_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {1, 5, 6}, raising=False)
    assert patches.cores() == 3
