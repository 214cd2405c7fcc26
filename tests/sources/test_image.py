"""Stills: every kind of file, folders that change, movement, crossfades."""

from __future__ import annotations

import io
import itertools
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

from perform.clock import FixedClock, LiveClock, ManualClock
from perform.gl.transfer import read
from perform.sources.image import Image
from perform.sources.stills import NoPicture, listing, load, ordered
from tests.sources.conftest import MakeStage, said, until

STAGE = (128, 64)


def corners(path: Path) -> Path:
    """A picture that is red at the top left, green top right, blue bottom left, white bottom right."""
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:30, :40], pixels[:30, 40:], pixels[30:, :40], pixels[30:, 40:] = (
        (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255),
    )  # fmt: skip
    Pil.fromarray(pixels).save(path, quality=95)
    return path


def plain(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (32, 16)) -> Path:
    Pil.new("RGB", size, color).save(path)
    return path


def about(pixel: np.ndarray, wanted: tuple[int, ...], slack: int = 8) -> bool:
    return bool(np.all(np.abs(pixel[: len(wanted)].astype(int) - wanted) <= slack))


def test_row_0_is_the_bottom(tmp_path: Path) -> None:
    pixels = load(corners(tmp_path / "a.png"), STAGE)
    assert about(pixels[-1, 0], (255, 0, 0, 255))
    assert about(pixels[-1, -1], (0, 255, 0, 255))
    assert about(pixels[0, 0], (0, 0, 255, 255))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_turns_it_upright(tmp_path: Path, orientation: int) -> None:
    upright = Pil.open(corners(tmp_path / "a.png"))
    stored = upright.rotate({1: 0, 3: 180, 6: 90, 8: 270}[orientation], expand=True)
    exif = Pil.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "b.jpg", exif=exif, quality=95)
    pixels = load(tmp_path / "b.jpg", STAGE)
    assert pixels.shape[0] < pixels.shape[1]
    assert about(pixels[-3, 3], (255, 0, 0), 30)


