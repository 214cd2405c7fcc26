"""TensorRT through torch-tensorrt: the real graph of every shipped world, exported here; building, on a stand-in."""

from __future__ import annotations

import gc
import importlib.util
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from perform import networks, paths
from perform.card import Card
from perform.engines import tensorrt_graph, tensorrt_kit
from perform.engines.tensorrt import Compiled, Offer, TensorRt, held, offers
from perform.engines.tensorrt_kit import Kit, load_kit
from perform.engines.torch import network_of
from perform.engines.trial import probe
from perform.gl.interop import CudaError
from perform.gl.interop.calls import NO_MEMORY
from perform.library import Library
from perform.plugins import EngineError
from tests.engines.worlds import CARD, make_world, plain_bytes, write_card

SHAPE = (64, 32)
SHIPPED = [
    (path.parent.name, size)
    for path in sorted(paths.models().glob("*/card.toml"))
    for size, about in Library([paths.models()]).card(path.parent.name).sizes.items()
    if "weights" in about.files
]
# What torch-tensorrt 2.13 (TensorRT-RTX 1.5) said it converts, asked with `dryrun=True` for landscape s and m: 86 of 86
# operators, but for a last cast to uint8 that has gone since. `_assert_tensor_metadata` and `getitem` vanish before.
CONVERTED = {
    "<built-in function getitem>", "aten._assert_tensor_metadata.default", "aten._to_copy.default", "aten.add.Tensor",
    "aten.addmm.default", "aten.arange.start_step", "aten.cat.default", "aten.clamp.default", "aten.clone.default",
    "aten.constant_pad_nd.default", "aten.convolution.default", "aten.div.Tensor", "aten.expand.default",
    "aten.floor.default", "aten.full_like.default", "aten.leaky_relu.default", "aten.mean.dim", "aten.mul.Tensor",
    "aten.permute.default", "aten.reflection_pad2d.default", "aten.relu.default", "aten.rsqrt.default",
    "aten.select.int", "aten.slice.Tensor", "aten.split_with_sizes.default", "aten.sqrt.default", "aten.sub.Tensor",
    "aten.tanh.default", "aten.unsqueeze.default", "aten.upsample_nearest2d.vec", "aten.view.default",
}  # fmt: skip


# The types that torch-tensorrt's runtime knows (`get_trt_aten_type_map`); at any other an engine's first run throws.
ENDS = {torch.float32, torch.float16, torch.bfloat16, torch.int32, torch.int64, torch.int8, torch.bool}


def world(folder: Path, seed: int = 0) -> Card:
    """A small real network with random weights, in `models/dark`."""
    home = folder / "models" / "dark"
    home.mkdir(parents=True, exist_ok=True)
    (home / "m.safetensors").write_bytes(plain_bytes(seed))
    write_card(home, ("m",))
    return Library([folder / "models"]).card("dark")


def stranger(folder: Path) -> Card:
    """A small network of another kind, without a mood, in `models/strange`."""
    home = folder / "models" / "strange"
    home.mkdir(parents=True)
    channels = [4, 2, 1, 1, 1, 1, 2, 4]
    arguments = {"inputs": 3, "channels": channels, "blocks": 1, "norm": "folded", "mobile": False}
    torch.manual_seed(3)
    (home / "m.safetensors").write_bytes(save(networks.build("resnet", arguments).state_dict()))
    start, end = CARD.index("[mood]"), CARD.index("[network]")
    text = write_card(home, ("m",), CARD[:start] + CARD[end:]).read_text().replace('name = "plain"', 'name = "resnet"')
    text = text.replace("widths = [8, 8, 8]\nblocks = 1\n", "")
    told = ", ".join(f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}".replace("'", '"')
                     for key, value in arguments.items())  # fmt: skip
    (home / "card.toml").write_text(text + f"arguments = {{ {told} }}\n")
    return Library([folder / "models"]).card("strange")


# ---------------------------------------------------------------- the graph
@pytest.mark.parametrize(("name", "size"), SHIPPED)
def test_every_shipped_world_is_made_of_what_tensorrt_converts(name: str, size: str) -> None:
    card = Library([paths.models()]).card(name)
    whole = tensorrt_graph.prepare(networks.load(card.raw, size, card.folder), "cpu")
    mood = card.mood.size if card.mood is not None else 0
    program = tensorrt_graph.export(whole, tensorrt_graph.example((64, 32), mood, "cpu"))
    assert tensorrt_graph.operators(program) <= CONVERTED


