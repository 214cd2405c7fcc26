"""perform build, as somebody at a shell meets it, and what it makes of a show."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perform import cli
from perform.card import Card
from perform.cli import build
from perform.cli.build import Need, needs
from perform.engines import targets
from perform.engines.targets import Built
from perform.library import Library
from perform.plugins import EngineError
from perform.show import load
from tests.engines.worlds import make_world

SHOW = """[show]
size = [64, 32]
fps = 30
[source.card]
type = "testcard"
[[layer]]
name = "dream"
world = "dark"
size = "m"
resolution = [64, 32]
"""
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Run the verb in this process, with a cache folder of its own: (exit code, standard output, standard error)."""
    for module in ("perform.notes", "perform.engines.openvino", "perform.engines.targets"):
        monkeypatch.setattr(f"{module}.cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("perform.engines.cabinet.cache_folder", lambda: tmp_path / "cache")

    def said(*words: object) -> tuple[int, str, str]:
        code = cli.main(["build", *map(str, words)])
        out, err = capfd.readouterr()
        return code, out, err

    return said


@pytest.fixture
def show(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    for name in ("dark", "light"):
        make_world(tmp_path / "models", name)
    path = tmp_path / "show.toml"
    path.write_text(SHOW)
    return path


@dataclass
class FakeTarget:
    """Builds nothing; `fails` names the worlds it cannot build."""

    name: str
    fails: tuple[str, ...] = ()
    built: list[Need] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)  # it was opened with

    def build(self, card: Card, size: str, shape: tuple[int, int], say: Callable[[str], None]) -> Built:
        say("half way")
        if card.world in self.fails:
            raise EngineError(f"{card.world} cannot be built")
        need = Need(card.world, size, shape)
        kept = need in self.built
        self.built.append(need)
        return Built(kept, "there already" if kept else "built")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeTarget]:
    """Stand-ins for all targets but TensorRT, which is not here."""
    fakes = {"openvino": FakeTarget("openvino"), "rtx": FakeTarget("rtx")}

    def opened(name: str, keys: Any = None) -> FakeTarget:
        if name not in fakes:
            raise EngineError("there is no card")
        fakes[name].keys = dict(keys)
        return fakes[name]

    monkeypatch.setattr(targets, "open_target", opened)
    return fakes


# ---------------------------------------------------------------- what a show needs
def wanted(path: Path, more: str = "") -> tuple[list[str], list[str]]:
    path.write_text(SHOW + more)
    shown = load(path)
    found, wrong = needs(shown, Library(shown.models))
    return [str(need) for need in found], wrong


def test_a_layers_world_is_needed_at_its_size_and_shape(show: Path) -> None:
    assert wanted(show) == (["dark m 64×32"], [])
    assert wanted(show, '[[layer]]\nname = "plain"\nsource = "card"\n') == (["dark m 64×32"], [])


def test_a_cue_whose_pattern_cannot_be_read_plays_nothing(show: Path) -> None:
    cue = '[[cue]]\nname = "a"\nset = { "/layer/[1/world" = "light", "/layer/1/size" = "s" }\n'
    assert wanted(show, cue) == (["dark m 64×32", "dark s 64×32"], [])


def test_sides_are_those_that_the_network_takes(show: Path) -> None:
    assert wanted(show, '[[layer]]\nname = "b"\nworld = "light"\nresolution = [101, 50]\n')[0][1] == "light m 104×48"


@pytest.mark.parametrize("address", ["/layer/dream", "/layer/1", "/Layer/DREAM", "/layer/*", "/layer/{dream,x}"])
def test_what_cues_set_is_needed_too(show: Path, address: str) -> None:
    cues = f'[[cue]]\nname = "a"\nset = {{ "{address}/world" = "light" }}\n'
    cues += f'[[cue]]\nname = "b"\nset = {{ "{address}/size" = "s", "/layer/dream/opacity" = 0.5 }}\n'
    assert wanted(show, cues) == (["dark m 64×32", "dark s 64×32", "light m 64×32", "light s 64×32"], [])


