"""What an edit of a running show changes, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from perform.params import Params, Spec
from perform.show import Edits, Show, diff, misfits
from tests.engines.worlds import CARD, write_card
from tests.show.conftest import LAYER, SOURCE

Read = Callable[[str], Show]
GOOD = SOURCE + LAYER


def test_comments_and_blank_lines_are_no_edit(read: Read) -> None:
    assert not diff(read(GOOD + '[[cue]]\nname = "a"\n'), read("# hello\n\n" + GOOD + '\n[[cue]]\n\nname = "a"\n'))


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        (GOOD + "opacity = 0.2\n", GOOD + "opacity = 0.4\n", Edits(values={"/layer/dream/opacity": 0.4})),
        (GOOD, GOOD + "opacity = 0.4\n", Edits(values={"/layer/dream/opacity": 0.4})),
        (GOOD + "opacity = 0.4\n", GOOD, Edits(defaults=("/layer/dream/opacity",))),
        (GOOD, GOOD + 'world = "landscape"\n', Edits(values={"/layer/dream/world": "landscape"})),
        (GOOD, GOOD + 'filters = ["blur"]\n', Edits(layers=("dream",))),
        (GOOD, GOOD + "resolution = [128, 128]\n", Edits(layers=("dream",))),
        (
            GOOD,
            GOOD + '[[layer]]\nname = "b"\n',
            Edits(
                layers=("b",),
                order=True,
                values={"/layer/b/source": "card", "/layer/b/world": "none", "/layer/b/size": "m"},
            ),
        ),
        (GOOD + '[[layer]]\nname = "b"\non = false\n', GOOD, Edits(gone_layers=("b",), order=True)),
        (GOOD, GOOD + '[[cue]]\nname = "a"\n', Edits(cues=True)),
        (GOOD, GOOD + '[source.b]\ntype = "testcard"\n', Edits(sources=("b",))),
        (GOOD + '[source.b]\ntype = "testcard"\n', GOOD, Edits(gone_sources=("b",))),
        (GOOD, GOOD + "[show]\nfps = 30\n", Edits()),  # the loop asks the show
        (GOOD, GOOD + '[show]\nname = "x"\n', Edits(name=True)),
        (GOOD, GOOD + "[show]\ninset = true\n", Edits(inset=True)),
        (GOOD, GOOD + "[window]\nfullscreen = true\n", Edits(restart=("[window]",))),
        (GOOD, GOOD + "[window]\ncorners = { top_left = [0.1, 0.0] }\n", Edits(corners=True)),
        (
            GOOD + "[window]\ncorners = { top_left = [0.1, 0.0] }\n",
            GOOD + "[window]\nfullscreen = true\n",
            Edits(restart=("[window]",), corners=True),
        ),
        (GOOD, GOOD + "[show]\ngpu_memory = 0.5\n", Edits(restart=("gpu_memory",))),
        (GOOD, GOOD + "[show]\nblend_space = 'linear'\n", Edits(restart=("blend_space",))),
    ],
)
def test_one_edit(read: Read, before: str, after: str, edits: Edits) -> None:
    assert diff(read(before), read(after)) == edits


def test_a_new_size_waits_for_a_restart(read: Read) -> None:
    assert diff(read(GOOD), read("[show]\nsize = [640, 360]\n" + GOOD)).restart == ("size",)


def test_swapped_layers_change_the_order_only(read: Read) -> None:
    one, two = '[[layer]]\nname = "a"\n', '[[layer]]\nname = "b"\n'
    assert diff(read(SOURCE + one + two), read(SOURCE + two + one)) == Edits(order=True)


def test_misfits_are_found_in_values_and_cues(read: Read) -> None:
    show = read(
        GOOD + 'blend = "screen"\ncondition = { gama = 1 }\n[[cue]]\nname = "a"\n[cue.set]\n"/layer/dream/opacty" = 1\n'
        '"/layer/*/opacity" = 0\n"/layer/dream/opacity" = "loud"\n"/status/fps" = 1\n'
    )
    params = Params()
    for key in ("source", "world", "size", "blend"):
        params.declare(f"/layer/dream/{key}", Spec("text"))
    params.declare("/layer/dream/opacity", Spec("float"))
    params.declare("/layer/dream/condition/gamma", Spec("float"))
    params.declare("/status/fps", Spec("float", readonly=True))
    assert [f"{p.line}: {p.text}" for p in misfits(show, params)] == [
        "7: there is no address '/layer/dream/condition/gama'; did you mean '/layer/dream/condition/gamma'?",
        "11: cue 'a': there is no address '/layer/dream/opacty'; did you mean '/layer/dream/opacity'?",
        "13: cue 'a': /layer/dream/opacity takes a number, not the text 'loud'",
        "14: cue 'a': /status/fps is read only",
    ]


def test_a_cues_mood_is_held_against_the_worlds_it_may_meet(read: Read, tmp_path: Path) -> None:
    for world, mood in (("dark", "gloom"), ("light", "glare")):
        folder = tmp_path / "models" / world
        folder.mkdir(parents=True)
        (folder / "m.onnx").write_bytes(b"")
        write_card(folder, ["m"], CARD.replace("bright", mood))

    def told(moods: Sequence[str], *cues: str, first: str = "") -> list[str]:
        """What is wrong with cues (and the `first` mood), where the layer's present world has these moods."""
        sets = "".join(f'[[cue]]\nname = "c{n}"\nset = {{ {cue} }}\n' for n, cue in enumerate(cues))
        params = Params()
        for key in ("source", "world", "size"):
            params.declare(f"/layer/dream/{key}", Spec("text"), f"/layer/1/{key}")
        params.declare("/layer/dream/mood", Spec("choice", "pad", choices=(*moods, "pad")), "/layer/1/mood")
        return [p.text for p in misfits(read(GOOD + 'world = "dark"\n' + first + sets), params)]

    world, glare, gloom = '"/layer/1/world" = "light"', '"/layer/1/mood" = "glare"', '"/layer/dream/mood" = "gloom"'
    now = ["calm", "gloom"]
    assert told(now, gloom) == []
    assert told(["onyx"], first='mood = "gloom"\n') == []  # an edit while a cue's world plays
    assert told(["onyx"], first='mood = "onyx"\n') == ["/layer/dream/mood has no 'onyx'; there are calm, gloom, pad"]
    assert told(now, glare) == ["cue 'c0': /layer/1/mood has no 'glare'; there are calm, gloom, pad"]
    assert told(now, gloom.replace("gloom", "glom")) == [
        "cue 'c0': /layer/dream/mood has no 'glom'; there are calm, gloom, pad; did you mean 'gloom'?"
    ]
    assert told(now, f"{glare}, {world}") == []
    assert told(now, glare, world, gloom) == []  # in some order of theirs
    assert told(now, f"{world}, {gloom}") == ["cue 'c0': /layer/dream/mood has no 'gloom'; there are calm, glare, pad"]


