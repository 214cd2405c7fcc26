"""Where the lab computes: sentences for what is not there, rates that change, steps called as they are."""

from __future__ import annotations

import pytest
import torch

from perform.lab import device


def test_devices_are_picked_or_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.pick("auto") == device.pick("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match="finds no CUDA device here"):
        device.pick("cuda")
    with pytest.raises(ValueError, match="auto, cpu or cuda, not 'tpu'"):
        device.pick("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert device.pick("auto") == torch.device("cuda", 2)


@pytest.mark.parametrize(
    ("able", "kind"), [({"amx_bf16": True}, torch.bfloat16), ({"avx512_bf16": True}, torch.float32)]
)
def test_a_processor_computes_in_what_it_multiplies_fast(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool], kind: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    device.halves.cache_clear()
    with device.mixed(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == kind
    device.halves.cache_clear()


def test_a_rate_can_be_set_as_a_number_and_in_place() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    plain = device.adam([weight], 0.1, torch.device("cpu"))
    device.set_rate(plain, 0.2)
    assert plain.param_groups[0]["lr"] == 0.2
    rate = torch.tensor(0.1)
    recorded = torch.optim.Adam([weight], rate, foreach=False, capturable=False)
    device.set_rate(recorded, 0.3)
    assert recorded.param_groups[0]["lr"] is rate
    assert float(rate) == pytest.approx(0.3)
    device.keep_rate_in_place(recorded, torch.device("cpu"))
    assert recorded.param_groups[0]["lr"] == pytest.approx(0.3)


def test_on_a_processor_a_step_is_simply_called() -> None:
    seen = []

    def step(given: device.Inputs) -> dict[str, torch.Tensor]:
        seen.append(float(given["x"]))
        return {"twice": given["x"] * 2}

    recorded = device.Recorded(torch.device("cpu"))
    assert [float(recorded(step, {"x": torch.tensor(float(n))})["twice"]) for n in range(6)] == [0, 2, 4, 6, 8, 10]
    assert seen == [0, 1, 2, 3, 4, 5]
