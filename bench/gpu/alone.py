"""An engine alone: pictures that lie on the card already, dreamt one after another, nothing else going on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.gpu import nets
from bench.gpu.record import record
from bench.gpu.timing import Times, measure

PICTURES = 3  # inputs in turn: one alone might stay in the cache
Call = Callable[[int], Any]


def pictures(size: tuple[int, int], device: str) -> list[Any]:
    """Random pictures [1,H,W,4]."""
    import torch

    return [torch.randint(0, 256, (1, size[1], size[0], 4), dtype=torch.uint8, device=device) for _ in range(PICTURES)]


def ladder(
    name: str, size: tuple[int, int], engines: tuple[str, ...], device: str, world: Path | None = None
) -> Iterator[tuple[str, Call | None, dict[str, Any]]]:
    """(engine, call or None, what there is to say of it) for each engine that was asked for, made when it is its turn.

    `eager`, `graph` (eager, recorded), `compile` (torch.compile), `compiled graph` (the same, recorded), `TensorRT`
    (the best of the program's TensorRT makers, recorded). A call that could not be made is None, with the reason under
    `error`.
    """
    import torch

    torch.backends.cudnn.benchmark = True
    network = nets.ready(name, device, "fp16" if device.startswith("cuda") else "fp32", world)
    given = pictures(size, device)
    mood = torch.randn(1, nets.mood_size(network), device=device)
    compiled: Any = None
    took: dict[str, Any] = {}
    for engine in engines:
        about: dict[str, Any] = {}
        try:
            with torch.inference_mode():
                if engine.startswith("compile") and compiled is None:
                    compiled, took = _compiled(torch, network, given, mood)
                net = compiled if engine.startswith("compile") else network
                about = dict(took) if engine.startswith("compile") else {}
                if engine == "TensorRT":
                    net, about = _tensorrt(name, size, world)
                recorded = "graph" in engine or engine == "TensorRT"
                call = _recorded(net, given, mood, device) if recorded else _plain(net, given, mood)
        except Exception as e:  # noqa: BLE001 - one line of the table, the others go on
            yield engine, None, {"error": one_line(e)}
            continue
        yield engine, call, about


def _compiled(torch: Any, network: Any, given: list[Any], mood: Any) -> tuple[Any, dict[str, Any]]:
    torch._dynamo.reset()  # the last network's code counts as a version of this one's
    began = time.perf_counter()
    compiled = torch.compile(network, dynamic=False, fullgraph=True)
    compiled(given[0], mood)
    if given[0].is_cuda:
        torch.cuda.synchronize()
    return compiled, {"compile_s": round(time.perf_counter() - began, 2)}


def _tensorrt(name: str, size: tuple[int, int], world: Path | None) -> tuple[Any, dict[str, Any]]:
    """What the first TensorRT maker that is on this machine makes. Raises RuntimeError with each one's reason."""
    from bench.gpu.players import card
    from perform.engines.tensorrt import offers

    makers = [offer.maker for offer in offers() if offer.maker is not None]
    if not makers or world is None:
        raise RuntimeError("; ".join(offer.reason for offer in offers()))
    began = time.perf_counter()
    compute = makers[0].make(card(world), name, size, lambda text: None)
    return compute, {"compile_s": round(time.perf_counter() - began, 2), "note": compute.note}


def _plain(net: Any, given: list[Any], mood: Any) -> Call:
    return lambda i: net(given[i % len(given)], mood)


def _recorded(net: Any, given: list[Any], mood: Any, device: str) -> Call:
    if not device.startswith("cuda"):
        raise RuntimeError("a CUDA graph needs CUDA")
    replays = record([lambda picture=picture: net(picture, mood) for picture in given])  # type: ignore[misc]
    return lambda i: replays[i % len(replays)]()


def run(case: Any, seconds: float, device: str, world: Path | None) -> Iterator[dict[str, Any]]:
    """The rows of one case (network, size, engines)."""
    import torch

    name, asked = case.what["network"], tuple(case.what["size"])
    size = nets.fitted(name, asked)
    why = f"played at {size[0]}×{size[1]}: its sides are multiples of {nets.multiple(name)}"
    note = {"note": why} if size != asked else {}
    for engine, call, about in ladder(name, size, tuple(case.what["engines"]), device, world):
        row = {"network": name, "size": list(asked), "engine": engine, **note, **about}
        if call is not None:
            try:
                with torch.inference_mode():
                    row |= figures(measure(call, seconds, device))
            except Exception as e:  # noqa: BLE001 - as above
                row["error"] = one_line(e)
        yield row


def figures(times: Times) -> dict[str, Any]:
    """A reading as a row has it."""
    return {
        "p50_ms": round(times.p50, 4),
        "p95_ms": round(times.p95, 4),
        "p99_ms": round(times.p99, 4),
        "fps": round(times.rate, 1),
        "runs": times.runs,
    }


def one_line(error: BaseException) -> str:
    """The first line of what was said, at most 160 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or ['no reason given'])[0]}"[:160]
