"""Which name may have been meant, and which is too far off to be named."""

from __future__ import annotations

import pytest

from perform.likeness import near, no_address

TREE = ("/layer/dream/opacity", "/layer/dream/on", "/layer/dream/mood/x", "/layer/dream/condition/gamma",
        "/layer/1/opacity", "/master/opacity", "/source/card/speed")  # fmt: skip


@pytest.mark.parametrize(
    ("word", "names", "meant"),
    [
        ("scren", ("screen", "normal"), "screen"),
        ("xl", ("s", "m", "l"), "l"),
        ("camera", ("card", "film"), ""),
        ("film", ("filter", "layer"), ""),
        ("sun", ("moon", "noon"), ""),
    ],
)
def test_a_word_is_named_only_where_it_is_like_what_was_said(word: str, names: tuple[str, ...], meant: str) -> None:
    assert near(word, names) == meant


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("/layer/dram/opacty", "/layer/dream/opacity"),
        ("/layer/dream/gamma", "/layer/dream/condition/gamma"),  # a part is left out
        ("/dream/opacity", "/layer/dream/opacity"),
        ("/layer/dream/foo", ""),
        ("/layer/dream/speed", ""),
        ("/layer/ghost/opacity", ""),
        ("/layer/2/opacity", ""),
    ],
)
def test_a_beginning_that_all_addresses_share_makes_none_the_one_that_was_meant(address: str, meant: str) -> None:
    assert near(address, TREE) == meant


def test_the_layers_beside_it_do_not_hide_the_address_that_was_meant() -> None:
    """In whole, any short address of the seven others is more like it than its own long one."""
    leaves = ("on", "solo", "mood/x", "mood/y", "opacity", "condition/zoom", "condition/gamma")
    tree = [f"/layer/dream{n}/{leaf}" for n in range(1, 9) for leaf in leaves]
    assert near("/layer/dream3/zoom", tree) == "/layer/dream3/condition/zoom"
    assert near("/layer/dream3/gama", tree) == "/layer/dream3/condition/gamma"
    assert near("/layer/dream3/condition/mood/x", tree) == "/layer/dream3/mood/x"


def test_an_address_like_no_other_is_told_where_all_are_listed() -> None:
    assert no_address("/layer/dream/opcity", TREE).endswith("; did you mean '/layer/dream/opacity'?")
    assert no_address("/nowhere", TREE) == "there is no address '/nowhere'; `perform params` lists all that there are"
