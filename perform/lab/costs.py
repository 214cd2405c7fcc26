"""What a plan costs on the engine it will run on: milliseconds of OpenVINO int8, from a table measured once.

    python -m perform.lab.costs --out bench/results/latency.json     # two minutes, on the machine to choose for

Multiply-accumulates do not say it: vector units work on whole groups of channels, memory traffic costs too, and the
pixel maths at both ends costs the same for every network. So random plans are built, quantised as the export does it,
and timed; a handful of physical terms (padded multiply-accumulates, activations written, each at its resolution) is
fitted to the times by non-negative least squares, and held against plans that were not fitted. The table is a file,
so that a machine without OpenVINO can choose by it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from perform.lab import moods, run, timing
from perform.lab.plans import Plan
from perform.networks import Dream

GROUP = 16  # channels that a vector register of 512 bits holds as int32
TERMS = ("always", "padded MACs at 1/2", "at 1/4", "at 1/8", "written at 1/2", "at 1/4", "at 1/8")


def terms(plan: Plan) -> list[float]:
    """The physical terms of a plan, in units of a picture of 8x8 pixels, in the order of `TERMS`."""
    work = {16: 0.0, 4: 0.0, 1: 0.0}
    traffic = {16: 0.0, 4: 0.0, 1: 0.0}
    for layer in plan.layers:
        work[layer.cells] += 9e-6 * layer.cells * _padded(layer.inputs, 4) * _padded(layer.outputs, GROUP)
        traffic[layer.cells] += 1e-3 * layer.cells * (layer.outputs + layer.inputs)
    return [1.0, *work.values(), *traffic.values()]


def _padded(channels: int, group: int) -> int:
    return -(-channels // group) * group


@dataclass(frozen=True)
class Table:
    """The fitted terms, in milliseconds, and where they were measured. `error`: mean relative error on plans held out
    of the fit.
    """

    terms: tuple[float, ...]
    error: float
    about: Mapping[str, Any]

    def __call__(self, plan: Plan) -> float:
        """Milliseconds a dream."""
        return float(np.dot(terms(plan), self.terms))

    @classmethod
    def load(cls, path: Path) -> Table:
        """Read a table. Raises ValueError, one sentence, for a file that is none or is not there."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(float(number) for number in data["terms"]), float(data["error"]), data["about"])
        except FileNotFoundError:
            raise ValueError(
                f"there is no latency table {str(path)!r} here: name one with --table (a checkout of perform has "
                f"bench/results/latency.json), or let `python -m perform.lab.costs --out {path}` measure this machine"
            ) from None
        except (KeyError, TypeError, ValueError) as e:
            raise ValueError(f"{path} is not a latency table ({e}); `python -m perform.lab.costs` makes one") from None

    def save(self, path: Path) -> None:
        """Write it, atomically."""
        data = {"about": dict(self.about), "error": self.error, "terms": list(self.terms), "names": list(TERMS)}
        text = json.dumps(data, indent=1) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        run.write(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def quantised(plan: Plan, side: int, mood: int = moods.SIZE) -> Any:
    """An OpenVINO model as the int8 export of a plan would be, with random weights: same kernels, same time. 1 s."""
    import openvino as ov
    from openvino import opset13 as op

    network = Dream(plan.network(mood)).eval()
    example = (torch.zeros(1, side, side, 4, dtype=torch.uint8), torch.zeros(1, mood))
    model = ov.convert_model(network, example_input=example)
    for port, name in zip(model.inputs, ("picture", "mood"), strict=True):
        port.get_tensor().set_names({name})

    def rounded(port: Any, low: float, high: float, levels: int) -> Any:
        ends = [op.constant(np.float32(end)) for end in (low, high, low, high)]
        return op.fake_quantize(port, *ends, levels).output(0)

    convolutions = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]
    for node in convolutions[1:-1]:
        node.input(0).replace_source_output(rounded(node.input_value(0), 0.0, 4.0, 256))
        node.input(1).replace_source_output(rounded(node.input_value(1), -0.1, 0.1, 255))
    return model