def test_the_graph_gives_the_very_bytes_of_the_network(tmp_path: Path) -> None:
    card = world(tmp_path)
    plain = network_of(torch, card, "m")
    plain.core.to(torch.float16)
    whole = tensorrt_graph.prepare(network_of(torch, card, "m"), "cpu")
    picture, mood = torch.from_numpy(probe(SHAPE))[None], torch.tensor([[0.5, -1.0]])
    program = tensorrt_graph.export(whole, (picture.half(), mood))
    with torch.inference_mode():
        assert torch.equal(tensorrt_graph.play(program.module(), picture, mood), plain(picture, mood))


def test_the_graph_is_of_types_that_the_runtime_knows(tmp_path: Path) -> None:
    whole = tensorrt_graph.prepare(network_of(torch, world(tmp_path), "m"), "cpu")
    program = tensorrt_graph.export(whole, tensorrt_graph.example(SHAPE, 2, "cpu")).run_decompositions()
    found = [node.meta["val"] for node in program.graph.nodes if "val" in node.meta]
    assert {value.dtype for value in found if isinstance(value, torch.Tensor)} <= ENDS
    assert whole.network.core.head.weight.dtype == torch.float16
    assert whole.network.core.head.weight.is_contiguous(memory_format=torch.channels_last)


# ---------------------------------------------------------------- building, on a stand-in
class Engine:
    """What takes the card's memory, in a torch-tensorrt module."""


