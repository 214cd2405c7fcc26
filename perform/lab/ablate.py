"""What each part of the recipe is worth: the same student trained again with one thing left out, or another network.

    perform ablate --world runs/landscape --teacher runs/teacher --out runs/ablation --steps 1200

Every variant ends as a run folder of its own (`runs/ablation/<variant>`, one network each), which `perform evaluate`
measures beside the shipped sizes. Variants that are finished are not done again; `--only` names some of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from perform.lab import begun, distil, driving, ranks, run, train
from perform.parsing import Parser


@dataclass(frozen=True)
class Variant:
    """A network, how it is taught (`distil` or `train`: from the teacher or from photographs), and what is changed."""

    why: str
    size: str = "m"
    stage: str = "distil"
    changes: Mapping[str, Any] = field(default_factory=dict)


COPYING = {"coarse": 0.0, "projected": 0.0, "deep": 0.0, "follow": 0.0}  # left out, but for `photographs`: dreams alone
VARIANTS: dict[str, Variant] = {
    "whole": Variant("the recipe, copying alone: without the judge of photographs"),
    "photographs": Variant(
        "with the judge of photographs, light held at 32×32 cells and asked to follow the input",
        changes={name: getattr(distil.Recipe(), name) for name in COPYING},
    ),
    "undistilled": Variant("the same network taught by photographs alone, as the teacher was", stage="train"),
    "no-adversary": Variant("without judges that go on learning", changes={"adversarial": 0.0}),
    "no-pixel": Variant("without L1", changes={"pixel": 0.0}),
    "no-structure": Variant("without SSIM", changes={"structure": 0.0}),
    "no-sparkle": Variant("without Haar high frequencies", changes={"sparkle": 0.0}),
    "no-matching": Variant("without the judges' features", changes={"matching": 0.0}),
    "no-steady": Variant("without temporal consistency", changes={"steady": 0.0}),
    "no-grain": Variant("without sensor noise in the student's input", changes={"grain": 0.0}),
    "branched": Variant("branches while training, merged at export (RepVGG, ECBSR)", size="m+"),
    "decoder": Variant("no encoder: the reduced condition straight into the body", size="decoder"),
    "gan-compression": Variant("GAN Compression's mobile generator", size="gan-compression"),
    "murr": Variant("Murr's narrow U-Net, first layer 8", size="murr"),
    "resnet9": Variant("CycleGAN's ResNet-9 as a teacher", size="resnet9", stage="train"),
    "unet256": Variant("pix2pix's U-Net-256 as a teacher", size="unet256", stage="train"),
}


def folder(out: Path, name: str) -> Path:
    """Where a variant's network ends up."""
    return out / name


def finished(out: Path, name: str) -> bool:
    """Whether a variant is done: its network lies in its folder beside `done`."""
    return (folder(out, name) / "done").exists()


def known(names: Sequence[str]) -> None:
    """Raises ValueError for a name that is not in `VARIANTS`."""
    for name in names:
        if name not in VARIANTS:
            raise ValueError(f"there is no variant {name!r}; there are {', '.join(VARIANTS)}")


def one(name: str, paths: Mapping[str, Path], steps: int, batch: tuple[int, int], device: str = "auto") -> Path:
    """Train one variant, resuming where it was; `paths` holds world, teacher, cache and out. Returns its run folder.

    Raises ValueError for a name that is not in `VARIANTS`, and where its folder was begun with something else.
    """
    known([name])
    variant, there = VARIANTS[name], folder(paths["out"], name)
    taught = {part: paths[part] for part in ("world", "teacher") if part == "world" or variant.stage != "train"}
    if finished(paths["out"], name):
        begun.same(there, begun.folders(**taught))  # these alone are asked for; the rest is the variant's own
        return there
    shared = {"steps": steps, "paired": batch[0], "unpaired": batch[1], **variant.changes}
    pace = driving.Pace(steps, sheet_every=max(1, steps))
    if variant.stage == "train":
        recipe = replace(train.Recipe(size=variant.size), **shared)
        train.train(recipe, paths["world"], there, paths["cache"], pace, device)
    else:
        asked = replace(distil.Recipe(sizes=variant.size), **(COPYING | shared))
        distil.judges_of(paths["teacher"])  # none without: new ones would learn a quarter of the steps alone
        distil.distil(asked, paths["teacher"], paths["world"], there, pace, device, cache=paths["cache"])
        if ranks.rank() == 0:
            alone = {key.partition(".")[2]: tensor for key, tensor in load_file(there / "ema.safetensors").items()}
            run.tensors(there / "ema.safetensors", alone)
            run.remember(there, begun.told(asked, **taught) | {"size": variant.size})
    if ranks.rank() == 0:
        (there / "done").touch()  # first: killed in between, what was learned is there
        (there / "checkpoint.pt").unlink()
    ranks.agree(True)  # nobody begins the next one before
    return there


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("world", "landscape"), ("teacher", "teacher"), ("cache", "cache"), ("out", "ablation")):
        parser.add_argument(f"--{name}", type=Path, default=Path("runs") / default)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--paired", type=int, default=4)
    parser.add_argument("--unpaired", type=int, default=6)
    parser.add_argument("--only", default=",".join(VARIANTS), help="comma separated; all by default")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    args = parser.parse_args(argv)
    paths = {name: getattr(args, name) for name in ("world", "teacher", "cache", "out")}
    names = args.only.split(",")
    known(names)  # all of them: each takes hours
    for name in names:
        one(name, paths, args.steps, (args.paired, args.unpaired), args.device)
        print(f"{name}: {VARIANTS[name].why}", flush=True)


if __name__ == "__main__":
    main()
