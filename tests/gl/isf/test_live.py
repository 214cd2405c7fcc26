"""A patch that follows its file: what is saved is live, what is broken leaves the last good one on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from perform.clock import Clock, FixedClock, LiveClock, ManualClock
from perform.gl.context import Context
from perform.gl.isf import LivePatch, PatchError
from perform.gl.isf.cost import BRIEF, THOROUGH, NoEnd
from perform.gl.isf.live import AGAIN, PERIOD, SOON
from perform.gl.transfer import read
from perform.params import Params, Spec
from perform.plugins import Stage
from tests.gl.isf.conftest import Bench, Write

SIZE = (4, 4)


@pytest.fixture
def params() -> Params:
    return Params()


@pytest.fixture
def live(gl: Context, params: Params) -> Iterator[Callable[..., LivePatch]]:
    opened: list[LivePatch] = []

    def make(path: Path, **more: Any) -> LivePatch:
        opened.append(LivePatch(path, params, "/source/x", **{"watch": False, **more}))
        return opened[-1]

    yield make
    for patch in opened:
        patch.close()
        patch.close()


def save(path: Path, text: str) -> None:
    """Save with a time that is surely another one."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    stamp = max(time.time_ns(), before + 1_000_000)
    os.utime(path, ns=(stamp, stamp))


def pixel(patch: LivePatch, **images: Any) -> list[int]:
    found: list[int] = read(patch.render(SIZE, 0.0, images))[0, 0].tolist()
    return found


def paint(color: str) -> str:
    return f'/*{{"ISFVSN": "2"}}*/\nvoid main() {{ gl_FragColor = vec4({color}); }}'


def test_a_saved_change_is_live_at_the_next_frame(live: Callable[..., LivePatch], tmp_path: Path) -> None:
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    assert pixel(patch) == [255, 0, 0, 255]
    assert patch.look() is False
    save(path, paint("0.0, 1.0, 0.0, 1.0"))
    assert patch.look() is True
    assert pixel(patch) == [0, 255, 0, 255]
    assert patch.error == ""


def test_a_broken_one_keeps_the_last_good_version_and_says_why(live: Callable[..., LivePatch], tmp_path: Path) -> None:
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    pixel(patch)
    for text, says in (
        ('/*{"ISFVSN": "2"}*/\nvoid main() {\n  gl_FragColor = oops;\n}', f"{path}:3: "),
        ('/*{"ISFVSN": "2",\n"INPUTS": [}*/\nvoid main() {}', f"{path}:2: the ISF header is not JSON"),
        ("", ""),  # an editor on its way to saving
    ):
        save(path, text)
        patch.look()
        assert pixel(patch) == [255, 0, 0, 255]
        if says:
            assert patch.error.startswith(says)
    save(path, paint("0.0, 0.0, 1.0, 1.0"))
    patch.look()
    assert pixel(patch) == [0, 0, 255, 255]
    assert patch.error == ""


def test_a_patch_that_starts_broken_is_transparent_until_it_is_mended(
    live: Callable[..., LivePatch], tmp_path: Path
) -> None:
    save(path := tmp_path / "a.fs", "nothing")
    patch = live(path)
    assert pixel(patch) == [0, 0, 0, 0]
    assert not patch.ready
    assert "neither mainImage" in patch.error
    assert patch.render((6, 2), 0.0).width == 6
    save(path, paint("1.0"))
    patch.look()
    assert pixel(patch) == [255] * 4
    assert patch.ready


def test_a_file_that_vanishes_changes_nothing(live: Callable[..., LivePatch], tmp_path: Path) -> None:
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = live(path)
    pixel(patch)
    path.unlink()
    assert patch.look() is False
    assert pixel(patch) == [255] * 4


