"""A world as a record of pictures; its words; the deep-sky credits; the renders."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from perform.lab import gather, worlds
from perform.lab.gather import cosmos, credits, debian, landscape
from perform.lab.gather.gathering import Gathering, Piece, rendered
from perform.lab.licences import Grant
from perform.lab.moods import Scale
from perform.lab.renders import agate, many, nebula, noise, ocean
from perform.lab.words import words
from perform.lab.worlds import World

CREDITS = """## Full Reference & Credits
4. Graphics
    4.1 All graphics are copyrighted by the Team (GNU GPLv2 or later)
    4.9 Images of NGC4526, NGC6544, Sh2-261
        from Yang Kai
        License: public domain
    4.10 Images of M1, M27 from Stephane
         Dumont
    4.25 Images of M15, Barnard 142
         from Peter Vasey, Plover Hill Observatory
         http://www.example.org/
    4.29 Images of NGC4038-4039, UGC9618 from NASA,
         ESA
         License: public domain; http://example.org/copyright/
    4.38 Images of M44 from Giuseppe
         License: Creative Commons CC0 1.0 Universal Public Domain Dedication
    4.42 Images of NGC134,, NGC6726 and M8
         from ESO
         http://eso.org/public/
         License: Creative Commons Attribution 4.0 International
    4.43 Images of the Pleiades from HG
         License: Creative Commons Attribution-Share Alike 2.5 Generic
    4.45 Images of NGC6726, NGC247
         from Fany
         License: Permission is granted to copy under the GNU Free Documentation License
    4.68 Images of NGC4567
         from Klaus
         License: Creative Commons Attribution-Share Alike 3.0 Germany
    4.95 Images of LMC (Magellanic Clouds)
         from ESO/R. Gendler
         License: Creative Commons Attribution 4.0 International. This work is a derivative of another.
    4.99 Images of NGC9
         from X
         License: Creative Commons Attribution-NonCommercial 4.0 International
## Appendix
    4.1 Images of NGC1 from nobody License: public domain