def beside(show: Path, name: str, *lines: str) -> None:
    """A preset in the show's folder."""
    path = show.parent / "presets" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["[set]", *lines, ""]))


@pytest.mark.parametrize("address", ["/layer/dream", "/layer/1", "/Layer/DREAM", "/layer/*"])
def test_what_a_preset_sets_is_needed_too(show: Path, address: str) -> None:
    beside(show, "calm", f'"{address}/world" = "light"')
    beside(show, "wild", f'"{address}/size" = "s"', '"/layer/dream/opacity" = 0.5')
    (show.parent / "presets" / "cut-off.toml").write_text("[set")
    assert wanted(show) == (["dark m 64×32", "dark s 64×32", "light m 64×32", "light s 64×32"], [])


def test_a_size_that_a_preset_brings_is_that_of_its_world(show: Path) -> None:
    make_world(show.parent / "models", "large", sizes=("m", "l"))
    beside(show, "large", '"/layer/dream/world" = "large"', '"/layer/dream/size" = "l"')
    assert wanted(show) == (["dark m 64×32", "large m 64×32", "large l 64×32"], [])
    beside(show, "large", '"/layer/dream/world" = "large"', '"/layer/dream/size" = "s"')
    assert wanted(show)[1] == ["the world 'large' has no size 's'; there are l, m (the preset 'large' brings it)"]


def test_a_size_that_a_world_has_not_got_costs_it_no_other_and_is_told_with_its_own_preset(show: Path) -> None:
    make_world(show.parent / "models", "large", sizes=("m", "l"))
    for name, size in (("a", "s"), ("b", "l")):
        beside(show, name, '"/layer/dream/world" = "large"', f'"/layer/dream/size" = "{size}"')
    found, (wrong,) = wanted(show)
    assert found == ["dark m 64×32", "dark s 64×32", "large m 64×32", "large l 64×32"]
    assert wrong == "the world 'large' has no size 's'; there are l, m (the preset 'a' brings it)"
    beside(show, "b", '"/layer/dream/world" = "large"', '"/layer/dream/size" = "xl"')
    assert wanted(show)[1][1].endswith("no size 'xl'; did you mean 'l'? (the preset 'b' brings it)")
    beside(show, "b", '"/layer/dream/world" = "dark"', '"/layer/dream/size" = "xl"')
    assert wanted(show)[1][0].endswith("'dark' has no size 'xl'; there are m, s (the preset 'b' brings it)")


def test_a_world_of_a_preset_that_is_not_there_is_told_with_the_preset(show: Path) -> None:
    beside(show, "old", '"/layer/dream/world" = "lihgt"')
    found, wrong = wanted(show)
    assert found == ["dark m 64×32"]
    assert wrong == ["there is no world 'lihgt'; did you mean 'light'? (the preset 'old' brings it)"]


def test_a_world_that_is_not_there_is_told_once(show: Path) -> None:
    cue = '[[cue]]\nname = "{}"\nset = {{ "/layer/1/world" = "lihgt" }}\n'
    found, wrong = wanted(show, cue.format("a") + cue.format("b"))
    assert found == ["dark m 64×32"]
    assert wrong == ["there is no world 'lihgt'; did you mean 'light'?"]
    assert wanted(show, '[[cue]]\nname = "a"\nset = { "/layer/1/size" = "xl" }\n')[1] == [
        "the world 'dark' has no size 'xl'; there are m, s"
    ]


# ---------------------------------------------------------------- the verb
def test_everything_is_built_for_every_target_that_is_here(say: Say, show: Path, made: dict[str, FakeTarget]) -> None:
    show.write_text(SHOW + '[[cue]]\nname = "a"\nset = { "/layer/1/world" = "light" }\n')
    lines = [
        "cuda      not here: there is no card",
        "tensorrt  not here: there is no card",
        "openvino  dark m 64×32: {}",
        "rtx       dark m 64×32: {}",
        "openvino  light m 64×32: {}",
        "rtx       light m 64×32: {}",
        f"{show}: 2 worlds, 4 engines: ready",
    ]
    assert say(show) == (0, "\n".join(lines).format(*["built"] * 4) + "\n", "")
    assert say(show) == (0, "\n".join(lines).format(*["there already"] * 4) + "\n", "")


