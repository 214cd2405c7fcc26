"""Pictures between the real GL and the real CUDA: every bridge that this machine allows carries bytes exactly."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
import pytest
import torch

from perform.gl import egl
from perform.gl.context import Context
from perform.gl.interop import KINDS, gl_devices, open_bridge
from perform.gl.interop.proof import MAKERS
from perform.gl.transfer import read, read_float

SHAPE = (641, 359)  # no power of two, and rows that are not multiples of anything
FORMATS = ("rgba8", "rgba16f")


def noise(format: str) -> torch.Tensor:
    made = torch.Generator().manual_seed(1)
    shape = (SHAPE[1], SHAPE[0], 4)
    if format == "rgba8":
        return torch.randint(0, 256, shape, generator=made, dtype=torch.uint8)
    return torch.randn(shape, generator=made).half()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", FORMATS)
def test_bytes_go_there_and_back(shared: Any, kind: str, format: Any) -> None:
    given = noise(format)
    source, back = given.cuda(), torch.zeros_like(given).cuda()
    stream = torch.cuda.Stream()
    torch.cuda.synchronize()
    bridge = MAKERS[kind](shared, SHAPE, format)
    bridge.ripen(source.data_ptr(), stream.cuda_stream)
    stream.synchronize()
    texture = bridge.give(source.data_ptr(), stream.cuda_stream)
    seen = read(texture) if format == "rgba8" else read_float(texture).astype(np.float16)
    assert np.array_equal(seen, given.numpy())
    bridge.take(texture, back.data_ptr(), stream.cuda_stream)
    stream.synchronize()
    assert torch.equal(back.cpu(), given)
    bridge.close()


def test_gl_waits_for_cuda_and_cuda_for_gl_without_the_host(shared: Any) -> None:
    """A hundred pictures, each made from the one before by the other side; nobody calls finish or synchronize."""
    stream = torch.cuda.Stream()
    memory = torch.zeros((SHAPE[1], SHAPE[0], 4), dtype=torch.uint8, device="cuda")
    torch.cuda.synchronize()
    bridge = open_bridge(shared, SHAPE, allow=("array", "buffer"))
    with torch.cuda.stream(stream):
        for _ in range(100):
            texture = bridge.give(memory.data_ptr(), stream.cuda_stream)
            bridge.take(texture, memory.data_ptr(), stream.cuda_stream)
            memory.add_(1)
    texture = bridge.give(memory.data_ptr(), stream.cuda_stream)
    assert (read(texture) == 100).all()
    bridge.close()


def test_resize_and_a_hundred_openings_leak_nothing(shared: Any) -> None:
    bridge = open_bridge(shared, (1920, 1080))
    for _ in range(3):
        bridge.resize((1280, 720))
        bridge.resize((1920, 1080))
    free = torch.cuda.mem_get_info()[0]
    for n in range(100):
        bridge.resize((1920 - 8 * (n % 2), 1080))
    assert free - torch.cuda.mem_get_info()[0] < 100_000_000
    bridge.close()


def test_choosing_says_the_times_and_gives_everything_back(
    shared: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    open_bridge(shared, (1920, 1080)).close()  # what a driver keeps from the first time
    free, began = torch.cuda.mem_get_info()[0], time.perf_counter()
    bridge = open_bridge(shared, (1920, 1080))
    took = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n{caplog.messages[-1]}; chosen in {took * 1e3:.0f} ms")
    assert "ms by host" in caplog.messages[-1]
    bridge.close()
    assert free - torch.cuda.mem_get_info()[0] < 8_000_000


def test_without_a_screen_gl_draws_on_the_card_of_cuda(gl: Context, cuda: Any) -> None:
    if egl.device_of(0) is None:
        pytest.skip("EGL does not know the CUDA card")
    assert gl_devices(cuda) == [0]
    assert not gl.software
