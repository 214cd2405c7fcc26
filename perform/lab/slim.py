"""Channel slimming: cut a trained network's inner widths until it meets a measured latency, then distil it on.

    perform slim --teacher runs/teacher --world runs/landscape --start runs/students/l --out runs/slim

What a channel is worth is the first-order Taylor term of the distillation loss in a gate at its output (Molchanov et
al. 2019; the same question that Liu et al. 2017 put to batch-norm gains, without training them sparse first). What it
costs is read from a latency table (`perform.lab.costs`), not from multiply-accumulates. Groups of eight channels go,
the one with the least worth for a millisecond first, until the table says that the target is met. The plan is kept in
the run folder (`plan.json`), so that a resumed run cuts the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from perform.lab import distil, driving, graft, losses, networks, run
from perform.lab.costs import Table
from perform.lab.device import last
from perform.lab.plans import Plan
from perform.networks import Plain
from perform.parsing import Parser

GROUP = 8  # channels that go together: engines compute in eights
Cost = Callable[[Plan], float]


def worth(network: Plain, teacher: nn.Module, inputs: Iterable[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """For each block, what each inner channel [inner] adds to the likeness with the teacher: the sum of squares of the
    loss's slope in a gate of 1 at its output. Differentiable networks, any device.
    """
    gates = [torch.ones(width, device=network.head.weight.device, requires_grad=True) for width in network.inner]
    totals = [torch.zeros_like(gate) for gate in gates]
    hooks = [_gated(block, gate) for block, gate in zip(network.body, gates, strict=True)]
    for condition, mood in inputs:
        with torch.no_grad():
            target = distil.borderless(teacher, condition, mood).float()
        for k in range(len(condition)):  # one picture at a time: slopes of opposite sign would cancel
            dream = network(last(condition[k : k + 1]), mood[k : k + 1])
            one = target[k : k + 1]
            loss = (dream - one).abs().mean() + 0.5 * (1 - losses.ssim(dream, one)) + 0.5 * losses.haar(dream, one)
            for total, slope in zip(totals, torch.autograd.grad(loss, gates), strict=True):
                total += slope.square()
    for hook in hooks:
        hook.remove()
    return totals


def _gated(block: nn.Module, gate: Tensor) -> Any:
    assert isinstance(block, nn.ModuleList)
    return block[0].register_forward_hook(lambda _module, _given, made: made * gate[:, None, None])


def choose(plan: Plan, worths: Sequence[Tensor], cost: Cost, target: float) -> Plan:
    """The plan with the inner widths that remain when the least worthy groups for their time are gone and `cost` is
    at most `target`. Raises ValueError if inner widths alone cannot get there.
    """
    ordered = [one.sort().values.tolist() for one in worths]  # the cheapest channels first
    inner = list(plan.inner)
    while cost(now := Plan(plan.widths, tuple(inner))) > target:
        offers = []
        for block, width in enumerate(inner):
            if width <= GROUP:
                continue
            narrower = [*inner[:block], width - _odd(width), *inner[block + 1 :]]
            gone = plan.inner[block] - width
            lost = sum(ordered[block][gone : gone + _odd(width)])
            saved = cost(now) - cost(Plan(plan.widths, tuple(narrower)))
            offers.append((lost / max(saved, 1e-9), block))
        if not offers:
            raise ValueError(f"inner widths alone bring {plan} down to {cost(now):.2f} ms, not to {target:.2f}")
        block = min(offers)[1]
        inner[block] -= _odd(inner[block])
    return now


def _odd(width: int) -> int:
    """How many channels to the next multiple of `GROUP` below."""
    return width % GROUP or GROUP


@torch.no_grad()
def cut(network: Plain, plan: Plan, worths: Sequence[Tensor]) -> Plain:
    """The folded network with only the worthiest inner channels that `plan` leaves in each block."""
    slim = plan.network(network.mood)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    for block, (width, one) in enumerate(zip(plan.inner, worths, strict=True)):
        kept = one.argsort(descending=True)[:width].sort().values
        for key in (f"body.{block}.0.weight", f"body.{block}.0.bias"):
            state[key] = state[key][kept]
        key = f"body.{block}.1.weight"
        state[key] = state[key][:, kept]
    slim.load_state_dict(state)
    return slim.eval()


def slim(
    recipe: distil.Recipe, start: Path, school: graft.School, out: Path, wanted: tuple[Cost, float], pace: driving.Pace
) -> Plan:
    """Cut the network of run folder `start` to `wanted` = (cost, target) and distil it on into `out`. Returns the
    plan. Raises ValueError where the target cannot be met, or `out` was begun for another.
    """
    cost, target = wanted
    kept = out / "plan.json"
    told = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None
    if told is not None and abs(told["target ms"] - target) > 0.01:
        began = told["target ms"]
        raise ValueError(f"{out} is cut for {began:.2f} ms, not {target:.2f}: say --ms {began:.2f}, or another --out")
    whole = run.network(start).to(school.device)
    plan = Plan.of(whole)
    assert isinstance(whole, Plain)
    worths = worth(whole, school.teacher, school.conditions(64, seed=12))
    if told is not None:
        chosen = Plan.parse(told["plan"])
    else:
        chosen = choose(plan, worths, cost, target)
        out.mkdir(parents=True, exist_ok=True)
        told = {"plan": str(chosen), "from": str(plan), "ms": cost(chosen), "was ms": cost(plan), "target ms": target}
        run.write(kept, lambda path: path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8"))
    graft.finish(cut(whole, chosen, worths), school, recipe, out, pace, start)
    return chosen


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher"))
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--start", type=Path, default=Path("runs/students/l"), help="the run folder to cut from")
    parser.add_argument("--out", type=Path, default=Path("runs/slim"))
    parser.add_argument("--table", type=Path, default=Path("bench/results/latency.json"), help="from perform.lab.costs")
    parser.add_argument("--like", default="m", choices=list(networks.SIZES), help="as fast as this size")
    parser.add_argument("--ms", type=float, default=0.0, help="as fast as this, instead")
    driving.add_arguments(parser, distil.Recipe())
    args = vars(parser.parse_args(argv))
    recipe = distil.Recipe(**{name: args[name] for name in asdict(distil.Recipe())})
    table = Table.load(args["table"])
    target = args["ms"] or table(Plan.uniform(*networks.SIZES[args["like"]]))
    pace = driving.pace(args)
    school = graft.School(args["teacher"], args["world"], recipe.side, args["device"], args["cache"])
    plan = slim(recipe, args["start"], school, args["out"], (table, target), pace)
    print(f"{args['out']}: {plan}, {table(plan):.2f} ms by the table (target {target:.2f})")


if __name__ == "__main__":
    main()