"""


def pictures(count: int) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    soft = torch.rand(count, 3, 4, 5, generator=rng)
    large = torch.nn.functional.interpolate(soft, (64, 80), mode="bicubic").clamp(0, 1)
    return [(one[:, : 60 - index, :] * 255).to(torch.uint8) for index, one in enumerate(large)]


def test_a_world_keeps_pictures_of_any_sizes(tmp_path: Path) -> None:
    world = World.of(pictures(20))
    assert world.held_out.nonzero().flatten().tolist() == [6, 19]
    world.save(tmp_path)
    again = World.load(tmp_path)
    assert torch.equal(again.held_out, world.held_out)
    for one, other in zip(world.pictures, again.pictures, strict=True):
        assert one.shape == other.shape
        assert (one.float() - other.float()).abs().mean() < 3
    assert len(again.unseen()) == 2
    assert len(again.training()) == 18
    assert torch.equal(again.unseen()[1], again.pictures[19])


@pytest.mark.parametrize("count", [1, 3, 7, 13])
def test_something_is_always_held_out(count: int) -> None:
    assert int(World.of(pictures(count)).held_out.sum()) == 1


def test_no_world_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no world"):
        World.load(tmp_path)
    (tmp_path / worlds.FILE).write_bytes(b"\0" * 40)
    with pytest.raises(ValueError, match="holds no world"):
        World.load(tmp_path)


def test_collecting_writes_all_three_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [Piece(f"p{i}", one, Grant((), "A", "CC0-1.0", ""), "a source") for i, one in enumerate(pictures(14))]
    monkeypatch.setattr(
        "perform.lab.gather.agate.gather", lambda cache, workers: Gathering(pieces, {"seed": 4}, ["q: no"])
    )
    world = gather.collect("agate", tmp_path, tmp_path)
    assert len(world.pictures) == 14
    about = json.loads((tmp_path / "world.json").read_text(encoding="utf-8"))
    assert about["held_out"] == ["p6"]
    assert about["seed"] == 4
    assert about["refused"] == ["q: no"]
    assert len((tmp_path / "ATTRIBUTION.csv").read_text(encoding="utf-8").splitlines()) == 15
    assert len(World.load(tmp_path).pictures) == 14
    with pytest.raises(ValueError, match="there is no world 'fire'; there are agate, cosmos"):
        gather.collect("fire", tmp_path, tmp_path)


@pytest.mark.parametrize("world", gather.WORLDS)
def test_words_of_each_world(world: str) -> None:
    said = words(world)
    assert 5 <= len(said.moods.named) <= 9
    assert {name for row in said.moods.pad for name in row} == set(said.moods.named)
    assert said.moods.default in said.moods.named
    assert all(name.isascii() and name.isalpha() and name.islower() for name in said.moods.named)
    vectors = said.moods.vectors(Scale(torch.zeros(7), torch.ones(7)))
    assert all(len(vector) == 7 and max(map(abs, vector)) <= 2.5 for vector in vectors.values())
    for row in said.moods.pad:  # cool to warm, which the eye reads as red less blue
        warm = [sum(c[0] - c[2] for c in (said.moods.named[name].lights, said.moods.named[name].darks)) for name in row]
        assert warm[0] < warm[-1]


@pytest.mark.parametrize("world", ["", "mine", "../landscape", "__init__", "os"])
def test_no_words_for_others(world: str) -> None:
    with pytest.raises(ValueError, match="no words for a world"):
        words(world)


@pytest.mark.parametrize(
    ("stem", "licence"),
    [
        ("n4526", "public-domain"),
        ("sh2-261", "public-domain"),
        ("n4038-9", "public-domain"),
        ("u9618h", "public-domain"),
        ("m44", "CC0-1.0"),
        ("n134", "CC-BY-4.0"),
        ("m8", "CC-BY-4.0"),
        ("pleiades", "CC-BY-SA-2.5"),
        ("n4567", "CC-BY-SA-3.0-de"),
        ("lmc_07", "CC-BY-4.0"),
    ],
)
def test_credits_that_are_clear(stem: str, licence: str) -> None:
    grant = credits.grant(stem, credits.read(CREDITS))
    assert isinstance(grant, Grant)
    assert grant.licence == licence


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("m27dumont", "none given"),
        ("m15-vasey", "none given"),
        ("barnard142-vasey", "none given"),
        ("n6726", "Permission is granted"),  # credited twice, one of them not allowed
        ("n247", "Permission is granted"),
        ("n9", "NonCommercial"),
        ("n1", "not in the credits"),  # only in the appendix
        ("n1261-dss", "not in the credits"),
        ("n4526-dss", "not in the credits"),
        ("", "not in the credits"),
    ],
)
def test_credits_that_are_not(stem: str, why: str) -> None:
    found = credits.grant(stem, credits.read(CREDITS))
    assert isinstance(found, str)
    assert why in found


def test_the_strictest_terms_of_several_hold() -> None:
    order = ["CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-2.5", "CC-BY-SA-3.0-de"]
    for free in ("public-domain", "CC0-1.0"):
        for lax, strict in pairwise([free, *order[1:]]):
            for terms in ((lax, strict), (strict, lax)):
                found = credits.grant("m1", {"m1": [credits.Credit("A", one, "CREDITS 4.1") for one in terms]})
                assert isinstance(found, Grant)
                assert found.licence == strict


def test_no_credits_is_an_error() -> None:
    with pytest.raises(ValueError, match="no list of images"):
        credits.read("hello")


def test_borders_and_round_masks_are_cut_away() -> None:
    y, x = torch.meshgrid(torch.arange(256.0), torch.arange(256.0), indexing="ij")
    disc = ((y - 128) ** 2 + (x - 128) ** 2 < 120**2).float()
    round_ = (disc * 180).to(torch.uint8).expand(3, -1, -1)
    cut = cosmos.lit(round_)
    assert 150 <= cut.shape[1] <= 200
    assert float((cut[0] > 0).float().mean()) > 0.97
    framed = torch.zeros(3, 256, 256, dtype=torch.uint8)
    framed[:, 40:200, 32:224] = 90
    assert cosmos.lit(framed).shape == (3, 160, 160)
    assert bool((cosmos.lit(framed) == 90).all())
    assert cosmos.lit(torch.zeros(3, 64, 64, dtype=torch.uint8)).numel() == 0


def test_cosmos_takes_only_what_is_lit_and_licensed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / cosmos.FOLDER
    folder.mkdir(parents=True)
    bright = worlds.image((torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2)) * 255).to(torch.uint8))
    for name in ("m44", "m27dumont", "n4526"):
        bright.resize((512, 512)).save(folder / f"{name}.png")
    worlds.image(torch.full((3, 512, 512), 6, dtype=torch.uint8)).save(folder / "n134.png")
    (tmp_path / cosmos.CREDITS).parent.mkdir(parents=True)
    (tmp_path / cosmos.CREDITS).write_bytes(gzip.compress(CREDITS.encode()))
    monkeypatch.setattr(debian, "fetch", lambda name, cache: debian.Package(name, "1.0", "abc", tmp_path))
    monkeypatch.setattr(cosmos, "rendered", lambda *asked: ([], {}))
    found = cosmos.gather(tmp_path, 1)
    assert [piece.name for piece in found.pieces] == ["m44-0.png", "n4526-0.png"]
    assert all(piece.picture.shape == (3, 430, 430) for piece in found.pieces)
    assert [line.split(":")[0] for line in found.refused] == ["m27dumont.png", "n134.png"]
    assert found.origin["sha256"] == "abc"


def test_without_apt_the_package_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match=r"put endless-sky-data_\*\.deb of Debian into"):
        debian.fetch(landscape.PACKAGE, tmp_path)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg here")
def test_a_package_that_is_cut_off_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{landscape.PACKAGE}_1.0_all.deb").write_bytes(b"!<arch>\n")
    with pytest.raises(ValueError, match=r"data_1\.0_all\.deb is cut off or damaged .*: remove it to fetch it again"):
        debian.fetch(landscape.PACKAGE, tmp_path)


@pytest.fixture
def coarse_noise(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tables of 128 instead of 1,024 texels: made in no time."""
    noise.fractal.cache_clear()
    monkeypatch.setattr(noise, "TEXELS", 128)
    yield
    noise.fractal.cache_clear()


