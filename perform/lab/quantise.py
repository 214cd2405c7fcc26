"""int8: the form of a network that processors without matrix units play fastest.

    perform quantise models/landscape --world runs/landscape           # the int8 files of a world, afresh
    perform quantise models/landscape --world runs/landscape --finish 300  # learn to round well first
    perform quantise models/landscape --world runs/landscape --sweep   # what other settings would give; writes nothing

Post-training quantisation by NNCF, calibrated on conditions of training pictures, strangers and all moods. The first
and the last convolution stay float, or skies band. So do the mood's scales and shifts: quantised they cost 11 dB. The
activations are quantised symmetrically: with zero points OpenVINO 2026.4 was half as fast. Biases stay as they were
trained: NNCF's fast correction of them cost two landscapes of size `m` 2.4 and 4.9 dB of agreement, its accurate one
gained 0.0 and 0.5 dB.
"""

from __future__ import annotations

import argparse
import copy
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from perform import networks
from perform.lab import card, graph, losses, moods, run, timing
from perform.lab.batches import Batches, apart, middle
from perform.lab.device import pick
from perform.lab.finish import finish
from perform.lab.worlds import World
from perform.networks import Dream
from perform.parsing import Parser

Inputs = list[dict[str, npt.NDArray[Any]]]


CALIBRATION = 96  # inputs to take ranges from


@dataclass(frozen=True)
class Settings:
    """How to quantise. `calibration`: at most so many inputs to take ranges from. `bias`: `fast` or `accurate`
    correction of the mean error, or `none`. `ends`: quantise the first and the last convolution, too. `zero_points`:
    asymmetric activations.
    """

    calibration: int = CALIBRATION
    bias: str = "none"
    ends: bool = False
    zero_points: bool = False


SWEEP: Mapping[str, Settings] = {
    "as shipped": Settings(),
    "24 inputs": Settings(calibration=24),
    "384 inputs": Settings(calibration=384),
    "accurate bias correction": Settings(bias="accurate"),
    "fast bias correction": Settings(bias="fast"),
    "first and last layer, too": Settings(ends=True),
    "zero points": Settings(zero_points=True),
}


def samples(batches: Batches, count: int, seed: int = 7) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """`count` live-like inputs: {"picture": uint8 [1,S,S,4], "mood": float32 [1,7]}, half photographs in their own
    mood, half what training shows without a truth (strangers, twisted and plain photographs), any mood.
    """
    rng = torch.Generator().manual_seed(seed)
    for _ in range(count // 2):
        batch = batches.draw(1, 1, rng)
        mood = torch.cat([batch.mood[:1], batches.any_moods(1, rng)])
        for condition, one in zip(batch.condition, mood, strict=True):
            yield {"picture": rgba(condition)[None].cpu().numpy(), "mood": one[None].cpu().numpy()}


def rgba(condition: Tensor) -> Tensor:
    """A condition [1,H,W] in 0..1 as the bytes that a live picture is: [H,W,4]."""
    grey = (condition * 255 + 0.5).to(torch.uint8).permute(1, 2, 0)
    return torch.cat([grey.expand(-1, -1, 3), torch.full_like(grey, 255)], -1)


def to_int8(network: Dream, path: Path, inputs: Inputs, settings: Settings | None = None, model: Any = None) -> None:
    """Quantise a network and write it as ONNX, ranges taken from `inputs`. 5 to 10 s for `m`. `model`: its ONNX model
    in float32, if it has been made already (`graph.model_of`); it stays as it is.
    """
    import nncf
    import onnx

    how = settings or Settings()
    logging.getLogger("nncf").setLevel(logging.ERROR)
    model = graph.model_of(network) if model is None else model
    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    spared = [] if how.ends else [convolutions[0], convolutions[-1]]
    spared += [node.name for node in model.graph.node if node.op_type in ("Gemm", "MatMul", "Mul", "Add")]
    with _no_bars():
        quantised = nncf.quantize(
            model,
            nncf.Dataset(inputs[: how.calibration]),
            subset_size=min(how.calibration, len(inputs)),
            preset=nncf.QuantizationPreset.MIXED if how.zero_points else nncf.QuantizationPreset.PERFORMANCE,
            fast_bias_correction=how.bias != "accurate",
            ignored_scope=nncf.IgnoredScope(names=spared),
            advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=how.bias == "none"),
        )
    del quantised.graph.value_info[:]  # engines infer shapes themselves
    small = graph.halved(quantised)
    run.write(path, lambda partial: onnx.save(small, str(partial)))