class Spoilt(torch.nn.Module):
    """An engine that dreams something else."""

    def __init__(self, module: torch.nn.Module, spoil: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.module, self.spoil = module, spoil

    def forward(self, picture: torch.Tensor, mood: torch.Tensor) -> torch.Tensor:
        return self.spoil(self.module(picture, mood))


@dataclass
class FakeLibrary:
    """torch_tensorrt's words, with PyTorch's own graphs for engines: what is saved and loaded is real."""

    __version__: str = "2.13.0"
    did: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    fails: dict[str, Exception] = field(default_factory=dict)
    timings: list[bytes] = field(default_factory=list)
    chokes: set[bytes] = field(default_factory=set)  # on these timings
    programs: dict[int, Any] = field(default_factory=dict)  # of the modules it has given out
    engines: list[weakref.ref[Engine]] = field(default_factory=list)
    spoils: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def alive(self) -> int:
        """Engines that have not given the card's memory back."""
        return sum(engine() is not None for engine in self.engines)

    @property
    def dynamo(self) -> Any:
        return SimpleNamespace(compile=self.compile, refit_module_weights=self.refit)

    def _do(self, name: str) -> None:
        self.did.append(name)
        if name in self.fails:
            raise self.fails[name]

    def compile(
        self, program: Any, arg_inputs: Any, immutable_weights: bool = True, min_block_size: int = 5,
        timing_cache_path: str = "",
    ) -> Any:  # fmt: skip
        self._do("compile")
        self.keys = {"immutable_weights": immutable_weights, "min_block_size": min_block_size}
        timings = Path(timing_cache_path)
        self.timings.append(timings.read_bytes() if timings.exists() else b"")
        if self.timings[-1] in self.chokes:
            raise TypeError("set_timing_cache(): incompatible function arguments")
        timings.write_bytes(b"timings")  # as the library does, and fails if it cannot
        module, spoil = self._module(program), self.spoils
        return module if spoil is None else Spoilt(module, spoil)

    def refit(self, module: Any, program: Any, arg_inputs: Any) -> Any:
        self._do("refit")
        return self._module(program)

    def _module(self, program: Any) -> Any:
        module = self._engine(program.module())
        self.programs[id(module)] = program, module
        return module

    def _engine(self, module: Any) -> Any:
        """Runs on what the real runtime runs on, and holds the card's memory as long as there is an engine."""
        module.register_forward_pre_hook(lambda module, given: self._ends(given))
        module.register_forward_hook(lambda module, given, dream: self._ends([dream]))
        module._run_on_acc_0_engine = engine = Engine()
        self.engines.append(weakref.ref(engine))
        return module

    def _ends(self, tensors: Any) -> None:
        if unknown := {tensor.dtype for tensor in tensors} - ENDS:
            where = "[Error thrown at core/util/trt_util.cpp:322] Expected type to be true but got false"
            raise RuntimeError(f"{where}\nUnsupported TensorRT data type {unknown}\n")

    def save(self, module: Any, path: str, output_format: str, arg_inputs: Any) -> None:
        self._do("save")
        assert output_format == "exported_program"
        trace: list[Any] = [held for held in vars(module).values() if isinstance(held, Engine)]
        trace.append(trace)  # what was traced for it stays behind, in a cycle
        torch.export.save(self.programs[id(module)][0], path)

    def load(self, file: Any) -> Any:
        self._do("load")
        program = torch.export.load(file)
        return SimpleNamespace(module=lambda: self._engine(program.module()))


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


def maker(library: FakeLibrary, cache: Path, card: str = "NVIDIA A (8.9)", versions: str = "TensorRT 11") -> TensorRt:
    return TensorRt(lambda: Kit(library, "TensorRT", versions, card), cache, device="cpu")


def dreamt(compute: Any, mood: tuple[float, float] = (0.0, 0.0)) -> Any:
    with torch.inference_mode():
        return compute(torch.from_numpy(probe(SHAPE))[None], torch.tensor([mood])).numpy()


def right(card: Card) -> Any:
    network = network_of(torch, card, "m")
    network.core.to(torch.float16)
    return dreamt(network)


def test_a_world_is_built_kept_and_found_again(tmp_path: Path, library: FakeLibrary) -> None:
    card, said = world(tmp_path), list[str]()
    first = maker(library, tmp_path)
    assert not first.quick(card, "m", SHAPE)
    compute = first.make(card, "m", SHAPE, said.append)
    assert np.array_equal(dreamt(compute), right(card))
    assert (compute.note, compute.batch, first.name) == ("TensorRT fp16", 1, "TensorRT")
    assert compute.nbytes > 10_000
    assert [text.rpartition("(")[2] for text in said] == ["1 of 3)", "2 of 3)", "3 of 3)"]
    assert said[1].startswith("TensorRT is building dark m for 64x32")
    assert library.keys == {"immutable_weights": False, "min_block_size": 1}
    library.did.clear()
    second = maker(library, tmp_path)
    assert second.quick(card, "m", SHAPE)
    again = second.make(card, "m", SHAPE, said.append)
    assert library.did == ["load"]
    assert np.array_equal(dreamt(again), right(card))
    compute.close()
    compute.close()


@pytest.mark.parametrize(
    "other",
    [{"card": "NVIDIA B (8.9)"}, {"versions": "TensorRT 12"}],
    ids=["another card", "another version"],
)
def test_an_engine_from_elsewhere_is_never_trusted(tmp_path: Path, library: FakeLibrary, other: dict[str, str]) -> None:
    card = world(tmp_path)
    maker(library, tmp_path).make(card, "m", SHAPE, print)
    library.did.clear()
    maker(library, tmp_path, **other).make(card, "m", SHAPE, print)
    assert library.did == ["compile", "save"]


def test_timings_of_one_build_help_the_next(tmp_path: Path, library: FakeLibrary) -> None:
    card = world(tmp_path)
    for shape in (SHAPE, (32, 64)):
        maker(library, tmp_path).make(card, "m", shape, print)
    assert library.timings == [b"", b"timings"]
    (tmp_path / "file").write_text("")
    maker(library, tmp_path / "file").make(card, "m", SHAPE, print)  # no folder for them: built all the same
    assert library.timings[2] == b""


def test_damaged_timings_are_done_without(tmp_path: Path, library: FakeLibrary) -> None:
    card, kept = world(tmp_path), maker(library, tmp_path).cabinet().folder / "tensorrt-timings.bin"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"timi")
    library.chokes = {b"timi"}
    compute = maker(library, tmp_path).make(card, "m", SHAPE, print)
    assert np.array_equal(dreamt(compute), right(card))
    assert library.timings == [b"timi", b""]
    assert kept.read_bytes() == b"timings"


def test_a_graph_that_cannot_be_taken_costs_no_timings(tmp_path: Path, library: FakeLibrary) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    library.fails = {"compile": RuntimeError("no such operator")}
    with pytest.raises(EngineError, match="no such operator"):
        made.make(card, "m", SHAPE, print)
    assert library.did == ["compile"], "there were no timings that it could have been due to"
    kept = made.cabinet().folder / "tensorrt-timings.bin"
    made.cabinet().lay(kept.name, b"good")
    with pytest.raises(EngineError, match="no such operator"):
        made.make(card, "m", SHAPE, print)
    assert library.did == ["compile"] * 3
    assert kept.read_bytes() == b"good"


