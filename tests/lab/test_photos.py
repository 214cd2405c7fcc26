"""A person's own pictures: what is taken, what is refused and in which words."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, UnidentifiedImageError, features

from perform.lab import look, photos
from perform.lab.photos import archive, folder, picture
from perform.lab.photos.alike import Seen
from perform.lab.worlds import World, pixels


def paint(number: int, width: int = 320, height: int = 260) -> Image.Image:
    """A picture unlike those of other numbers."""
    rng = np.random.default_rng(number)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def save(folder: Path, count: int, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        paint(number).save(folder / f"p{number:03d}.jpg")


def read(path: Path) -> picture.Picture:
    return picture.read(lambda: path.open("rb"))


def refusal(path: Path) -> str:
    with pytest.raises(picture.Refused) as why:
        read(path)
    return str(why.value)


def test_a_folder_of_folders_is_a_world(tmp_path: Path) -> None:
    save(tmp_path / "in", 12)
    save(tmp_path / "in" / "été" / "写真", 12, first=12)
    (tmp_path / "in" / "notes.txt").write_text("not a picture")
    (tmp_path / "in" / "._p000.jpg").write_bytes(b"resource fork")
    found = photos.take(tmp_path / "in")
    assert len(found.names) == len(found.world.pictures) == 24
    assert "été/写真/p012.jpg" in found.names
    assert found.refused == []
    assert [warning for warning in found.warnings if "Only 24 pictures" in warning]
    assert all(min(one.shape[1:]) >= 256 and max(one.shape[1:]) <= 720 for one in found.world.pictures)
    assert int(found.world.held_out.sum()) == 2

    found.save(tmp_path / "out", "mine", author="A. Person", licence="CC-BY-4.0")
    again = World.load(tmp_path / "out")
    assert [one.shape for one in again.pictures] == [one.shape for one in found.world.pictures]
    about = json.loads((tmp_path / "out" / "world.json").read_text(encoding="utf-8"))
    assert about["world"] == "mine"
    assert about["held_out"] == [found.names[6], found.names[19]]
    table = (tmp_path / "out" / "ATTRIBUTION.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 25
    assert table[1].split(",")[1:3] == ["A. Person", "CC-BY-4.0"]


def test_the_order_is_by_name_and_the_same_twice(tmp_path: Path) -> None:
    save(tmp_path / "in", 21)
    first, second = photos.take(tmp_path / "in"), photos.take(tmp_path / "in")
    assert list(first.names) == sorted(first.names)
    assert first.names == second.names


def test_one_bad_file_costs_one_sentence(tmp_path: Path) -> None:
    save(tmp_path / "in", 20)
    whole = (tmp_path / "in" / "p000.jpg").read_bytes()
    (tmp_path / "in" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "empty.png").write_bytes(b"")
    (tmp_path / "in" / "text.jpg").write_text("hello")
    paint(50, 100, 90).save(tmp_path / "in" / "small.png")
    Image.new("RGB", (300, 300), (9, 9, 9)).save(tmp_path / "in" / "black.png")
    for name in ("holiday.MP4", "old.mpg", "IMG_1.HEIC", "DSC1.NEF", "logo.eps"):
        (tmp_path / "in" / name).write_bytes(b"of some kind")
    found = photos.take(tmp_path / "in")
    assert len(found.names) == 20
    said = dict(line.split(": ", 1) for line in found.refused)
    assert said["cut.jpg"].startswith("damaged (")
    assert said["empty.png"] == said["text.jpg"] == "not a picture, or of a kind that cannot be read"
    assert said["small.png"] == "100 x 90 pixels; 128 on the shorter side are the least"
    assert said["black.png"] == "of a single colour"
    assert said["holiday.MP4"] == said["old.mpg"] == "a film: give it by itself"
    assert said["IMG_1.HEIC"].endswith("save it as JPEG")
    assert said["DSC1.NEF"].endswith("develop it to JPEG first")
    assert said["logo.eps"].endswith("save it as PNG")
    assert [warning for warning in found.warnings if warning.startswith("10 files could not be used")]


def test_a_program_is_no_picture_whatever_its_name(tmp_path: Path) -> None:
    paint(1).save(tmp_path / "program.jpg", "EPS")
    assert refusal(tmp_path / "program.jpg") == "not a picture, or of a kind that cannot be read"
    with pytest.raises(UnidentifiedImageError):
        look.picture(tmp_path / "program.jpg", 64)


def test_a_pillow_without_some_formats_reads_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(1).save(tmp_path / "a.png")
    Image.init()
    monkeypatch.delitem(Image.OPEN, "BMP")
    assert read(tmp_path / "a.png").remarks == ()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_a_damaged_avif_is_refused(tmp_path: Path) -> None:
    paint(1).save(tmp_path / "a.avif")
    data = (tmp_path / "a.avif").read_bytes()
    half = len(data) // 2
    (tmp_path / "a.avif").write_bytes(data[:half] + bytes(byte ^ 0x55 for byte in data[half:]))
    assert refusal(tmp_path / "a.avif").startswith("damaged (")


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is nothing at"):
        photos.take(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="there are no pictures in"):
        photos.take(tmp_path / "empty")
    (tmp_path / "empty" / "a.jpg").write_text("hello")
    with pytest.raises(ValueError, match=r"no pictures in .*; the first that was refused: a\.jpg: not a picture"):
        photos.take(tmp_path / "empty")
    save(tmp_path / "few", 5)
    with pytest.raises(ValueError, match=r"5 pictures in .* are too few: 20 are the least"):
        photos.take(tmp_path / "few")


def test_twins_are_left_out_and_told(tmp_path: Path) -> None:
    save(tmp_path / "in", 20)
    paint(3).resize((640, 520)).save(tmp_path / "in" / "twin.jpg", quality=60)
    found = photos.take(tmp_path / "in")
    assert "twin.jpg" not in found.names
    assert [
        w for w in found.warnings if w.startswith("1 of the pictures was left out as nearly the same") and "p003" in w
    ]


def test_alike_is_neither_blind_nor_jumpy() -> None:
    seen = Seen()
    first = pixels(paint(1))
    assert seen.twin(first) is None
    seen.add(first)
    noise = torch.randint(-6, 7, first.shape, generator=torch.Generator().manual_seed(0))
    assert seen.twin((first.int() + noise).clamp(0, 255).to(torch.uint8)) == 0
    assert seen.twin(pixels(paint(2))) is None
    assert seen.twin(255 - first) is None
    assert seen.twin(first.flip(2)) is None
    assert seen.twin(first[[2, 0, 1]]) is None  # the same drawing in other colours


def test_dark_pictures_are_not_all_one() -> None:
    """Two small lights in the dark, a little apart."""
    seen = Seen()
    first, second = torch.zeros(2, 3, 256, 256, dtype=torch.uint8)
    first[:, 100:150, 100:150] = 90
    second[:, 110:165, 105:160] = 120
    seen.add(first)
    assert seen.twin(first) == 0
    assert seen.twin(second) is None


def test_cmyk_16_bit_and_palettes(tmp_path: Path) -> None:
    plain = paint(1)
    expected = pixels(plain).float()
    plain.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    assert (read(tmp_path / "cmyk.jpg").pixels.float() - expected).abs().mean() < 6
    grey = np.asarray(plain.convert("L")).astype(np.uint16) * 257
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(grey).save(tmp_path / name)
        seen = read(tmp_path / name).pixels.float()
        assert (seen - torch.from_numpy(grey / 257.0)).abs().mean() < 1.5
    Image.fromarray(np.asarray(plain.convert("L")).astype(np.float32) / 255).save(tmp_path / "float.tif")
    assert read(tmp_path / "float.tif").pixels.float().std() > 20
    few = plain.quantize(200)
    few.save(tmp_path / "palette.png")
    assert torch.equal(read(tmp_path / "palette.png").pixels, pixels(few))
    Image.fromarray(np.full((200, 200), np.nan, np.float32)).save(tmp_path / "nan.tif")
    assert "no light" in refusal(tmp_path / "nan.tif")


def test_sixteen_bits_of_colour(tmp_path: Path) -> None:
    """Pillow cannot write 16-bit RGB, so the PNG is made by hand."""
    deep = np.asarray(paint(4)).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in deep)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", deep.shape[1], deep.shape[0], 16, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    assert (read(tmp_path / "deep.png").pixels.float() - pixels(paint(4)).float()).abs().mean() < 1.5


def test_animations_give_their_first_picture(tmp_path: Path) -> None:
    paint(1).save(tmp_path / "a.gif", save_all=True, append_images=[paint(2), paint(3)], duration=100)
    found = read(tmp_path / "a.gif")
    assert found.remarks == ("animated or of several pages, of which the first was taken",)
    assert (found.pixels.float() - pixels(paint(1)).float()).abs().mean() < 12


def test_the_second_picture_of_a_telephone_is_no_animation(tmp_path: Path) -> None:
    paint(1).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[paint(2)])
    found = read(tmp_path / "a.jpg")
    assert found.remarks == ()
    assert (found.pixels.float() - pixels(paint(1)).float()).abs().mean() < 6


def test_layers_come_laid_on_one_another(tmp_path: Path) -> None:
    """Pillow cannot write PSD, so two layers of nothing are made by hand, and the whole behind them."""
    whole = np.asarray(paint(1)).transpose(2, 0, 1)
    layer = struct.pack(">4iH", 0, 0, 0, 0, 3) + b"".join(struct.pack(">hI", band, 2) for band in range(3))
    layer += b"8BIMnorm" + bytes([255, 0, 0, 0]) + struct.pack(">3I", 12, 0, 0) + b"\3abc"
    layers = struct.pack(">h", 2) + 2 * layer + bytes(12)
    head = b"8BPS" + struct.pack(">H6xHIIHHII", 1, *whole.shape, 8, 3, 0, 0)
    head += struct.pack(">II", len(layers) + 8, len(layers)) + layers + bytes(4)
    (tmp_path / "a.psd").write_bytes(head + bytes(2) + whole.tobytes())
    with Image.open(tmp_path / "a.psd") as opened:
        assert getattr(opened, "n_frames", 1) == 2
    found = read(tmp_path / "a.psd")
    assert found.remarks == ()
    assert torch.equal(found.pixels, pixels(paint(1)))


def test_orientation_is_as_the_camera_was_held(tmp_path: Path) -> None:
    upright = paint(1, 300, 400)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    upright.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    found = read(tmp_path / "turned.jpg").pixels
    assert found.shape == (3, 400, 300)
    assert (found.float() - pixels(upright).float()).abs().mean() < 4


def test_what_is_see_through_lies_on_grey(tmp_path: Path) -> None:
    whole = paint(1).convert("RGBA")
    whole.paste((255, 0, 0, 0), (0, 0, 160, 260))
    whole.save(tmp_path / "cut.png")
    found = read(tmp_path / "cut.png")
    assert found.remarks == ("partly transparent, and laid on grey",)
    assert found.pixels[:, 100, 50].tolist() == [128, 128, 128]
    opaque = paint(1).convert("RGBA")
    opaque.save(tmp_path / "whole.png")
    assert read(tmp_path / "whole.png").remarks == ()


@pytest.mark.parametrize(
    ("size", "becomes", "remark"),
    [
        ((300, 260), (300, 260), ""),
        ((160, 150), (273, 256), "enlarged"),
        ((4000, 3000), (533, 400), ""),
        ((3000, 4000), (400, 533), ""),
        ((1600, 300), (720, 256), "panorama"),
        ((1000, 560), (714, 400), ""),
    ],
)
def test_sides(tmp_path: Path, size: tuple[int, int], becomes: tuple[int, int], remark: str) -> None:
    paint(7, *size).save(tmp_path / "a.jpg")
    found = read(tmp_path / "a.jpg")
    assert abs(found.pixels.shape[2] - becomes[0]) <= 1
    assert abs(found.pixels.shape[1] - becomes[1]) <= 1
    assert min(found.pixels.shape[1:]) >= 256
    assert (remark in found.remarks[0]) if remark else not found.remarks


def test_fifty_megapixels_are_decoded_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paint(1).resize((8192, 6144), Image.Resampling.NEAREST).save(tmp_path / "large.jpg", quality=50)
    seen: list[tuple[int, int]] = []
    load = Image.Image.convert

    def watched(self: Image.Image, *args: object, **more: object) -> Image.Image:
        seen.append(self.size)
        return load(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "convert", watched)
    assert read(tmp_path / "large.jpg").pixels.shape == (3, 400, 533)
    assert max(max(size) for size in seen) <= 2048


def test_more_pixels_than_anyone_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    paint(1).save(tmp_path / "a.png")
    assert "megapixels" in refusal(tmp_path / "a.png")


def test_worlds_made_among_the_pictures_are_no_pictures(tmp_path: Path) -> None:
    save(tmp_path, 20)
    for place, ours in (("runs/a", "wish.json"), ("models/a", "card.toml")):
        save(tmp_path / place / "deeper", 1, first=30)
        save(tmp_path / place, 1, first=31)
        (tmp_path / place / ours).write_text("")
    assert photos.take(tmp_path).names == [f"p0{number:02d}.jpg" for number in range(20)]


def test_what_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, who may read everything: so the system's answer is made up."""
    save(tmp_path / "in", 21)
    usual = Path.open

    def closed(self: Path, *args: object, **more: object) -> object:
        if self.name == "p007.jpg":
            raise PermissionError(13, "Permission denied", str(self))
        return usual(self, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", closed)
    assert photos.take(tmp_path / "in").refused == ["p007.jpg: may not be read (permissions)"]


def test_a_folder_that_may_be_listed_and_not_entered_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "in", 20)
    save(tmp_path / "in" / "closed", 2, first=20)
    usual, opened = Path.stat, Path.open

    def closed(real: Any) -> Any:
        def asked(self: Path, *args: object, **more: object) -> object:
            if self.parent.name == "closed":
                raise PermissionError(13, "Permission denied", str(self))
            return real(self, *args, **more)

        return asked

    monkeypatch.setattr(Path, "stat", closed(usual))
    monkeypatch.setattr(Path, "open", closed(opened))
    found = photos.take(tmp_path / "in")
    assert len(found.names) == 20
    assert found.refused == [f"closed/p0{number}.jpg: may not be read (permissions)" for number in (20, 21)]


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def jpegs(tmp_path: Path, count: int) -> dict[str, bytes]:
    save(tmp_path / "loose", count)
    return {f"trip/{path.name}": path.read_bytes() for path in sorted((tmp_path / "loose").glob("*.jpg"))}


