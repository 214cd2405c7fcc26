"""The library: finds worlds, reads cards strictly, verifies files."""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Callable, Iterator
from math import nan
from pathlib import Path
from typing import Any

import pytest

from perform import paths
from perform.card import checked
from perform.library import Asset, Card, CardError, Library, MoodMap, read_card, verify
from perform.notes import Notes

CARD = """format = 1
world = "tide"
title = "Tide"
licence = "CC0-1.0"
multiple = 8
preview = "preview.jpg"
[condition]
name = "reduce"
reduce = 16.0
[mood]
size = 2
default = "noon"
[mood.named]
noon = [0.0, 1.0]
dusk = [1, -1.5]
[mood.map]
rows = 1
columns = 2
grid = [[0.0, 0.0], [1.0, 2.0]]
[network]
name = "plain"
[size.m]
widths = [24, 48, 96]
blocks = 3
macs = 1e9
parameters = 10
native = 256
onnx = "m.onnx"
onnx_sha256 = "{sha}"
[size.m.quality]
kid = 0.5
[size.s]
macs = 5e8
parameters = 5
native = 256
weights = "s.safetensors"
weights_sha256 = "{sha}"
""".replace("{sha}", "0" * 64)


def put(folder: Path, text: str, world: str = "tide") -> Path:
    path = folder / world / "card.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def card(text: str = CARD) -> Card:
    return read_card(text.encode(), Path("models/tide/card.toml"))


def test_every_world_that_ships_is_right_and_its_files_are_its_own(tmp_path: Path) -> None:
    library = Library([paths.models()])
    assert "landscape" in library.names()
    for world in library.names():
        for size in library.card(world).sizes.values():
            for asset in size.files.values():
                assert verify(asset, Notes(tmp_path / "notes.json")) == asset.path


def test_a_card_is_read_whole() -> None:
    tide = card()
    assert tide.folder == Path("models/tide")
    assert list(tide.sizes) == ["s", "m"]  # the smallest first
    assert tide.size("m").files == {"onnx": Asset(Path("models/tide/m.onnx"), "0" * 64)}
    assert tide.size("m").quality == {"kid": 0.5}
    assert tide.defaults == {"reduce": 16.0}
    assert tide.mood is not None
    assert tide.mood.named["dusk"] == (1.0, -1.5)
    assert tide.preview == Path("models/tide/preview.jpg")
    assert tide.raw["size"]["m"]["widths"] == [24, 48, 96]
    assert tide.smaller("m") == ["s"]
    assert tide.smaller("s") == []
    assert tide.smaller("xl") == ["m", "s"]
    assert tide.fit(517, 3) == (520, 8)


def test_a_world_may_have_no_mood() -> None:
    start, end = CARD.index("[mood]"), CARD.index("[network]")
    assert card(CARD[:start] + CARD[end:]).mood is None


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 2), (1, 1, 3), (0.5, 0.5, 1.5), (-4, 0, 0), (9, 9, 3), (0.25, 0, 0.25)],
)
def test_the_mood_map_is_bilinear_and_clipped(x: float, y: float, expected: float) -> None:
    pad = MoodMap(2, 2, ((0.0,), (1.0,), (2.0,), (3.0,)))
    assert pad.at(x, y) == pytest.approx((expected,))
    assert MoodMap(1, 1, ((7.0,),)).at(x, y) == (7.0,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format = 1", "format = 2", "format: this program reads format 1, not 2"),
        ("format = 1", "format = true", "format: expected a whole number from 1, found True"),
        ("format = 1\n", "", "format: expected a whole number from 1, found nothing"),
        ('title = "Tide"', "title = 3", "title: expected a text, found 3"),
        ('title = "Tide"', 'titel = "Tide"', "title: expected a text, found nothing; is 'titel' meant?"),
        ("multiple = 8", "multiple = 8\nmultipel = 9", "multipel: this key is not known; did you mean 'multiple'?"),
        ("multiple = 8", "multiple = 0", "multiple: expected a whole number from 1, found 0"),
        ('world = "tide"', 'world = "sea"', "world: 'sea' must be the name of the folder, 'tide'"),
        ("reduce = 16.0", "reduce = nan", "condition.reduce: expected a finite number, found nan"),
        ("reduce = 16.0", "reduce = [1]", "condition.reduce: expected a number, found [1]"),
        ("size = 2", "size = 65", "mood.size: expected a whole number from 1 to 64, found 65"),
        ("noon = [0.0, 1.0]", "noon = [0.0]", "mood.named.noon: expected 2 finite numbers, found 1 of them"),
        ("noon = [0.0, 1.0]", "noon = [0.0, inf]", "mood.named.noon: expected 2 finite numbers, found inf"),
        ("noon = [0.0, 1.0]", "noon = 4", "mood.named.noon: expected a list of 2 numbers, found 4"),
        ('"noon"', '"nono"', "mood.default: expected one of the named moods; did you mean 'noon'?, found nono"),
        ("rows = 1", "rows = 2", "mood.map.grid: expected 2 × 2 = 4 vectors, found 2 of them"),
        ("[1.0, 2.0]]", "[1.0]]", "mood.map.grid: expected 2 finite numbers, found 1 of them"),
        ("[1.0, 2.0]]", "3]", "mood.map.grid: expected 2 finite numbers, found 3"),
        ("[network]", "[netwrk]", "network: expected a table, found nothing; is 'netwrk' meant?"),
        ('"m.onnx"', '"../m.onnx"', "size.m.onnx: expected the name of a file beside the card, found ../m.onnx"),
        ('"m.onnx"', '"/etc/passwd"', "size.m.onnx: expected the name of a file beside the card, found /etc/passwd"),
        ('"m.onnx"', r'"a\\b"', r"size.m.onnx: expected the name of a file beside the card, found a\b"),
        ('"m.onnx"', '".."', "size.m.onnx: expected the name of a file beside the card, found .."),
        ('"m.onnx"', '"C:x"', "size.m.onnx: expected the name of a file beside the card, found C:x"),
        ('onnx_sha256 = "0000', 'onnx_sha256 = "xyz0', "size.m.onnx_sha256: expected 64 hexadecimal digits"),
        ('weights = "s.safetensors"\n', "", "size.s: expected at least one file: weights, onnx, int8, found none"),
        ("kid = 0.5", 'kid = "good"', "size.m.quality.kid: expected a number, found good"),
        ("[size.m]", "[size.m]\ncolour = 1", "size.m.colour: this key is not known"),
    ],
)
def test_mistakes_are_told_with_file_key_and_what_was_expected(old: str, new: str, said: str) -> None:
    assert old in CARD
    with pytest.raises(CardError) as why:
        card(CARD.replace(old, new, 1))
    assert str(why.value).startswith(f"{Path('models/tide/card.toml')}: ")
    assert said in str(why.value)


