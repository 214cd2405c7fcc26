"""The panel of words over the picture: none of them past its edge."""

from __future__ import annotations

from perform.sinks.overlay import set_text

LINES = [("", "perform"), ("osc", "listening at UDP and TCP port 9000, OSCQuery 9001, and " * 3), ("fps", "60")]


def test_what_is_too_long_goes_on_in_the_next_row() -> None:
    whole, narrow = set_text(LINES, 13), set_text(LINES, 13, 400.0)
    assert whole.shape[1] > 1000
    assert narrow.shape[1] <= 400
    assert narrow.shape[0] > whole.shape[0]
    right = narrow[:, -6:, :3].max()
    assert right < 40, "no letter at the edge"


def test_the_narrowest_window_gets_a_few_letters_a_row_and_no_words_get_one_row() -> None:
    assert set_text(LINES, 13, 20.0).shape[1] < 260
    assert set_text([("osc", "")], 13, 400.0).shape[0] == set_text([("osc", "a")], 13, 400.0).shape[0]
