"""OpenVINO: precision by measurement, remembered; static shapes; bad files told in one sentence."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perform.card import Asset, Size
from perform.engines import openvino
from perform.engines.openvino import OpenVino, candidates, choose, default_threads
from perform.engines.trial import probe
from perform.library import Card, CardError, Library
from perform.notes import Notes
from perform.plugins import EngineError
from tests.engines.worlds import CARD, make_world, onnx_bytes, write_card

SHAPE = (64, 32)


def world(tmp_path: Path, data: bytes | None = None, card: str = CARD) -> Card:
    folder = tmp_path / "models" / "dark"
    if not folder.exists():
        make_world(tmp_path / "models", "dark")
    if data is not None:
        (folder / "m.onnx").write_bytes(data)
    write_card(folder, ["s", "m"], card)
    return Library([tmp_path / "models"]).card("dark")


def test_the_fastest_precision_is_taken_and_remembered(tmp_path: Path) -> None:
    card = world(tmp_path)
    first = OpenVino(cache=tmp_path / "cache").load(card, "m", SHAPE)
    (key, precision), *more = json.loads((tmp_path / "cache" / "openvino.json").read_text()).items()
    assert not more
    assert precision in ("bf16", "fp32")
    assert first.note.startswith(f"OpenVINO {precision}, ")
    assert "64x32" in key
    assert card.size("m").files["onnx"].sha256[:16] in key
    other = "fp32" if precision == "bf16" else "bf16"
    (tmp_path / "cache" / "openvino.json").write_text(json.dumps({key: other}))
    second = OpenVino(cache=tmp_path / "cache").load(card, "m", SHAPE)
    assert second.note.startswith(f"OpenVINO {other}, ")
    assert list((tmp_path / "cache" / "openvino").iterdir())  # compiled networks
    assert second.nbytes > 0


def test_a_precision_that_cannot_be_played_any_more_is_told_and_another_one_plays(tmp_path: Path) -> None:
    card = world(tmp_path)
    size = card.size("m")
    damaged = replace(size.files["onnx"], path=tmp_path / "gone.onnx")
    both = replace(card, sizes={**card.sizes, "m": replace(size, files={**size.files, "int8": damaged})})
    hardware = OpenVino(cache=tmp_path / "cache")
    notes, key = Notes(tmp_path / "cache" / "openvino.json"), hardware._key(hardware._library(), both.size("m"), SHAPE)
    notes.put(key, "int8")
    played = hardware.load(both, "m", SHAPE)
    assert played.note.startswith(("OpenVINO bf16, ", "OpenVINO fp32, "))
    assert "gone.onnx" in played.note
    assert notes.get(key) == "int8", "once the file is back, it is known already"


def compiled(folder: Path, *ages: tuple[int, int], nbytes: int = 100) -> list[Path]:
    """Files as OpenVINO leaves them, read-only, each with the seconds at which it was read and made."""
    folder.mkdir(parents=True)
    paths = [folder / f"{n}.blob" for n in range(len(ages))]
    for path, age in zip(paths, ages, strict=True):
        path.write_bytes(b"x" * nbytes)
        path.chmod(0o440)
        os.utime(path, age)
    return paths


def test_the_compiled_networks_used_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "ROOM", 250)
    read_today, made_long_ago, made_today = compiled(tmp_path / "openvino", (90, 10), (20, 20), (30, 80))
    openvino.tidy(tmp_path / "openvino")
    assert [path.exists() for path in (read_today, made_long_ago, made_today)] == [True, False, True]
    monkeypatch.setattr(openvino, "ROOM", 50)
    openvino.tidy(tmp_path / "openvino")
    assert list((tmp_path / "openvino").iterdir()) == [read_today]  # however large


def test_a_load_keeps_the_compiled_networks_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "ROOM", 1_000_000)
    old = compiled(tmp_path / "cache" / "openvino", (1, 1), (2, 2), nbytes=999_000)
    OpenVino("fp32", cache=tmp_path / "cache").load(world(tmp_path), "m", SHAPE)
    left = list((tmp_path / "cache" / "openvino").iterdir())
    assert len(left) == 1
    assert left[0] not in old


def test_compiled_networks_that_cannot_be_deleted_cost_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "ROOM", 150)
    paths = compiled(tmp_path / "openvino", (1, 1), (2, 2), (3, 3))
    unlink = Path.unlink

    def busy(path: Path, missing_ok: bool = False) -> None:
        if path == paths[1]:
            raise PermissionError(13, "the file is used by another process")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", busy)
    openvino.tidy(tmp_path / "openvino")
    assert [path.exists() for path in paths] == [False, True, True]
    openvino.tidy(tmp_path / "not there")


def test_what_goes_wrong_at_play_is_one_sentence(tmp_path: Path) -> None:
    generator = OpenVino(cache=tmp_path / "cache").load(world(tmp_path), "m", SHAPE)
    assert generator.session is not None
    with pytest.raises(EngineError, match="OpenVINO cannot compute it: "):
        generator.session()(probe((32, 32)), np.zeros(2, np.float32))


@pytest.mark.parametrize(
    ("times", "best"),
    [
        ({"int8": 1.2, "bf16": 1.0, "fp32": 4.0}, "int8"),
        ({"int8": 1.4, "bf16": 1.0, "fp32": 4.0}, "bf16"),
        ({"bf16": 5.0, "fp32": 1.0}, "fp32"),
        ({"int8": 1.0}, "int8"),
    ],
)
def test_int8_is_preferred_unless_it_is_much_slower(times: dict[str, float], best: str) -> None:
    assert choose(times) == best


def test_candidates_follow_the_files_and_the_wish() -> None:
    files = {"int8": Asset(Path("i"), ""), "onnx": Asset(Path("o"), ""), "weights": Asset(Path("w"), "")}
    size = Size("m", 1.0, 1, 64, files, {})
    assert list(candidates(size, "auto")) == ["int8", "bf16", "fp32"]
    assert candidates(size, "fp32") == {"fp32": files["onnx"]}
    assert candidates(Size("m", 1.0, 1, 64, {"weights": files["weights"]}, {}), "auto") == {}


def test_the_same_compiled_network_serves_several_sessions(tmp_path: Path) -> None:
    generator = OpenVino("fp32", 1, tmp_path / "cache").load(world(tmp_path), "m", SHAPE)
    assert generator.session is not None
    one, two = generator.session(), generator.session()
    picture = probe(SHAPE)
    first = one(picture, np.float32([0, 0])).copy()
    second = two(picture[::-1].copy(), np.float32([0, 0]))
    assert np.array_equal(first[..., :3], 255 - picture[..., :3])
    assert np.array_equal(second[::-1], first)


def test_a_world_without_a_mood_takes_none(tmp_path: Path) -> None:
    start, end = CARD.index("[mood]"), CARD.index("[network]")
    plain = CARD[:start] + CARD[end:]
    card = world(tmp_path, onnx_bytes(mood=0), plain)
    generator = OpenVino("fp32", cache=tmp_path / "cache").load(card, "m", SHAPE)
    assert generator.mood == 0
    assert generator.session is not None
    assert generator.session()(probe(SHAPE), np.zeros(0, np.float32)).shape == (32, 64, 4)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"m\.onnx is not an ONNX network that OpenVINO can read"),
        (b"not a network at all", r"m\.onnx is not an ONNX network that OpenVINO can read"),
        (onnx_bytes()[:-40], r"m\.onnx is not an ONNX network that OpenVINO can read"),
        (onnx_bytes(mood=0), r"m\.onnx takes picture and gives 1 results; a world takes mood and picture"),
        (onnx_bytes(mood=3), r"m\.onnx cannot dream at 64×32"),
        (onnx_bytes(bad=float("nan")), r"m\.onnx holds weights that are not finite numbers \(offset\)"),
        (onnx_bytes(bad=float("inf")), "not finite"),
        (onnx_bytes(sign=0.0), "the network gave an empty picture"),
    ],
)
def test_a_bad_network_is_told_in_one_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(EngineError, match=said) as why:
        OpenVino(cache=tmp_path / "cache").load(world(tmp_path, data), "m", SHAPE)
    assert "\n" not in str(why.value)


def test_one_thread_at_a_time_looks_through_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, inside, most = world(tmp_path), [], []
    both = threading.Barrier(2)

    def look(model: object, path: Path) -> None:
        inside.append(path)
        most.append(len(inside))
        time.sleep(0)  # whoever waits may come now
        inside.remove(path)

    def load() -> None:
        both.wait(60.0)
        for _ in range(20):
            openvino._sane(None, card.folder)

    monkeypatch.setattr(openvino, "_look_through", look)
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 40


def test_missing_and_foreign_files_are_told(tmp_path: Path) -> None:
    card = world(tmp_path)
    path = tmp_path / "models" / "dark" / "m.onnx"
    path.write_bytes(onnx_bytes(1.0))
    with pytest.raises(CardError, match="is not the file that its card describes"):
        OpenVino(cache=tmp_path / "cache").load(card, "m", SHAPE)
    path.unlink()
    with pytest.raises(CardError, match=r"m\.onnx is missing"):
        OpenVino(cache=tmp_path / "cache").load(card, "m", SHAPE)


def test_wrong_wishes_are_told(tmp_path: Path) -> None:
    card = world(tmp_path)
    with pytest.raises(ValueError, match="precision is auto, int8, bf16, fp32, not 'int4'"):
        OpenVino("int4")
    with pytest.raises(ValueError, match="threads is 0"):
        OpenVino(threads=-7)
    with pytest.raises(EngineError, match="dark m brings no ONNX file for precision int8"):
        OpenVino("int8", cache=tmp_path).load(card, "m", SHAPE)
    with pytest.raises(EngineError, match="60×32 is not a size this world dreams at: sides are multiples of 8"):
        OpenVino("fp32", cache=tmp_path).load(card, "m", (60, 32))
    with pytest.raises(CardError, match="has no size 'xl'"):
        OpenVino("fp32", cache=tmp_path).load(card, "xl", SHAPE)


def test_some_core_is_left_for_the_show_where_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 2), (4, 3), (8, 7)):
        monkeypatch.setattr("os.sched_getaffinity", lambda pid, n=cores: set(range(n)), raising=False)
        assert default_threads() == threads