@pytest.mark.usefixtures("coarse_noise")
@pytest.mark.parametrize("render", [ocean.render, nebula.render, agate.render])
def test_a_seed_is_a_picture(render: Callable[[int, int], torch.Tensor]) -> None:
    first, again, other = render(3, 48), render(3, 48), render(4, 48)
    assert torch.equal(first, again)
    assert first.shape == (3, 48, 48)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1
    assert bool(torch.isfinite(first).all())
    assert float((first - other).abs().mean()) > 0.03
    assert float(first.std()) > 0.05


def test_many_are_in_the_order_of_seeds_without_the_dull(monkeypatch: pytest.MonkeyPatch) -> None:
    def painted(seed: int, side: int) -> torch.Tensor:
        line = torch.linspace(0, 1, side).expand(3, side, side)
        return line * (0.02 if seed % 3 == 0 else 1.0)

    monkeypatch.setattr(nebula, "render", painted)
    found = many.render("nebula", 4, 16, workers=1)
    assert [seed for seed, _ in found] == [1, 2, 4, 5]
    pieces, about = rendered("nebula", 4, 16, 1)
    assert [piece.name for piece in pieces] == ["nebula-00001", "nebula-00002", "nebula-00004", "nebula-00005"]
    assert pieces[0].grant.licence == "CC0-1.0"
    assert about["last_seed"] == 5
    monkeypatch.setattr(nebula, "render", lambda seed, side: torch.zeros(3, side, side))
    with pytest.raises(RuntimeError, match="only 0 were worth"):
        many.render("nebula", 4, 16, workers=1)


def test_one_worker_renders_on_one_thread_and_gives_the_others_back(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def painted(seed: int, side: int) -> torch.Tensor:
        threads.append(torch.get_num_threads())
        return torch.linspace(0, 1, side).expand(3, side, side)

    monkeypatch.setattr(nebula, "render", painted)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        many.render("nebula", 3, 16, workers=1)
        assert (threads, torch.get_num_threads()) == ([1, 1, 1], 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.usefixtures("coarse_noise")
def test_noise_repeats_and_is_even() -> None:
    table = noise.fractal(1, octaves=4)
    u, v = torch.rand(2, 500, generator=torch.Generator().manual_seed(0)) * noise.PERIOD
    near, far = table.one(u, v), table.one(u + noise.PERIOD, v - noise.PERIOD)
    assert (near - far).abs().max() < 1e-2
    values = table.values[0, 0, 1:-1, 1:-1]
    assert abs(float(values.mean())) < 1e-3
    assert abs(float(values.std()) - 1) < 1e-3
