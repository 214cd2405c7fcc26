"""From a run folder to a world that runs live: safetensors, ONNX, int8 ONNX, and the proof that they agree.

    python -m perform.lab.export --size s=runs/s --size m=runs/m --world runs/landscape --out models/landscape

Everything that an engine would otherwise do to pixels is inside the graph. int8 is NNCF post-training quantisation on
conditions of training photographs, strangers and all moods; the first and last convolution stay float, or skies band.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from perform.lab import card, landscape, losses, moods, networks, run
from perform.lab.batches import Batches, middle
from perform.lab.conditions import luma, quantise, shrink
from perform.lab.worlds import World
from perform.networks import Dream, Plain

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
OPSET = 20


@dataclass(frozen=True)
class Exported:
    """The files of one size and how well they agree with the torch network (PSNR in dB over bytes; worst of the
    samples).
    """

    weights: Path
    onnx: Path
    int8: Path
    onnx_psnr: float
    int8_psnr: float


def live(weights: Path, size: str) -> Dream:
    """The live network of a run's `ema.safetensors`, folded, with its pixel maths."""
    state = {key: value for key, value in load_file(weights).items() if not key.startswith("mood.")}
    widths, blocks = networks.SIZES[size]
    core = Plain(widths, blocks, moods.SIZE)
    core.load_state_dict(state)
    return Dream(core).eval()