def test_timings_that_cannot_be_written_whole_leave_those_there_are(
    tmp_path: Path, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    made.cabinet().lay("tensorrt-timings.bin", b"good")

    def stop(old: Any, new: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("perform.engines.cabinet.os.replace", stop)
    made.make(card, "m", SHAPE, print)
    assert library.timings == [b"good"]
    assert [(path.name, path.read_bytes()) for path in made.cabinet().folder.iterdir()] == [
        ("tensorrt-timings.bin", b"good")
    ]


def test_each_shape_has_its_engine(tmp_path: Path, library: FakeLibrary) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    made.make(card, "m", SHAPE, print)
    assert not made.quick(card, "m", (32, 64))
    made.make(card, "m", (32, 64), print)
    assert library.did.count("compile") == 2


def test_new_weights_are_refitted(tmp_path: Path, library: FakeLibrary) -> None:
    maker(library, tmp_path).make(world(tmp_path), "m", SHAPE, print)
    card, said = world(tmp_path, seed=1), list[str]()
    library.did.clear()
    compute = maker(library, tmp_path).make(card, "m", SHAPE, said.append)
    assert library.did == ["load", "refit", "save"]
    assert said == ["refitting the engine of dark m with new weights"]
    assert np.array_equal(dreamt(compute), right(card))
    assert maker(library, tmp_path).quick(card, "m", SHAPE)


def test_what_cannot_be_refitted_is_built(tmp_path: Path, library: FakeLibrary) -> None:
    maker(library, tmp_path).make(world(tmp_path), "m", SHAPE, print)
    library.did.clear()
    library.fails = {"refit": AssertionError("Refitting is not enabled")}
    card = world(tmp_path, seed=1)
    compute = maker(library, tmp_path).make(card, "m", SHAPE, print)
    assert library.did == ["load", "refit", "compile", "save"]
    assert np.array_equal(dreamt(compute), right(card))


def test_a_damaged_or_refused_engine_is_built_again(tmp_path: Path, library: FakeLibrary) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    made.make(card, "m", SHAPE, print)
    path = made.cabinet().folder / f"{made.label(card, 'm', SHAPE).key}.engine"
    path.write_bytes(path.read_bytes()[:-100])
    assert made.make(card, "m", SHAPE, print).note == f"TensorRT fp16; {path} is damaged: built again"
    library.fails = {"load": RuntimeError("Serialized engine is of another version\nmore")}
    note = made.make(card, "m", SHAPE, print).note
    assert note == (
        "TensorRT fp16; the engine kept for dark m does not load (Serialized engine is of another version): built again"
    )
    assert library.did.count("compile") == 3


@pytest.mark.parametrize("step", ["load", "refit"])
@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no room"), RuntimeError("CUDA error: out of memory")])
def test_a_full_card_is_not_the_kept_engines_fault(
    tmp_path: Path, library: FakeLibrary, step: str, error: Exception
) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    made.make(card, "m", SHAPE, print)
    label = made.label(card, "m", SHAPE)
    card = card if step == "load" else world(tmp_path, seed=1)
    library.fails = {step: error}
    with pytest.raises(CudaError, match="the card's memory is full") as told:
        made.make(card, "m", SHAPE, print)
    assert told.value.code == NO_MEMORY
    assert made.cabinet().find(label) is not None
    assert library.did.count("compile") == 1


def test_a_graph_that_tensorrt_cannot_take_is_told_in_one_sentence(tmp_path: Path, library: FakeLibrary) -> None:
    library.fails = {"compile": RuntimeError("Conversion of function aten.fold not supported\nand a page more")}
    with pytest.raises(
        EngineError, match=r"^TensorRT cannot take dark m: Conversion of function aten\.fold not supported$"
    ):
        maker(library, tmp_path).make(world(tmp_path), "m", SHAPE, print)


def test_of_what_the_runtime_refuses_the_cause_is_told(
    tmp_path: Path, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ENDS", ENDS - {torch.float16})  # as if it knew less
    with pytest.raises(
        EngineError, match=r"^TensorRT cannot take dark m: Unsupported TensorRT data type \{torch\.float16\}$"
    ):
        maker(library, tmp_path).make(world(tmp_path), "m", SHAPE, print)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda dream: 255 - dream, "TensorRT gets dark m wrong, by [0-9]+ of 255 on average"),
        (lambda dream: dream.float(), r"TensorRT gives dark m as torch.float32 \(1, 32, 64, 4\)"),
        (lambda dream: dream[:, ::2], r"TensorRT gives dark m as torch.float16 \(1, 16, 64, 4\)"),
        (lambda dream: dream.view(1, 2, 3), r"TensorRT cannot take dark m: shape '\[1, 2, 3\]' is invalid"),
    ],
)
def test_wrong_dreams_are_not_played(tmp_path: Path, library: FakeLibrary, spoil: Any, said: str) -> None:
    library.spoils = spoil
    with pytest.raises(EngineError, match=said):
        maker(library, tmp_path).make(world(tmp_path), "m", SHAPE, print)
    assert "save" not in library.did
    assert library.alive == 0