@contextmanager
def _no_bars() -> Iterator[None]:
    """Meanwhile rich's own console draws nothing: NNCF's progress bars appear there and cannot be switched off. It is
    no terminal either, or rich would take, and lose, what others print beside a bar.
    """
    import rich

    rich.reconfigure(quiet=True, force_terminal=False)
    try:
        yield
    finally:
        rich.reconfigure()


def truths(world: World, batches: Batches, reduce: float) -> tuple[Inputs, Tensor]:
    """Held-out pictures as a show gives them, in their own mood, and what they really look like: uint8 [N,S,S,3]."""
    real, grey = apart(torch.cat([middle(one.to(batches.device), batches.side) for one in world.unseen()]))
    mood = batches.scale(moods.measure(real, grey)).cpu()
    condition, real = card.condition(grey, reduce, batches.side).cpu(), real.cpu()
    inputs = [{"picture": rgba(c)[None].numpy(), "mood": m[None].numpy()} for c, m in zip(condition, mood, strict=True)]
    return inputs, ((real + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


@torch.no_grad()
def loss(network: Dream, path: Path, inputs: Inputs, real: Tensor) -> float:
    """How many dB of PSNR against the truth (`truths`) the file has less than the network it was made from."""
    play, lost = timing.onnxruntime(path, threads=2), 0.0
    for one, truth in zip(inputs, real, strict=True):
        ours = network(torch.from_numpy(one["picture"]), torch.from_numpy(one["mood"]))[0, ..., :3]
        theirs = torch.from_numpy(play(one["picture"], one["mood"]))[0, ..., :3]
        lost += losses.psnr(ours, truth, 255.0) - losses.psnr(theirs, truth, 255.0)
    return lost / len(inputs)


@dataclass(frozen=True)
class Bench:
    """A world to quantise for: what to calibrate on (training pictures and strangers); held-out pictures in their own
    mood, and what is true; and what to compare on: some of those, in another one's mood as well.
    """

    calibration: Inputs
    trial: Inputs
    held_out: Inputs
    real: Tensor

    @classmethod
    def of(cls, world: World, batches: Batches, reduce: float, most: int = 0) -> Bench:
        """The usual inputs of a world, `most` of them (0: the usual count) to calibrate on."""
        held_out, real = truths(world, batches, reduce)
        few = held_out[:8]
        turned = [one | {"mood": other["mood"]} for one, other in zip(few, few[1:] + few[:1], strict=True)]
        return cls(list(samples(batches, most or CALIBRATION)), few + turned, held_out, real)

    def judge(self, network: Dream, path: Path) -> dict[str, float]:
        """`int8_psnr`: agreement with the float network, dB. `int8_loss`: what is lost against the truth, dB."""
        agreed = graph.agreement(network, path, self.trial)
        return {"int8_psnr": agreed, "int8_loss": loss(network, path, self.held_out, self.real)}


def better(
    network: Dream, path: Path, bench: Bench, settings: Settings | None = None, finished: Dream | None = None
) -> dict[str, float]:
    """Quantise the network and, if there is one, its finished twin; keep the one that agrees better with the network.
    Returns what `Bench.judge` says of it, and `finish_gain`, dB, where there was a choice.
    """
    to_int8(network, path, bench.calibration, settings)
    got = bench.judge(network, path)
    if finished is None:
        return got
    second = path.with_suffix(".finished")
    to_int8(finished, second, bench.calibration, settings)
    again = bench.judge(network, second)
    gain = {"finish_gain": again["int8_psnr"] - got["int8_psnr"]}
    if gain["finish_gain"] <= 0:
        second.unlink()
        return got | gain
    second.replace(path)
    return again | gain


def sweep(network: Dream, bench: Bench, side: int) -> Iterator[str]:
    """One line for each setting of `SWEEP`: agreement, loss against the truth, milliseconds in OpenVINO, bytes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in SWEEP.items():
            path = Path(folder) / "trial.onnx"
            to_int8(network, path, bench.calibration, settings)
            got = bench.judge(network, path)
            clocked = timing.clock(timing.openvino(path, side, moods.SIZE, "int8"), side, moods.SIZE)
            yield (
                f"{name:26} {got['int8_psnr']:6.2f} dB  loses {got['int8_loss']:6.3f} dB  "
                f"{clocked.best:6.2f} ms  {path.stat().st_size / 1e3:7.0f} kB"
            )


def renew(
    told: Mapping[str, Any], size: str, folder: Path, bench: Bench, settings: Settings, finished: Dream | None
) -> dict[str, float]:
    """Make the int8 file of one size of the world in `folder`, whose card is `told`, afresh; the card follows. Returns
    what was measured.
    """
    fresh = copy.deepcopy(dict(told))
    entry = fresh["size"][size]
    with tempfile.TemporaryDirectory(prefix=".quantise-", dir=folder.parent) as partial:
        file = Path(partial) / entry.setdefault("int8", f"{size}.int8.onnx")
        got = better(networks.load(told, size, folder), file, bench, settings, finished)
        entry["int8_sha256"] = card.sha256(file)
        entry["quality"] = entry.get("quality", {}) | {name: round(value, 4) for name, value in got.items()}
        card.publish(fresh, file.parent, folder)
    return got


def learned(told: Mapping[str, Any], folder: Path, world: World) -> bool:
    """Whether the card's networks learned this world. `folder` is the world's. 10 ms a picture."""
    from perform.lab import export  # which quantises

    pictures = Batches(world, export.SIDE, strange=1)  # as the export saw them, whatever --side and --device are
    return export.learned(told, export.describe(folder, pictures)["mood"])


def teachable(told: Mapping[str, Any], size: str) -> bool:
    """Whether `finish` can teach this size of a card: a network of ours, whose convolutions are all plain ones."""
    return told["size"][size].get("network", told.get("network", {}).get("name", "plain")) in ("plain", "decoder")


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, help="the world's folder, with its card.toml")
    parser.add_argument("--world", type=Path, required=True, help="the folder of its pictures, from `perform world`")
    parser.add_argument("--size", action="append", help="repeatable; every size of the card by default")
    parser.add_argument("--calibration", type=int, default=CALIBRATION, help="inputs to take ranges from")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--finish", type=int, default=0, metavar="STEPS", help="learn to round well first, so long")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"], help="of the finish")
    parser.add_argument("--sweep", action="store_true", help="compare settings instead of writing files")
    args = parser.parse_args(argv)
    if args.calibration < 2 or args.finish < 0:
        parser.error("--calibration is 2 or more (half photographs, half strangers), --finish 0 or more")
    told, world = card.read(args.models), World.load(args.world)
    if unknown := set(args.size or ()) - set(told["size"]):
        parser.error(f"{args.models} has no size {min(unknown)!r}; it has {', '.join(told['size'])}")
    if "mood" not in told:
        parser.error(f"{args.models} has no moods: a network that was imported stays as it is")
    if args.finish and (others := [size for size in args.size or told["size"] if not teachable(told, size)]):
        parser.error(f"--finish teaches networks of ours, and {others[0]!r} of {args.models} is none: leave it out")
    if not learned(told, args.world, world):
        parser.error(f"{args.models} has {', '.join(told['size'])}, which learned other pictures: name another --world")
    batches = Batches(world, args.side, strange=240, device=pick(args.device))
    most = max(how.calibration for how in SWEEP.values()) if args.sweep else args.calibration
    bench = Bench.of(world, batches, float(told["condition"]["reduce"]), most)
    for size in args.size or told["size"]:
        network = networks.load(told, size, args.models)
        if args.sweep:
            for line in sweep(network, bench, args.side):
                print(f"{size:4} {line}", flush=True)
            continue
        settings = replace(Settings(), calibration=args.calibration)
        finished = finish(network, batches, args.finish) if args.finish else None
        got = renew(card.read(args.models), size, args.models, bench, settings, finished)
        gained = f", finish {got['finish_gain']:+.1f} dB" if finished else ""
        print(f"{size:4} agrees {got['int8_psnr']:.1f} dB{gained}, loses {got['int8_loss']:.3f} dB against the truth")


if __name__ == "__main__":
    main()