def test_a_zip_is_read_without_unpacking(tmp_path: Path) -> None:
    files = jpegs(tmp_path, 20)
    files |= {"__MACOSX/trip/._p000.jpg": b"fork", "trip/наброски/ö.jpg": files["trip/p000.jpg"], "readme.txt": b"hi"}
    files["../../evil.jpg"] = files["trip/p001.jpg"]
    files["/etc/evil.jpg"] = files["trip/p001.jpg"]
    before = set(tmp_path.rglob("*"))
    path = packed(tmp_path / "a.zip", files)
    found = photos.take(path)
    assert len(found.names) == 20
    assert sorted(found.refused) == [
        f"{name}: its name leads out of the zip" for name in ("../../evil.jpg", "/etc/evil.jpg")
    ]
    assert set(tmp_path.rglob("*")) == before | {path}


def test_bombs_and_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = jpegs(tmp_path, 20)
    files["bomb.png"] = b"\0" * 12_000_000
    path = packed(tmp_path / "a.zip", files)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag that says: encrypted, of the first file
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"19 pictures in .* are too few"):
        photos.take(path)
    monkeypatch.setattr(photos, "LEAST", 10)
    found = photos.take(path)
    assert "trip/p000.jpg: locked with a password" in found.refused
    assert [line for line in found.refused if line.startswith("bomb.png: packed a hundred times smaller")]
    monkeypatch.setattr(archive, "LARGEST", 1000)
    with pytest.raises(ValueError, match="MB unpacked"):
        photos.take(path)


