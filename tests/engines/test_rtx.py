"""TensorRT-RTX: real engines of every shipped world, built without a GPU; playing them, on a stand-in for a card."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perform import paths
from perform.card import Card, CardError
from perform.engines import gpu, plan, rtx, rtx_maker, runner
from perform.engines.cabinet import Cabinet
from perform.engines.cuda_road import run_on
from perform.engines.generator import Full, OnCard
from perform.engines.gpu import Gpu, look
from perform.engines.plan import AMPERE, TURING, Binding, Plan, Span, compile_onnx
from perform.engines.rtx import Rtx
from perform.engines.rtx_maker import RtxMaker
from perform.engines.rtx_road import RtxBoard
from perform.engines.trial import probe
from perform.gl.context import Context
from perform.gl.interop import Bridges
from perform.library import Library
from perform.plugins import EngineError
from tests.engines.conftest import House
from tests.engines.fake_cuda import FakeCuda, FakeTrt, Graphs, Memory, Mode, Special
from tests.engines.worlds import make_world, onnx_bytes

SHAPE = (64, 32)
needs_rtx = pytest.mark.skipif(
    importlib.util.find_spec("tensorrt_rtx") is None, reason="tensorrt-rtx is not installed (pip install tensorrt-rtx)"
)
SHIPPED = [
    (path.parent.name, size)
    for path in sorted(paths.models().glob("*/card.toml"))
    for size, about in Library([paths.models()]).card(path.parent.name).sizes.items()
    if "onnx" in about.files
]


def world(folder: Path, name: str = "dark") -> Card:
    if not (folder / "models" / name).exists():
        make_world(folder / "models", name, ("m",))
    return Library([folder / "models"]).card(name)


# ---------------------------------------------------------------- real engines
@needs_rtx
@pytest.mark.parametrize(("name", "size"), SHIPPED)
def test_every_shipped_world_is_built_and_says_what_it_takes(tmp_path: Path, name: str, size: str) -> None:
    card = Library([paths.models()]).card(name)
    hardware, trt = Rtx(cache=tmp_path), plan.library()
    ready = hardware.ready(trt, card, size, (512, 512))
    assert ready.built
    assert ready.remark == ""
    mood = card.mood.size if card.mood is not None else 0
    takes = {b["name"]: (b["kind"], b["shape"], b["gives"]) for b in ready.bindings}
    wanted = {"picture": ("uint8", [1, -1, -1, 4], False), "dream": ("uint8", [1, -1, -1, 4], True)}
    assert takes == wanted | ({"mood": ("float", [1, mood], False)} if mood else {})
    found = hardware.cabinet().find(ready.label)
    assert found is not None
    assert found.about["profile"] == {"picture": [[1, 64, 64, 4], [1, 512, 512, 4], [1, 4096, 4096, 4]]}
    for binding in ready.bindings:  # the engine itself knows them
        assert f'name="{binding["name"]}'.encode() in ready.engine
    again = hardware.ready(trt, card, size, (1920, 1080))
    assert not again.built, "another size of picture is the same engine"
    assert again.engine == ready.engine


@needs_rtx
def test_turing_takes_an_engine_of_its_own(tmp_path: Path) -> None:
    hardware, trt, card = Rtx(cache=tmp_path), plan.library(), Library([paths.models()]).card("landscape")
    usual = hardware.ready(trt, card, "s", SHAPE)
    turing = hardware.ready(trt, card, "s", SHAPE, TURING)
    assert turing.built
    assert turing.label.key != usual.label.key
    assert turing.engine != usual.engine


@needs_rtx
def test_a_world_without_a_mood_is_built() -> None:
    made = compile_onnx(plan.library(), onnx_bytes(mood=0), Span(), AMPERE, "m.onnx")
    assert [str(b) for b in made.bindings] == ["picture uint8 1×?×?×4", "dream uint8 1×?×?×4"]


@needs_rtx
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "m.onnx cannot be compiled: it is not an ONNX network"),
        (onnx_bytes()[:-40], "m.onnx cannot be compiled: it is not an ONNX network"),
    ],
)
def test_what_is_no_network_is_told_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(EngineError, match=said) as told:
        compile_onnx(plan.library(), data, Span(), AMPERE, "m.onnx")
    assert "\n" not in str(told.value)


@needs_rtx
def test_a_graph_that_tensorrt_cannot_take_is_told_in_one_sentence() -> None:
    import onnx
    from onnx import TensorProto, helper

    def made(*nodes: Any, out: str = "dream", kind: int = TensorProto.UINT8) -> bytes:
        picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "H", "W", 4])
        result = helper.make_tensor_value_info(out, kind, [1, "H", "W", 4])
        graph = helper.make_graph(list(nodes), "made", [picture], [result])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data

    up = helper.make_node("Cast", ["picture"], ["x"], to=TensorProto.FLOAT)
    down = helper.make_node("Cast", ["y"], ["dream"], to=TensorProto.UINT8)
    noise = made(up, helper.make_node("Bernoulli", ["x"], ["y"]), down)
    with pytest.raises(EngineError, match=r"m\.onnx holds what TensorRT-RTX cannot take: .*Bernoulli") as told:
        compile_onnx(plan.library(), noise, Span(), AMPERE, "m.onnx")
    assert "\n" not in str(told.value)
    with pytest.raises(EngineError, match="a world takes and gives uint8 pictures"):
        compile_onnx(plan.library(), made(up, out="x", kind=TensorProto.FLOAT), Span(), AMPERE, "m.onnx")


@needs_rtx
@pytest.mark.parametrize("harm", ["cut", "flip"])
def test_a_damaged_engine_is_built_again(tmp_path: Path, harm: str) -> None:
    hardware, trt, card = Rtx(cache=tmp_path), plan.library(), world(tmp_path)
    path = hardware.cabinet().folder / f"{hardware.ready(trt, card, 'm', SHAPE).label.key}.engine"
    data = path.read_bytes()
    path.write_bytes(data[:-9] if harm == "cut" else b"\0" * 64 + data[64:])
    ready = hardware.ready(trt, card, "m", SHAPE)
    assert ready.built
    assert ready.remark == f"{path} is damaged: compiled again"
    assert not hardware.ready(trt, card, "m", SHAPE).built


@needs_rtx
def test_the_library_has_all_the_words_that_are_used() -> None:
    trt = plan.library()
    words = {
        trt.Runtime: "deserialize_cuda_engine",
        trt.ICudaEngine: "num_io_tensors get_tensor_name get_tensor_dtype get_tensor_shape get_tensor_mode "
        "get_tensor_profile_shape create_runtime_config create_execution_context",
        trt.IRuntimeConfig: "set_execution_context_allocation_strategy create_runtime_cache set_runtime_cache "
        "dynamic_shapes_kernel_specialization_strategy cuda_graph_strategy",
        trt.IRuntimeCache: "serialize deserialize",
        trt.IExecutionContext: "set_input_shape update_device_memory_size_for_shapes set_device_memory "
        "set_tensor_address execute_async_v3 is_stream_capturable",
        trt.ExecutionContextAllocationStrategy: "USER_MANAGED",
        trt.DynamicShapesKernelSpecializationStrategy: "EAGER",
        trt.CudaGraphStrategy: "DISABLED",
        trt.ComputeCapability: "SM75 SM80 SM86 SM89 SM120",
        trt.TensorIOMode: "INPUT OUTPUT",
    }
    assert not [f"{kind.__name__}.{n}" for kind, names in words.items() for n in names.split() if not hasattr(kind, n)]


def test_the_cuda_runtime_has_all_the_words_that_are_used() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
    own = [n for n in vars(FakeCuda) if n.startswith("cuda")]
    assert not [n for n in own if not hasattr(runtime, n)]
    assert {"name", "major", "minor"} <= set(dir(runtime.cudaDeviceProp))
    assert hasattr(runtime.cudaStreamCaptureMode, "cudaStreamCaptureModeThreadLocal")


# ---------------------------------------------------------------- keys
@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Compiling, without TensorRT: what was compiled, in order."""
    made: list[str] = []

    def compiled(trt: Any, data: bytes, span: Span, family: str, what: str, bottom_up: bool = False) -> Plan:
        made.append(f"{span} {family} {Path(what).name}" + " bottom up" * bottom_up)
        rows = [Binding(name, kind.lower(), shape, mode is Mode.OUTPUT) for name, (mode, kind, shape) in trt.io.items()]
        return Plan(b"engine %d" % len(made), tuple(rows), {"picture": ((1,), (1,), (1,))}, 0.3)

    monkeypatch.setattr(rtx, "compile_onnx", compiled)
    return made