def test_the_vertex_shader_and_images_are_watched_too(live: Callable[..., LivePatch], tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "i.png"
    head = '/*{"IMPORTED": {"i": {"PATH": "i.png"}}}*/\n'
    save(path := tmp_path / "a.fs", head + "varying float k; void main() { gl_FragColor = IMG_THIS_PIXEL(i) * k; }")
    save(tmp_path / "a.vs", "varying float k; void main() { isf_vertShaderInit(); k = 1.0; }")
    patch = live(path)
    assert pixel(patch) == [0, 0, 0, 0]
    assert "i.png is not there" in patch.error
    Image.new("RGBA", (2, 2), (200, 100, 0, 255)).save(picture)
    assert patch.look()
    assert pixel(patch) == [200, 100, 0, 255]
    save(tmp_path / "a.vs", "varying float k; void main() { isf_vertShaderInit(); k = 0.5; }")
    assert patch.look()
    assert pixel(patch) == [100, 50, 0, 128]
    (tmp_path / "a.vs").unlink()
    assert patch.look()


def test_what_the_performer_set_survives_a_save(live: Callable[..., LivePatch], params: Params, write: Write) -> None:
    body = "void main() { gl_FragColor = vec4(k); }"
    path = write(body, INPUTS=[{"NAME": "k", "TYPE": "float", "DEFAULT": 0.2}, {"NAME": "old", "TYPE": "bool"}])
    patch = live(path)
    assert pixel(patch) == [51] * 4
    params.post("/source/x/k", 0.6)
    params.settle(0.0)
    assert pixel(patch) == [153] * 4
    inputs = [{"NAME": "k", "TYPE": "float", "DEFAULT": 0.1, "MAX": 4}, {"NAME": "new", "TYPE": "float"}]
    save(path, write(body, "other.fs", INPUTS=inputs).read_text("utf-8"))
    patch.look()
    assert pixel(patch) == [153] * 4
    assert params["/source/x/k"].spec.hi == 4
    assert "/source/x/new" in params
    assert "/source/x/old" not in params


def test_an_input_that_is_left_out_of_a_version_comes_back_as_it_was_set(
    live: Callable[..., LivePatch], params: Params, write: Write
) -> None:
    path = write("void main() {}", "a.fs")

    def play(default: float, *names: str) -> dict[str, float]:
        inputs = [{"NAME": name, "TYPE": "float", "DEFAULT": default} for name in names]
        save(path, write("void main() {}", "other.fs", INPUTS=inputs).read_text("utf-8"))
        patch.look()
        pixel(patch)
        assert set(patch.inputs) == set(names)
        return {name: params[f"/source/x/{name}"].base for name in names}

    params.expect({"/source/x/shows": 0.2})
    patch = live(path)
    play(1.0, "shows", "Hands", "fading", "nobodys")
    params.post("/source/x/hands", 0.6)
    params.settle(0.0)
    params.post("/source/x/fading", 0.7, seconds=2.0)
    params.settle(1.0)
    play(1.0)
    assert play(0.5, "shows", "Hands", "fading", "nobodys") == {
        "shows": 0.2, "Hands": 0.6, "fading": 0.7, "nobodys": 0.5,
    }  # fmt: skip
    play(1.0)
    params.remove("/source/x")
    assert play(0.5, "shows") == {"shows": 0.5}  # another source


def test_an_input_that_changes_its_case_is_not_in_its_own_way(
    live: Callable[..., LivePatch], params: Params, write: Write
) -> None:
    def text(name: str) -> str:
        body = f"void main() {{ gl_FragColor = vec4({name}); }}"
        return write(body, "other.fs", INPUTS=[{"NAME": name, "TYPE": "float", "DEFAULT": 0.2}]).read_text("utf-8")

    path = write("void main() {}", "a.fs")
    save(path, text("speed"))
    patch = live(path)
    assert pixel(patch) == [51] * 4
    save(path, text("Speed"))
    patch.look()
    assert pixel(patch) == [51] * 4
    assert params["/source/x/Speed"].address == "/source/x/Speed"


def test_a_version_whose_inputs_cannot_be_declared_leaves_the_one_before_it_whole(
    live: Callable[..., LivePatch], params: Params, write: Write
) -> None:
    body = "void main() { gl_FragColor = vec4(k); }"
    path = write(body, INPUTS=[{"NAME": "k", "TYPE": "float", "DEFAULT": 0.2}])
    patch = live(path)
    pixel(patch)
    params.post("/source/x/k", 0.4)
    params.settle(0.0)
    assert pixel(patch) == [102] * 4
    params.declare("/source/x/Loud", Spec("bool", False))  # its host's
    inputs = [{"NAME": "loud", "TYPE": "bool"}]
    save(path, write("void main() { gl_FragColor = vec4(1.0); }", "other.fs", INPUTS=inputs).read_text("utf-8"))
    patch.look()
    assert pixel(patch) == [102] * 4
    assert "differ only by case" in patch.error
    params.post("/source/x/k", 0.6)
    params.settle(0.0)
    assert pixel(patch) == [153] * 4


def test_closing_does_not_wait_for_a_rehearsal(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, over = threading.Event(), threading.Event()

    def rehearse(path: Path, form: str, size: tuple[int, int]) -> float | None:
        begun.set()
        over.wait(60.0)
        return None

    monkeypatch.setattr("perform.gl.isf.live.rehearse", rehearse)
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path, watch=True)
    pixel(patch)
    save(path, paint("0.0, 1.0, 0.0, 1.0"))
    assert begun.wait(60.0)
    watcher = patch._watcher
    patch.close()
    assert watcher is not None
    assert watcher.alive, "it was not waited for"
    over.set()
    assert watcher.close(60.0)


def test_pictures_sound_and_overrides_reach_it(live: Callable[..., LivePatch], bench: Bench, write: Write) -> None:
    names = ("inputImage", "image"), ("wave", "audio"), ("fft", "audioFFT")
    inputs = [{"NAME": n, "TYPE": t} for n, t in names] + [{"NAME": "progress", "TYPE": "float"}]
    calls = ", ".join(f"IMG_NORM_PIXEL({n}, vec2(0.5)).r" for n, _ in names)
    patch = live(write(f"void main() {{ gl_FragColor = vec4({calls}, progress); }}", INPUTS=inputs))
    picture, wave, fft = (bench.picture([[[level, 0, 0, 255]]]) for level in (200, 100, 50))
    texture = patch.render(SIZE, 0.0, {"inputImage": picture, "audio": wave, "audioFFT": fft}, progress=0.2)
    assert read(texture)[0, 0].tolist() == [200, 100, 50, 51]


def test_the_serial_grows_and_the_format_is_kept(live: Callable[..., LivePatch], write: Write) -> None:
    patch = live(write("void main() { gl_FragColor = vec4(1.0); }"), format="rgba16f")
    assert patch.render(SIZE, 0.0).format == "rgba16f"
    patch.render(SIZE, 0.1)
    assert patch.serial == 2


def test_the_date_is_the_shows(live: Callable[..., LivePatch], write: Write) -> None:
    path = write("void main() { gl_FragColor = vec4(DATE.w / 255.0); }")
    assert pixel(live(path, date=lambda: (2026.0, 1.0, 1.0, 7.0))) == [7] * 4


def test_a_patch_that_would_hold_the_show_is_refused(live: Callable[..., LivePatch], tmp_path: Path) -> None:
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = live(path)
    patch.render((1280, 720), 0.0)
    loop = "for (int i = 0; i < 60000; i++) x = fract(sin(x + TIME) * 43758.5453) + 0.01;"
    save(path, f"void main() {{ float x = gl_FragCoord.x; {loop} gl_FragColor = vec4(x); }}".replace("TIME", "x"))
    patch.look()
    assert read(patch.render((1280, 720), 0.1)).min() == 255
    assert "too slow to show" in patch.error


def test_what_crashes_elsewhere_never_gets_on_stage(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path, form: str, size: tuple[int, int]) -> float | None:
        raise PatchError(path, 0, "crashes the graphics driver")

    monkeypatch.setattr("perform.gl.isf.live.rehearse", crash)
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    save(path, paint("0.0, 1.0, 0.0, 1.0"))
    assert pixel(patch) == [255, 0, 0, 255]
    assert patch.look(rehearsed=True)
    assert pixel(patch) == [255, 0, 0, 255]
    assert "crashes" in patch.error


@pytest.mark.parametrize(("takes", "probed"), [(0.5, False), (5.0, True), (None, True)])
def test_the_render_thread_measures_only_what_the_rehearsal_left_open(
    takes: float | None, probed: bool, live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    spent: list[float] = []

    def rehearsed(path: Path, form: str, size: tuple[int, int]) -> float | None:
        asked.append(size)
        return takes

    def measured(patch: Any, size: tuple[int, int], limit: float, spend: float) -> float:
        spent.append(spend)
        return 0.0

    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    assert pixel(patch) == [255, 0, 0, 255]
    monkeypatch.setattr("perform.gl.isf.live.rehearse", rehearsed)
    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", measured)
    save(path, paint("0.0, 1.0, 0.0, 1.0"))
    assert patch.look(rehearsed=True)
    assert pixel(patch) == [0, 255, 0, 255]
    assert asked == [SIZE]
    assert spent == ([BRIEF] if probed else [])


def test_a_picture_that_grew_since_the_rehearsal_is_measured_again(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    pixel(patch)
    monkeypatch.setattr("perform.gl.isf.live.rehearse", lambda *_: 0.5)
    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: 9.0)
    save(path, paint("0.0, 1.0, 0.0, 1.0"))
    patch.look(rehearsed=True)
    assert read(patch.render((64, 36), 0.0))[0, 0].tolist() == [255, 0, 0, 255]
    assert "a frame of 64×36 would take about 9.0 s: too slow to show" in patch.error


def test_a_patch_that_a_busy_machine_refused_is_tried_again(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a show's start, when everything else starts as well; nobody will come for weeks to save the file again."""
    now, tried = [9.0], []
    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: now[0])
    monkeypatch.setattr("perform.gl.isf.live.rehearse", lambda path, form, size: tried.append(size) or now[0])
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    assert pixel(patch) == [0, 0, 0, 0]
    assert "too slow to show" in patch.error
    assert not patch.again()
    assert pixel(patch) == [0, 0, 0, 0]
    now[0] = 0.5
    assert patch.again()
    assert pixel(patch) == [255, 0, 0, 255]
    assert patch.error == ""
    assert tried == [SIZE, SIZE]


def test_a_trial_that_a_busy_machine_does_not_get_done_is_not_the_last(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def rehearse(path: Path, form: str, size: tuple[int, int]) -> float:
        tried.append(path)
        if len(tried) == 1:
            raise NoEnd(path, 0, "a few tiny frames take more than 30 s")
        return 0.1

    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: 9.0)
    monkeypatch.setattr("perform.gl.isf.live.rehearse", rehearse)
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path)
    again = patch.again
    monkeypatch.setattr(patch, "again", lambda: (again(), pixel(patch)))  # a frame comes between two trials
    pixel(patch)
    patch._watch(Hour())  # type: ignore[arg-type]
    assert tried == [path, path]
    assert pixel(patch) == [255, 0, 0, 255]


def test_a_loop_without_an_end_that_was_saved_before_the_trial_is_said(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rehearse(path: Path, form: str, size: tuple[int, int]) -> float:
        raise NoEnd(path, 0, "a few tiny frames take more than 30 s")

    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: 9.0)
    monkeypatch.setattr("perform.gl.isf.live.rehearse", rehearse)
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = live(path)
    pixel(patch)
    assert not patch.again()
    pixel(patch)
    assert "too slow to show" in patch.error
    save(path, paint("0.5"))
    assert not patch.again()
    pixel(patch)
    assert "take more than 30 s" in patch.error


@pytest.mark.parametrize(
    ("clock", "spend"), [(LiveClock(), BRIEF), (FixedClock(), THOROUGH), (ManualClock(), THOROUGH)]
)
def test_a_patch_is_measured_thoroughly_where_nobody_waits(
    clock: Clock, spend: float, gl: Context, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[float] = []
    monkeypatch.setattr(
        "perform.gl.isf.live.seconds_a_frame", lambda patch, size, limit, spend: spent.append(spend) or 0.1
    )
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = LivePatch.on(Stage(params, clock, "/source/x", SIZE), path, "/source/x")
    patch.prepare(SIZE)
    patch.close()
    assert spent == [spend]


def test_what_is_wrong_when_it_is_tried_again_is_said(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may have been saved since it was looked at: the second trial is then the one that reads it."""
    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: 9.0)
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = live(path)
    pixel(patch)
    save(path, '/*{"ISFVSN": }*/\nvoid main() { gl_FragColor = vec4(1.0); }')
    assert not patch.again()
    pixel(patch)
    assert "too slow" not in patch.error
    assert "a.fs" in patch.error


class Hour:
    """Ends the watch after an hour of its own."""

    now = 0.0

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now > 3600.0


def test_only_what_was_too_slow_is_tried_again(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr(LivePatch, "again", lambda patch: tried.append(patch.path))
    for name, takes, text in (
        ("slow", 9.0, paint("1.0")),
        ("good", 0.1, paint("1.0")),
        ("wrong", 0.1, "void main() {"),
    ):
        monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_, takes=takes: takes)
        save(path := tmp_path / f"{name}.fs", text)
        patch = live(path)
        pixel(patch)
        patch._watch(Hour())  # type: ignore[arg-type]
    assert set(tried) == {tmp_path / "slow.fs"}


def test_what_was_judged_in_a_hurry_is_tried_again_soon_and_then_less_often(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: 9.0)
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = live(path)
    hour = Hour()
    tried: list[float] = []
    monkeypatch.setattr(patch, "again", lambda: tried.append(hour.now))
    pixel(patch)
    patch._watch(hour)  # type: ignore[arg-type]
    waits = [after - before for before, after in pairwise([0.0, *tried])]
    assert waits[:6] == pytest.approx([SOON * 2**n for n in range(6)], abs=2 * PERIOD)
    assert waits[6:] == pytest.approx([AGAIN] * 10, abs=2 * PERIOD)


def test_a_version_that_is_saved_is_tried_again_as_soon_as_the_first(
    live: Callable[..., LivePatch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.gl.isf.live.seconds_a_frame", lambda *_: 9.0)
    save(path := tmp_path / "a.fs", paint("1.0"))
    patch = live(path)
    hour, saved = Hour(), 1000.0
    tried: list[float] = []
    looks = iter([False] * round(saved / PERIOD) + [True])
    monkeypatch.setattr(patch, "again", lambda: tried.append(hour.now))
    monkeypatch.setattr(patch, "look", lambda rehearsed: next(looks, False))
    pixel(patch)
    patch._watch(hour)  # type: ignore[arg-type]
    assert next(when for when in tried if when > saved) == pytest.approx(saved + SOON, abs=2 * PERIOD)


def test_the_watcher_notices_by_itself(live: Callable[..., LivePatch], tmp_path: Path) -> None:
    save(path := tmp_path / "a.fs", paint("1.0, 0.0, 0.0, 1.0"))
    patch = live(path, watch=True)
    assert pixel(patch) == [255, 0, 0, 255]
    save(path, paint("0.0, 1.0, 0.0, 1.0"))
    deadline = time.monotonic() + 60.0
    while pixel(patch) != [0, 255, 0, 255]:
        assert time.monotonic() < deadline, "the change never arrived"
        time.sleep(0.01)