def test_damaged_zips(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"PK and then nothing")
    with pytest.raises(ValueError, match="is no zip, or a damaged one"):
        photos.take(tmp_path / "no.zip")
    path = packed(tmp_path / "a.zip", jpegs(tmp_path, 21))
    with zipfile.ZipFile(path) as whole:
        entry = whole.infolist()[4]
    data = bytearray(path.read_bytes())
    start = entry.header_offset + 30 + len(entry.filename) + 400
    data[start : start + 50] = bytes(50)
    path.write_bytes(data)
    found = photos.take(path)
    assert len(found.names) == 20
    assert len(found.refused) == 1
    assert found.refused[0].startswith("trip/p004.jpg: damaged (")


@pytest.mark.parametrize(
    ("mark", "skip", "bytes_"),
    [
        (b"PK\1\2", 6, b"\x63"),  # wants version 9.9 of zip
        (b"caf\xc3\xa9", 3, b"\xe9a"),  # a name that says UTF-8 and is none
    ],
)
def test_zips_that_nobody_reads(tmp_path: Path, mark: bytes, skip: int, bytes_: bytes) -> None:
    path = packed(tmp_path / "a.zip", {"café.jpg": b"a picture"})
    data = bytearray(path.read_bytes())
    at = data.rindex(mark) + skip
    data[at : at + len(bytes_)] = bytes_
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.zip is no zip, or a damaged one \("):
        photos.take(path)


def test_a_damaged_entry_and_one_without_a_name_cost_themselves(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as out:
        for name, data in {**jpegs(tmp_path, 21), "0": b"nameless"}.items():
            out.writestr(name, data)
        damaged, nameless = out.infolist()[4], out.infolist()[-1]
    whole = bytearray(file.getvalue())
    for at in range(damaged.header_offset + 60, damaged.header_offset + 400):
        whole[at] ^= 0x55
    entry = whole.rindex(b"PK\1\2")
    assert whole[entry + 46 : entry + 47] == nameless.filename.encode()
    whole[entry + 46] = 0
    (tmp_path / "a.zip").write_bytes(whole)
    found = photos.take(tmp_path / "a.zip")
    assert len(found.names) == 20
    assert found.refused == ["trip/p004.jpg: damaged (Corrupt input data)"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_and_a_name_that_is_no_utf8_stop_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    picture = Image.new("RGB", (300, 300), (90, 120, 150))
    with open(os.fsencode(tmp_path) + b"/bad\xff\xfe.jpg", "wb") as file:
        picture.save(file, "JPEG")
    found = dict(folder.files(tmp_path))
    assert "it is no file" in str(found.pop("pipe.jpg"))
    ((name, opened),) = found.items()
    name.encode("utf-8")
    assert callable(opened)
    with opened() as photograph:
        assert Image.open(photograph).size == (300, 300)


def latin(parent: Path, name: str) -> Path:
    """A path whose name is Latin-1 and so no UTF-8."""
    return Path(os.fsdecode(os.fsencode(parent) + b"/" + name.encode("latin-1")))


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode here")
def test_what_is_called_in_latin_1_is_written_down(tmp_path: Path) -> None:
    path = latin(tmp_path, "café")
    save(path, 20)
    for name, number in (("é.jpg", 30), ("è.jpg", 31)):
        paint(number).save(latin(path, name))
    found = photos.take(path)
    assert len(set(found.names)) == 22
    assert found.source == "caf\\xe9"
    found.save(tmp_path / "out", "mine")
    assert json.loads((tmp_path / "out" / "world.json").read_text(encoding="utf-8"))["source"] == "caf\\xe9"


def test_the_folder_that_one_is_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "bark", 20)
    monkeypatch.chdir(tmp_path / "bark")
    assert photos.take(Path(".")).source == "bark"


def test_linked_files_are_read_and_linked_folders_are_not(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere", 2)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").symlink_to(tmp_path / "elsewhere" / "p000.jpg")
    (tmp_path / "in" / "more").symlink_to(tmp_path / "elsewhere")
    assert [name for name, _ in folder.files(tmp_path / "in")] == ["a.jpg"]