def test_any_format_any_mode(tmp_path: Path) -> None:
    grey16 = np.full((16, 32), 32768, np.uint16)
    Pil.fromarray(grey16).save(tmp_path / "deep.png")
    Pil.fromarray(np.full((16, 32), 0.5, np.float32)).save(tmp_path / "float.tiff")
    Pil.new("CMYK", (32, 16), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    Pil.new("P", (32, 16)).save(tmp_path / "palette.gif")
    Pil.new("1", (32, 16), 1).save(tmp_path / "bits.bmp")
    Pil.new("LA", (32, 16), (200, 100)).save(tmp_path / "alpha.png")
    frames = [Pil.new("RGB", (32, 16), c) for c in ("red", "lime")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert about(load(tmp_path / "deep.png", STAGE)[0, 0], (128, 128, 128, 255), 1)
    assert about(load(tmp_path / "float.tiff", STAGE)[0, 0], (128, 128, 128, 255), 1)
    assert about(load(tmp_path / "print.jpg", STAGE)[0, 0], (255, 0, 0), 40)
    assert about(load(tmp_path / "palette.gif", STAGE)[0, 0], (0, 0, 0, 255))
    assert about(load(tmp_path / "bits.bmp", STAGE)[0, 0], (255, 255, 255, 255))
    assert about(load(tmp_path / "alpha.png", STAGE)[0, 0], (200, 200, 200, 100), 1)
    assert about(load(tmp_path / "moving.gif", STAGE)[0, 0], (255, 0, 0, 255))


def test_colours_mean_what_the_file_says(tmp_path: Path) -> None:
    """An embedded profile is honoured; a broken one is no reason not to show the picture."""
    picture = Pil.new("RGB", (8, 8), (100, 150, 200))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, blue = b"rXYZ", b"bXYZ"
    swapped = profile.replace(red, b"....").replace(blue, red).replace(b"....", blue)  # whose red is blue
    for name, icc, seen in (
        ("srgb.png", profile, (100, 150, 200)),
        ("swapped.png", swapped, (200, 150, 100)),
        ("broken.png", b"not a profile", (100, 150, 200)),
    ):
        picture.save(tmp_path / name, icc_profile=icc)
        assert about(load(tmp_path / name, STAGE)[0, 0], seen, 3)


def test_the_rim_of_a_logo_is_not_mixed_with_black(tmp_path: Path) -> None:
    logo = np.zeros((40, 40, 4), np.uint8)
    logo[10:30, 10:30] = (250, 120, 60, 255)
    Pil.fromarray(logo).save(tmp_path / "logo.png")
    pixels = load(tmp_path / "logo.png", (40, 40))
    assert np.array_equal(pixels[::-1, :, 3], logo[..., 3])
    around = pixels[9:31, 9:31]  # with one pixel of what is clear, which is as far as reading between pixels goes
    assert np.abs(around[..., :3].astype(int) - (250, 120, 60)).max() <= 12
    assert np.array_equal(pixels[::-1][logo[..., 3] > 0], logo[logo[..., 3] > 0])


def test_large_pictures_are_brought_down_to_what_is_seen(tmp_path: Path) -> None:
    Pil.new("L", (8000, 6250), 90).save(tmp_path / "50 megapixels.jpg")
    pixels = load(tmp_path / "50 megapixels.jpg", (1600, 900))
    assert pixels.shape == (1250, 1600, 4)
    plain(tmp_path / "strip.png", (9, 9, 9), (20_000, 10))
    assert max(load(tmp_path / "strip.png", STAGE).shape) <= 8192


def test_what_is_shown_whole_is_brought_down_to_what_is_seen(stage: MakeStage, tmp_path: Path) -> None:
    """More would shimmer: it is shown without mipmaps."""
    plain(tmp_path / "tall.png", (9, 9, 9), (400, 1600))
    plain(tmp_path / "small.png", (9, 9, 9), (20, 30))
    assert load(tmp_path / "tall.png", STAGE, "contain").shape == (64, 16, 4)
    assert load(tmp_path / "tall.png", STAGE, "cover").shape == (512, 128, 4)
    assert load(tmp_path / "small.png", STAGE, "contain").shape == (30, 20, 4)
    with Image("tall.png", fit="contain").open(stage(FixedClock(10.0))) as image:
        image.frame(0.0)
        assert (image._front.texture.width, image._front.texture.height) == (20, 80)  # a quarter more, for the zoom


def broken(path: Path) -> Path:
    whole = io.BytesIO()
    Pil.effect_noise((64, 64), 80).convert("RGB").save(whole, "JPEG")
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    return path


def test_pictures_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    broken(tmp_path / "half.jpg")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "IMG_1.HEIC").write_text("ftypheic")
    (tmp_path / "lying.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\xff" * 50)
    Pil.new("RGB", (64, 64)).save(tmp_path / "program.png", "EPS")  # Ghostscript would run it
    for name, why in (
        ("half.jpg", "half.jpg cannot be read .*truncated"),
        ("empty.png", "empty.png is empty"),
        ("text.png", "text.png is not a picture"),
        ("lying.png", "lying.png"),
        ("program.png", "program.png is not a picture"),
        ("IMG_1.HEIC", "IMG_1.HEIC is a HEIC picture, which cannot be read: save it as JPEG"),
        ("gone.png", "gone.png cannot be read"),
    ):
        with pytest.raises(NoPicture, match=why):
            load(tmp_path / name, STAGE)


def test_a_folder_is_listed_as_a_person_would(tmp_path: Path) -> None:
    for name in ("b 10.png", "b 9.png", "A 1.png", "写真 2.png", ".hidden.png"):
        plain(tmp_path / name, (1, 2, 3))
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.png").mkdir()
    assert [p.name for p in listing(tmp_path)] == ["A 1.png", "b 9.png", "b 10.png", "写真 2.png"]
    with pytest.raises(NoPicture, match="no pictures in"):
        listing(tmp_path / "folder.png")
    with pytest.raises(NoPicture, match="no file or folder"):
        listing(tmp_path / "nothing")


def test_what_is_listed_is_what_can_be_opened(tmp_path: Path) -> None:
    for name in ("program.eps", "film.mpg", "table.h5", "page.pdf", "IMG_1.HEIC"):
        (tmp_path / name).write_bytes(b"0")
    with pytest.raises(NoPicture, match=r"no pictures in .*; HEIC cannot be read: save them as JPEG$"):
        listing(tmp_path)
    for name in ("b.JPG", "a.tif"):
        plain(tmp_path / name, (1, 2, 3))
    assert [p.name for p in listing(tmp_path)] == ["a.tif", "b.JPG"]


def test_shuffling_is_repeatable_and_leaves_nobody_out() -> None:
    paths = [Path(str(n)) for n in range(9)]
    lap = [ordered(paths, n, True)[0] for n in range(9)]
    assert sorted(lap) == paths
    assert lap == [ordered(paths, n, True)[0] for n in range(9)]
    assert lap != [ordered(paths, n, True)[0] for n in range(9, 18)]
    assert [ordered(paths, n, False)[0] for n in range(8, 11)] == [paths[8], paths[0], paths[1]]


@pytest.mark.parametrize("many", [2, 3, 5])
def test_shuffling_shows_no_picture_twice_in_a_row(many: int) -> None:
    paths = [Path(str(n)) for n in range(many)]
    shown = [ordered(paths, n, True)[0] for n in range(60 * many)]
    assert all(a != b for a, b in itertools.pairwise(shown))
    assert all(sorted(shown[lap : lap + many]) == paths for lap in range(0, 60 * many, many))
    assert all(ordered(paths, n, True) == shown[n : n // many * many + 2 * many] for n in range(40 * many))


def test_a_single_picture_breathes_and_covers(stage: MakeStage, tmp_path: Path) -> None:
    corners(tmp_path / "a.png")
    here = stage(FixedClock(10.0))
    with Image("a.png").open(here) as image:
        frames = []
        for _ in range(60):
            frame = image.frame(here.clock.now())
            frames.append(read(frame.texture))
            here.clock.pace(10.0)
        assert frame.serial == 60
        assert all(f[:, :, 3].min() == 255 for f in frames)
        assert (frames[0] != frames[-1]).any()
        assert about(frames[-1][-1, 0], (255, 0, 0))
        assert said(here) == "showing a.png"


def test_a_still_that_does_not_move_is_drawn_once(stage: MakeStage, tmp_path: Path) -> None:
    plain(tmp_path / "a.png", (10, 20, 30), STAGE)
    here = stage(FixedClock(10.0))
    with Image("a.png", zoom=0.0, pan=0.0).open(here) as image:
        assert [image.frame(n / 10).serial for n in range(4)] == [1, 1, 1, 1]


def test_contain_leaves_the_rest_transparent(stage: MakeStage, tmp_path: Path) -> None:
    plain(tmp_path / "a.png", (250, 250, 250), (32, 32))
    with Image("a.png", fit="contain", zoom=0.0).open(stage(FixedClock(10.0))) as image:
        pixels = read(image.frame(0.0).texture)
    assert pixels[32, 5, 3] == 0
    assert about(pixels[32, 64], (250, 250, 250, 255))


def test_a_folder_is_shown_in_order_with_crossfades_the_same_twice(stage: MakeStage, tmp_path: Path) -> None:
    for n, color in enumerate(((250, 0, 0), (0, 250, 0), (0, 0, 250))):
        plain(tmp_path / f"{n}.png", color)

    def show() -> list[tuple[int, ...]]:
        here = stage(FixedClock(10.0))
        with Image(".", hold=1.0, crossfade=0.5).open(here) as image:
            seen = []
            for _ in range(50):
                here.params.settle(here.clock.now())
                seen.append(tuple(int(v) for v in read(image.frame(here.clock.now()).texture)[32, 64]))
                here.clock.pace(10.0)
        return seen

    seen = show()
    assert seen == show()
    pure = [c for c in seen if max(c[:3]) == 250]
    assert list(dict.fromkeys(pure)) == [(250, 0, 0, 255), (0, 250, 0, 255), (0, 0, 250, 255)]
    mixed = [c for c in seen if max(c[:3]) < 250]
    assert len(mixed) >= 8
    assert all(sum(c[:3]) > 240 and c[3] == 255 for c in mixed)
    assert pure[-1] != pure[20]


def test_a_picture_may_stand_for_a_day(stage: MakeStage) -> None:
    here = stage(FixedClock(10.0))
    with Image(".", hold=86400.0).open(here):
        assert here.params["/source/it/hold"].value == 86400.0


def test_next_is_a_trigger(stage: MakeStage, tmp_path: Path) -> None:
    plain(tmp_path / "1.png", (250, 0, 0))
    plain(tmp_path / "2.png", (0, 250, 0))
    here = stage(FixedClock(10.0))
    with Image(".", hold=1000.0, crossfade=0.0).open(here) as image:
        image.frame(0.0)
        here.params.post("/source/it/next")
        here.params.settle(0.1)
        assert about(read(image.frame(0.1).texture)[0, 0], (0, 250, 0))
        assert said(here) == "showing 2.png, one of 2"


def test_what_cannot_be_read_is_left_out_and_named(stage: MakeStage, tmp_path: Path) -> None:
    broken(tmp_path / "0 broken.jpg")
    plain(tmp_path / "1 good.png", (250, 0, 0))
    here = stage(FixedClock(10.0))
    with Image(".").open(here) as image:
        assert about(read(image.frame(0.0).texture)[0, 0], (250, 0, 0))
        assert "showing 1 good.png, one of 2; 0 broken.jpg cannot be read" in said(here)


@pytest.mark.parametrize("shuffle", [False, True])
def test_after_what_cannot_be_read_no_picture_comes_twice(stage: MakeStage, tmp_path: Path, shuffle: bool) -> None:
    names = ["a", "b", "c", "d"]
    for n, name in enumerate(names):
        plain(tmp_path / f"{name}.png", (60 * n, 0, 0))
    (tmp_path / "b.png").write_text("hello")
    here = stage(FixedClock(1.0))
    with Image(".", hold=1.0, crossfade=0.0, shuffle=shuffle).open(here) as image:
        shown = []
        for now in range(9):
            image.frame(float(now))
            shown.append(said(here).removeprefix("showing ")[0])
    turns = [ordered([Path(n) for n in names], n, shuffle)[0].name for n in range(12)]
    assert shown == [name for name in turns if name != "b"]


def test_nothing_there_then_something(stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.sources.album.LOOK", 0.02)
    here = stage(LiveClock())
    with Image("bilder").open(here) as image:
        until(lambda: image.frame(here.clock.now()).serial == 0 and image.lost)
        assert "no file or folder" in said(here)
        (tmp_path / "bilder").mkdir()
        plain(tmp_path / "new.png", (250, 0, 0)).rename(tmp_path / "bilder" / "new.png")
        until(lambda: image.frame(here.clock.now()).serial)
        assert not image.lost


def test_a_folder_that_began_with_one_picture_goes_on_when_there_are_more(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.sources.album.LOOK", 0.01)
    plain(tmp_path / "1.png", (250, 0, 0))
    here = stage(ManualClock())
    with Image(".", hold=1.0, crossfade=0.0).open(here) as image:

        def shown() -> int:
            here.clock.pace(10.0)
            return image.frame(here.clock.now()).serial

        until(shown)
        plain(tmp_path / "2.png", (0, 250, 0))

        def green() -> bool:
            here.clock.pace(10.0)
            return about(read(image.frame(here.clock.now()).texture)[0, 0], (0, 250, 0))

        until(green)


def test_a_picture_that_went_away_is_no_trouble_any_more_when_it_is_back(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.sources.album.LOOK", 0.01)
    path = plain(tmp_path / "1.png", (250, 0, 0))
    here = stage(ManualClock())

    def says(what: str) -> bool:
        here.clock.pace(10.0)
        image.frame(here.clock.now())
        return what in said(here)

    with Image("1.png").open(here) as image:
        until(lambda: says("showing 1.png"))
        path.rename(tmp_path / "away")
        until(lambda: says("there is no file"))
        (tmp_path / "away").rename(path)
        until(lambda: says("showing 1.png"))


def test_digits_that_are_no_numbers_are_letters(tmp_path: Path) -> None:
    for name in ("1²3.png", "1²10.png", "2.png"):
        plain(tmp_path / name, (1, 2, 3))
    assert [p.name for p in listing(tmp_path)] == ["1²3.png", "1²10.png", "2.png"]


def test_an_image_that_cannot_be_opened_leaves_no_thread(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*size: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("perform.sources.image.Target", no_room)
    with pytest.raises(OSError, match="no room"):
        Image("1.png").open(stage())
    assert not [t for t in threading.enumerate() if t.name.startswith("image ")]


def test_a_picture_that_is_saved_again_is_shown_again(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.sources.album.LOOK", 0.02)
    path = plain(tmp_path / "a.png", (250, 0, 0))
    here = stage(LiveClock())
    with Image("a.png", crossfade=0.05).open(here) as image:
        until(lambda: image.frame(here.clock.now()).serial)
        plain(tmp_path / "b.png", (0, 0, 250)).replace(path)
        os.utime(path, (1e9, 1e9))
        until(lambda: about(read(image.frame(here.clock.now()).texture)[0, 0], (0, 0, 250)))
