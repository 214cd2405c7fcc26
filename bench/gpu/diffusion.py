"""The frame rate that a user of one-step diffusion would get here: SD-Turbo's U-Net and TAESD, as StreamDiffusion runs
them (Kodaira et al. 2023): one step, batch of one, no guidance, half precision, channels last, fused attention.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from bench.gpu import count, sd
from bench.gpu.alone import PICTURES, figures, one_line, pictures
from bench.gpu.record import record
from bench.gpu.timing import measure

SMALL = (64, 64, 64, 64)  # widths that a processor can play, to see that the path is sound


def work(size: tuple[int, int]) -> dict[str, Any]:
    """Parameters and multiply-adds, counted on shapes alone."""
    import torch

    with torch.device("meta"):
        whole = sd.OneStep(sd.UNet(), sd.Tiny()).half()
        unet, tiny = (sum(p.numel() for p in part.parameters()) for part in (whole.unet, whole.tiny))
        given = torch.empty(1, size[1], size[0], 4, dtype=torch.uint8)
        latent = torch.empty(1, 4, size[1] // 8, size[0] // 8, dtype=torch.half)
        text, moment = torch.empty(1, sd.WORDS, sd.TEXT, dtype=torch.half), torch.empty(1, dtype=torch.half)
        macs = sum(layer.macs for layer in count.observe(lambda: whole(given, text, latent, moment)))
    return {"unet_parameters": unet, "autoencoder_parameters": tiny, "macs": macs}


def run(case: Any, seconds: float, device: str) -> Iterator[dict[str, Any]]:
    """A row for each engine of the case: eager, graph, compile, compiled graph."""
    import torch

    torch.backends.cudnn.benchmark = True
    size = tuple(case.what["size"])
    cuda = device.startswith("cuda")
    kind = torch.float16 if cuda else torch.float32
    whole = sd.build(device, kind, sd.WIDTHS if cuda else SMALL)
    about = work(size) if cuda else {}
    given = pictures(size, device)
    text = torch.randn(1, sd.WORDS, sd.TEXT, device=device, dtype=kind)
    noise = torch.randn(1, 4, size[1] // 8, size[0] // 8, device=device, dtype=kind)
    moment = torch.full((1,), 499.0, device=device, dtype=kind)
    for engine in case.what["engines"]:
        row = {"network": "sd-turbo + taesd", "size": list(size), "engine": engine, **about}
        try:
            if "graph" in engine and not cuda:
                raise RuntimeError("a CUDA graph needs CUDA")
            with torch.inference_mode():
                net: Any = whole
                if engine.startswith("compile"):
                    began = time.perf_counter()
                    net = torch.compile(whole, dynamic=False, fullgraph=True)
                    net(given[0], text, noise, moment)
                    row["compile_s"] = round(time.perf_counter() - began, 1)
                latent = whole.unet(noise, moment, text)
                if not bool(torch.isfinite(latent).all()):
                    row["note"] = "its numbers overflow with these weights"
                if "graph" in engine:
                    calls = [lambda p=p, n=net: n(p, text, noise, moment) for p in given]  # type: ignore[misc]
                    replays = record(calls)
                    times = measure(lambda i, r=replays: r[i % PICTURES](), seconds, device)  # type: ignore[misc]
                else:
                    times = measure(lambda i, n=net: n(given[i % PICTURES], text, noise, moment), seconds, device)  # type: ignore[misc]
            row |= figures(times)
        except Exception as e:  # noqa: BLE001 - a line of the table, the others go on
            row["error"] = one_line(e)
        yield row