def test_a_cues_mood_may_be_of_a_world_that_a_preset_brings(read: Read) -> None:
    def light(first: str, *cues: str) -> list[bool]:
        """Of each thing that is wrong with a cue's mood (or the `first`): whether the show starts nevertheless."""
        sets = "".join(f'[[cue]]\nname = "c{n}"\nset = {{ {cue} }}\n' for n, cue in enumerate(cues))
        params = Params()
        for key in ("source", "world", "size"):
            params.declare(f"/layer/dream/{key}", Spec("text"))
        params.declare("/layer/dream/mood", Spec("choice", "pad", choices=("calm", "pad")), "/layer/1/mood")
        params.declare("/preset/sea/go", Spec("trigger"))
        return [p.light for p in misfits(read(GOOD + first + sets), params)]

    call, mood = '"/preset/sea/go" = true', '"/layer/1/mood" = "moon"'
    assert light("", f"{call}, {mood}") == []
    assert light("", call, mood, '"/layer/*/mood" = "moon"') == [True, True]  # in some order of theirs
    assert light("", mood) == [False]
    assert light('mood = "moon"\n', call) == [False]  # it is the world's that the show opens with


def test_a_size_is_held_against_the_worlds_it_may_meet(read: Read, tmp_path: Path) -> None:
    for world, sizes in (("dark", ["m"]), ("light", ["s", "teacher"])):
        folder = tmp_path / "models" / world
        folder.mkdir(parents=True)
        for size in sizes:
            (folder / f"{size}.onnx").write_bytes(b"")
        write_card(folder, sizes, CARD)

    def told(first: str, *cues: str) -> list[str]:
        """What is wrong, while a world plays that has size `s` alone."""
        sets = "".join(f'[[cue]]\nname = "c{n}"\nset = {{ {cue} }}\n' for n, cue in enumerate(cues))
        params = Params()
        for key in ("source", "world"):
            params.declare(f"/layer/dream/{key}", Spec("text"))
        params.declare("/layer/dream/size", Spec("choice", "s", live_choices=lambda: ("s",)))
        return [p.text for p in misfits(read(GOOD + first + sets), params)]

    world, teacher = '"/layer/dream/world" = "light"', '"/layer/dream/size" = "teacher"'
    assert told('world = "dark"\nsize = "m"\n') == []  # a restart, resumed in a cue's world
    assert told('world = "dark"\nsize = "l"\n') == ["/layer/dream/size has no 'l'; there is m"]
    assert told('world = "dark"\n', f"{world}, {teacher}") == []
    assert told('world = "dark"\n', teacher) == ["cue 'c0': /layer/dream/size has no 'teacher'; there is m"]
    assert told('size = "l"\n') == []  # no world yet


