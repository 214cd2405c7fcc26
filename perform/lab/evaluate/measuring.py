"""One entrant, all numbers but its speed.

Differences of pictures are in bytes of the screen (0..255), PSNR in dB, KID without unit (see `metrics.realism`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from perform.lab import losses
from perform.lab.card import condition
from perform.lab.evaluate.scene import Inputs, Scene
from perform.lab.metrics import temporal, texture
from perform.lab.metrics.perceptual import LpipsHed
from perform.lab.metrics.realism import Embedding, Kid, kid

Dream = Callable[[Tensor, Tensor], Tensor]  # (luma [B,1,H,W] in 0..1, mood [B,7]) -> RGB [B,3,H,W] in -1..1
GRAIN = 4.0  # bytes of sensor noise: a webcam in a dim room


@dataclass(frozen=True)
class Woven:
    """The radial spectrum of a collection, and its patches on four levels, taken apart as a real side."""

    spectrum: Tensor
    levels: list[texture.Level]


def woven(pictures: Tensor) -> Woven:
    """Of pictures [N,3,S,S]: 20 ms each."""
    return Woven(texture.radial(pictures), texture.levels(_patches(pictures, 1)))


def _patches(pictures: Tensor, seed: int) -> list[Tensor]:
    return texture.patches(pictures, torch.Generator().manual_seed(seed))


@dataclass
class Judges:
    """The networks that judge, and what they made of the real side (each is looked at once)."""

    lpips: LpipsHed
    embedding: Embedding
    seen: dict[str, Tensor] = field(default_factory=dict)
    features: dict[str, list[list[Tensor]]] = field(default_factory=dict)
    cloth: list[Woven] = field(default_factory=list)

    @classmethod
    def fetched(cls, cache: Path) -> Judges:
        """With their weights, downloaded once: 70 MB."""
        return cls(LpipsHed.fetched(cache), Embedding.fetched(cache))

    def embed(self, pictures: Tensor) -> Tensor:
        """[N,1280]."""
        with torch.inference_mode():
            return torch.cat([self.embedding(part) for part in torch.split(pictures, 8)])

    def real(self, scene: Scene) -> Tensor:
        """The real side, embedded once."""
        if "real" not in self.seen:
            self.seen["real"] = self.embed(scene.collection)
        return self.seen["real"]

    def weave(self, scene: Scene) -> Woven:
        """The real side's spectrum and patches, taken once."""
        if not self.cloth:
            self.cloth.append(woven(scene.collection))
        return self.cloth[0]

    def distances(self, pictures: Tensor, others: Mapping[str, Tensor]) -> dict[str, float]:
        """The mean LPIPS-HED of pictures from each of some others, whose features are kept by name (32 MB each)."""
        total: dict[str, list[Tensor]] = {name: [] for name in others}
        with torch.inference_mode():
            for name, theirs in others.items():
                if name not in self.features:
                    self.features[name] = [list(self.lpips.features(one[None])) for one in theirs]
            for index, one in enumerate(pictures):
                mine = list(self.lpips.features(one[None]))
                for name, found in total.items():
                    found.append(self.lpips.between(mine, self.features[name][index]))
        return {f"{name}_lpips": float(torch.cat(found).mean()) for name, found in total.items()}


@dataclass(frozen=True)
class Dreams:
    """What an entrant paints of the scene's held-out and live inputs, [N,3,S,S] in -1..1, and both embedded."""

    held: Tensor
    live: Tensor
    seen_held: Tensor
    seen_live: Tensor


def paint(dream: Dream, inputs: Inputs, at_once: int = 4) -> Tensor:
    """Dreams [N,3,S,S] of inputs, whole bytes again, as a screen shows them."""
    with torch.inference_mode():
        pairs = zip(torch.split(inputs.condition, at_once), torch.split(inputs.mood, at_once), strict=True)
        return torch.cat([on_screen(dream(*pair).float()) for pair in pairs])


def on_screen(rgb: Tensor) -> Tensor:
    """-1..1 rounded to whole bytes, still in -1..1."""
    return ((rgb + 1) * 127.5).clamp(0, 255).add(0.5).floor().clamp(max=255) / 127.5 - 1


def dreams(dream: Dream, scene: Scene, judges: Judges) -> Dreams:
    """All still pictures of an entrant. About 200 dreams."""
    held, live = paint(dream, scene.held), paint(dream, scene.live)
    return Dreams(held, live, judges.embed(held), judges.embed(live))


def measure(
    dream: Dream, scene: Scene, judges: Judges, teacher: Dreams | None = None
) -> tuple[dict[str, float], tuple[float, ...]]:
    """All numbers of an entrant, and what its KID is without each picture and input: two entrants' difference is
    judged by those (`realism.apart`). A minute for `m`.
    """
    mine = dreams(dream, scene, judges)
    numbers = fidelity(mine, scene, judges, teacher)
    real, left = realism(mine, scene, judges)
    return numbers | real | fabric(mine, scene, judges) | steadiness(dream, scene), left