def test_no_engine_waits_for_pythons_collector_to_give_its_memory_back(tmp_path: Path, library: FakeLibrary) -> None:
    gc.disable()
    try:
        for seed in (0, 0, 1):  # built, found again, refitted
            compute = maker(library, tmp_path).make(world(tmp_path, seed), "m", SHAPE, print)
            assert library.alive == 1
            compute.close()
            assert library.alive == 0
        assert [name for name in library.did if name != "save"] == ["compile", "load", "load", "refit"]
    finally:
        gc.enable()


def test_a_context_of_pythons_is_let_go_with_its_engine() -> None:
    class Part(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.engine: Any = Engine()
            self.context = SimpleNamespace(engine=self.engine)  # holds it

    module = torch.nn.Sequential(Part())
    module.itself = [module]  # as a graph has it
    compute = Compiled(module, "TensorRT fp16", 0)
    del module
    engine = weakref.ref(compute.module[0].engine)
    compute.close()
    compute.close()
    assert engine() is None


def test_what_cannot_be_kept_is_played_all_the_same(tmp_path: Path, library: FakeLibrary) -> None:
    card = world(tmp_path)
    library.fails = {"save": RuntimeError("no such operator")}
    compute = maker(library, tmp_path).make(card, "m", SHAPE, print)
    assert compute.note == "TensorRT fp16; the engine of dark m cannot be kept: no such operator"
    assert np.array_equal(dreamt(compute), right(card))
    library.fails = {}
    (tmp_path / "file").write_text("")
    note = maker(library, tmp_path / "file").make(card, "m", SHAPE, print).note
    assert note.startswith("TensorRT fp16; the engine cannot be kept in ")


@pytest.mark.parametrize("grown", [50_000_000, -50_000_000])
@pytest.mark.parametrize("saved", [True, False])
def test_what_an_engine_takes_of_the_card_is_read_there(
    tmp_path: Path, library: FakeLibrary, grown: int, saved: bool
) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    readings = [3_000_000_000, 3_000_000_000 + grown]
    made.held = lambda device: readings.pop(0)
    if not saved:
        library.fails = {"save": RuntimeError("no such operator")}
    compute = made.make(card, "m", SHAPE, print)
    found = made.cabinet().find(made.label(card, "m", SHAPE))
    length = found.path.stat().st_size if found is not None else 0
    assert bool(length) is saved
    assert compute.nbytes == (grown if grown > 0 else length), "never less than the file"


def test_of_the_card_pytorchs_own_memory_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5_000, 8_000) if device == "cuda:1" else (0, 0))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 1_200 if device == "cuda:1" else 0)
    assert held("cuda:1") == 1_800
    assert held("cpu") == 0


def test_a_world_without_a_mood_is_given_one_to_ignore(tmp_path: Path, library: FakeLibrary) -> None:
    card = stranger(tmp_path)
    compute = maker(library, tmp_path).make(card, "m", SHAPE, print)
    picture = torch.from_numpy(probe(SHAPE))[None]
    network = network_of(torch, card, "m")
    network.core.to(torch.float16)
    with torch.inference_mode():
        assert torch.equal(compute(picture, torch.zeros(1, 0)), network(picture, torch.zeros(1, 0)))
    assert compute.spare.shape == (1, 1)