def test_a_mood_without_a_world_and_an_input_without_its_filter_are_told_as_such(read: Read) -> None:
    show = read(GOOD + 'mood = "gold"\n[layer.filter.bloom]\nintensity = 0.4\n[layer.filter.blur]\nradios = 1.0\n')
    params = Params()
    for key in ("source", "world", "size"):
        params.declare(f"/layer/dream/{key}", Spec("text"))
    params.declare("/layer/dream/opacity", Spec("float"))
    params.declare("/layer/dream/filter/blur/on", Spec("bool", True))
    params.declare("/layer/dream/filter/blur/radius", Spec("float"))
    params.declare("/layer/dream/mood", Spec("choice", "pad", choices=("pad",)))
    assert [f"{p.line}: {p.text}" for p in misfits(show, params)] == [
        "6: /layer/dream/mood is set, but a mood is its world's, and no world of this layer has any",
        "8: /layer/dream/filter/bloom/intensity: the layer has no filter 'bloom'; name it in `filters`",
        "10: there is no address '/layer/dream/filter/blur/radios'; did you mean '/layer/dream/filter/blur/radius'?",
    ]


def test_a_pattern_across_parts_is_one_in_a_cue(read: Read) -> None:
    show = read(GOOD + '[[cue]]\nname = "dim"\nset = { "//opacity" = 0.5 }\n')
    assert dict(show.cues[0].set) == {"//opacity": 0.5}
    params = Params()
    for key in ("source", "world", "size"):
        params.declare(f"/layer/{show.layers[0].name}/{key}", Spec("text"))
    params.declare(f"/layer/{show.layers[0].name}/opacity", Spec("float"))
    assert misfits(show, params) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('"/layr/*/opacity" = 0.2', [("no address matches /layr/*/opacity", True)]),
        ('"/layer/*/opacity" = "loud"', [("/layer/dream/opacity takes a number, not the text 'loud'", False)]),
        ('"/layer/*/opacity" = 7', [("/layer/dream/opacity = 7 is out of range: 0 to 1", True)]),
        ('"/layer/*/opacity" = [0.5]', []),
        ('"/layer/*/opacity" = [2.0]', [("/layer/dream/opacity = 2 is out of range: 0 to 1", True)]),
        ('"/layer/dream/tint" = [0, 255, 0]', [("/layer/dream/tint = [0, 255, 0]: colours are 0 to 1", True)]),
        ('"/layer/dream/tint" = [0, 1, 0.5, 1]', []),
        ('"/layer/dream/tint" = "#00ff00"', []),
        ('"/status/*" = 1.0', [("/status/fps is read only", False)]),
        ('"/layer/[1/opacity" = 1.0', [("/layer/[1/opacity has a [ that is not closed", False)]),
        ('"/layer/*/o*" = "off"', []),  # one of two takes it
        ('"//{opacity,fps}" = 0.5', []),
    ],
)
def test_a_pattern_in_a_cue_is_held_against_what_it_reaches(
    read: Read, line: str, told: list[tuple[str, bool]]
) -> None:
    show = read(GOOD + f'[[cue]]\nname = "a"\nset = {{ {line} }}\n')
    params = Params()
    for key in ("source", "world", "size"):
        params.declare(f"/layer/dream/{key}", Spec("text"))
    params.declare("/layer/dream/opacity", Spec("float", 0.0, 0.0, 1.0))
    params.declare("/layer/dream/other", Spec("choice", "off", choices=("off", "on")))
    params.declare("/layer/dream/tint", Spec("color", (1.0, 1.0, 1.0)))
    params.declare("/status/fps", Spec("float", readonly=True))
    assert [(p.text, p.light) for p in misfits(show, params)] == [(f"cue 'a': {text}", light) for text, light in told]


def test_only_cues_take_patterns(read: Read) -> None:
    params = Params()
    for key in ("source", "world", "size", "condition/gamma"):
        params.declare(f"/layer/dream/{key}", Spec("text"))
    (told,) = misfits(read(GOOD + 'condition = { "gam*" = 1 }\n'), params)
    assert "there is no address '/layer/dream/condition/gam*'" in told.text