def fidelity(mine: Dreams, scene: Scene, judges: Judges, teacher: Dreams | None) -> dict[str, float]:
    """Against the photographs that were never trained on, in their own moods, and against the teacher's dreams; on live
    inputs there is no truth, only the teacher.
    """
    count = len(scene.real)
    held, live = mine.held[:count], mine.live[: scene.pairs_live]
    out = _pairs("truth", held, scene.real)
    beside = {"truth": scene.real}
    follow = losses.follow(mine.held, scene.held.condition)
    out |= {"follow": 1 - float(follow), "live_follow": 1 - float(losses.follow(mine.live, scene.live.condition))}
    if teacher is not None and teacher is not mine:
        theirs, live_theirs = teacher.held[:count], teacher.live[: scene.pairs_live]
        out |= _pairs("teacher", held, theirs) | _pairs("teacher_live", live, live_theirs)
        beside["teacher"] = theirs
        out |= judges.distances(live, {"teacher_live": live_theirs})
        apart = kid(
            torch.cat([mine.seen_held, mine.seen_live]),
            torch.cat([teacher.seen_held, teacher.seen_live]),
            torch.cat([scene.held.group, scene.live.group]).tolist(),
            torch.cat([scene.held.group, scene.live.group]).tolist(),
        )
        out |= _kid("teacher_kid", apart)
    return out | judges.distances(held, beside)


def _pairs(name: str, a: Tensor, b: Tensor) -> dict[str, float]:
    each = [min(99.0, losses.psnr(one, other)) for one, other in zip(a, b, strict=True)]  # alike to the byte: infinite
    return {
        f"{name}_l1": float((a - b).abs().mean()) * 127.5,
        f"{name}_psnr": sum(each) / len(each),
        f"{name}_ssim": float(losses.ssim(a, b)),
    }


def realism(mine: Dreams, scene: Scene, judges: Judges) -> tuple[dict[str, float], tuple[float, ...]]:
    """KID against the world's photographs: of dreams on held-out photographs in their own moods, of dreams on live
    inputs in any mood, and of both together; and the last one's jackknife.
    """
    real, groups = judges.real(scene), scene.collection_group.tolist()
    together = torch.cat([mine.seen_held, mine.seen_live])
    all_groups = torch.cat([scene.held.group, scene.live.group]).tolist()
    both = kid(real, together, groups, all_groups)
    out = _kid("kid", both)
    out |= _kid("kid_held", kid(real, mine.seen_held, groups, scene.held.group.tolist()))
    return out | _kid("kid_live", kid(real, mine.seen_live, groups, scene.live.group.tolist())), both.left


def _kid(name: str, found: Kid) -> dict[str, float]:
    return {name: found.value, f"{name}_error": found.error}


def floor(scene: Scene, judges: Judges, splits: int = 10, seed: int = 0) -> dict[str, float]:
    """Real against real: the photographs in random halves, `splits` times; what a perfect dreamer would get. The mean,
    the standard deviation over splits, and the same for the texture numbers (one split).
    """
    real, rng = judges.real(scene), torch.Generator().manual_seed(seed)
    values, groups = [], scene.collection_group
    photographs = torch.unique(groups)
    for _ in range(splits):
        chosen = photographs[torch.randperm(len(photographs), generator=rng)[: len(photographs) // 2]]
        first = torch.isin(groups, chosen)
        values.append(kid(real[first], real[~first], groups[first].tolist(), groups[~first].tolist()).value)
    found = torch.tensor(values)
    apart = _texture("", woven(scene.collection[first]), scene.collection[~first])
    return {"kid": float(found.mean()), "kid_spread": float(found.std(correction=0)), **apart}


def fabric(mine: Dreams, scene: Scene, judges: Judges) -> dict[str, float]:
    """Spectrum (dB) and sliced Wasserstein distance against the world's photographs."""
    real = judges.weave(scene)
    return _texture("", real, mine.held) | _texture("_live", real, mine.live)


def _texture(suffix: str, real: Woven, fake: Tensor) -> dict[str, float]:
    return {
        f"spectrum{suffix}": texture.spectrum_distance(real.spectrum, texture.radial(fake)),
        f"swd{suffix}": texture.swd(real.levels, _patches(fake, 2)),
    }


def steadiness(dream: Dream, scene: Scene, seed: int = 0) -> dict[str, float]:
    """Still under noise, panned, zoomed, and a hand that drifts: always from the camera's picture on."""
    rng = torch.Generator().manual_seed(seed)
    centre = (scene.camera.shape[2] - scene.side) // 2
    inner = slice(centre, centre + scene.side)

    def road(mood: Tensor) -> temporal.Play:
        def play(camera: Tensor) -> Tensor:
            given = condition(camera, scene.reduce, scene.side)
            return paint(dream, Inputs(given, mood.expand(len(given), -1), torch.zeros(len(given))))

        return play

    still, pans, zooms = [], [], []
    for index, mood in enumerate(torch.split(scene.camera_mood, 1)):
        picture = scene.camera[index : index + 1]
        still.append(temporal.tremble(road(mood), picture[:, :, inner, inner], rng, GRAIN))
        if index < scene.moving:
            pans.append(temporal.warp_pan(road(mood), picture, scene.side, _steps(scene), scene.side // 8))
            zooms.append(temporal.warp_zoom(road(mood), picture[:, :, inner, inner], margin=scene.side // 8))
    drifting = temporal.drift(scene.hand, scene.side, scene.frames, speed=scene.side / 16)
    sequence = road(scene.camera_mood[-2:-1])(temporal.noisy(drifting, rng, GRAIN))
    return {
        "tremble": _mean(still),
        "warp_pan": _mean(pans),
        "warp_zoom": _mean(zooms),
        "shimmer": temporal.shimmer(sequence),
    }


def _steps(scene: Scene) -> Sequence[int]:
    return [step * scene.side // 64 for step in range(4)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
