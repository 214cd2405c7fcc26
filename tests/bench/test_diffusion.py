"""The shape of one-step diffusion: as large as what it stands for, and sound on a processor at a toy's size."""

from __future__ import annotations

import torch

from bench.gpu import diffusion, sd
from bench.gpu.plan import Case


def test_it_has_the_parameters_of_sd_turbo_and_taesd() -> None:
    work = diffusion.work((512, 512))
    assert abs(work["unet_parameters"] / 865.9e6 - 1) < 0.02
    assert abs(work["autoencoder_parameters"] / 2.445e6 - 1) < 0.05
    assert 450e9 < work["macs"] < 600e9  # about 400 of them the U-Net's, at a latent of 64×64


def test_a_toy_of_it_dreams_on_a_processor() -> None:
    torch.manual_seed(1)
    whole = sd.build("cpu", torch.float32, (64, 64, 64, 64))
    picture = torch.randint(0, 256, (1, 64, 64, 4), dtype=torch.uint8)
    with torch.inference_mode():
        dream = whole(picture, torch.randn(1, 77, 1024), torch.randn(1, 4, 8, 8), torch.tensor([499.0]))
    assert dream.shape == picture.shape
    assert dream.dtype == torch.uint8
    assert bool((dream[..., 3] == 255).all())
    assert float(dream[..., :3].float().std()) > 0.1


def test_its_rows_name_the_engine_and_what_could_not_be_had() -> None:
    case = Case("toy", "diffusion", 1, {"engines": ("eager", "graph"), "size": (64, 64)})
    eager, graph = diffusion.run(case, 0.01, "cpu")
    assert eager["fps"] > 0
    assert eager["p50_ms"] <= eager["p99_ms"]
    assert graph["error"] == "RuntimeError: a CUDA graph needs CUDA"