def test_one_target_alone(say: Say, show: Path, made: dict[str, FakeTarget]) -> None:
    assert say(show, "--target", "rtx") == (0, f"rtx       dark m 64×32: built\n{show}: 1 world, 1 engine: ready\n", "")
    assert made["openvino"].built == []
    assert say(show, "--target", "tensorrt") == (2, "", "perform: tensorrt not here: there is no card\n")


def test_the_engine_that_the_show_names_is_the_one_that_is_built(
    say: Say, show: Path, made: dict[str, FakeTarget]
) -> None:
    show.write_text(SHOW + '[engine]\ntype = "openvino"\n')
    assert say(show)[0] == 0
    assert made["openvino"].built
    assert made["rtx"].built == []


@pytest.mark.parametrize(
    ("engine", "keys"),
    [
        ('type = "cuda"\ndevice = 1\nbridge = "host"\n', {"device": 1}),
        ('type = "rtx"\ndevice = 1\n', {"device": 1}),
        ('type = "cuda"\n', {}),
        ('type = "torch"\ndevice = "cpu"\n', {}),
    ],
)
def test_it_is_built_for_the_card_that_the_show_names(
    say: Say, show: Path, made: dict[str, FakeTarget], engine: str, keys: dict[str, Any]
) -> None:
    show.write_text(SHOW + "[engine]\n" + engine)
    assert say(show, "--target", "rtx")[0] == 0
    assert made["rtx"].keys == keys
    assert say(show, "--target", "openvino")[0] == 0
    assert made["openvino"].keys == {}


def test_a_world_without_any_engine_is_exit_code_2(say: Say, show: Path, made: dict[str, FakeTarget]) -> None:
    made["rtx"].fails = ("dark",)
    assert say(show)[0] == 0, "OpenVINO plays it"
    code, out, err = say(show, "--target", "rtx")
    assert (code, out) == (2, "rtx       dark m 64×32: dark cannot be built\n")
    assert err == f"perform: 1 of the 1 world that {show} plays: no engine\n"
    show.write_text(SHOW + '[[cue]]\nname = "a"\nset = { "/layer/1/world" = "lihgt" }\n')
    code, out, err = say(show)
    assert code == 2
    assert out.startswith("there is no world 'lihgt'; did you mean 'light'?\n")
    assert "1 of the 2 worlds" in err


def test_a_show_without_worlds_needs_nothing(say: Say, show: Path, made: dict[str, FakeTarget]) -> None:
    show.write_text(SHOW.replace('world = "dark"\n', ""))
    assert say(show)[:2] == (
        0,
        f"cuda      not here: there is no card\ntensorrt  not here: there is no card\n{show}: it plays no world\n",
    )


def test_a_machine_that_can_build_nothing_says_so(say: Say, show: Path, made: dict[str, FakeTarget]) -> None:
    made.clear()
    assert say(show) == (2, "", "perform: nothing can be built on this machine\n")