def test_a_card_without_sizes_is_told() -> None:
    text = CARD[: CARD.index("[size.m]")]
    with pytest.raises(CardError, match="size: expected a table, found nothing"):
        card(text)
    with pytest.raises(CardError, match=r"size: expected at least one size, such as \[size.m\]"):
        card(text + "[size]\n")
    with pytest.raises(CardError, match=r"size.m: expected a table, found 1"):
        card(text + "[size]\nm = 1\n")


def test_a_number_of_hundreds_of_digits_is_no_finite_one() -> None:
    with pytest.raises(CardError, match="expected 2 finite numbers"):
        card(CARD.replace("noon = [0.0, 1.0]", f"noon = [0.0, {'9' * 400}]", 1))


def test_a_number_of_thousands_of_digits_is_told() -> None:
    with pytest.raises(CardError, match="multiple: expected a whole number from 1, found a number of thousands of"):
        card(CARD.replace("multiple = 8", f"multiple = 0x{'f' * 5000}", 1))


def places(table: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values below: of tables, of lists, and these themselves."""
    inside = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    for key, value in inside:
        yield (*above, key)
        yield from places(value, (*above, key))


def mistake(raw: dict[str, Any], path: Path) -> str:
    """What is said of a card, if anything."""
    try:
        checked(raw, path)
    except CardError as e:
        return str(e)
    return ""


@pytest.mark.parametrize("world", sorted(path.parent.name for path in paths.models().glob("*/card.toml")))
@pytest.mark.parametrize("value", [3, -1, 2**70, "x", "", [], [[1.0]], ["x"], {}, {"a": {"b": 1}}, [{"a": 1}], nan])
def test_whatever_a_hand_puts_into_a_card_it_is_read_or_told_in_one_sentence(world: str, value: Any) -> None:
    path = paths.models() / world / "card.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    for *above, last in list(places(raw)):
        inner: Any = raw
        for key in above:
            inner = inner[key]
        before, inner[last] = inner[last], value
        told = mistake(raw, path)
        assert not told or (told.startswith(f"{path}: {[*above, last][0]}") and "\n" not in told)
        inner[last] = before


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"format = ", b"\x00" * 100, b"a = " + b"[" * 5000, b"a = " + b"9" * 5000]
)
def test_what_is_not_toml_is_told(data: bytes) -> None:
    with pytest.raises(CardError, match="this is not TOML"):
        read_card(data, Path("models/tide/card.toml"))


def test_the_first_folder_with_a_world_wins_and_missing_folders_do_no_harm(tmp_path: Path) -> None:
    put(tmp_path / "own", CARD.replace('"Tide"', '"Mine"'))
    put(tmp_path / "shipped", CARD)
    put(tmp_path / "shipped", CARD.replace("tide", "dune"), "dune")
    library = Library([tmp_path / "nowhere", tmp_path / "own", tmp_path / "shipped"])
    assert library.names() == ["dune", "tide"]
    assert library.card("tide").title == "Mine"


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_folder_that_cannot_be_looked_at_is_one_without_worlds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    put(tmp_path / "stick", CARD)
    put(tmp_path / "stick", CARD.replace("tide", "dune"), "dune")
    put(tmp_path / "shipped", CARD)
    library = Library([tmp_path / "stick", tmp_path / "shipped"])
    assert library.card("dune").world == "dune"

    def pulled(call: Callable[..., object]) -> Callable[..., object]:
        def look(path: object, *args: object, **options: object) -> object:
            if "stick" in Path(str(path)).parts:
                raise OSError(code, os.strerror(code), str(path))
            return call(path, *args, **options)

        return look

    for name in ("stat", "scandir", "listdir"):
        monkeypatch.setattr(os, name, pulled(getattr(os, name)))
    assert library.card("tide").folder == tmp_path / "shipped" / "tide"
    assert library.names() == ["tide"]
    with pytest.raises(LookupError, match="there is no world 'dune'"):
        library.card("dune")


def test_a_card_that_cannot_be_looked_at_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for world in ("dune", "ebb", "tide"):
        put(tmp_path, CARD.replace("tide", world), world)
    is_file = Path.is_file

    def torn(path: Path) -> bool:
        if path.parent.name == "ebb":
            raise OSError(errno.EIO, "Input/output error")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", torn)
    assert Library([tmp_path]).names() == ["dune", "tide"]


def test_a_card_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path = put(tmp_path, CARD)
    library = Library([tmp_path])
    first = library.card("tide")
    assert library.card("tide") is first
    path.write_text(CARD.replace('"Tide"', '"Ebb"'))
    os.utime(path, ns=(1, 1))
    assert library.card("tide").title == "Ebb"


@pytest.mark.parametrize("world", ["tied", "../tide", "", "/", "ti\0de", "tide/../tide", "."])
def test_unknown_worlds_are_told_with_the_nearest(tmp_path: Path, world: str) -> None:
    put(tmp_path, CARD)
    with pytest.raises(LookupError, match=r"there is no world .*tide"):
        Library([tmp_path]).card(world)


@pytest.mark.parametrize("world", ["海", "Überwald", "U\u0308berwald", "_zebra", "हिन्दी", "old tide", "-1"])
def test_a_world_is_named_in_any_language(tmp_path: Path, world: str) -> None:
    put(tmp_path, CARD.replace('"tide"', f'"{world}"'), world)
    library = Library([tmp_path])
    assert library.names() == [world]
    assert library.card(world).world == world


@pytest.mark.parametrize("world", [".tide", ".", "..", "", "sea/tide", "../sea/tide", r"sea\tide", "C:tide", "ti\nde"])
def test_what_is_no_name_is_neither_offered_nor_found(tmp_path: Path, world: str) -> None:
    put(tmp_path / "models", CARD, world)
    library = Library([tmp_path / "models"])
    assert library.names() == []
    with pytest.raises(LookupError, match="there is no world"):
        library.find(world)


def test_an_empty_library_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=f"there are none in {tmp_path}"):
        Library([tmp_path]).card("tide")


def test_a_card_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, CARD + "#" * 1_000_001)
    with pytest.raises(CardError, match="at most 1000000 are read"):
        Library([tmp_path]).card("tide")


def test_the_standard_folders_begin_with_the_shows_own(tmp_path: Path) -> None:
    library = Library.standard(tmp_path)
    assert library.folders[0] == tmp_path / "models"
    assert library.folders[1] == paths.models()
    assert len(Library.standard().folders) == 2


def test_a_file_is_verified_once_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"abc")
    asset = Asset(path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    notes = Notes(tmp_path / "cache" / "notes.json")
    assert verify(asset, notes) == path
    stat = path.stat()
    path.write_bytes(b"abd")  # the same length, and the same time: taken from the notes
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert verify(asset, notes) == path
    os.utime(path, ns=(1, 1))
    with pytest.raises(CardError, match="is not the file that its card describes: sha256 a52d159f262b… instead of ba7"):
        verify(asset, notes)
    path.unlink()
    with pytest.raises(CardError, match=r"m\.onnx is missing: its card names it"):
        verify(asset, notes)
    path.mkdir()
    with pytest.raises(CardError, match=r"m\.onnx cannot be read"):
        verify(asset, notes)


def test_notes_survive_garbage_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "notes.json"
    notes = Notes(path, limit=2)
    assert notes.get("a") is None
    assert notes.put("a", 1)
    path.write_bytes(b"\xff{[")
    assert notes.get("a") is None
    for key in "abc":
        assert notes.put(key, key)
    assert [notes.get(key) for key in "abc"] == [None, "b", "c"]
    path.write_text("[1]")
    assert notes.get("b") is None
    (tmp_path / "file").write_text("")
    assert not Notes(tmp_path / "file" / "notes.json").put("a", 1)