def test_one_engine_for_all_sizes_another_for_other_versions_and_files(tmp_path: Path, built: list[str]) -> None:
    hardware, trt, card = Rtx(cache=tmp_path), FakeTrt(FakeCuda()), world(tmp_path)
    for shape in ((64, 64), (512, 288), (1920, 1080), (4096, 64)):
        hardware.ready(trt, card, "m", shape)
    assert built == ["64-4096 sm80+ m.onnx bottom up"]
    hardware.ready(trt, card, "m", (7680, 4320))
    hardware.ready(trt, card, "m", (32, 64))
    assert built[1:] == ["64-8192 sm80+ m.onnx bottom up", "8-4096 sm80+ m.onnx bottom up"]
    hardware.ready(FakeTrt(FakeCuda(), __version__="10.0"), card, "m", (64, 64))
    hardware.ready(trt, card, "m", (64, 64), TURING)
    assert len(built) == 5
    (tmp_path / "models" / "dark" / "m.onnx").write_bytes(onnx_bytes(1.0))
    from tests.engines.worlds import write_card

    write_card(tmp_path / "models" / "dark", ("m",))
    hardware.ready(trt, world(tmp_path), "m", (64, 64))
    assert len(built) == 6


@pytest.mark.parametrize(
    ("shape", "multiple", "span"),
    [
        ((512, 288), 8, (64, 512, 4096)), ((32, 64), 8, (8, 512, 4096)), ((8192, 64), 8, (64, 512, 8192)),
        ((512, 256), 256, (256, 512, 4096)), ((1024, 1024), 1024, (1024, 1024, 4096)),
    ],
)  # fmt: skip
def test_spans_are_in_steps_that_the_network_takes(
    shape: tuple[int, int], multiple: int, span: tuple[int, int, int]
) -> None:
    found = Span.holding(shape, multiple)
    assert found == Span(*span)
    assert shape in found
    assert (shape[0], 100_000) not in found