def test_whoever_watches_sees_a_bar(
    say: Say, show: Path, made: dict[str, FakeTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build.sys, "stdout", SimpleNamespace(isatty=lambda: True, **_streams()))
    code, out, _ = say(show)
    assert code == 0
    assert "openvino  dark m 64×32: built" in out
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert "rtx       dark m 64×32: there already\n" in say(show)[1]


def _streams() -> dict[str, Any]:
    return {name: getattr(sys.__stdout__, name) for name in ("write", "flush", "fileno", "encoding", "buffer")}


# ---------------------------------------------------------------- real targets
def test_openvino_is_compiled_once_and_found_again(say: Say, show: Path) -> None:
    code, out, _ = say(show, "--target", "openvino")
    assert code == 0
    assert out.startswith("openvino  dark m 64×32: compiled in ")
    assert "openvino  dark m 64×32: there already (OpenVINO " in say(show, "--target", "openvino")[1]


def test_rtx_is_built_without_a_card(say: Say, show: Path) -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed (pip install tensorrt-rtx)")
    code, out, _ = say(show, "--target", "rtx")
    assert code == 0
    assert re.match(r"rtx       dark m 64×32: compiled in \d+\.\d s: .* MB for sm80\+, sides of 8 to 4096\n", out)
    assert "dark m 64×32: there already: 0." in say(show, "--target", "rtx")[1]


def test_the_family_is_that_of_the_card_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engines.fake_cuda import FakeCuda, FakeTrt

    cuda = FakeCuda(cards=(("NVIDIA RTX 2080", 7, 5),))
    monkeypatch.setattr(targets, "library", lambda: FakeTrt(cuda))
    monkeypatch.setattr(targets, "bindings", lambda: cuda)
    monkeypatch.setattr(targets, "cuda_major", lambda: 13)
    assert targets.RtxTarget.open({}).family == "sm75"
    cuda.driver = 0
    assert targets.RtxTarget.open({}).family == "sm80+"


def test_tensorrt_needs_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    from perform.engines import tensorrt

    made = SimpleNamespace(
        quick=lambda card, size, shape: False,
        make=lambda card, size, shape, say: SimpleNamespace(close=lambda: None, nbytes=2e6, note="TensorRT fp16"),
    )
    offers = iter([tensorrt.Offer(None, "TensorRT: there is no card"), tensorrt.Offer(made, "there is one")])  # type: ignore[arg-type]
    asked: list[Any] = []
    monkeypatch.setattr(tensorrt, "standard_offer", lambda *facts: asked.append(facts) or next(offers))
    with pytest.raises(EngineError, match=r"^there is no card$"):
        targets.open_target("tensorrt")
    built = targets.open_target("tensorrt", {"device": 1}).build(None, "m", (64, 32), print)  # type: ignore[arg-type]
    assert built == Built(False, "built in 0 s: 2.0 MB (TensorRT fp16)")
    assert asked == [(None, 0), (None, 1)]


def test_cuda_makes_what_its_engine_will_play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from perform.engines.cuda import Cuda
    from perform.testing.board import HostBoard
    from perform.testing.cuda import RecordingCuda

    class Negative:
        note, nbytes, batch, closed = "torch compiled fp16", 1000, 1, 0

        def __call__(self, picture: Any, mood: Any) -> Any:
            dream = 255 - picture
            dream[..., 3] = 255
            return dream

        def close(self) -> None:
            self.closed += 1

    class Maker:
        def __init__(self, name: str, fails: str = "") -> None:
            self.name, self.fails, self.compute, self.kept = name, fails, Negative(), False

        def quick(self, *facts: Any) -> bool:
            return self.kept

        def make(self, *facts: Any) -> Negative:
            if self.fails:
                raise EngineError(self.fails)
            self.kept = True
            return self.compute

    makers = [Maker("TensorRT", "TensorRT cannot take it"), Maker("torch.compile"), Maker("torch")]
    board = HostBoard(RecordingCuda())
    monkeypatch.setattr(Cuda, "board", lambda self: board)
    monkeypatch.setattr(Cuda, "makers", lambda self, board: makers)
    make_world(tmp_path / "models", "dark")
    card = Library([tmp_path / "models"]).card("dark")
    target = targets.open_target("cuda", {"device": 0})
    built = target.build(card, "m", (64, 32), print)
    assert not built.kept
    assert re.fullmatch(r"built in \d+ s: torch compiled fp16, \d+\.\d ms a dream; TensorRT cannot take it", built.text)
    assert [maker.compute.closed for maker in makers] == [0, 1, 0]
    assert target.build(card, "m", (64, 32), print).kept


def test_cuda_needs_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    from perform.engines.cuda import Cuda

    def board(self: Cuda) -> None:
        raise EngineError("this torch was built without CUDA")

    monkeypatch.setattr(Cuda, "board", board)
    with pytest.raises(EngineError, match="built without CUDA"):
        targets.open_target("cuda")


def test_without_openvino_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EngineError, match="OpenVINO cannot be loaded: "):
        targets.open_target("openvino")