def test_what_a_world_must_bring_is_told(tmp_path: Path, library: FakeLibrary) -> None:
    card, made = world(tmp_path), maker(library, tmp_path)
    with pytest.raises(EngineError, match="60×32 is not a size this world dreams at: sides are multiples of 8"):
        made.make(card, "m", (60, 32), print)
    assert not made.quick(card, "m", (60, 32))
    make_world(tmp_path / "models", "bare", ("m",))
    with pytest.raises(EngineError, match="bare m brings no safetensors for TensorRT"):
        made.make(Library([tmp_path / "models"]).card("bare"), "m", SHAPE, print)
    assert not made.quick(card, "xl", SHAPE)


# ---------------------------------------------------------------- what this machine has
def fresh(cache: Path | None = None) -> tuple[Offer, ...]:
    """As a new process would be told."""
    offers.cache_clear()
    try:
        return offers(cache)
    finally:
        offers.cache_clear()


def test_what_is_not_here_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    offers.cache_clear()
    caplog.set_level("INFO", "perform")
    assert offers() is offers()
    offers.cache_clear()
    assert [r.message for r in caplog.records].count("TensorRT: PyTorch finds no usable card") == 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine with a card and torch-tensorrt; change it to taste."""
    here = SimpleNamespace(capability=(8, 9), trt=SimpleNamespace(__version__="11.1"), library=FakeLibrary())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: here.capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA A")
    monkeypatch.setattr(tensorrt_kit, "_driver", lambda torch: "13.0")
    monkeypatch.setitem(sys.modules, "torch_tensorrt", here.library)
    monkeypatch.setitem(sys.modules, "tensorrt", here.trt)
    return here


def test_the_standard_one_is_offered(machine: SimpleNamespace, tmp_path: Path) -> None:
    offer = fresh(tmp_path)[0]
    assert offer.reason == "TensorRT on NVIDIA A (8.9)"
    assert isinstance(offer.maker, TensorRt)
    kit = load_kit()
    assert kit.versions.startswith("TensorRT 11.1, torch-tensorrt 2.13.0, torch 2.")
    assert kit.versions.endswith("driver 13.0")


def test_the_rtx_variant_knows_its_cards(machine: SimpleNamespace) -> None:
    machine.trt._package_name = "tensorrt_rtx"
    machine.trt.ComputeCapability = SimpleNamespace(__members__={"SM89": 0, "SM120": 1})
    assert fresh()[0].reason == "TensorRT-RTX on NVIDIA A (8.9)"
    machine.capability = (9, 0)
    assert fresh()[0].maker is None
    assert fresh()[0].reason.startswith("TensorRT-RTX does not run on NVIDIA A (9.0); install perform[tensorrt]")


def test_an_old_card_is_told(machine: SimpleNamespace) -> None:
    machine.capability = (6, 1)
    assert fresh()[0].reason == "TensorRT: NVIDIA A (6.1) is too old; compute capability 7.5 is needed"


def test_without_a_card_nothing_of_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(tensorrt_kit, "_import", lambda: pytest.fail("it was imported"))
    assert fresh()[0].reason == "TensorRT: PyTorch finds no usable card"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("no", name="torch_tensorrt"),
         "TensorRT: torch-tensorrt is not installed (pip install 'perform[tensorrt]')"),
        (ModuleNotFoundError("no", name="tensorrt"), "TensorRT: torch-tensorrt lacks tensorrt"),
        (AssertionError("Torch not compiled with CUDA enabled"),
         "TensorRT: torch-tensorrt cannot be loaded: Torch not compiled with CUDA enabled"),
        (OSError("libcudart.so.12: cannot open\nfile"),
         "TensorRT: torch-tensorrt cannot be loaded: libcudart.so.12: cannot open"),
        (Exception(), "TensorRT: torch-tensorrt cannot be loaded: Exception"),
    ],
)  # fmt: skip
def test_a_library_that_cannot_be_loaded_is_told(
    machine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    class Broken:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
            if name == "torch_tensorrt":
                raise error
            return None

    monkeypatch.delitem(sys.modules, "torch_tensorrt")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert fresh()[0].reason == said


def test_importing_the_maker_imports_no_library() -> None:
    assert importlib.util.find_spec("perform.engines.tensorrt") is not None
    import subprocess

    script = "import sys, perform.engines.tensorrt; sys.exit('torch' in sys.modules or 'tensorrt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