def to_onnx(network: Dream, path: Path, multiple: int = 8) -> None:
    """Write the ONNX twin: `picture` uint8 [1,H,W,4], `mood` float32 [1,M] -> `dream` uint8 [1,H,W,4]; H and W any
    multiples of `multiple`. A network without a mood has no such input.
    """
    import onnx

    least = max(2, 32 // multiple)
    rows, columns = (torch.export.Dim(name, min=least, max=4096 // multiple) for name in ("rows", "columns"))
    given: dict[str, Tensor] = {
        "picture": torch.zeros(1, (least + 1) * multiple, (least + 2) * multiple, 4, dtype=torch.uint8)
    }
    shapes: dict[str, Any] = {"picture": {1: multiple * rows, 2: multiple * columns}}
    if not network.colour:
        given["mood"], shapes["mood"] = torch.zeros(1, int(network.core.mood)), None  # type: ignore[arg-type]
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            tuple(given.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(given),
            output_names=["dream"],
            dynamic_shapes=shapes,
            verbose=False,
        )
    quiet.setLevel(level)
    assert program is not None
    model = _anonymous(program.model_proto)
    run.write(path, lambda partial: onnx.save(model, str(partial)))


def _anonymous(model: Any) -> Any:
    """The same graph without the exporter's notes: they quote the stack, paths of this machine included."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    return model


def samples(batches: Batches, count: int, side: int, seed: int = 7) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """`count` live-like inputs: {"picture": uint8 [1,S,S,4], "mood": float32 [1,7]}, half photographs, half
    strangers, any mood.
    """
    rng = torch.Generator().manual_seed(seed)
    for _ in range(count // 2):
        batch = batches.draw(1, 1, rng)
        mood = torch.cat([batch.mood[:1], batches.any_moods(1, rng)])
        for condition, one in zip(batch.condition, mood, strict=True):
            yield {"picture": rgba(condition)[None].numpy(), "mood": one[None].numpy()}


def rgba(condition: Tensor) -> Tensor:
    """A condition [1,H,W] in 0..1 as the bytes that a live picture is: [H,W,4]."""
    grey = (condition * 255 + 0.5).to(torch.uint8).permute(1, 2, 0)
    return torch.cat([grey.expand(-1, -1, 3), torch.full_like(grey, 255)], -1)


def to_int8(source: Path, path: Path, inputs: Sequence[dict[str, npt.NDArray[Any]]]) -> None:
    """Quantise an exported network with NNCF, calibrated on `inputs`: the convolutions between the first and the last.

    The mood's scales and shifts stay float: quantised they cost 11 dB. The preset is the symmetric one: with zero
    points (MIXED) OpenVINO 2026.4 was half as fast, and could not compile the graph at all at bf16 precision.
    """
    import nncf
    import onnx

    logging.getLogger("nncf").setLevel(logging.ERROR)
    model = onnx.load(source)
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    spared = [convolutions[0], convolutions[-1]]
    spared += [node.name for node in model.graph.node if node.op_type in ("Gemm", "MatMul", "Mul", "Add")]
    quantised = nncf.quantize(
        model,
        nncf.Dataset(inputs),
        subset_size=len(inputs),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        ignored_scope=nncf.IgnoredScope(names=spared),
    )
    run.write(path, lambda partial: onnx.save(quantised, str(partial)))


def play(path: Path, picture: Bytes, mood: Floats) -> Bytes:
    """Run one picture through an ONNX file with ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    result: Bytes = session.run(["dream"], {"picture": picture, "mood": mood})[0]
    return result


@torch.no_grad()
def agreement(network: nn.Module, path: Path, inputs: Sequence[dict[str, npt.NDArray[Any]]]) -> float:
    """The mean PSNR, in dB, of an ONNX file against the torch network over `inputs` (bytes; 99 where equal)."""
    scores = []
    for one in inputs:
        theirs = torch.from_numpy(play(path, one["picture"], one["mood"]))
        ours = network(torch.from_numpy(one["picture"]), torch.from_numpy(one["mood"]))
        scores.append(min(99.0, losses.psnr(ours, theirs, 255.0)))
    return sum(scores) / len(scores)


def export(network: Dream, size: str, batches: Batches, out: Path, calibration: int = 96) -> Exported:
    """Write the three files of one size into `out` and check them: ONNX within rounding (> 45 dB), int8 > 24 dB,
    else ValueError.

    About 30 s. ONNX Runtime and torch round a few values differently; a wrong graph is off by far more.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = Exported(out / f"{size}.safetensors", out / f"{size}.onnx", out / f"{size}.int8.onnx", 0.0, 0.0)
    state = {key: value.detach().contiguous().clone() for key, value in network.state_dict().items()}
    run.write(files.weights, lambda path: save_file(state, path))
    to_onnx(network, files.onnx)
    to_int8(files.onnx, files.int8, list(samples(batches, calibration, batches.side)))
    trial = list(samples(batches, 8, batches.side, seed=8))
    onnx_psnr, int8_psnr = agreement(network, files.onnx, trial), agreement(network, files.int8, trial)
    if onnx_psnr < 45 or int8_psnr < 24:
        raise ValueError(
            f"{size}: the exported network disagrees with torch (onnx {onnx_psnr:.1f} dB, int8 {int8_psnr:.1f} dB)"
        )
    return Exported(files.weights, files.onnx, files.int8, onnx_psnr, int8_psnr)


def quality(network: Dream, world: World, batches: Batches) -> dict[str, float]:
    """Against held-out photographs in their own mood: L1 at 32x32 cells and of pixels (0..1), and how well light
    follows (0..1).
    """
    real = torch.cat([middle(one, batches.side) for one in world.unseen()])
    grey = luma(real) / 2 + 0.5
    mood = batches.scale(moods.measure(real, grey))
    condition = quantise(shrink(grey, card.CONDITION["reduce"]))
    with torch.no_grad():
        dream = network.core(condition, mood)
    return {
        "coarse_l1": float(losses.coarse(dream, real)) / 2,
        "l1": float((dream - real).abs().mean()) / 2,
        "follow": 1 - float(losses.follow(dream, condition)),
    }


def ship(runs: Mapping[str, Path], world_folder: Path, out: Path) -> None:
    """Export several sizes ({"m": run folder, ...}) and write the card, previews and attribution of the landscape
    world into `out`.
    """
    world = World.load(world_folder)
    batches = Batches(world, 256, strange=120)
    table = (world_folder / "ATTRIBUTION.csv").read_text(encoding="utf-8")
    named = {name: colours.vector(batches.scale) for name, colours in landscape.NAMED.items()}
    sizes = {}
    for size, folder in runs.items():
        network = live(folder / "ema.safetensors", size)
        files = export(network, size, batches, out)
        measured = quality(network, world, batches) | {"onnx_psnr": files.onnx_psnr, "int8_psnr": files.int8_psnr}
        widths, blocks = networks.SIZES[size]
        parameters = sum(parameter.numel() for parameter in network.parameters())
        paths = {"weights": files.weights, "onnx": files.onnx, "int8": files.int8}
        macs = networks.macs(network)
        sizes[size] = card.size_entry(widths, blocks, macs, parameters, batches.side, paths, measured)
    text = card.dumps(describe(named, sizes))
    run.write(out / "card.toml", lambda path: path.write_text(text, encoding="utf-8"))
    run.write(out / "ATTRIBUTION.csv", lambda path: path.write_text(table, encoding="utf-8"))


def describe(named: Mapping[str, list[float]], sizes: Mapping[str, Any]) -> dict[str, Any]:
    """The whole card as plain data."""
    rows = landscape.PAD
    pad = {"rows": len(rows), "columns": len(rows[0]), "grid": moods.grid(named, rows)}
    return {
        "format": card.FORMAT,
        "world": "landscape",
        "title": landscape.TITLE,
        "description": landscape.DESCRIPTION,
        "author": landscape.AUTHOR,
        "licence": landscape.LICENCE,
        "sources": landscape.SOURCES,
        "multiple": 8,
        "preview": "preview.jpg",
        "condition": {"name": "reduce", **card.CONDITION},
        "mood": {"size": moods.SIZE, "default": landscape.DEFAULT, "named": dict(named), "map": pad},
        "network": {"name": "plain"},
        "size": dict(sizes),
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--size", action="append", required=True, metavar="SIZE=RUN", help="for example m=runs/m; repeatable"
    )
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, default=Path("models/landscape"))
    args = parser.parse_args(argv)
    runs = dict(item.split("=", 1) for item in args.size)
    ship({size: Path(folder) for size, folder in runs.items()}, args.world, args.out)


if __name__ == "__main__":
    main()