def measure(plans: Sequence[Plan], side: int, threads: int = 1, turns: int = 4, seconds: float = 0.15) -> list[float]:
    """Milliseconds a dream of each plan in OpenVINO int8: the fastest call of several turns, since what else the
    machine does only ever adds. 2 s a plan.
    """
    plays = [timing.openvino(quantised(plan, side), side, moods.SIZE, "int8", threads) for plan in plans]
    best = [float("inf")] * len(plans)
    for _ in range(turns):
        best = [
            min(known, timing.clock(play, side, moods.SIZE, seconds).best)
            for known, play in zip(best, plays, strict=True)
        ]
    return best


def random_plans(count: int, seed: int = 0) -> list[Plan]:
    """Plans from below `s` to above `l`, widths in multiples of 8."""
    rng = random.Random(seed)

    def width(low: int, high: int) -> int:
        return 8 * rng.randint(low // 8, high // 8)

    out = []
    for _ in range(count):
        widths = (width(8, 32), width(16, 64), width(32, 128))
        out.append(Plan(widths, tuple(width(16, widths[2]) for _ in range(rng.randint(1, 5)))))
    return out


def fit(plans: Sequence[Plan], milliseconds: Sequence[float], about: Mapping[str, Any]) -> Table:
    """Fit the terms to measured plans: non-negative, relative errors, every fourth plan held out to tell the error."""
    rows = np.array([terms(plan) for plan in plans])
    times = np.asarray(milliseconds, float)
    kept = np.arange(len(plans)) % 4 != 3
    found = nonnegative(rows[kept] / times[kept, None], np.ones(int(kept.sum())))
    off = np.abs(rows @ found / times - 1)[~kept]
    return Table(tuple(float(number) for number in found), float(off.mean()) if len(off) else 0.0, about)


def nonnegative(matrix: npt.NDArray[np.float64], goal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Least squares without negative terms: the active-set method of Lawson and Hanson (1974), plainly."""
    scale = np.linalg.norm(matrix, axis=0).clip(1e-30)
    a = matrix / scale
    x, used = np.zeros(a.shape[1]), np.zeros(a.shape[1], bool)
    for _ in range(10 * len(x)):
        pull = np.where(used, -np.inf, a.T @ (goal - a @ x))
        if pull.max() <= 1e-9:
            break
        used[pull.argmax()] = True
        while True:
            best = np.zeros_like(x)
            best[used] = np.linalg.lstsq(a[:, used], goal, rcond=None)[0]
            if not (bad := used & (best <= 0)).any():
                break
            step = (x[bad] / (x[bad] - best[bad])).min()
            x = x + step * (best - x)
            used &= x > 1e-12
        x = best
    result: npt.NDArray[np.float64] = x / scale
    return result


def main(argv: Sequence[str] | None = None) -> None:
    import openvino as ov

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench/results/latency.json"))
    parser.add_argument("--plans", type=int, default=60)
    parser.add_argument("--side", type=int, default=256)
    args = parser.parse_args(argv)
    if args.side < 8 or args.side % 8:
        parser.error(f"--side is a multiple of 8, not {args.side}")
    about = {
        "engine": f"OpenVINO {ov.__version__.split('-')[0]} int8, 1 thread, {args.side}x{args.side}",
        "processor": ov.Core().get_property("CPU", "FULL_DEVICE_NAME"),
        "plans": args.plans,
    }
    plans = random_plans(args.plans)
    times = measure(plans, args.side)
    table = fit(plans, times, about)
    table.save(args.out)
    for plan, time in zip(plans[3::4], times[3::4], strict=True):
        print(f"{plan!s:40} measured {time:6.2f} ms  table {table(plan):6.2f} ms")
    print(f"{args.out}: off by {table.error:.1%} on average for plans that were not fitted")


if __name__ == "__main__":
    main()
