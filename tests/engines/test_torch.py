"""The torch engine: rebuilds a network from its card, in the precision that is fastest here."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch as pytorch

from perform.engines import inductor
from perform.engines import torch as engine_torch
from perform.engines.torch import Torch, alone, session
from perform.engines.trial import probe
from perform.library import Card, CardError, Library
from perform.plugins import EngineError
from tests.engines.worlds import CARD, plain_bytes, write_card

SHAPE = (64, 32)


def world(tmp_path: Path, data: bytes | None = None, card: str = CARD) -> Card:
    folder = tmp_path / "models" / "dream"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.safetensors").write_bytes(plain_bytes() if data is None else data)
    write_card(folder, ["m"], card)
    return Library([tmp_path / "models"]).card("dream")


def test_what_its_compiler_keeps_lies_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    its_own = Path(tempfile.gettempdir()) / "torchinductor_me"  # as PyTorch sets it once its compiler is imported
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(its_own))
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        pytorch.nn.Module,
        "compile",
        lambda network, options: told.append((os.environ["TORCHINDUCTOR_CACHE_DIR"], options)),
    )
    Torch("cpu", "fp32", compile=True, cache=tmp_path).load(world(tmp_path), "m", SHAPE)
    assert told == [(str(tmp_path / "inductor"), dict.fromkeys(inductor.HEADERS, False))]


def test_it_dreams_what_the_network_does(tmp_path: Path) -> None:
    import torch

    from perform import networks

    card = world(tmp_path)
    engine = Torch("cpu", cache=tmp_path)
    generator = engine.load(card, "m", SHAPE)
    assert generator.note.startswith(("torch cpu bf16, ", "torch cpu fp32, "))
    assert generator.session is not None
    picture, mood = probe(SHAPE), np.float32([0.5, -1.0])
    network = networks.load(card.raw, "m", card.folder)
    with torch.inference_mode():
        expected = network(torch.from_numpy(picture)[None], torch.from_numpy(mood)[None])[0].numpy()
    dream = generator.session()(picture, mood)
    assert np.abs(dream.astype(int) - expected).max() <= 4  # bf16 may have been chosen
    exact = Torch("cpu", "fp32", threads=1, cache=tmp_path).load(card, "m", SHAPE)
    assert exact.session is not None
    assert np.abs(exact.session()(picture, mood).astype(int) - expected).max() <= 1


def test_a_precision_that_this_machine_cannot_compute_leaves_the_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Torch._build

    def built(self: Torch, torch: Any, card: Card, size: str, device: str, precision: str) -> Any:
        def make() -> Any:
            raise RuntimeError("no kernel for BFloat16 here")

        return make if precision == "bf16" else build(self, torch, card, size, device, precision)

    monkeypatch.setattr(Torch, "_build", built)
    note = Torch("cpu", cache=tmp_path).load(world(tmp_path), "m", SHAPE).note
    assert note.startswith("torch cpu fp32, ")
    assert "no kernel for BFloat16 here" in note


class Told:
    """A network, and a tensor, that note whether Apple's card is held for whatever is done with them."""

    def __init__(self, held: dict[str, bool], array: Any = None) -> None:
        self.held, self.array = held, array

    @property
    def core(self) -> Told:
        return self

    def _note(self, what: str) -> Told:
        self.held[what] = engine_torch._MPS.locked()
        return self

    def __getitem__(self, key: object) -> Told:
        return self

    def __call__(self, given: Told, mood: Told) -> Told:
        self._note("dream")
        return given

    def __del__(self) -> None:
        if self.array is not None:
            self._note("free")

    def to(self, *where: object, **how: object) -> Told:
        return self._note("move") if where[0] != pytorch.float16 else self

    def cpu(self) -> Told:
        return self._note("read")

    def numpy(self) -> Any:
        return self.array


@pytest.mark.parametrize(("device", "held"), [("mps", True), ("mps:0", True), ("cuda:0", False), ("cpu", False)])
def test_one_thread_at_a_time_works_on_apples_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, held: bool
) -> None:
    made: dict[str, bool] = {}
    monkeypatch.setattr(engine_torch, "network_of", lambda *given: Told(made))
    Torch()._build(pytorch, world(tmp_path), "m", device, "fp16")
    assert made == {"move": held}
    ran: dict[str, bool] = {}
    stand_in = SimpleNamespace(inference_mode=pytorch.inference_mode, from_numpy=lambda array: Told(ran, array))
    run, picture = session(stand_in, Told(ran), device)(), probe(SHAPE)
    assert run(picture, np.zeros(2, np.float32)) is picture
    assert ran == {"move": held, "dream": held, "read": held, "free": held}
    assert not engine_torch._MPS.locked()


def test_a_dream_that_fails_lets_the_card_go() -> None:
    def fail(*given: object) -> None:
        raise RuntimeError("out of memory")

    ran: dict[str, bool] = {}
    stand_in = SimpleNamespace(inference_mode=pytorch.inference_mode, from_numpy=lambda array: Told(ran, array))
    with pytest.raises(RuntimeError, match="out of memory"):
        session(stand_in, fail, "mps")()(probe(SHAPE), np.zeros(2, np.float32))
    with alone("mps"):
        assert not engine_torch._MPS.acquire(blocking=False)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "dream m cannot be loaded: "),
        (plain_bytes()[:-10], "dream m cannot be loaded: "),
        (plain_bytes(bad=float("nan")), "dream m holds weights that are not finite numbers"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        Torch("cpu", cache=tmp_path).load(world(tmp_path, data), "m", SHAPE)


def test_a_network_that_is_not_known_or_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="unknown network 'fancy'"):
        Torch("cpu", cache=tmp_path).load(world(tmp_path, card=CARD.replace('"plain"', '"fancy"')), "m", SHAPE)
    start, end = CARD.index("[mood]"), CARD.index("[network]")
    with pytest.raises(EngineError, match="the card has no 'mood'"):
        Torch("cpu", cache=tmp_path).load(world(tmp_path, card=CARD[:start] + CARD[end:]), "m", SHAPE)


def test_wrong_wishes_are_told(tmp_path: Path) -> None:
    card = world(tmp_path)
    for wrong in ({"precision": "int4"}, {"device": "tpu"}, {"threads": -1}):
        with pytest.raises(ValueError, match=f"^{next(iter(wrong))} is "):
            Torch(**wrong)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="finds no device 'mps' here"):
        Torch("mps", cache=tmp_path).load(card, "m", SHAPE)
    with pytest.raises(EngineError, match="sides are multiples of 8"):
        Torch("cpu", cache=tmp_path).load(card, "m", (60, 32))
    (card.folder / "m.safetensors").write_bytes(b"other")
    with pytest.raises(CardError, match="is not the file that its card describes"):
        Torch("cpu", cache=tmp_path).load(card, "m", SHAPE)
