"""Which engine suits this machine, and why."""

from __future__ import annotations

import pytest

from perform.engines import choose
from perform.engines.cuda import Cuda
from perform.engines.openvino import OpenVino
from perform.engines.rtx import Rtx
from perform.engines.torch import Torch


def test_without_a_graphics_card_openvino_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "_driver", lambda: False)
    kinds = [type(hardware) for hardware in choose.auto()]
    assert kinds == [OpenVino, Torch]  # not Passthrough: what cannot be loaded must be said
    reasons = [option.reason for option in choose.options()]
    assert reasons[0] == "CUDA: there is no NVIDIA driver"
    assert reasons[1] == "MPS: this is not an Apple silicon Mac"
    assert all(reasons)


def test_with_a_card_that_torch_can_use_cuda_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(choose, "_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A Card")
    monkeypatch.setattr(choose, "_has", lambda package: package != "tensorrt_rtx")
    first, light, host = choose.options()[:3]
    assert first.hardware == Cuda()
    assert first.reason == "CUDA on A Card"
    assert light.hardware is None
    assert (host.hardware, host.reason) == (Torch(device="cuda"), "CUDA on A Card, through the host's memory")
    monkeypatch.setattr(choose, "_has", lambda package: True)
    assert [type(hardware) for hardware in choose.auto()] == [Cuda, Rtx, Torch, OpenVino, Torch]
    monkeypatch.setattr(choose, "_has", lambda package: package != "cuda.bindings")
    assert "cuda-bindings is not installed" in choose.options()[0].reason
    assert choose.auto()[0] == Torch(device="cuda")
    assert [type(hardware) for hardware in choose.auto(gpu=False)] == [OpenVino, Torch]
    assert choose.auto(gpu=False)[1] == Torch(device="cpu")


def test_a_driver_without_a_torch_for_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(choose, "_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert choose.options()[0].reason == "CUDA: this torch was built without CUDA"
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert choose.options()[0].reason == "CUDA: torch finds no usable card"
    monkeypatch.setattr(choose, "_has", lambda package: True)
    assert choose.auto()[0] == Rtx(), "that does without torch"


def test_on_a_mac_the_gpu_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "_driver", lambda: False)
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert choose.auto()[0] == Torch(device="mps")


def test_what_is_not_installed_is_told_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "_has", lambda package: False)
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert choose.auto() == []
    assert "MPS: torch is not installed" in [option.reason for option in choose.options()]
    monkeypatch.setattr(choose, "_driver", lambda: True)
    assert choose.auto() == []
    assert [o.reason for o in choose.options()][:2] == ["CUDA: torch is not installed", "TensorRT-RTX is not installed"]


def test_an_engine_can_be_named_with_its_keys() -> None:
    assert choose.named("openvino", precision="fp32", threads=1) == [OpenVino("fp32", 1)]
    assert choose.named("auto")
    with pytest.raises(LookupError, match="did you mean 'openvino'"):
        choose.named("openvin")


def test_asking_for_a_driver_answers() -> None:
    assert choose._driver() in (True, False)