def test_what_is_compiled_is_what_was_checked(
    tmp_path: Path, trt: FakeTrt, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training puts another network there between the two."""
    card, given = world(tmp_path), []
    path, right = card.size("m").files["onnx"].path, card.size("m").files["onnx"].path.read_bytes()
    compiled = rtx.compile_onnx

    def compile_later(trt: Any, data: bytes, *facts: Any) -> Plan:
        given.append(data)
        return compiled(trt, data, *facts)

    real, other = Path.open, path.with_suffix(".other")
    other.write_bytes(onnx_bytes(1.0))

    def replaced(self: Path, *how: Any, **more: Any) -> Any:
        file = real(self, *how, **more)
        if self == path and other.exists():
            other.replace(path)
        return file

    monkeypatch.setattr(rtx, "compile_onnx", compile_later)
    monkeypatch.setattr(Path, "open", replaced)
    Rtx(cache=tmp_path).ready(trt, card, "m", SHAPE)
    with pytest.raises(CardError, match="is not the file that its card describes"):
        Rtx(cache=tmp_path / "other").ready(trt, card, "m", SHAPE)
    assert given == [right]


def test_what_cannot_be_kept_is_played_all_the_same(tmp_path: Path, built: list[str]) -> None:
    (tmp_path / "file").write_text("")
    ready = Rtx(cache=tmp_path / "file").ready(FakeTrt(FakeCuda()), world(tmp_path), "m", SHAPE)
    assert ready.engine == b"engine 1"
    assert ready.remark.startswith("the engine cannot be kept in ")


def test_what_a_world_must_bring_is_told(tmp_path: Path) -> None:
    card = world(tmp_path)
    hardware = Rtx(cache=tmp_path)
    with pytest.raises(EngineError, match="60×32 is not a size this world dreams at: sides are multiples of 8"):
        hardware.ready(FakeTrt(FakeCuda()), card, "m", (60, 32))
    bare = replace(card, sizes={"m": replace(card.size("m"), files={})})
    with pytest.raises(EngineError, match="dark m brings no ONNX file for TensorRT-RTX"):
        hardware.ready(FakeTrt(FakeCuda()), bare, "m", SHAPE)
    with pytest.raises(ValueError, match="device is the number of a card, from 0, not -1"):
        Rtx(device=-1)


# ---------------------------------------------------------------- which card
def test_the_card_and_its_driver_are_looked_at() -> None:
    assert str(look(FakeCuda())) == "NVIDIA GeForce RTX 4060 (compute capability 8.9)"
    assert look(FakeCuda(driver=12040)).driver == (12, 4)


@pytest.mark.parametrize(
    ("cuda", "said"),
    [
        (FakeCuda(driver=0), "there is no NVIDIA driver"),
        (FakeCuda(driver=12040),
         r"the NVIDIA driver is too old: it knows CUDA 12\.4, and the libraries here are made for CUDA 13"),
        (FakeCuda(cards=()), "there is no CUDA card number 0: the driver shows 0"),
        (FakeCuda(fails={"cudaGetDeviceCount": 999}), r"CUDA: unknown error \(cudaGetDeviceCount\)"),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_used_is_told(cuda: FakeCuda, said: str) -> None:
    with pytest.raises(EngineError, match=f"^{said}$"):
        look(cuda, 0, 13)


@pytest.mark.parametrize(
    ("capability", "family"),
    [((7, 5), TURING), ((8, 0), AMPERE), ((8, 6), AMPERE), ((8, 9), AMPERE), ((12, 0), AMPERE)],
)
def test_each_card_has_its_family(capability: tuple[int, int], family: str) -> None:
    assert rtx.family_of(FakeTrt(FakeCuda()), Gpu("A", capability, (13, 0))) == family


@pytest.mark.parametrize("capability", [(6, 1), (9, 0), (10, 0)])
def test_a_card_that_tensorrt_rtx_does_not_run_on_is_told(capability: tuple[int, int]) -> None:
    with pytest.raises(EngineError, match=r"does not run on A \(.*\): it takes 7\.5, 8\.0, 8\.6, 8\.9, 12\.0$"):
        rtx.family_of(FakeTrt(FakeCuda()), Gpu("A", capability, (13, 0)))


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"TensorRT-RTX is not installed \(pip install 'perform\[rtx\]'\)"):
        plan.library()
    with pytest.raises(EngineError, match=r"cuda-bindings is not installed \(pip install 'perform\[rtx\]'\)"):
        gpu.bindings()


def test_it_offers_itself_where_it_runs(trt: FakeTrt, cuda: FakeCuda) -> None:
    assert rtx.offer() == (Rtx(0), "TensorRT-RTX on NVIDIA GeForce RTX 4060")
    cuda.cards = (("NVIDIA H100", 9, 0),)
    assert rtx.offer()[1].startswith("TensorRT-RTX does not run on NVIDIA H100 (compute capability 9.0)")
    cuda.driver = 0
    assert rtx.offer() == (None, "TensorRT-RTX: there is no NVIDIA driver")


def test_what_will_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(EngineError, match="TensorRT-RTX cannot be loaded: "):
        plan.library()
    with pytest.raises(EngineError, match="cuda-bindings cannot be loaded: "):
        gpu.bindings()


def test_the_installed_librarys_cuda_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata as metadata

    def version(name: str, there: str) -> str:
        if name != there:
            raise metadata.PackageNotFoundError
        return "1.7"

    for there, major in (("tensorrt-rtx-cu13", 13), ("tensorrt_rtx_cu12", 12), ("", 0)):
        monkeypatch.setattr(metadata, "version", lambda name, there=there: version(name, there))
        assert rtx.cuda_major() == major


def test_it_does_without_pytorch() -> None:
    script = "import sys, perform.engines.rtx; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# ---------------------------------------------------------------- at play, on a stand-in for a card
@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def trt(cuda: FakeCuda, built: list[str], monkeypatch: pytest.MonkeyPatch) -> FakeTrt:
    fake = FakeTrt(cuda)
    monkeypatch.setattr(rtx, "library", lambda: fake)
    monkeypatch.setattr(rtx, "bindings", lambda: cuda)
    monkeypatch.setattr(rtx, "cuda_major", lambda: 13)
    return fake


def tried(generator: Any, mood: tuple[float, float] = (0.0, 0.0)) -> Any:
    """A dream of the probe through host memory, as it is tried out when it is loaded."""
    return run_on(generator.works.road.lanes[0], generator._compute)(probe(SHAPE), np.float32(mood))


def test_a_loaded_world_dreams(tmp_path: Path, trt: FakeTrt) -> None:
    generator = Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert generator.note == "TensorRT-RTX fp16 on NVIDIA GeForce RTX 4060, 1.0 ms"
    assert generator.card_bytes > 4096
    assert np.array_equal(tried(generator)[..., :3], 255 - probe(SHAPE)[..., :3])
    assert tried(generator, (2.0, 0.0))[0, 0, 0] == 255 - probe(SHAPE)[0, 0, 0] + 20
    generator.close()


def test_each_lane_is_one_graph_and_a_frame_allocates_nothing(tmp_path: Path, trt: FakeTrt, cuda: FakeCuda) -> None:
    generator = Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert len(cuda.graphs) == len(generator.works.road.lanes) == 2
    assert cuda.count("StreamBeginCapture") == 2
    cuda.journal.clear()
    for lane in generator.works.road.lanes:
        lane.send(1, generator._carry, generator._compute)
    frame = ["MemcpyAsync", "EventRecord", "StreamWaitEvent", "GraphLaunch"]
    assert cuda.names() == 2 * frame
    generator.close()


@pytest.mark.parametrize("why", ["it cannot be captured", "the capture fails"])
def test_without_graphs_the_engine_is_put_on_the_stream_itself(
    tmp_path: Path, trt: FakeTrt, cuda: FakeCuda, why: str
) -> None:
    if why == "the capture fails":
        cuda.fails = {"cudaStreamEndCapture": 901}
    else:
        trt.capturable = False
    generator = Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert cuda.graphs == {}
    assert np.array_equal(tried(generator)[..., :3], 255 - probe(SHAPE)[..., :3])
    assert cuda.names().count("execute") > 2
    generator.close()


def test_everything_is_given_back_in_order(tmp_path: Path, trt: FakeTrt, cuda: FakeCuda) -> None:
    generator = Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert len(cuda.streams) == 2
    cuda.journal.clear()
    generator.close()
    told = [name for name in cuda.names() if name not in ("SetDevice", "EventDestroy")]
    assert told == [
        "StreamSynchronize", "StreamSynchronize", "FreeHost", "FreeHost", "GraphExecDestroy", "GraphExecDestroy",
        "context gone", *["Free"] * 7, "StreamDestroy", "StreamDestroy",
    ]  # fmt: skip
    assert (cuda.memory, cuda.streams, cuda.graphs, cuda.events) == ({}, set(), {}, {})


def test_a_runner_that_is_closed_keeps_no_engine(tmp_path: Path, trt: FakeTrt, cuda: FakeCuda) -> None:
    ready = Rtx(cache=tmp_path).ready(trt, world(tmp_path), "m", SHAPE)
    loaded = runner.Loaded(trt, ready.engine, ready.bindings, ready.what)
    engine = weakref.ref(loaded.engine)
    made = runner.Runner(trt, cuda, loaded, SHAPE, 2)
    made.close()
    del loaded
    assert engine() is None


@pytest.mark.parametrize("spoilt", [0, 901])
def test_what_spoils_a_capture_is_told_and_no_graph_is_left(cuda: FakeCuda, spoilt: int) -> None:
    def work() -> None:
        raise EngineError("a frame was not taken")

    _, stream = cuda.cudaStreamCreateWithPriority(cuda.cudaStreamNonBlocking, 0)
    cuda.fails = {"cudaStreamEndCapture": spoilt}
    with pytest.raises(EngineError, match="a frame was not taken"):
        RtxBoard(cuda).capture(work, stream)
    assert cuda.under_capture == {}
    assert cuda.count("GraphDestroy") == (0 if spoilt else 1)


def test_a_switch_of_worlds_registers_and_times_nothing(gl: Context, trt: FakeTrt, cuda: FakeCuda) -> None:
    hardware = Rtx()
    old, new = hardware._bridge(SHAPE), hardware._bridge(SHAPE)
    old.close()
    cuda.journal.clear()
    next_one = hardware._bridge(SHAPE)
    assert set(cuda.names()) <= {"EventQuery"}
    new.close()
    next_one.close()
    assert (cuda.registered, cuda.memory, cuda.streams) == ([], {}, set())


def test_a_layer_plays_it_between_textures(trt: FakeTrt, cuda: FakeCuda, house: House) -> None:
    house.world("ocean")
    hardware = Rtx(cache=house.cache)
    hardware._bridges = Bridges(cuda, clock=lambda: 0.0)
    theatre = house.theatre(bank=house.bank(True, 10**9, hardware))
    theatre.slot.want("ocean", "m")
    dreamt = theatre.dream(theatre.picture(40))
    assert theatre.grey(dreamt) == 255 - 40
    assert theatre.grey(theatre.dream(theatre.picture(90), (1.0, 0.0))) == 255 - 90 + 10
    assert cuda.count("GraphicsMapResources") > 0, "pictures go through mapped textures"
    assert theatre.said.startswith("ocean m (TensorRT-RTX fp16 on NVIDIA GeForce RTX 4060, ")


def test_kernels_are_for_this_size_made_ahead_and_kept(tmp_path: Path, trt: FakeTrt) -> None:
    hardware = Rtx(cache=tmp_path)
    hardware.load(world(tmp_path), "m", SHAPE)
    first = trt.configs[0]
    assert first.strategy is Memory.USER_MANAGED
    assert first.dynamic_shapes_kernel_specialization_strategy is Special.EAGER
    assert first.cuda_graph_strategy is Graphs.DISABLED
    assert first.given is None
    hardware.load(world(tmp_path), "m", SHAPE)
    assert trt.configs[-1].given == b"kernels of this card"
    hardware.load(world(tmp_path), "m", (64, 64))
    assert trt.configs[-1].given is None
    trt.cuda.driver = 13010
    hardware.load(world(tmp_path), "m", SHAPE)
    assert trt.configs[-1].given is None


def test_kernels_that_are_refused_are_replaced(tmp_path: Path, trt: FakeTrt) -> None:
    hardware = Rtx(cache=tmp_path)
    hardware.load(world(tmp_path), "m", SHAPE)
    trt.refuses, trt.kernels = {trt.kernels}, b"kernels of another driver"
    hardware.load(world(tmp_path), "m", SHAPE)
    assert trt.configs[-1].given == b"kernels of this card"
    hardware.load(world(tmp_path), "m", SHAPE)
    assert trt.configs[-1].given == b"kernels of another driver"


def test_an_engine_that_will_not_load_is_compiled_again(tmp_path: Path, trt: FakeTrt, built: list[str]) -> None:
    hardware = Rtx(cache=tmp_path)
    hardware.load(world(tmp_path), "m", SHAPE)
    trt.refuses = {b"engine 1"}
    generator = hardware.load(world(tmp_path), "m", SHAPE)
    assert "Serialization assertion failed: compiled again" in generator.note
    assert len(built) == 2
    trt.refuses.add(b"engine 2")
    trt.refuses.add(b"engine 3")
    with pytest.raises(EngineError, match="TensorRT-RTX will not load the engine of dark m: Serialization assertion"):
        hardware.load(world(tmp_path), "m", SHAPE)
    assert len(built) == 3
    trt.refuses.add(b"engine 4")
    with pytest.raises(EngineError, match="will not load"):
        Rtx(cache=tmp_path / "other").load(world(tmp_path), "m", SHAPE)
    assert len(built) == 4, "compiled just now and refused: not tried again"


def test_a_foreign_engine_is_compiled_again(tmp_path: Path, trt: FakeTrt, built: list[str]) -> None:
    hardware = Rtx(cache=tmp_path)
    ready = hardware.ready(trt, world(tmp_path), "m", SHAPE)
    Cabinet(tmp_path / "engines").put(ready.label, b"another's", {"bindings": []})
    generator = hardware.load(world(tmp_path), "m", SHAPE)
    assert "the engine of dark m does not take what it was built to take: compiled again" in generator.note
    assert len(built) == 2


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"homeless": True}, "TensorRT-RTX cannot run the engine here: it does not say why"),
        ({"deaf": True}, "TensorRT-RTX did not take a frame: it does not say why"),
        ({"flat": True}, "the network gives one flat colour"),
    ],
)
def test_what_goes_wrong_at_play_is_told(tmp_path: Path, trt: FakeTrt, harm: dict[str, bool], said: str) -> None:
    for name, value in harm.items():
        setattr(trt, name, value)
    with pytest.raises(EngineError, match=said):
        Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("cudaMalloc", 2, "dark m does not fit on the card beside what is there"),
        ("cudaMemcpyAsync", 700, r"the graphics card has failed \(an illegal memory access was encountered, "),
        ("cudaSetDevice", 101, r"CUDA: unknown error \(cudaSetDevice\)"),
    ],
)
def test_cudas_own_words_are_told(
    tmp_path: Path, trt: FakeTrt, cuda: FakeCuda, name: str, error: int, said: str
) -> None:
    cuda.fails = {name: error}
    with pytest.raises(EngineError, match=said):
        Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)


def test_a_full_card_is_told_as_such(tmp_path: Path, trt: FakeTrt, cuda: FakeCuda) -> None:
    cuda.fails = {"cudaMallocHost": 2}  # the last thing that is asked for
    with pytest.raises(Full):
        Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert (cuda.memory, cuda.events, cuda.streams) == ({}, {}, set())
    cuda.fails = {}
    generator = Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert isinstance(generator, OnCard)
    assert generator.card_free() == cuda.free
    generator.close()


@pytest.mark.parametrize("late", [False, True])
def test_what_fails_while_it_is_loaded_is_given_back(
    tmp_path: Path, trt: FakeTrt, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    def fail(*given: object) -> None:
        raise EngineError("no more streams")

    if late:  # after its lanes were made
        monkeypatch.setattr(rtx, "CudaGenerator", fail)
    trt.flat = not late
    with pytest.raises(EngineError):
        Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert (cuda.memory, cuda.streams, cuda.graphs, cuda.events) == ({}, set(), {}, {})


@pytest.mark.parametrize("harm", ["engine", "context"])
def test_a_full_card_is_not_the_kept_engines_fault(tmp_path: Path, trt: FakeTrt, built: list[str], harm: str) -> None:
    Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE).close()
    kept = sorted((tmp_path / "engines").glob("*.engine"))
    if harm == "engine":
        trt.refuses.add(b"engine 1")
    trt.homeless = harm == "context"
    trt.complaint = trt.full = "[defaultAllocator.cpp::allocate::58] Error Code 1: Cuda Runtime (out of memory)"
    with pytest.raises(Full, match="dark m does not fit on the card beside what is there"):
        Rtx(cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert sorted((tmp_path / "engines").glob("*.engine")) == kept
    assert len(built) == 1


def test_a_picture_too_large_for_the_engine_is_told(trt: FakeTrt, cuda: FakeCuda) -> None:
    notes = runner.as_notes(tuple(Binding(n, k.lower(), s, m is Mode.OUTPUT) for n, (m, k, s) in trt.io.items()))
    loaded = runner.Loaded(trt, b"x", notes, "dark m")
    assert loaded.profile("picture")[-1] == (1, 4096, 4096, 4)
    with pytest.raises(EngineError, match="the engine does not take a picture of 1×64×8192×4"):
        runner.Runner(trt, cuda, loaded, (8192, 64), 2)


# ---------------------------------------------------------------- at play in the CUDA engine
@pytest.fixture
def maker(tmp_path: Path, trt: FakeTrt, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> RtxMaker:
    monkeypatch.setattr(rtx_maker, "library", lambda: trt)
    monkeypatch.setattr(rtx_maker, "bindings", lambda: cuda)
    monkeypatch.setattr(rtx_maker, "cuda_major", lambda: 13)
    return RtxMaker.open(Rtx(cache=tmp_path))


def test_a_compute_works_on_pytorchs_tensors_and_stream(
    tmp_path: Path, trt: FakeTrt, cuda: FakeCuda, maker: RtxMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    card, said = world(tmp_path), list[str]()
    assert not maker.quick(card, "m", SHAPE)
    compute = maker.make(card, "m", SHAPE, said.append)
    assert said == ["TensorRT-RTX is building dark m", "TensorRT-RTX is compiling dark m for 64×32 on this card"]
    assert (compute.note, compute.batch) == ("TensorRT-RTX fp16", 1)
    assert compute.nbytes > 4096
    assert not maker.quick(card, "m", SHAPE), "the first dream may compile some more"
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=42))
    trt.strangers.add(42)
    picture, mood = torch.from_numpy(probe(SHAPE))[None].contiguous(), torch.tensor([[1.0, 0.0]])
    dreams = []

    def tell(tensor: torch.Tensor) -> torch.Tensor:  # PyTorch's memory is the card's
        cuda.memory[tensor.data_ptr()] = tensor.numpy().view(np.uint8).reshape(-1)  # type: ignore[assignment]
        return tensor

    monkeypatch.setattr(torch, "empty_like", lambda tensor: dreams.append(tell(tensor.clone())) or dreams[-1])
    cuda.journal.clear()
    dream = compute(tell(picture), tell(mood))
    assert np.array_equal(dream[0, ..., 0].numpy(), np.clip(265.0 - probe(SHAPE)[..., 0], 0, 255).astype(np.uint8))
    assert cuda.names() == ["address", "address", "address", "execute"]
    compute.close()
    compute.close()
    assert "context gone" in cuda.names()
    assert maker.quick(card, "m", SHAPE)
    said.clear()
    maker.make(card, "m", SHAPE, said.append)
    assert said == ["TensorRT-RTX is building dark m"]
    assert not maker.quick(card, "m", (60, 32))
    trt.refuses = {trt.kernels}
    assert maker.make(card, "m", SHAPE, said.append).keep is not None, "what is refused is replaced"


def test_what_this_machine_lacks_is_told_in_the_offer(
    maker: RtxMaker, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perform.engines import tensorrt

    monkeypatch.setattr(tensorrt, "standard_offer", lambda cache, device: tensorrt.Offer(None, "TensorRT: not here"))
    offers = tensorrt.offers.__wrapped__
    assert [o.reason for o in offers()] == [
        "TensorRT: not here", "TensorRT-RTX on NVIDIA GeForce RTX 4060 (compute capability 8.9)"
    ]  # fmt: skip
    cuda.cards = (("NVIDIA H100", 9, 0),)
    offer = offers()[1]
    assert offer.maker is None
    assert offer.reason.startswith("TensorRT-RTX does not run on NVIDIA H100 (compute capability 9.0): it takes 7.5, ")
